"""Notebooks as files: find them, execute them, clean them for storing, write them.

Execution here is strict: an exception inside a widget callback fails the notebook too. Jupyter
itself only prints such an error, and the cell that moved the slider counts as a success.
"""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from ..session.files import replacing
from ..session.records import KEY

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# JupyterLab asks which kernel to start for a notebook that names none.
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LARGE_IMAGE = 25_000  # characters of base64
STARTUP_TIMEOUT = 600  # seconds; on a machine with much else to do a kernel takes minutes
VOLATILE_CELL_METADATA = ("execution", "ExecuteTime", "outputId", "colab", "scrolled", "collapsed")
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class NotebookError(Exception):
    """What is wrong with a request or a notebook, in words for the person who asked."""


@dataclass(frozen=True)
class CellRun:
    """One executed code cell: its place among the code cells (from 1), and its seconds."""

    number: int
    count: int
    cell: NotebookNode
    seconds: float


def find(names: Iterable[str] = (), folder: Path = NOTEBOOKS) -> list[Path]:
    """The notebooks in `folder` whose file names start with one of `names`; all without names.

    A whole number, what stands before the first underscore, means that notebook alone: 02 is
    02_autoencoders and not 02b_autoencoder_uses as well.

    Raises:
        NotebookError: where a name fits no notebook.
    """
    everything = sorted(path for path in folder.glob("*.ipynb") if path.is_file())
    if not everything:
        raise NotebookError(f"There are no notebooks in {folder}; run this from a clone.")
    found = set()
    for name in names:
        wanted = Path(name).name
        fitting = [path for path in everything if path.name.split("_")[0] == wanted]
        fitting = fitting or [path for path in everything if path.name.startswith(wanted)]
        if not fitting:
            known = ", ".join(path.stem for path in everything) or "none"
            raise NotebookError(f"No notebook starts with '{name}'. There are: {known}.")
        found.update(fitting)
    return sorted(found) or everything


def read(path: Path) -> NotebookNode:
    """The notebook at `path`, in the current format.

    Raises:
        NotebookError: it is none.
        OSError: it cannot be read.
    """
    try:
        return nbformat.read(path, as_version=4)
    except OSError:
        raise
    except (nbformat.reader.NotJSONError, UnicodeDecodeError) as error:
        raise NotebookError(f"{path} is not a notebook: it does not hold valid JSON.") from error
    except Exception as error:  # valid JSON of another kind meets nbformat in all its places
        raise NotebookError(f"{path} is not a notebook: it holds other JSON.") from error


def write(notebook: NotebookNode, path: Path) -> None:
    """Write `notebook` to `path` in one step: the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write((nbformat.writes(notebook) + "\n").encode())


def execute(
    notebook: NotebookNode,
    folder: Path,
    environment: dict[str, str | None],
    before: Callable[[int, int, NotebookNode], None] = lambda number, count, cell: None,
    after: Callable[[CellRun], None] = lambda run: None,
) -> None:
    """Run every code cell of `notebook` in a fresh kernel; its outputs land in the cells.

    Args:
        notebook: changed in place; after a failure it holds all that ran.
        folder: where the kernel works.
        environment: set over this process's variables for the kernel; None removes one.
        before: called with number, count and cell before each code cell.
        after: called after each code cell that succeeded.

    Raises:
        NotebookError: where a cell or a widget callback fails or the kernel dies.
    """
    cells = [
        (index, cell)
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.source.strip()
    ]
    for _, cell in cells:
        cell.outputs, cell.execution_count = [], None
    client = _StrictClient(
        notebook,
        timeout=None,
        startup_timeout=STARTUP_TIMEOUT,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],  # its warnings are about itself, not the notebook
    )
    with client.setup_kernel(env=kernel_environment(environment)):
        for number, (index, cell) in enumerate(cells, start=1):
            before(number, len(cells), cell)
            started = perf_counter()
            _execute_cell(client, cell, index, number)
            after(CellRun(number, len(cells), cell, perf_counter() - started))


def kernel_environment(changes: dict[str, str | None]) -> dict[str, str]:
    """This process's variables with `changes`, and this very package first on the path.

    A plotting backend set for scripts goes: under it a notebook shows no figures.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    ours = {"PYTHONPATH": path, "MPLBACKEND": None}
    variables = {**os.environ, **ours, **changes}
    return {name: value for name, value in variables.items() if value is not None}


def clean(notebook: NotebookNode) -> NotebookNode:
    """Remove, in place, what is alive only in a session or differs from run to run.

    Widget views and states go (the image beside them stays), and so do timings and what the
    kernel says of itself; neighbouring outputs to the same stream become one. Large images,
    which are those with photographs in them, are kept with 256 colours.
    """
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = NotebookNode(name="python")
    notebook.metadata.kernelspec = NotebookNode(KERNEL)
    for cell in notebook.cells:
        for key in VOLATILE_CELL_METADATA:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = _merge_streams(map(_without_widget_view, cell.outputs))
            for output in cell.outputs:
                _with_small_image(output)
    return notebook


def _with_small_image(output: NotebookNode) -> None:
    """Give a large PNG 256 colours, in place: every clone carries it, and none needs more."""
    encoded = output.get("data", {}).get("image/png", "")
    if len(encoded) < LARGE_IMAGE:
        return
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
    if len(smaller := base64.b64encode(buffer.getvalue()).decode()) < len(encoded):
        output.data["image/png"] = smaller


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def python_source(cell: NotebookNode) -> str:
    """A code cell as plain Python; the first one has a shell command, for Colab."""
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager().transform_cell(cell.source)


def definitions(path: Path, tag: str | None = None) -> dict:
    """The names that a notebook's code defines when it runs in this process, without a kernel.

    Args:
        tag: only the cells with this tag are run.
    """
    names: dict = {"__name__": "__main__", "display": lambda *_: None}
    for cell in read(path).cells:
        if cell.cell_type == "code" and (tag is None or tag in tags(cell)):
            exec(compile(python_source(cell), f"{path.name}, cell {cell.id}", "exec"), names)
    return names


def kept_images(notebook: NotebookNode, stem: str) -> dict[str, bytes]:
    """Name -> PNG of the cells whose image is also kept as a file.

    The cell tagged "cover" gives the image called after the notebook, `stem`, and one tagged
    "image-NAME" that called NAME. A tagged cell without an image gives none.
    """
    images = {}
    for name, cell in image_cells(notebook, stem):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                images[name] = base64.b64decode(output.data["image/png"])
    return images


def image_cells(notebook: NotebookNode, stem: str) -> Iterator[tuple[str, NotebookNode]]:
    """(name, cell) of the cells whose image is kept, as `kept_images` names it."""
    for cell in notebook.cells:
        for tag in tags(cell):
            if tag == "cover" or tag.startswith("image-"):
                yield stem if tag == "cover" else tag.removeprefix("image-"), cell


def records(part: NotebookNode, name: str) -> list[dict]:
    """What a notebook, or one of its cells, recorded under a name, in order.

    Args:
        name: "claim", "exercise", "session" or "process".

    Returns:
        each record as `session.records.say` was given it, and under "line" what people read.
    """
    return [
        {**record, "line": output.data["text/plain"]}
        for output in _outputs(part)
        if name in (record := _record(output))
    ]


def printed_lines(part: NotebookNode) -> list[str]:
    """The lines of a notebook, or one of its cells, for people: on stdout, or recorded as well."""
    texts = [
        output.data["text/plain"] + "\n" if _record(output) else output.get("text", "")
        for output in _outputs(part)
        if output.get("name") != "stderr"
    ]
    return "".join(texts).splitlines()


def _outputs(part: NotebookNode) -> list[NotebookNode]:
    return [output for cell in part.get("cells", [part]) for output in cell.get("outputs", [])]


def _record(output: NotebookNode) -> dict:
    return output.get("metadata", {}).get(KEY, {})


class _StrictClient(NotebookClient):
    """Remembers every error the kernel reports.

    An error in a widget callback comes as a message like any other, is shown inside an Output
    widget where the next callback wipes it, and leaves the cell's own reply a success. So it is
    caught here, where all messages pass.
    """

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.reported_errors: list[dict] = []

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] == "error":
            self.reported_errors.append(msg["content"])
        return super().process_message(msg, cell, cell_index)


def _execute_cell(client: _StrictClient, cell: NotebookNode, index: int, number: int) -> None:
    client.reported_errors.clear()
    try:
        client.execute_cell(cell, index)
    except CellExecutionError as error:
        if not client.reported_errors:
            raise NotebookError(f"Code cell {number} failed.\n{error}") from error
    except DeadKernelError as error:
        raise NotebookError(
            f"The kernel died in code cell {number}, most often for want of memory.\n\n"
            f"{cell.source}"
        ) from error
    if client.reported_errors and "raises-exception" not in tags(cell):
        traceback = ANSI_COLOUR.sub("", "\n".join(client.reported_errors[0]["traceback"]))
        raise NotebookError(f"Code cell {number} failed:\n\n{cell.source}\n\n{traceback}")


def _without_widget_view(output: NotebookNode) -> NotebookNode:
    output.get("data", {}).pop(WIDGET_VIEW, None)
    return output


def _merge_streams(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    merged: list[NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged
