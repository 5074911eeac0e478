"""`python -m course_utils`, on small notebooks made here; and the files it is installed from."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output
from packaging.requirements import Requirement

import course_utils
from course_utils.__main__ import _parser as parser
from course_utils.__main__ import main
from course_utils.authoring.claims_table import claims_section
from course_utils.authoring.commands import claims, run, store
from course_utils.authoring.notebooks import (
    ROOT,
    WIDGET_VIEW,
    NotebookError,
    clean,
    execute,
    find,
    printed_lines,
    read,
    write,
)
from course_utils.doctor import device, packages, weights
from tests.bad_places import fill, read_only, small_disk

PRINT_SETTINGS = """
import os
print(*(os.environ.get(f"COURSE_{name}") for name in ("BUDGET", "SEED", "PUBLISH")))
"""
FAILING_CALLBACK = """
import ipywidgets as widgets
slider, out = widgets.IntSlider(), widgets.Output()
@out.capture(clear_output=True)
def divide(change):
    print(1 / (change.new - 1))
slider.observe(divide, "value")
slider.value = 1
slider.value = 2
"""
SHOW_WIDGET = """
import ipywidgets as widgets
print("one")
print("two", flush=True)
print("three")
widgets.IntSlider(description="size")
"""
SHOW_IMAGE = """
import numpy
from course_utils import plots
plots.Figure(numpy.zeros((4, 4, 3), numpy.uint8), "A black square.")
"""
SEEDED_CLAIM = """
import os
from course_utils.claims import check, claim
seed = int(os.environ["COURSE_SEED"])
claim("seeds are small | even", seed < 1, f"seed {seed}")
check("one is one", 1 == 1)
claim("curves cross", True, stored="resnet_degradation")
"""


@pytest.fixture
def folder(tmp_path):
    """A function that makes a folder of notebooks: file stem -> code of its cells."""

    def make(**sources):
        for stem, cells in sources.items():
            notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
            write(notebook, tmp_path / f"{stem.strip('_')}.ipynb")
        return tmp_path

    return make


def test_find_goes_by_the_start_of_the_name(folder):
    notebooks = folder(_01_first=["1"], _02_second=["2"])
    assert [path.stem for path in find(["02"], notebooks)] == ["02_second"]
    assert [path.stem for path in find([], notebooks)] == ["01_first", "02_second"]
    (notebooks / "02b_more.ipynb").write_text(
        (notebooks / "02_second.ipynb").read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert [path.stem for path in find(["02"], notebooks)] == ["02_second"]
    assert [path.stem for path in find(["02b"], notebooks)] == ["02b_more"]
    assert len(find(["0"], notebooks)) == 3
    with pytest.raises(NotebookError, match="No notebook starts with '09'. There are: 01_first"):
        find(["09"], notebooks)
    with pytest.raises(NotebookError, match="There are no notebooks in"):
        find([], notebooks / "elsewhere")


def test_run_hands_over_its_settings_and_keeps_a_copy(folder, tmp_path, capsys):
    notebooks = folder(_01_settings=[PRINT_SETTINGS, "6 * 7"])
    out = tmp_path / "copies" / "executed.ipynb"
    assert run("01", "full", 3, out, publish=True, folder=notebooks) == 0
    executed = read(out)
    assert printed_lines(executed) == ["full 3 1"]
    assert executed.cells[1].outputs[0].data["text/plain"] == "42"
    assert re.search(r"2/2  6 \* 7 +\d+\.\d s", capsys.readouterr().out)
    assert read(notebooks / "01_settings.ipynb").cells[1].outputs == []


def test_run_keeps_what_ran_before_a_failure(folder, tmp_path):
    notebooks = folder(_01_fails=["print('before')", "1 / 0", "print('after')"])
    out = tmp_path / "executed.ipynb"
    with pytest.raises(NotebookError, match=r"(?s)Code cell 2 failed.*1 / 0.*ZeroDivisionError"):
        run("01", out=out, folder=notebooks)
    executed = read(out)
    assert printed_lines(executed) == ["before"]
    assert executed.cells[1].outputs[0].ename == "ZeroDivisionError"
    assert executed.cells[2].execution_count is None


def test_run_neither_writes_over_the_notebook_nor_publishes_a_short_run(folder):
    notebooks = folder(_01_first=["1"])
    with pytest.raises(NotebookError, match="is the lesson itself"):
        run("01", out=notebooks / "01_first.ipynb", folder=notebooks)
    with pytest.raises(NotebookError, match="add --budget full"):
        run("01", publish=True, folder=notebooks)


def test_an_error_in_a_widget_callback_fails_the_notebook(folder, tmp_path):
    """Even where a later callback has cleared it from the Output widget."""
    notebooks = folder(_01_widget=[FAILING_CALLBACK])
    with pytest.raises(NotebookError, match="(?s)Code cell 1 failed.*ZeroDivisionError"):
        run("01", out=tmp_path / "executed.ipynb", folder=notebooks)


def test_an_expected_error_is_allowed(tmp_path):
    cell = new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})
    execute(new_notebook(cells=[cell]), tmp_path, {})
    assert cell.outputs[0].ename == "ZeroDivisionError"


def test_figures_are_kept_whatever_backend_scripts_use(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    cell = new_code_cell("import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()")
    execute(new_notebook(cells=[cell]), tmp_path, {})
    (figure,) = cell.outputs
    assert set(figure.data) == {"image/png", "text/plain"}


def test_a_dead_kernel_is_told(tmp_path):
    notebook = new_notebook(cells=[new_code_cell("import os; os._exit(1)")])
    with pytest.raises(NotebookError, match="kernel died in code cell 1"):
        execute(notebook, tmp_path, {})


def test_store_is_clean_and_the_same_twice(folder, monkeypatch):
    monkeypatch.setenv("COURSE_SEED", "7")
    notebooks = folder(_01_widget=[SHOW_WIDGET, PRINT_SETTINGS])
    path = notebooks / "01_widget.ipynb"
    assert store(["01"], notebooks) == 0
    first = path.read_bytes()
    stored = read(path)
    assert [cell.execution_count for cell in stored.cells] == [1, 2]
    printed, widget = stored.cells[0].outputs
    assert printed.text == "one\ntwo\nthree\n"
    assert set(widget.data) == {"text/plain"}
    assert printed_lines(stored)[-1] == "classroom 0 None"
    assert "widgets" not in stored.metadata
    store(["01"], notebooks)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("tags", "name"), [(["cover"], "01_image"), (["variants", "image-all_of_them"], "all_of_them")]
)
def test_store_keeps_the_image_of_a_tagged_cell(folder, tags, name):
    notebooks = folder(_01_image=[SHOW_IMAGE])
    path = notebooks / "01_image.ipynb"
    notebook = read(path)
    notebook.cells[0].metadata["tags"] = tags
    write(notebook, path)
    store(["01"], notebooks)
    kept = notebooks.parent / "data" / "images" / f"{name}.png"
    assert kept.read_bytes().startswith(b"\x89PNG")


def test_store_leaves_a_failing_notebook_as_it_was(folder):
    notebooks = folder(_01_fails=["print('before')", "1 / 0"])
    before = (notebooks / "01_fails.ipynb").read_bytes()
    with pytest.raises(NotebookError):
        store([], notebooks)
    assert (notebooks / "01_fails.ipynb").read_bytes() == before
    assert [path.name for path in notebooks.iterdir()] == ["01_fails.ipynb"]


def test_clean_keeps_the_image_beside_a_widget():
    data = {WIDGET_VIEW: {"model_id": "x"}, "image/png": "aGk=", "text/plain": "a digit"}
    cell = new_code_cell(
        "widget",
        metadata={"execution": {}, "tags": ["exercise"]},
        outputs=[
            new_output("stream", name="stdout", text="a"),
            new_output("stream", name="stdout", text="b"),
            new_output("stream", name="stderr", text="c"),
            new_output("display_data", data=data),
        ],
    )
    notebook = clean(new_notebook(cells=[cell], metadata={"widgets": {}}))
    assert "widgets" not in notebook.metadata
    assert cell.metadata == {"tags": ["exercise"]}
    assert [output.get("text") for output in cell.outputs] == ["ab", "c", None]
    assert set(cell.outputs[2].data) == {"image/png", "text/plain"}
    nbformat.validate(notebook)


def test_claims_are_counted_over_seeds(folder, tmp_path, capsys):
    notebooks = folder(_02_claims=[SEEDED_CLAIM])
    table = tmp_path / "results" / "claims.md"
    table.parent.mkdir()
    table.write_text(
        "# Claims\n\n## 03_third\n\nOf old.\n\n## 02_claims\n\nOf old.\n", encoding="utf-8"
    )
    assert claims([], seeds=2, table=table, folder=notebooks) == 0
    text = table.read_text(encoding="utf-8")
    assert "| seeds are small \\| even | claim | 1 of 2 | – | ✔ seed 0 | ✘ seed 1 |" in text
    assert "| one is one | check | 2 of 2 | – | ≡ | ≡ |" in text
    assert "| curves cross | stored: resnet_degradation | 2 of 2 | – | ▣ | ▣ |" in text
    assert re.findall("^## (.*)$", text, re.MULTILINE) == ["02_claims", "03_third"]
    assert text.endswith("## 03_third\n\nOf old.\n") and text.count("Of old.") == 1
    assert "1 of 2" in capsys.readouterr().out
    with pytest.raises(NotebookError, match="at least one seed"):
        claims([], seeds=0, table=table, folder=notebooks)


def test_a_claim_that_a_seed_did_not_reach_is_told():
    said = {"claim": "it is blurred", "holds": True, "figures": "3.1 dB", "kind": "claim"}
    row = claims_section("x", [[said], []], "classroom").splitlines()[-1]
    assert row == "| it is blurred | claim | 1 of 2 | – | ✔ 3.1 dB | not reached |"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("✔ a < b [1.2]\n", "✔ a < b [1.3, 4]\n", True),
        ("✔ a < b [1]", "✘ a < b [1]", False),
        ("✔ a < b [1]", "✔ b < a [1]", False),
        ("≡ a = b [1]", "≡ a = b [2]", True),
        ("▣ a = b [1]", "▣ a = b [2]", True),
        ("▣ a = b [1]", "✔ a = b [1]", False),
        ("· width [1.2]", "· width [1.3]", True),
        ("· width [1.3]", "· depth [1.3]", False),
        ("took 3.2 s", "took 12 s", True),
        ("3 steps", "4 steps", False),
        ("vae: 5 epochs · loss 1.234 · 3 s", "vae: 5 epochs · loss 1.2", True),
        ("vae: 5 epochs · loss 1.2", "vae: 6 epochs · loss 1.2", False),
        ("<f at 0x7f1a>", "<f at 0x00ff>", True),
        ("course_utils 0.1 · cpu\nx", "course_utils 0.2 · cuda\nx", True),
        ("shape [1, 2]", "shape [1, 3]", False),
        ("✔ Exercise 1, twice: well done: so.", "✔ Exercise 1, twice: solved.", True),
        ("✘ Exercise 1, twice: no.", "✘ Exercise 1, twice: solved.", False),
        ("○ Exercise 1, twice: not yet.", "✔ Exercise 1, twice: not yet.", False),
    ],
)
def test_the_sanitizer_hides_figures_and_nothing_else(one, other, alike):
    text = (ROOT / "tests" / "sanitize.cfg").read_text(encoding="utf-8")
    patterns = re.findall(r"^regex: (.*)$\n^replace: (.*)$", text, re.MULTILINE)
    assert len(patterns) == text.count("regex: ")
    for pattern, replacement in patterns:
        one, other = (re.sub(pattern, replacement, said) for said in (one, other))
    assert (one == other) == alike


def test_the_command_line_answers_in_one_sentence(capsys):
    assert main(["run", "nonesuch"]) == 1
    assert capsys.readouterr().err.startswith("\nNo notebook starts with 'nonesuch'.")


def test_doctor_finds_this_machine_well(capsys):
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert re.search(r"ok  torchvision +\d", report)
    assert str(device()) in report


def test_doctor_says_what_to_do(tmp_path):
    wanted = tmp_path / "requirements.txt"
    wanted.write_text(
        "# comment\nnumpy>=99\nno-such-package>=1\npillow>=1\n-e .\n", encoding="utf-8"
    )
    old, missing, fine = packages(wanted)
    assert "not >=99; run `make lab`" in str(old)
    assert "missing; run `make lab`" in str(missing)
    assert not fine.remedy

    (tmp_path / "vae.safetensors").write_bytes(b"0" * 10_000)
    assert "without its card vae.json" in str(*weights(tmp_path))
    (tmp_path / "vae.json").write_text("{", encoding="utf-8")
    assert "its card is damaged" in str(*weights(tmp_path))
    (tmp_path / "vae.json").write_text(json.dumps({"sha256": "0"}), encoding="utf-8")
    assert "its checksum differs" in str(*weights(tmp_path))
    checksum = hashlib.sha256(b"0" * 10_000).hexdigest()
    (tmp_path / "vae.json").write_text(json.dumps({"sha256": checksum}), encoding="utf-8")
    assert str(*weights(tmp_path)).endswith("0.01 MB")


def test_environment_yml_equals_requirements_txt():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *packages, from_pip = environment["dependencies"]
    same = [re.sub(r"^pytorch\b", "torch", package) for package in packages]
    assert same[:2] == ["python>=3.10", "pip"]
    assert same[2:] + from_pip["pip"] == wanted


def test_constraints_fit_the_requirements():
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    pins = {re.sub("[-_.]+", "-", name).lower(): version for name, version in pins.items()}
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            if line and line[0] not in "#-":
                wanted = Requirement(line)
                assert wanted.specifier.contains(pins[wanted.name]), line


# Every command, as people call it.
CALLS = {
    "doctor": [],
    "run": ["00"],
    "notebooks": ["00"],
    "student": ["00"],
    "solved": ["00"],
    "instructor": ["00"],
    "slides": ["00"],
    "grade": ["notebooks"],
    "handin": ["00"],
    "claims": ["00", "--seeds", "1"],
    "minutes": ["00"],
    "fork": ["https://github.com/somebody/their-own-course"],
}


def test_every_command_is_tried():
    (commands,) = (action for action in parser()._actions if action.dest == "command")
    assert set(commands.choices) == set(CALLS)


@pytest.mark.parametrize("command", CALLS)
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SEED", "lucky"), ("SEED", "-1"), ("BUDGET", "ful"), ("DEVICE", "gpu"),
        ("PRECISION", "64"), ("RUNS", __file__), ("DATA", __file__),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_sentence_whatever_the_command(
    command, variable, value, monkeypatch, capsys
):
    monkeypatch.setenv(f"COURSE_{variable}", value)
    assert main([command, *CALLS[command]]) == 2
    said = capsys.readouterr()
    assert repr(value) in said.err and len(said.err.splitlines()) == 1 and not said.out


def test_an_empty_setting_means_the_default(monkeypatch):
    for variable in ("SEED", "BUDGET", "DEVICE", "PRECISION"):
        monkeypatch.setenv(f"COURSE_{variable}", "")
    lab = course_utils.start("empty")
    assert (lab.seed, lab.budget, lab.precision) == (0, "classroom", "float32")


# --- a checkout that cannot be written, a full disk, and what is in the way ---------------------
OWN = (".git", "runs", "build", "downloads", "node_modules", "__pycache__", ".*")


def copied(folder):
    """A copy of this checkout, without what people have added to it."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*OWN), dirs_exist_ok=True)
    lesson = folder / "notebooks" / "00_start_here.ipynb"
    text = lesson.read_text(encoding="utf-8")  # `minutes` writes where the figures are others
    lesson.write_text(re.sub(r"about \d+ minutes", "about 999 minutes", text), encoding="utf-8")
    return folder


def called(checkout, *arguments, module="course_utils", stdout=subprocess.PIPE):
    """`python -m course_utils` of a checkout, which leaves no bytecode in it."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("COURSE_")
    }
    environment |= {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(
        command, cwd=checkout, env=environment, stdout=stdout, stderr=subprocess.PIPE,
        text=True, encoding="utf-8", timeout=60,
    )  # fmt: skip


def contents(checkout):
    """Everything in a checkout: path -> its checksum, or None of a folder."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        for path in checkout.rglob("*")
    }


def is_refused(done, words):
    """One sentence, on stderr (of the doctor: in its report), and a status that says so."""
    *_, said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    assert done.returncode == 1, done
    assert len(done.stderr.strip().splitlines()) <= 1 and "Traceback" not in done.stdout, done
    assert re.search(words, said), done


@pytest.fixture(scope="module")
def read_only_checkout(tmp_path_factory):
    with read_only(copied(tmp_path_factory.mktemp("checkout"))) as checkout:
        yield checkout


@pytest.fixture(scope="module")
def full_checkout(tmp_path_factory):
    with small_disk(tmp_path_factory.mktemp("checkout"), "100m") as checkout:
        fill(copied(checkout))
        yield checkout


# What each says: where to write instead, or that one needs a clone of one's own.
ELSEWHERE = {
    "doctor": "set COURSE_RUNS to a folder that can",
    "run": "set COURSE_RUNS to a folder that can",
    "notebooks": "work in a clone",
    "student": "name another folder with --out",
    "solved": "name another folder with --out",
    "instructor": "name another folder with --out",
    "slides": "name another folder with --out",
    "grade": "name another file with --out",
    "handin": "name another place with --out",
    "claims": "work in a clone",
    "minutes": "work in a clone",
    "fork": "Read-only|denied|No space left",
}


@pytest.mark.parametrize("command", CALLS)
def test_in_a_read_only_checkout_a_command_says_so_before_it_computes(command, read_only_checkout):
    is_refused(called(read_only_checkout, command, *CALLS[command]), ELSEWHERE[command])


@pytest.mark.parametrize("command", CALLS)
def test_on_a_full_disk_a_command_says_so_and_changes_nothing(command, full_checkout):
    before = contents(full_checkout)
    is_refused(called(full_checkout, command, *CALLS[command]), ELSEWHERE[command])
    assert contents(full_checkout) == before


def test_the_reference_says_where_it_cannot_be_written(read_only_checkout):
    made = called(read_only_checkout, "build/pages", module="course_utils.authoring.reference")
    is_refused(made, "cannot be written .*name another folder")


IN_THE_WAY = {
    "run": "runs/00_start_here.ipynb/mine",
    "notebooks": "data/images/00_start_here.png/mine",
    "student": "build/student/00_start_here.ipynb/mine",
    "solved": "build/solved/00_start_here.ipynb/mine",
    "instructor": "build/instructor/00_start_here.ipynb/mine",
    "claims": "benchmarks/results/claims.md/mine",
    "minutes": "README.md/mine",
}


def test_a_folder_in_the_way_is_told_and_stays(tmp_path):
    checkout = copied(tmp_path / "checkout")
    for path in IN_THE_WAY.values():
        folder = (checkout / path).parent
        folder.unlink(missing_ok=True)
        folder.mkdir(parents=True)
        (folder / "mine").touch()
    before = contents(checkout)
    for command in IN_THE_WAY:
        is_refused(called(checkout, command, *CALLS[command]), "in the way|is a folder")
    assert contents(checkout) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
def test_a_log_on_a_full_disk_is_told(tmp_path):
    shutil.copytree(ROOT / "course_utils", tmp_path / "course_utils")
    with open(
        "/dev/full", "w", encoding="utf-8"
    ) as log:  # a package alone says only that, so it is quick
        done = called(tmp_path, "doctor", stdout=log)
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1
    assert "cannot be used: No space left" in done.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_lab_opens_jupyterlab_for_whoever_runs_the_tests(tmp_path):
    """Also for root, whom containers have; without a browser, it prints the address."""
    environment_folder = tmp_path / "venv"
    (environment_folder / "bin").mkdir(parents=True)
    python = environment_folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    # An environment that make finds complete: it installs nothing.
    stamp = environment_folder / "stamp"
    for made in (environment_folder / "bin" / "activate", stamp):
        made.touch()
    environment = {
        **os.environ,
        "BROWSER": "true",  # a command that opens nothing
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
    }
    command = ["make", "lab", f"VENV={environment_folder}", f"LAB={stamp}"]
    log = tmp_path / "log"
    with log.open("wb") as output:
        lab = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        address = printed_address(lab, log)
        assert "JupyterLab" in answer(lab, log, address)
    finally:
        if lab.poll() is None:
            os.killpg(lab.pid, signal.SIGTERM)  # make, and what it started
            lab.wait(20)


def printed_address(process, log):
    """The address of a page on this machine alone, as soon as it stands in the log."""
    for text in while_running(process, log, "printed no address"):
        if found := re.search(r"http://(localhost|127\.0\.0\.1):\d+/lab\?token=\w+", text):
            return found[0]


def answer(process, log, address):
    """The page at an address, which the server prints before it listens there."""
    for _ in while_running(process, log, "did not answer"):
        try:
            with urllib.request.urlopen(address, timeout=10) as page:
                return page.read().decode()
        except urllib.error.URLError as error:  # the address is printed before the server listens
            if not isinstance(error.reason, ConnectionRefusedError):
                raise


def while_running(process, log, otherwise, seconds=60):
    """What stands in the log, five times a second; fails when the process or the time ends."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        yield log.read_text(encoding="utf-8", errors="replace")
        time.sleep(0.2)
    said = log.read_text(encoding="utf-8", errors="replace")
    raise AssertionError(f"make lab {otherwise}:\n{said}")
