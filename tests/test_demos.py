"""The live demos without a browser: what is listed, what is written, and what node computes."""

import hashlib
import json
import os
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
import torch
from torch import nn

from course_utils import models
from course_utils.authoring import demo_models, demos, network_files
from course_utils.authoring.notebooks import NOTEBOOKS, ROOT, NotebookError, read
from course_utils.shipped import tables
from tests.demo_references import GAN_STEPS, MOST, furthest, gan_steps, hold_gan, networks

TESTS = Path(__file__).parent
LIGHT = [demo["name"] for demo in demos.listed() if demo["name"] != "style"]  # no package needed
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("demos")
    demos.build(out, LIGHT)
    return out


def in_node(asked: dict) -> dict:
    command = ["node", str(TESTS / "demo_node.mjs")]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_demo_has_a_page_a_lesson_and_a_section():
    listed = demos.listed()
    assert len({demo["name"] for demo in listed}) == len(listed)
    assert set(demo_models.EXPORTS) <= {demo["name"] for demo in listed}
    for demo in listed:
        assert set(demo) == {"name", "title", "lesson", "section", "height"}
        cells = read(NOTEBOOKS / f"{demo['lesson']}.ipynb").cells
        assert any(f"## {demo['section']}" in cell.source for cell in cells), demo
        page = (demos.SOURCES / demo["name"] / "index.html").read_text(encoding="utf-8")
        assert f'data-demo="{demo["name"]}"' in page and f"<h1>{demo['title']}</h1>" in page
        assert demos.HOW_IT_WORKS in page
        assert 300 < demo["height"] < 1400


def test_nothing_in_the_sources_is_fetched_from_another_server():
    for path in demos.SOURCES.rglob("*"):
        if path.suffix in {".html", ".js", ".css"}:
            text = path.read_text(encoding="utf-8")
            assert "http://" not in text and "https://" not in text, path


def test_the_page_play_shows_all_demos_and_each_links_to_its_section(built):
    play = (built / "index.html").read_text(encoding="utf-8")
    for name in LIGHT:
        assert f'src="{name}/index.html"' in play and 'loading="lazy"' in play
    page = (built / "latent-map" / "index.html").read_text(encoding="utf-8")
    anchor = "03_vae_latent_space.html#the-two-dimensional-latent-space"
    assert f'href="../../notebooks/{anchor}"' in page


def test_a_layer_that_the_page_does_not_know_is_refused():
    with pytest.raises(NotebookError, match="does not know GELU"):
        network_files.layers_of(nn.Sequential(nn.Linear(2, 2), nn.GELU()))
    with pytest.raises(NotebookError, match="does not know"):
        network_files.layers_of(nn.LeakyReLU(0.1))
    with pytest.raises(NotebookError, match="does not know"):
        network_files.layers_of(nn.Conv2d(2, 2, 3, groups=2))
    for layer in (nn.GroupNorm(2, 4), nn.Upsample(scale_factor=2, mode="bilinear")):
        with pytest.raises(NotebookError, match="does not know"):
            network_files.layers_of(layer)


@needs_node
def test_networks_in_node_are_those_of_pytorch(built, capsys):
    pairs = networks()
    asked = {str(built / name): x.flatten(1).tolist() for name, (_, x) in pairs.items()}
    answer, lines = in_node({"networks": asked}), []
    for name, (net, x) in pairs.items():
        with torch.no_grad():
            expected = net(x).flatten(1).tolist()
        largest = furthest(answer[str(built / name)], expected)
        lines.append(f"{name} {largest:.0e}")
        assert largest < MOST, name
    with capsys.disabled():
        print(f"\nlargest differences from PyTorch: {', '.join(lines)}", end=" ")


@needs_node
def test_layers_of_other_sizes_are_those_of_pytorch(tmp_path):
    """Odd sizes, strides and paddings, which no demo has at present."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(2, 5, 3, stride=2, padding=2), nn.InstanceNorm2d(5), nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(5, 3, 3, stride=2, padding=1, bias=False), nn.Tanh(),
        nn.Upsample(scale_factor=2), nn.PixelUnshuffle(2), nn.GroupNorm(1, 12),
        nn.Conv2d(12, 18, 1), nn.Identity(), nn.PixelShuffle(3),
    )  # fmt: skip
    for weight in net[7].parameters():
        nn.init.normal_(weight)
    net.half().float()  # as it is written
    layers = network_files.layers_of(net)
    network_files.write_network(tmp_path / "odd.safetensors", net, layers, [2, 7, 9])
    x = torch.randn(2, 2, 7, 9)
    with torch.no_grad():
        expected = net(x).flatten(1).tolist()
    path = str(tmp_path / "odd.safetensors")
    answer = in_node({"networks": {path: x.flatten(1).tolist()}})
    assert furthest(answer[path], expected) < 1e-4


@needs_node
@pytest.mark.parametrize("name", GAN_STEPS)
def test_the_live_gan_trains_as_lesson_04b_does(name, capsys):
    given, expected = gan_steps(name, *GAN_STEPS[name])
    largest = hold_gan(name, in_node({"gan": given})["gan"], expected)
    with capsys.disabled():
        print(f"\n{name}: largest difference from PyTorch {largest:.0e}", end=" ")
    assert largest < 1e-4


RESULTS = ROOT / "benchmarks" / "results" / "live_gan.json"
TABLES = {  # a method of the page -> table, row, and the budget where a row has two
    "plain": ("gan_methods", "plain GAN", "updates"),
    "finalist": ("gan_long_runs", "a quarter of the updates", None),
}
MEASURES = {"modes": "heavy modes", "quality": "high quality", "reverseKL": "reverse KL"}


@pytest.fixture(scope="module")
def live_runs(tmp_path_factory):
    """Full trainings of the live GAN: as stored, or made anew in the full budget."""
    if os.environ.get("COURSE_BUDGET") != "full" or shutil.which("node") is None:
        return json.loads(RESULTS.read_text(encoding="utf-8"))
    out = tmp_path_factory.mktemp("live") / "live_gan.json"
    subprocess.run(["node", str(ROOT / "benchmarks" / "live_gan.mjs"), "--out", out], check=True)
    return json.loads(out.read_text(encoding="utf-8"))


def test_the_stored_trainings_are_of_the_code_that_is_served(live_runs):
    code = hashlib.sha256()
    for name in ("ring-gan/gan.js", "shared/product.js", "shared/random.js"):
        code.update((demos.SOURCES / name).read_bytes())
    assert live_runs["code"] == code.hexdigest(), "run `node benchmarks/live_gan.mjs` again"


@pytest.mark.parametrize("name", TABLES)
def test_the_live_gan_reaches_what_the_tables_of_the_lesson_say(name, live_runs, capsys):
    table, row, budget = TABLES[name]
    ring = tables.load(table)[0][row]["ring"]
    expected, runs = (ring[budget] if budget else ring)["generator"], live_runs["rows"][name]
    assert len(runs) >= 3 and all(run["updates"] == 5_000 for run in runs)
    for measure, called in MEASURES.items():
        own = [float(run["generator"][measure]) for run in runs]
        theirs = [float(value) for value in expected[called]]
        means = sum(own) / len(own), sum(theirs) / len(theirs)
        chance = by_chance(own, theirs)
        with capsys.disabled():
            print(
                f"\n{name}, {called}: {means[0]:.3f} in {len(own)} runs of the page, "
                f"{means[1]:.3f} in the table's {len(theirs)}; p = {chance:.2f}",
                end=" ",
            )
        assert min(theirs) <= means[0] <= max(theirs), f"{called} of {name}"
        assert chance > 0.01, f"{called} of {name}"


def by_chance(own: list[float], theirs: list[float]) -> float:
    """How often two such groups of the same runs differ at least as much: a permutation test."""
    both, size = [*own, *theirs], len(own)

    def difference(chosen):
        mine = sum(both[number] for number in chosen)
        return abs(mine / size - (sum(both) - mine) / (len(both) - size))

    splits = list(combinations(range(len(both)), size))
    seen = difference(range(size)) - 1e-12
    return sum(difference(chosen) >= seen for chosen in splits) / len(splits)


def test_the_stylizer_as_onnx_is_the_network(tmp_path, capsys):
    pytest.importorskip("onnx", reason="onnx is not installed: requirements-site.txt has it")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    runtime = pytest.importorskip(
        "onnxruntime", reason="onnxruntime is not installed: the browser's test holds the export"
    )
    net = demo_models.stylizer()
    assert isinstance(net, models.Stylizer)
    demo_models.export_onnx(tmp_path / "stylizer.onnx", net)
    session = runtime.InferenceSession(tmp_path / "stylizer.onnx")
    x, shares = torch.rand(1, 3, 48, 64), torch.tensor([[0.3, 0.7, 0, 0, 0, 0, 0, 0]])
    (found,) = session.run(None, {"images": x.numpy(), "shares": shares.numpy()})
    with torch.no_grad():
        largest = (torch.from_numpy(found) - net(x, shares)).abs().max().item()
    with capsys.disabled():
        print(f"\nstylizer: largest difference {largest:.0e}", end=" ")
    assert largest < MOST
