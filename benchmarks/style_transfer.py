"""Style transfer as the PyTorch tutorial does it, and by `pixels.optimise`, to the same loss.

"Neural Transfer Using PyTorch" optimises 128 × 128 pixels on a CPU with L-BFGS, 300 evaluations
of a loss on the first five convolutions of VGG19: content at the fourth, style at all five. Its
way is written out here anew. Both get the same images and the same VGG19, drawn at random with
He's initialisation: with torchvision's weights not at hand, it is the one that keeps activations
of one size from layer to layer. What counts is the tutorial's loss, by the tutorial's function, of
an image in [0, 1]: how long until ours is as low as the tutorial's last one.

    python benchmarks/style_transfer.py [--repeats 3]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "style_transfer.md"
PAIRS = (("cat", "starry_night"), ("astronaut", "mosaic"), ("coffee", "stained_glass"))
SIZE, EVALUATIONS, STYLE_WEIGHT = 128, 300, 1e6
CONTENT, STYLES = 4, (1, 2, 3, 4, 5)  # the convolutions, counted from 1


# The tutorial's way: losses are modules in the chain, and keep what they saw last


def tutorial_gram(activations):
    images, channels, height, width = activations.shape
    flat = activations.view(images * channels, height * width)
    return torch.mm(flat, flat.t()).div(images * channels * height * width)


class Normalisation(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.mean, self.spread = net.mean, net.spread

    def forward(self, x):
        return (x - self.mean) / self.spread


class ContentLoss(nn.Module):
    def __init__(self, target):
        super().__init__()
        self.target = target.detach()

    def forward(self, x):
        self.loss = F.mse_loss(x, self.target)
        return x


class StyleLoss(nn.Module):
    def __init__(self, target):
        super().__init__()
        self.target = tutorial_gram(target).detach()

    def forward(self, x):
        self.loss = F.mse_loss(tutorial_gram(x), self.target)
        return x


class TutorialModel:
    """The chain with its losses, cut behind the last of them."""

    def __init__(self, net, content, style):
        self.chain = nn.Sequential(Normalisation(net))
        self.contents, self.styles = [], []
        convolution = 0
        for layer in net.features:
            if convolution == max(STYLES):
                break
            self.chain.append(nn.ReLU() if isinstance(layer, nn.ReLU) else layer)
            if not isinstance(layer, nn.Conv2d):
                continue
            convolution += 1
            if convolution == CONTENT:
                self.contents.append(ContentLoss(self.chain(content)))
                self.chain.append(self.contents[-1])
            if convolution in STYLES:
                self.styles.append(StyleLoss(self.chain(style)))
                self.chain.append(self.styles[-1])

    def __call__(self, image):
        self.chain(image)
        style = sum(part.loss for part in self.styles) * STYLE_WEIGHT
        return style + sum(part.loss for part in self.contents)


def tutorial(net, content, style):
    """Its run: L-BFGS as torch has it, 20 evaluations a call, pixels clamped in the closure."""
    model = TutorialModel(net, content, style)
    image = content.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([image])
    evaluations = 0

    def closure():
        nonlocal evaluations
        with torch.no_grad():
            image.clamp_(0, 1)
        optimiser.zero_grad()
        loss = model(image)
        loss.backward()
        evaluations += 1
        return loss

    while evaluations < EVALUATIONS:
        optimiser.step(closure)
    with torch.no_grad():
        return image.clamp_(0, 1), evaluations


# Our way


class Reached(Exception):
    """The loss is as low as the tutorial's last one."""


def activations(net, image):
    """The first five convolutions' results, before their ReLU as in the tutorial."""
    x, found = (image - net.mean) / net.spread, []
    for layer in net.features:
        x = F.relu(x) if isinstance(layer, nn.ReLU) else layer(x)
        if isinstance(layer, nn.Conv2d):
            found.append(x)
            if len(found) == max(STYLES):
                return found


def tutorial_loss(net, content, style):
    """The same loss as a function of the image; its targets are computed once."""
    from course_utils import losses

    def grams(found):
        return [losses.gram_matrix(layer) / layer.shape[1] for layer in found]

    with torch.no_grad():
        wanted, wanted_grams = (
            activations(net, content)[CONTENT - 1],
            grams(activations(net, style)),
        )

    def loss(image):
        found = activations(net, image)
        style = sum(F.mse_loss(G, A) for G, A in zip(grams(found), wanted_grams))
        return {
            "content": F.mse_loss(found[CONTENT - 1].float(), wanted),
            "style": STYLE_WEIGHT * style,
        }

    return loss


def ours(net, content, style, target, *, scales=None, steps=EVALUATIONS, lab=None, **settings):
    """`optimise` until the loss at full size is as low as `target`: image and evaluations."""
    from course_utils.training import pixels

    best, evaluations = None, 0

    def at(size):
        compute = tutorial_loss(net, pixels.resized(content, size), pixels.resized(style, size))

        def loss(image):
            nonlocal best, evaluations
            terms = compute(image)
            evaluations += 1
            if size == SIZE and sum(terms.values()).item() <= target:
                best = image.detach().clone()
                raise Reached
            return terms

        return loss

    with contextlib.suppress(Reached), contextlib.redirect_stdout(io.StringIO()):
        pixels.optimise(at, content, scales=scales or (SIZE,), steps=steps, lab=lab, **settings)
    return best, evaluations


def random_vgg19(seed=0):
    from course_utils.models.vgg import vgg19

    net = vgg19().eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for convolution in net.convolutions()[: max(STYLES)]:
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu", generator=generator)
        nn.init.zeros_(convolution.bias)
    return net


def ways(lab_bf16):
    """name -> the settings of `ours`, each row with what the row before it has, and one more."""
    search = {"method": "lbfgs"}
    fine = search | {"scales": (SIZE // 2, SIZE), "steps": (30, EVALUATIONS)}
    return {
        "Adam, learning rate 0.03": {"method": "adam"},
        "L-BFGS with a line search": search,
        "and 30 evaluations at half the size first": fine,
        "and convolutions in bfloat16": fine | {"lab": lab_bf16},
    }


def clocked(function, *arguments, **settings):
    """What a call gives, its seconds on the clock and its seconds of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    result = function(*arguments, **settings)
    return *result, time.perf_counter() - wall, time.process_time() - processor


def measured(repeats, only=None):
    """(way, pair) -> list of (evaluations or None, wall, processor, share of the tutorial's)."""
    import dataclasses

    import course_utils
    from course_utils.data import paintings
    from course_utils.data.photographs import photograph

    lab = course_utils.start("benchmark")
    chosen = {
        way: settings
        for way, settings in ways(dataclasses.replace(lab, precision="bf16")).items()
        if only is None or way in only
    }
    net, rows = random_vgg19(), {}
    for _ in range(repeats):
        for pair in PAIRS:
            content, style = photograph(pair[0], SIZE), paintings.paint(pair[1], SIZE)
            final, count, wall, processor = clocked(tutorial, net, content, style)
            judge = TutorialModel(net, content, style)
            with torch.no_grad():
                target = judge(final).item()
            theirs = processor
            rows.setdefault(("tutorial", pair), []).append((count, wall, processor, 1.0))
            print(pair, f"tutorial {target:.4g} after {count}: {processor:.1f} s", flush=True)
            for way, settings in chosen.items():
                image, count, wall, processor = clocked(
                    ours, net, content, style, target, **settings
                )
                with torch.no_grad():
                    got = judge(image).item() if image is not None else float("nan")
                # Two orders of summing up; bfloat16 is judged by the tutorial's float32 as well.
                reached = got <= target * 1.005
                rows.setdefault((way, pair), []).append(
                    (count if reached else None, wall, processor, processor / theirs)
                )
                print(f"  {way}: {got:.4g} after {count}: {processor:.1f} s", flush=True)
    return rows


def table(rows, repeats) -> str:
    ways_met = list(dict.fromkeys(way for way, _ in rows))
    lines = [
        "| | evaluations | ms each | seconds of processor | share of the tutorial's |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for way in ways_met:
        runs = [run for (name, _), found in rows.items() if name == way for run in found]
        counts = [run[0] for run in runs if run[0] is not None]
        if len(counts) < len(runs):
            lines.append(f"| {way} | not in {len(runs) - len(counts)} of {len(runs)} | | | |")
            continue
        seconds, share = (statistics.median(run[k] for run in runs) for k in (2, 3))
        worst = max(run[3] for run in runs)
        each = 1000 * statistics.median(run[2] / run[0] for run in runs)
        lines.append(
            f"| {way} | {statistics.median(counts):.0f} ({min(counts)} to {max(counts)}) | "
            f"{each:.0f} | {seconds:.1f} | {share:.2f} (at most {worst:.2f}) |"
        )
    return "\n".join(lines)


def main() -> None:
    os.environ |= {"COURSE_PROGRESS": "off"}
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    rows = measured(repeats)
    text = (
        "# Style transfer to the PyTorch tutorial's loss\n\n"
        "Written by `benchmarks/style_transfer.py`: the loss of the tutorial's 300th evaluation "
        f"({SIZE} × {SIZE} pixels, VGG19 with He's random weights, convolutions 1 to 5, style "
        "weight 10⁶, from the content), and what it took to come as low. Medians (and the range, "
        f"or the worst) of {len(PAIRS)} pairs of images and {repeats} sittings in turns, one "
        f"CPU thread.\n\n{table(rows, repeats)}\n"
    )
    RESULT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
