"""Lessons run on a device that refuses to meet the processor's tensors.

The quicker half of them in `make test`, all of them in `make device`.
"""

import os
import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell

from course_utils.authoring.notebooks import (
    NOTEBOOKS,
    ROOT,
    execute,
    find,
    printed_lines,
    read,
)
from tests import pretend_device

QUICK = ("00_start_here", "03_vae_latent_space", "05_conditional_gan", "06_cyclegan")

pytestmark = pytest.mark.skipif(
    not pretend_device.possible(), reason="this version of torch takes no device written in Python"
)

INSTALLED = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests import pretend_device
pretend_device.install()
pretend_device.shorten()
"""


def python(code):
    """What a program says that begins with the installed device; an error is in what it says."""
    done = subprocess.run(
        [sys.executable, "-c", INSTALLED + code], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    return done.stdout + done.stderr


def test_training_gives_what_it_gives_on_the_processor():
    said = python("""
import torch
from torch import nn

def trained(device):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2))
    images = torch.rand(8, 1, 8, 8)
    net, images = net.to(device), images.to(device)
    optimiser = torch.optim.Adam(net.parameters())
    for _ in range(3):
        loss = net(images).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return loss
there, here = trained("pretend"), trained("cpu")
print(there.device, here.device, there.item() == here.item())
""")
    assert said == "pretend:0 cpu True\n"


def test_what_a_card_refuses_is_refused():
    said = python("""
import torch
here = torch.ones(3)
there = here.to("pretend")
for forgotten in (
    lambda: there + here,
    lambda: here[there > 0],
    lambda: torch.cat([there, here]),
    lambda: torch.nn.Linear(3, 3)(there),
    lambda: torch.rand(3, device="pretend", generator=torch.Generator()),
    lambda: there.numpy(),
):
    try:
        print("allowed", forgotten())
    except (RuntimeError, TypeError) as error:
        print(str(error).partition(": ")[2] or error)
""")
    on_one_device = "all tensors must be on one device; found pretend and cpu.\n"
    assert said.startswith(4 * on_one_device + "the generator is the CPU's")
    assert "allowed" not in said and "numpy" in said.splitlines()[-1]


def test_what_a_card_allows_is_allowed():
    said = python("""
import torch
here = torch.arange(3.0)
there = here.to("pretend")
there[here > 1] = 5.0
there[[0]] = there.new_tensor([7.0])
there += torch.tensor(1.0)
here.copy_(there)
print(here.tolist(), there[torch.tensor([2])].item(), f"{there.mean():.1f}")
""")
    assert said == "[8.0, 2.0, 6.0] 6.0 5.3\n"


@pytest.mark.parametrize("name", [path.stem for path in find([], NOTEBOOKS)])
def test_a_lesson_leaves_nothing_on_the_processor(name, tmp_path):
    """Claims are not judged: the trainings are cut short."""
    if name not in QUICK and os.environ.get("LESSONS") != "all":
        pytest.skip("make device runs this one as well")
    notebook = read(NOTEBOOKS / f"{name}.ipynb")
    notebook.cells.insert(0, new_code_cell(INSTALLED))
    environment = {
        "COURSE_BUDGET": "classroom",
        "COURSE_CLAIMS": "collect",
        "COURSE_PROGRESS": "off",
        "COURSE_RUNS": str(tmp_path),
        "COURSE_DATA": None,
        "OMP_NUM_THREADS": "1",
    }
    execute(notebook, NOTEBOOKS, environment)
    assert any("a device that is not there" in line for line in printed_lines(notebook))
