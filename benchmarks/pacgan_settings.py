"""The plain GAN under the settings of Lin et al. (2018), for comparison with their table.

Networks, initialization, optimizer, batch and data are those of the authors' published
experiment: a generator of four batch-normalized layers of 400, a discriminator of three maxout
layers of 200 with five pieces, Adam with learning rate 1e-4 and β₁ = 0.8, 100,000 samples, batches
of 100, both networks updated on the same batch. Theirs runs 400 epochs, which is 400,000 updates, a
matter for a GPU: on a CPU core an update of one seed takes 20 ms and more, and ten seeds on both
mixtures some forty hours. Without CUDA only a few are made, unless --updates says otherwise; the
table has a line for every tenth of the run.

Two divergences are reported. The share KL is what the authors' released code computes, of the
modes' shares among the high-quality samples; the paper's "reverse KL" is to be compared with it.
The reverse KL of the course has one more bin, for the samples that are off every mode.

    python benchmarks/pacgan_settings.py --updates 400000 --runs 10
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "pacgan_settings.md"
PUBLISHED = {
    "ring": "6.3 ± 0.5 of 8 | 98.2% | 0.45 | |",
    "grid": "17.3 ± 0.8 of 25 | 94.8% | 0.70 | |",
}


def networks(runs: int):
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
    """Mean ± standard error of modes, and means of quality and both divergences, as cells.

    A run without any high-quality sample has no share KL: the mean is over the others.
    """
    import torch

    from course_utils import metrics

    with torch.no_grad():
        samples = G(torch.randn(runs, 2500, 2, device=mixture.means.device))
    found = metrics.coverage(samples, mixture)
    modes = found["modes"].float()
    error = modes.std() / runs**0.5 if runs > 1 else torch.tensor(0.0)
    return (
        f"{modes.mean():.1f} ± {error:.1f} of {len(mixture.means)} "
        f"| {found['high quality'].mean():.1%} | {found['share KL'].nanmean():.2f} "
        f"| {found['reverse KL'].mean():.2f} |"
    )


def train(name: str, runs: int, updates: int) -> list[tuple[int, float, str]]:
    """(updates, seconds, measures) at every tenth of a run."""
    import torch
    from torch.nn.functional import softplus

    from course_utils.data import mixtures
    from course_utils.session.lab import choose_device

    device = choose_device()
    torch.manual_seed(0)
    mixture = getattr(mixtures, name)().to(device)
    data = mixture.sample(100_000, runs)
    G, D = (net.to(device) for net in networks(runs))
    adam = {"lr": 1e-4, "betas": (0.8, 0.999), "fused": True}
    adam_G = torch.optim.Adam(G.parameters(), **adam)
    adam_D = torch.optim.Adam(D.parameters(), **adam)
    lines, began = [], time.perf_counter()
    for update in range(1, updates + 1):
        real = data[torch.randint(len(data), (100,), device=device)].transpose(0, 1)
        fake = G(torch.randn(runs, 100, 2, device=device))
        loss_D = (softplus(-D(real)) + softplus(D(fake.detach()))).mean(1).sum()
        loss_G = softplus(-D(fake)).mean(1).sum()
        adam_G.zero_grad()
        loss_G.backward(inputs=list(G.parameters()))
        adam_D.zero_grad()
        loss_D.backward(inputs=list(D.parameters()))
        adam_G.step()
        adam_D.step()
        if update % max(1, updates // 10) == 0:
            lines.append((update, time.perf_counter() - began, measure(G, mixture, runs)))
            print(name, *lines[-1], flush=True)
    return lines


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--updates", type=int, help="default: 400,000 with CUDA, else 1,000")
    arguments.add_argument("--runs", type=int, default=10)
    arguments.add_argument("--mixtures", nargs="+", default=["ring", "grid"])
    arguments.add_argument("--out", type=Path, default=RESULT, help="the page to write")
    chosen = arguments.parse_args()
    import torch

    chosen.updates = chosen.updates or (400_000 if torch.cuda.is_available() else 1_000)
    text = (
        "# The plain GAN under PacGAN's own settings\n\n"
        f"Written by `benchmarks/pacgan_settings.py`, {chosen.runs} seeds, "
        f"{chosen.updates:,} updates (the paper's run has 400,000). Modes with at least one "
        "high-quality sample; share of high quality; share KL, among high-quality samples alone, "
        "as the paper's released code computes its reverse KL; reverse KL with a bin for the "
        "samples that are off every mode.\n\n"
        "| mixture | updates | s, all seeds | modes | high quality | share KL | reverse KL |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    )
    for name in chosen.mixtures:
        for updates, seconds, measures in train(name, chosen.runs, chosen.updates):
            text += f"| {name} | {updates:,} | {seconds:,.0f} | {measures}\n"
        text += f"| {name}, published | 400,000 | | {PUBLISHED[name]}\n"
    chosen.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
