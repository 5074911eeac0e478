"""Places: folders and disks that cannot be written, what is in the way, and slow servers."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import socket
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from torch import nn

import course_utils
from course_utils import doctor, fit
from course_utils.authoring import commands, reference
from course_utils.authoring.fork import fork
from course_utils.authoring.notebooks import NotebookError, read, write
from course_utils.authoring.targets import keep, signed
from course_utils.data import download
from course_utils.session import files, settings
from course_utils.session.lab import Lab
from course_utils.training import checkpoints
from course_utils.training.saving import Saving
from tests.bad_places import fill, read_only, small_disk, small_files

from . import refused, works

STEPS = 6


def heard(do, *arguments, **options) -> SimpleNamespace:
    """The result of a call and the lines that it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        result = do(*arguments, **options)
    return SimpleNamespace(result=result, lines=out.getvalue().splitlines(), text=out.getvalue())


@contextmanager
def variables(**values):
    """Environment variables within the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update({name: str(value) for name, value in values.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


# --- training ----------------------------------------------------------------------------------


def line_step(batch, nets, opts):
    loss = (nets.line(batch) - 1).square().mean()
    opts.line.minimise(loss)
    return {"loss": loss}


def trained(runs, at=None):
    """A run of STEPS steps with a checkpoint after each.

    Args:
        at: number of steps -> what happens before the checkpoint after so many.

    Returns: what `heard` does, the `unsaved` among the lines, and those `before` the first step.
    """
    torch.manual_seed(0)
    lab = Lab("odd", 0, "classroom", torch.device("cpu"), "float32", runs, runs)
    save, before = Saving.save, []

    def eventful(self, finished):
        (at or {}).get(finished, lambda: None)()
        save(self, finished)
        before.append(sys.stdout.getvalue())

    data, nets = torch.ones(STEPS, 20), {"line": nn.Linear(20, 20)}
    options = {"epochs": 1, "batch_size": 1, "save": "line", "save_every": 0, "name": "line"}
    with mock.patch.object(Saving, "save", eventful):
        said = heard(fit, line_step, data, nets, lab, **options)
    said.unsaved = [line for line in said.lines if "without being saved" in line]
    said.before = before[0] if before else ""
    return said


def whole(said) -> bool:
    """The training is there to its end, and the sentence was printed once."""
    return len(said.result.history["loss"]) == STEPS and len(said.unsaved) == 1


def tells(said) -> bool:
    """It names the variable, and a place that can be written."""
    place = Path(said.unsaved[0].split("such as ")[1].split(", and")[0])
    return "set COURSE_RUNS" in said.unsaved[0] and files.obstacle(place) is None


def on_a_read_only_disk(folder):
    with read_only(folder):
        said = trained(folder / "runs")
        return whole(said) and tells(said) and "without being saved" in said.before


def on_a_full_disk(folder):
    with small_disk(folder / "disk") as disk:
        fill(disk)
        said = trained(disk / "runs")
        return whole(said) and tells(said) and "No space left" in said.unsaved[0]


def where_a_file_is(folder):
    (folder / "runs").write_text("a file", encoding="utf-8")
    return (
        whole(trained(folder / "runs"))
        and (folder / "runs").read_text(encoding="utf-8") == "a file"
    )


def only(runs):
    (path,) = runs.glob("line-????????.pt")
    return path


def where_a_folder_has_its_name(folder):
    trained(folder)
    path = only(folder)
    path.unlink()
    path.mkdir()
    (path / "mine").write_text("mine", encoding="utf-8")
    said = trained(folder)
    (aside,) = folder.glob("*.refused-*")
    return len(said.result.history["loss"]) == STEPS and (aside / "mine").exists()


def read_only_for_a_while(folder):
    runs, stack, kept = folder / "runs", ExitStack(), []

    def close():
        kept.append(only(runs).read_bytes())
        stack.enter_context(read_only(runs))

    def open_again():
        kept.append(only(runs).read_bytes())
        stack.close()

    said = trained(runs, {3: close, 5: open_again})
    state = trained(runs)  # from the last checkpoint
    return whole(said) and kept[0] == kept[1] and state.result.resumed_at == STEPS


def full_at_the_last_save(folder):
    with ExitStack() as stack:
        said = trained(folder, {STEPS: lambda: stack.enter_context(small_files())})
    again = trained(folder)
    return whole(said) and again.result.resumed_at == STEPS - 1 and not list(folder.glob(".*"))


def removed_in_the_middle(folder):
    runs = folder / "runs"
    said = trained(runs, {4: lambda: shutil.rmtree(runs)})
    return not said.unsaved and trained(runs).result.resumed_at == STEPS


def replaced_by_a_file_in_the_middle(folder):
    runs = folder / "runs"

    def replace():
        shutil.rmtree(runs)
        runs.touch()

    return whole(trained(runs, {4: replace}))


def finished_and_shared_read_only(folder):
    trained(folder)
    with read_only(folder):
        said = trained(folder)
    return said.result.resumed_at == STEPS and not said.unsaved


class Cut(Exception):
    pass


def cut(runs, step):
    def stop():
        raise Cut

    with contextlib.suppress(Cut):
        trained(runs, {step: stop})


def cut_and_then_read_only(folder):
    cut(folder, 4)
    with read_only(folder):
        said = trained(folder)
    return whole(said) and said.result.resumed_at == 3


def damaged_and_read_only(folder):
    trained(folder)
    path = only(folder)
    path.write_bytes(b"damaged")
    with read_only(folder):
        said = trained(folder)
    return "it stays where it is" in said.text and path.read_bytes() == b"damaged"


def a_killed_one_s_part_on_a_read_only_disk(folder):
    trained(folder)
    part = folder / f".{only(folder).name}.0.part"
    part.touch()
    os.utime(part, (0, 0))
    with read_only(folder):
        return trained(folder).result.resumed_at == STEPS


def gone_between_the_look_and_the_read(folder):
    for number in (1, 2):
        checkpoints.save(folder / "a.pt", {"step": number}, {})
    (folder / "a.pt").unlink()
    (folder / "a.pt").symlink_to(folder / "nowhere")  # is there, and cannot be opened
    return heard(checkpoints.resume, folder / "a.pt", {}, 10)


def gone_between_the_look_and_the_rename(folder):
    with files.replacing(folder / "a.pt", former=folder / "b.pt") as file:
        file.write(b"new")
    return (folder / "a.pt").read_bytes()


def a_part_that_another_process_removes(folder):
    """As `remove_parts` meets it: named in the folder, and gone when it is looked at."""
    (folder / ".a.0.part").symlink_to(folder / "nowhere")
    files.remove_parts(folder / "a")
    return True


TRAINING = [
    works("a runs folder on a read-only disk", on_a_read_only_disk, bool),
    works("a runs folder on a full disk", on_a_full_disk, bool),
    works("a runs folder that is a file", where_a_file_is, bool),
    works("a folder with the name of the checkpoint", where_a_folder_has_its_name, bool),
    works("a runs folder that is read-only for a while", read_only_for_a_while, bool),
    works("a disk that is full at the last save", full_at_the_last_save, bool),
    works("a runs folder that is removed in the middle", removed_in_the_middle, bool),
    works("a runs folder that becomes a file", replaced_by_a_file_in_the_middle, bool),
    works("finished checkpoints on a read-only disk", finished_and_shared_read_only, bool),
    works("a run that was cut and is now read-only", cut_and_then_read_only, bool),
    works("a damaged checkpoint on a read-only disk", damaged_and_read_only, bool),
    works("an old part on a read-only disk", a_killed_one_s_part_on_a_read_only_disk, bool),
    works("a checkpoint that goes while it is read", gone_between_the_look_and_the_read,
          lambda said: said.result == {"step": 1} and not said.lines),
    works("a checkpoint that goes while it is renamed", gone_between_the_look_and_the_rename,
          lambda content: content == b"new"),
    works("a part that goes while it is looked at", a_part_that_another_process_removes, bool),
]  # fmt: skip


# --- files and folders -------------------------------------------------------------------------


def device(folder, name="device"):
    """A device that swallows everything, as /dev/null does, in a place of the test's own."""
    try:
        os.mknod(folder / name, 0o600 | 0o020000, os.makedev(1, 3))
    except (AttributeError, PermissionError):
        pytest.skip("Only root of a machine with devices can make one.")
    return folder / name


def pipe(folder, name="pipe"):
    if not hasattr(os, "mkfifo"):
        pytest.skip("There are no named pipes here.")
    os.mkfifo(folder / name)
    return folder / name


def subfolder(folder, name="folder"):
    (folder / name).mkdir()
    return folder / name


def replaced(make):
    def do(folder):
        path = make(folder)
        before = path.stat().st_mode
        try:
            with files.replacing(path) as file:
                file.write(b"new")
        finally:
            assert path.stat().st_mode == before and [*folder.iterdir()] == [path]

    return do


def written_to_a_full_disk(folder):
    with small_disk(folder / "disk") as disk:
        (disk / "a").write_bytes(b"old")
        fill(disk)
        try:
            with files.replacing(disk / "a") as file:
                file.write(bytes(100_000))
        except OSError as error:
            return error.filename == str(disk / "a") and (disk / "a").read_bytes() == b"old"


def obstacle_in(make):
    def do(folder):
        with ExitStack() as stack:
            return files.obstacle(make(folder, stack.enter_context))

    return do


def full(folder, enter):
    fill(enter(small_disk(folder / "disk")))
    return folder / "disk"


def link_to_nowhere(folder, _):
    (folder / "link").symlink_to(folder / "nowhere")
    return folder / "link" / "runs"


def not_there_yet(folder):
    return files.obstacle(folder / "a" / "b" / "c"), [*folder.iterdir()]


def started(runs):
    with variables(COURSE_RUNS=runs):
        said = heard(course_utils.start, "odd")
        torch.set_flush_denormal(False)
        return said


def started_read_only(folder):
    with read_only(folder):
        return started(folder / "runs")


def setting(variable, make):
    def do(folder):
        with variables(**{variable: make(folder)}):
            return settings.check()

    return do


def a_file(folder):
    (folder / "file").touch()
    return folder / "file"


def doctor_s_word(variable, make):
    def do(folder):
        with ExitStack() as stack:
            return doctor.folder(variable, make(folder, stack.enter_context))

    return do


def on_a_read_only(folder, enter):
    return enter(read_only(folder)) / "sub"


UNFIT = {
    "a read-only disk": (on_a_read_only, "Read-only|denied"),
    "a full disk": (full, "No space left"),
    "a file": (lambda folder, _: a_file(folder), "is no folder"),
    "below a file": (lambda folder, _: a_file(folder) / "runs", "is no folder"),
    "a link to nowhere": (link_to_nowhere, "is no folder"),
}
WRONG_FOLDERS = {
    "a file": a_file,
    "below a file": lambda folder: a_file(folder) / "runs",
    "a home of nobody": lambda folder: "~nobody of that name/runs",
    "a link to nowhere": lambda folder: link_to_nowhere(folder, None),
}
FOLDERS = [
    *(refused(f"a file that would replace a {make.__name__}", replaced(make),
              "is no file is in the way", FileExistsError) for make in (device, pipe, subfolder)),
    works("a file that meets a full disk names itself", written_to_a_full_disk, bool),
    *(works(f"files for {what}", obstacle_in(make), lambda said, words=words: said
            and any(word in said for word in words.split("|")))
      for what, (make, words) in UNFIT.items()),
    works("files for folders that are not there yet", not_there_yet,
          lambda said: said == (None, [])),
    works("start where runs cannot be written", started_read_only,
          lambda said: len(said.lines) == 2 and "set COURSE_RUNS to a folder that can, such as"
          in said.lines[1]),
    works("start where runs can be written", lambda folder: started(folder / "new"),
          lambda said: len(said.lines) == 1),
    *(refused(f"{variable} is {what}", setting(variable, make), f"{variable} is .*name another")
      for variable in ("COURSE_RUNS", "COURSE_DATA") for what, make in WRONG_FOLDERS.items()),
    *(works(f"doctor and {variable} on {what}", doctor_s_word(variable, make),
            lambda said, variable=variable: f"set {variable} to a folder that can" in said.remedy
            and "cannot be written" in said.state)
      for variable in ("COURSE_RUNS", "COURSE_DATA") for what, (make, _) in UNFIT.items()),
    works("doctor and a runs folder that can be written",
          lambda folder: doctor.folder("COURSE_RUNS", folder / "new"),
          lambda said: not said.remedy),
]  # fmt: skip


# --- the command line: what it writes, and over what -------------------------------------------
MINE = "what a lecturer or a student wrote"


def lessons(folder):
    """A folder of lessons beside others, with one that takes a moment."""
    notebooks = folder / "notebooks"
    notebooks.mkdir(parents=True, exist_ok=True)
    cells = [new_markdown_cell("# A lesson"), new_code_cell("1 + 1")]
    write(new_notebook(cells=cells), notebooks / "01_lesson.ipynb")
    return notebooks


def lesson_with_image(folder):
    notebooks = lessons(folder)
    notebook = read(notebooks / "01_lesson.ipynb")
    notebook.cells[1].metadata["tags"] = ["cover"]
    write(notebook, notebooks / "01_lesson.ipynb")
    return notebooks


def mine(path):
    """A notebook of somebody's own at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(new_notebook(cells=[new_code_cell(MINE)]), path)
    return path


def link(folder, path):
    path.symlink_to(mine(folder / "elsewhere" / "mine.ipynb"))
    return path


def other_json(path):
    path.write_text("[]", encoding="utf-8")
    return path


def no_text(path):
    path.write_bytes(b"\xff\xfe\x00")
    return path


def contents(folder):
    """Everything in a folder: name -> content, or kind where it is no file."""
    return {
        path: path.read_bytes() if path.is_file() else path.lstat().st_mode
        for path in sorted(folder.rglob("*"))
    }


def unharmed(do, folder):
    """The call, after which everything in `folder` must be what it was."""
    before = contents(folder)
    try:
        return heard(do)
    finally:
        assert contents(folder) == before


IN_THE_WAY = {
    "a device": (lambda folder, path: device(folder, path), "is a folder or a device"),
    "a pipe": (lambda folder, path: pipe(folder, path), "is a folder or a device"),
    "a link": (link, "is a link"),
    "a notebook of one's own": (lambda folder, path: mine(path), "was not made by"),
    "other JSON": (lambda folder, path: other_json(path), "is not a notebook: it holds other"),
    "no text": (lambda folder, path: no_text(path), "is not a notebook"),
}
VARIANTS = {
    "student": commands.student,
    "solved": commands.solved,
    "instructor": commands.instructor,
}


def into_the_way(command, make):
    """`--out`, in which something is at the place of the variant, or of the executed copy."""

    def do(folder):
        notebooks, out = lessons(folder), folder / "out"
        out.mkdir()
        make(out, out / "01_lesson.ipynb")
        if command == "run":
            asked = partial(commands.run, "01", out=out / "01_lesson.ipynb", folder=notebooks)
        else:
            asked = partial(VARIANTS[command], ["01"], out, notebooks)
        return unharmed(asked, folder)

    return do


def run_to(make):
    def do(folder):
        notebooks = lessons(folder)
        with ExitStack() as stack:
            out = make(folder, stack.enter_context)
            return unharmed(lambda: commands.run("01", out=out, folder=notebooks), folder)

    return do


def run_twice_with_work_between(folder):
    notebooks = lessons(folder)
    copy = signed(read(notebooks / "01_lesson.ipynb"), "run")
    copy.cells[1].source = MINE
    write(copy, folder / "copy.ipynb")
    again = partial(commands.run, "01", out=folder / "copy.ipynb", folder=notebooks)
    return unharmed(again, folder)


def run_into_a_folder(folder):
    notebooks = lessons(folder)
    out = subfolder(folder, "results")
    there = signed(read(notebooks / "01_lesson.ipynb"), "run")  # an earlier run has been here
    write(there, out / "01_lesson.ipynb")
    heard(commands.run, "01", out=out, folder=notebooks)
    return {path.name: len(read(path).cells[1].outputs) for path in out.iterdir()}


def run_with_default(make):
    def do(folder):
        notebooks = lessons(folder)
        with ExitStack() as stack, variables(COURSE_RUNS=make(folder, stack.enter_context)):
            return heard(commands.run, "01", folder=notebooks)

    return do


def variants_into(command, make):
    def do(folder):
        notebooks = lessons(folder)
        with ExitStack() as stack:
            return heard(VARIANTS[command], ["01"], make(folder, stack.enter_context), notebooks)

    return do


def student_into_the_lessons(folder):
    notebooks = lessons(folder)
    os.chdir(notebooks)
    return unharmed(lambda: commands.student(["01"], Path("."), notebooks), folder)


def worked_copy(command):
    def do(folder):
        notebooks, out = lessons(folder), folder / "out"
        heard(VARIANTS[command], ["01"], out, notebooks)
        copy = read(out / "01_lesson.ipynb")
        copy.cells[0].source = MINE
        write(copy, out / "01_lesson.ipynb")
        return unharmed(lambda: VARIANTS[command](["01"], out, notebooks), folder)

    return do


def stored(spoil):
    def do(folder):
        notebooks = lesson_with_image(folder / "course")
        with ExitStack() as stack:
            spoil(folder / "course", stack.enter_context)
            return unharmed(lambda: commands.store(["01"], notebooks), folder)

    return do


def course_on_a_full_disk(course, enter):
    lessons_there = {path.name: path.read_bytes() for path in (course / "notebooks").iterdir()}
    disk = enter(small_disk(course / "notebooks"))
    for name, content in lessons_there.items():
        (disk / name).write_bytes(content)
    fill(disk)


def claims_to(make):
    def do(folder):
        with ExitStack() as stack:
            table = make(folder, stack.enter_context)
            return heard(commands.claims, ["01"], 1, "classroom", table, lessons(folder))

    return do


ADDRESS = "https://github.com/one/course"


def forked_on_a_full_disk(folder):
    """Room for the first pages and not for all: none is changed."""
    with small_disk(folder / "disk") as disk:
        (disk / "pyproject.toml").write_text(f'Repository = "{ADDRESS}"\n', encoding="utf-8")
        (disk / "README.md").write_text(ADDRESS, encoding="utf-8")
        (disk / "a").mkdir()
        (disk / "a" / "long.md").write_text(ADDRESS + "." * 300_000, encoding="utf-8")
        (disk / "notes.md").mkdir()  # is no page
        with open(disk / "filling", "wb") as file:
            file.write(bytes(600_000))
        return unharmed(lambda: fork("https://github.com/two/course", disk), disk)


def kept(folder):
    """An executed copy that does not fit where it was to go."""
    home = subfolder(folder, "home")
    notebook = new_notebook(cells=[new_code_cell(MINE)])
    with small_disk(folder / "disk") as disk, variables(HOME=home):
        fill(disk)
        with contextlib.redirect_stderr(io.StringIO()) as said:
            there = keep(notebook, disk / "copy.ipynb")
    (spare,) = home.glob("copy-*.ipynb")
    return not there and str(spare) in said.getvalue() and read(spare).cells[0].source == MINE


def pages_into(make):
    def do(folder):
        with ExitStack() as stack:
            return reference.build(make(folder, stack.enter_context))

    return do


def below(make):
    return lambda folder, enter: make(folder, enter) / "pages"


def others_pages(folder, _):
    (folder / "index.html").write_text(MINE, encoding="utf-8")
    return folder


COMMANDS = [
    *(refused(f"{command} and {what} in its way", into_the_way(command, make), words, NotebookError)
      for command in (*VARIANTS, "run") for what, (make, words) in IN_THE_WAY.items()),
    *(refused(f"{command} into {what}", variants_into(command, make), f"{words}|is a file",
              NotebookError)
      for command in VARIANTS for what, (make, words) in UNFIT.items()),
    *(refused(f"{command} over a copy that was worked on", worked_copy(command), "was worked on",
              NotebookError) for command in ("student", "solved")),
    refused("student into the lessons", student_into_the_lessons, "is the lesson itself",
            NotebookError),
    *(refused(f"run to {what}", run_to(make), f"{words}|end it in .ipynb", NotebookError)
      for what, (make, words) in {
          **UNFIT,
          "/dev/full": (lambda *_: Path("/dev/full"), "no name of a notebook"),
          "/dev/null": (lambda *_: Path("/dev/null"), "no name of a notebook"),
          "another suffix": (lambda folder, _: folder / "copy.html", "no name of a notebook"),
          "a pipe of any name": (lambda folder, _: pipe(folder), "no name of a notebook"),
          "a copy below a file": (lambda folder, _: a_file(folder) / "a.ipynb", "is no folder"),
          "a copy on a read-only disk":
              (lambda folder, enter: enter(read_only(folder)) / "a.ipynb", "Read-only|denied"),
          "a copy on a full disk":
              (lambda folder, enter: full(folder, enter) / "a.ipynb", "No space left"),
          "the folder of the lessons":
              (lambda folder, _: folder / "notebooks", "the lesson itself"),
      }.items()),
    *(refused(f"run with COURSE_RUNS on {what}", run_with_default(make),
              "set COURSE_RUNS to a folder that can|name another",
              (NotebookError, settings.WrongSetting))
      for what, (make, _) in UNFIT.items()),
    works("run into a folder that is there", run_into_a_folder,
          lambda found: found == {"01_lesson.ipynb": 1}),
    refused("run over a copy that was worked on", run_twice_with_work_between, "was worked on",
            NotebookError),
    works("a disk that is full when all has run", kept, bool),
    refused("notebooks in a read-only course",
            stored(lambda course, enter: enter(read_only(course))),
            "cannot be written .*work in a clone", NotebookError),
    refused("notebooks on a full disk", stored(course_on_a_full_disk), "No space left",
            NotebookError),
    refused("notebooks and a folder with the name of its image",
            stored(lambda course, _: (course / "data/images/01_lesson.png").mkdir(parents=True)),
            "01_lesson.png is in the way", NotebookError),
    refused("notebooks and a folder with the name of its table",
            stored(lambda course, _: (course / "notebooks/README.md").mkdir()),
            "README.md is in the way", NotebookError),
    refused("claims into a table on a read-only disk",
            claims_to(lambda folder, enter: enter(read_only(subfolder(folder))) / "claims.md"),
            "cannot be written", NotebookError),
    refused("claims into a table on a full disk",
            claims_to(lambda folder, enter: full(folder, enter) / "claims.md"), "No space left",
            NotebookError),
    refused("claims into a table that is a folder", claims_to(lambda folder, _: subfolder(folder)),
            "is in the way", NotebookError),
    refused("fork on a disk with too little room", forked_on_a_full_disk, "No space left", OSError),
    refused("reference over pages of one's own", pages_into(others_pages), "holds something else",
            NotebookError),
    *(refused(f"reference into {what}", pages_into(below(make)), words, NotebookError)
      for what, (make, words) in UNFIT.items()),
]  # fmt: skip


# --- downloads ---------------------------------------------------------------------------------
BODY = b"body" * 1000
CHECKSUM = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)


@contextmanager
def server(serve):
    """The address of a server that answers every request by `serve(connection)`."""
    with socket.create_server(("127.0.0.1", 0)) as listening, variables(no_proxy="*"):

        def answer():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(10_000)
                    serve(connection)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/a.bin"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def fetched(serve, **options):
    def do(folder):
        with server(serve) as address:
            path = folder / "a.bin"
            options.setdefault("instead", "put it there yourself")
            try:
                return heard(download.fetch, [address], path, CHECKSUM, timeout=2, **options)
            finally:
                assert {each.name for each in folder.iterdir()} <= {"a.bin"}

    return do


def dripping(before, dripped):
    def serve(connection):
        connection.sendall(before)
        while True:
            connection.sendall(dripped)
            time.sleep(0.05)

    return serve


def sent_on(address):
    answer = f"HTTP/1.1 302 Found\r\nLocation: {address}\r\nContent-Length: 0\r\n\r\n"
    return fetched(lambda connection: connection.sendall(answer.encode()))


def with_parts(ages):
    def do(folder):
        for number, age in enumerate(ages):
            part = folder / f".a.bin.{number}.part"
            part.write_bytes(b"a part")
            os.utime(part, (time.time() - age,) * 2)
        fetched(lambda connection: connection.sendall(HEAD + BODY))(folder)
        return [path.name for path in folder.iterdir()]

    return do


def failed_with_parts(folder):
    """What killed downloads left goes when the next one begins, also where that fails."""
    old, young = folder / ".a.bin.0.part", folder / ".a.bin.1.part"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    with contextlib.suppress(download.DownloadError):
        heard(download.fetch, ["ftp://a"], folder / "a.bin", CHECKSUM, instead="")
    return [path.name for path in folder.iterdir()]


def overtaken(folder):
    """Another process finishes first, and clears away this one's part."""

    def serve(connection):
        connection.sendall(HEAD)
        (folder / "a.bin").write_bytes(BODY)
        files.remove_parts(folder / "a.bin", -1)
        connection.sendall(BODY)

    return fetched(serve)(folder)


def unpacked_after_a_kill(folder):
    left = folder / ".horses.0.part"
    (left / "trainA").mkdir(parents=True)
    os.utime(left, (0, 0))
    files.remove_parts(folder / "horses")
    return [*folder.iterdir()]


def unpacked_on_a_full_disk(folder):
    with small_disk(folder / "disk") as disk:
        fill(disk)
        return download.write_checked(io.BytesIO(BODY), disk / "a")


def fetched_into(make):
    def do(folder):
        with ExitStack() as stack:
            path = make(folder, stack.enter_context) / "a.bin"
            return download.fetch(["http://127.0.0.1:9/"], path, CHECKSUM, instead="do without")

    return do


SLOW = r"too slow \(not done within 0.3 seconds; a browser may fetch http.* put it there yourself"
FAILED = download.DownloadError
DOWNLOADS = [
    refused("a download that drips", fetched(dripping(HEAD, b"b"), longest=0.3), SLOW, FAILED),
    refused("a download whose headers drip", fetched(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
            longest=0.3), SLOW, FAILED),
    refused("a download whose first line drips", fetched(dripping(b"", b"H"), longest=0.3), SLOW,
            FAILED),
    *(refused(f"a download that is sent on to {address}", sent_on(address), words, FAILED)
      for address, words in {
          "ftp://127.0.0.1/a.bin": "not https",
          "http://127.0.0.1/a.bin": "not https",
          "file:///etc/passwd": "302|not https",
          "data:text/plain,a": "302|not https",
      }.items()),
    *(refused(f"a download from {address}", lambda folder, address=address: download.fetch(
              [address], folder / "a.bin", CHECKSUM, instead="do without"),
              "unknown url type", FAILED)
      for address in ("ftp://127.0.0.1/a.bin", "file:///etc/passwd", "data:text/plain,a")),
    works("a download that is sent on to https", lambda folder: download._OnlyToHttps()
          .redirect_request(download.urllib.request.Request("https://a.org/"), None, 302, "Found",
                            {}, "https://b.org/a.bin"),
          lambda request: request.full_url == "https://b.org/a.bin"),
    refused("a download of more than it may be",
            fetched(lambda connection: connection.sendall(HEAD + BODY), limit=100),
            "more than the 100 bytes", FAILED),
    works("40 parts that killed downloads left", with_parts([100] * 40),
          lambda names: names == ["a.bin"]),
    works("a part of a download killed a moment ago", with_parts([1]),
          lambda names: names == ["a.bin"]),
    works("parts, and a download that fails", failed_with_parts,
          lambda names: names == [".a.bin.1.part"]),
    works("a download that another process overtakes", overtaken,
          lambda said: said.result.read_bytes() == BODY),
    refused("a file to unpack on a full disk", unpacked_on_a_full_disk,
            "cannot be written .No space left.*set COURSE_DATA", FAILED),
    works("a folder that a killed unpacking left", unpacked_after_a_kill, lambda left: not left),
    *(refused(f"a download into {what}", fetched_into(make),
              "cannot be read or written .*set COURSE_DATA to a folder that can", FAILED)
      for what, (make, _) in UNFIT.items()),
]  # fmt: skip

ROWS = [*TRAINING, *FOLDERS, *COMMANDS, *DOWNLOADS]
