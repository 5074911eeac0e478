"""The plain GAN under the settings of Lin et al. (2018), for comparison with their table.

Networks, initialisation, optimiser, batch and data are those of the authors' published
experiment: a generator of four batch-normalised layers of 400, a discriminator of three maxout
layers of 200 with five pieces, Adam with rate 1e-4 and momentum 0.8, 100,000 examples, batches of
100, both players moved on the same batch. Theirs runs 400 epochs, which is 400,000 steps: a
matter for a GPU: on a CPU core a step of one seed takes 20 ms and more, and ten seeds on both
mixtures some forty hours. Without CUDA only a taste of it is run, unless --steps says otherwise;
the table has a line for every tenth of the run.

    python benchmarks/pacgan_settings.py --steps 400000 --runs 10
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "pacgan_settings.md"
PUBLISHED = {"ring": "6.3 ± 0.5 of 8, 98.2 %, 0.45", "grid": "17.3 ± 0.8 of 25, 94.8 %, 0.70"}


def players(runs: int):
    """Generator and discriminator, every weight drawn from N(0, 0.02²), every bias zero."""
    from functools import partial

    from torch import nn

    from course_utils import models

    class Maxout(nn.Module):
        def forward(self, x):
            return x.unflatten(-1, (-1, 5)).amax(-1)

    G = models.perceptrons(runs, 2, 2, (400,) * 4, normalise=True)
    linear = partial(models.ParallelLinear, runs)
    layers = [linear(2, 1000), Maxout(), linear(200, 1000), Maxout(), linear(200, 1000), Maxout()]
    D = nn.Sequential(*layers, linear(200, 1), nn.Flatten(1))
    for net in (G, D):
        for layer in net.modules():
            if isinstance(layer, models.ParallelLinear):
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
    return G, D


def measure(G, mixture, runs: int) -> str:
    """Mean ± standard error of modes, and means of quality and reverse KL."""
    import torch

    from course_utils import metrics

    with torch.no_grad():
        samples = G(torch.randn(runs, 2500, 2, device=mixture.means.device))
    found = metrics.coverage(samples, mixture)
    modes = found["modes"].float()
    error = modes.std() / runs**0.5 if runs > 1 else torch.tensor(0.0)
    return (
        f"{modes.mean():.1f} ± {error:.1f} of {len(mixture.means)}, "
        f"{found['high quality'].mean():.1%}, {found['reverse KL'].mean():.2f}"
    )


def play(name: str, runs: int, steps: int) -> list[tuple[int, float, str]]:
    """(step, seconds, figures) at every tenth of a run."""
    import torch
    from torch.nn.functional import softplus

    from course_utils.data import mixtures
    from course_utils.session.lab import choose_device

    device = choose_device()
    torch.manual_seed(0)
    mixture = getattr(mixtures, name)().to(device)
    data = mixture.sample(100_000, runs)
    G, D = (net.to(device) for net in players(runs))
    adam = {"lr": 1e-4, "betas": (0.8, 0.999), "fused": True}
    g_adam = torch.optim.Adam(G.parameters(), **adam)
    d_adam = torch.optim.Adam(D.parameters(), **adam)
    lines, began = [], time.perf_counter()
    for step in range(1, steps + 1):
        real = data[torch.randint(len(data), (100,), device=device)].transpose(0, 1)
        fake = G(torch.randn(runs, 100, 2, device=device))
        d_loss = (softplus(-D(real)) + softplus(D(fake.detach()))).mean(1).sum()
        g_loss = softplus(-D(fake)).mean(1).sum()
        g_adam.zero_grad()
        g_loss.backward(inputs=list(G.parameters()))
        d_adam.zero_grad()
        d_loss.backward(inputs=list(D.parameters()))
        g_adam.step()
        d_adam.step()
        if step % max(1, steps // 10) == 0:
            lines.append((step, time.perf_counter() - began, measure(G, mixture, runs)))
            print(name, *lines[-1], flush=True)
    return lines


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--steps", type=int, help="default: 400,000 with CUDA, else 1,000")
    arguments.add_argument("--runs", type=int, default=10)
    arguments.add_argument("--mixtures", nargs="+", default=["ring", "grid"])
    chosen = arguments.parse_args()
    import torch

    chosen.steps = chosen.steps or (400_000 if torch.cuda.is_available() else 1_000)
    text = (
        "# The plain GAN under PacGAN's own settings\n\n"
        f"Written by `benchmarks/pacgan_settings.py`, {chosen.runs} seeds, {chosen.steps:,} steps "
        "(the paper's run has 400,000). Modes with at least one high-quality sample, share "
        "of high quality, reverse KL with an off-mode bin.\n\n"
        "| mixture | step | seconds, all seeds | modes, high quality, reverse KL |\n"
        "| --- | ---: | ---: | --- |\n"
    )
    for name in chosen.mixtures:
        for step, seconds, figures in play(name, chosen.runs, chosen.steps):
            text += f"| {name} | {step:,} | {seconds:,.0f} | {figures} |\n"
        text += f"| {name}, published | 400,000 | | {PUBLISHED[name]} |\n"
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
