"""What the loop costs: a step of the plain ring GAN by `fit`, and the same step in bare torch.

Both train the same networks from the same start on the same batches, in turns, so that whatever
else the machine does meets both. The figure is the median of the ratios of neighbouring sittings.

    python benchmarks/gan_step.py
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "gan_step.md"
SITTINGS, EPOCHS, BATCHES, BATCH = 15, 4, 100, 256


def by_fit(lab, data, lesson) -> float:
    """Seconds a step through the course's loop, with the lesson's own step."""
    import torch

    from course_utils.training import constant, fit

    nets = networks(lesson)
    step = lesson["step_of"](lesson["Method"]())
    torch.manual_seed(0)
    run = fit(
        step, data, nets, lab, epochs=EPOCHS, lr=2e-3, betas=(0.5, 0.99), batch_size=BATCH,
        schedule=constant,
    )  # fmt: skip
    return run.seconds / (EPOCHS * BATCHES)


def bare(data, lesson) -> float:
    """Seconds a step of the same training written out, with nothing around it."""
    import torch
    from torch.nn.functional import softplus

    nets = networks(lesson)
    G, D, average = nets["generator"], nets["discriminator"], nets["average"]
    adam = {"lr": 2e-3, "betas": (0.5, 0.99), "fused": True}
    adam_G = torch.optim.Adam(G.parameters(), **adam)
    adam_D = torch.optim.Adam(D.parameters(), **adam)
    torch.manual_seed(0)
    began = time.perf_counter()
    for _ in range(EPOCHS):
        order = torch.randperm(len(data))
        for picked in order.split(BATCH):
            real = data[picked].transpose(0, 1)
            fake = G(torch.randn(1, BATCH, 2)).detach()
            loss_D = softplus(-D(real)).mean() + softplus(D(fake)).mean()
            adam_D.zero_grad()
            loss_D.backward()
            adam_D.step()
            loss_G = softplus(-D(G(torch.randn(1, BATCH, 2)))).mean()
            adam_G.zero_grad()
            loss_G.backward(inputs=list(G.parameters()))
            adam_G.step()
            with torch.no_grad():
                torch._foreach_lerp_(list(average.parameters()), list(G.parameters()), 0.001)
    return (time.perf_counter() - began) / (EPOCHS * BATCHES)


def networks(lesson) -> dict:
    import copy

    import torch

    torch.manual_seed(1)
    G, D = lesson["generator"](1), lesson["discriminator"](1)
    return {"generator": G, "discriminator": D, "average": copy.deepcopy(G)}


def main() -> None:
    os.environ |= {"COURSE_PROGRESS": "off"}
    import torch

    import course_utils
    from course_utils.authoring.notebooks import NOTEBOOKS, definitions
    from course_utils.data import mixtures

    torch.set_num_threads(1)
    lab = course_utils.start("04b_stabilizing_gans")
    lesson = definitions(NOTEBOOKS / "04b_stabilizing_gans.ipynb", tag="methods")
    data = mixtures.ring().standardised().sample(BATCH * BATCHES, 1)
    by_fit(lab, data, lesson), bare(data, lesson)  # the first of everything is slow
    pairs = [(by_fit(lab, data, lesson), bare(data, lesson)) for _ in range(SITTINGS)]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (1000 * statistics.median(times) for times in zip(*pairs, strict=True))
    text = (
        "# What the loop costs\n\n"
        "Written by `benchmarks/gan_step.py`: one step of the plain ring GAN (64-64-64 networks, "
        f"256 examples, running average kept), medians of {SITTINGS} sittings of "
        f"{EPOCHS * BATCHES} steps in turns, one CPU thread.\n\n"
        "| | ms a step |\n| --- | ---: |\n"
        f"| `fit`, the lesson's step | {ours:.3f} |\n| the same, bare torch | {theirs:.3f} |\n\n"
        f"Median ratio {ratio:.3f}.\n"
    )
    RESULT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
