"""A step of a full-size CycleGAN: by `fit`, and as the reference implementation takes it.

    python benchmarks/cyclegan_step.py                       # 256 pixels, one CPU thread, minutes
    python benchmarks/cyclegan_step.py --size 128            # the same, sooner
    python benchmarks/cyclegan_step.py --device cuda --batches 1 4 16 --steps 50 --sittings 5

The setting is that of Zhu, Park, Isola and Efros (2017): generators of nine blocks and width 64,
discriminators of 70 pixels, least squares, a cycle of weight 10 and an identity loss of half of
it, pools of 50, Adam at 2e-4 with a first decay rate of 0.5. The reference's own step (Zhu and
Park's pytorch-CycleGAN-and-pix2pix) is written out below in the same order of passes. Both ways
train copies of the same networks on the same images, which lie on the device already; reading
files, which the reference does beside the step, is left out. Before anything is timed, one step of
each must give the same losses and gradients.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import os
import random
import statistics
import sys
import time
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import course_utils  # noqa: E402
from course_utils import fit, models
from course_utils.authoring.notebooks import NOTEBOOKS, definitions
from course_utils.models.image_pool import ImagePool
from course_utils.training import Optimiser, late_linear

RESULTS = ROOT / "benchmarks" / "results"
FULL = {"size": 256, "width": 64, "blocks": 9}
CYCLE, IDENTITY = 10.0, 5.0
RATE, BETAS = 2e-4, (0.5, 0.999)
POOL = 50
TOLERANCE = 1e-4


# Ours: the step that lesson 06 writes

LESSON = definitions(NOTEBOOKS / "06_cyclegan.ipynb", tag="step")
GENERATORS, OBJECTIVE = "generators", "adversarial"  # that step's names


def networks(size: int, width: int, blocks: int, halvings: int = 2, depth: int = 3) -> dict:
    """Both kinds of networks with the reference's first weights, normal of deviation 0.02."""
    torch.manual_seed(1)
    generators = {
        way: models.ResidualGenerator(3, width, blocks, halvings)
        for way in ("to_zebra", "to_horse")
    }
    discriminators = {
        kind: models.PatchDiscriminator(3, width, depth, norm=nn.InstanceNorm2d) for kind in "xy"
    }
    pools = {f"past_{kind}": ImagePool(POOL, (3, size, size)) for kind in "xy"}
    nets = {
        GENERATORS: nn.ModuleDict(generators),
        "discriminators": nn.ModuleDict(discriminators | pools),
    }
    for layer in chain(*(net.modules() for net in nets.values())):
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
    return nets


# The reference


class ReferencePool:
    """A list of images, each exchanged by itself, by Python's random numbers."""

    def __init__(self, size: int):
        self.size, self.images = size, []

    def query(self, fakes):
        handed_on = []
        for fake in fakes.detach().split(1):
            if len(self.images) < self.size:
                self.images.append(fake)
                handed_on.append(fake)
            elif random.uniform(0, 1) > 0.5:
                place = random.randint(0, self.size - 1)
                handed_on.append(self.images[place].clone())
                self.images[place] = fake
            else:
                handed_on.append(fake)
        return torch.cat(handed_on)


class ReferenceLoss(nn.Module):
    """Least squares against a label that is spread over the map of logits."""

    def __init__(self):
        super().__init__()
        self.register_buffer("real_label", torch.tensor(1.0))
        self.register_buffer("fake_label", torch.tensor(0.0))
        self.distance = nn.MSELoss()

    def forward(self, scores, is_real: bool):
        label = self.real_label if is_real else self.fake_label
        return self.distance(scores, label.expand_as(scores))


class Reference:
    """The reference's model: a (to_y, D_y) and b (to_x, D_x), images from -1 to 1.

    It is given the inner layers of our networks, which work on that range.
    """

    def __init__(self, nets: dict, epochs: int = 200):
        generators, discriminators = nets[GENERATORS], nets["discriminators"]
        self.to_y, self.to_x = generators["to_zebra"].layers, generators["to_horse"].layers
        self.discriminator_y, self.discriminator_x = (
            discriminators["y"].layers,
            discriminators["x"].layers,
        )
        self.pool_x, self.pool_y = ReferencePool(POOL), ReferencePool(POOL)
        first = next(self.to_y.parameters())
        self.adversarial = ReferenceLoss().to(first.device, first.dtype)
        self.distance = nn.L1Loss()
        of_generators = chain(self.to_y.parameters(), self.to_x.parameters())
        of_discriminators = chain(
            self.discriminator_y.parameters(), self.discriminator_x.parameters()
        )
        self.g_adam = torch.optim.Adam(of_generators, lr=RATE, betas=BETAS)
        self.d_adam = torch.optim.Adam(of_discriminators, lr=RATE, betas=BETAS)
        half = epochs // 2
        self.schedulers = [  # stepped once an epoch
            torch.optim.lr_scheduler.LambdaLR(adam, lambda e: 1 - max(0, e + 1 - half) / (half + 1))
            for adam in (self.g_adam, self.d_adam)
        ]

    def forward(self, x, y):
        self.x, self.y = x, y
        self.fake_y = self.to_y(x)
        self.back_x = self.to_x(self.fake_y)
        self.fake_x = self.to_x(y)
        self.back_y = self.to_y(self.fake_x)

    def backward_generators(self):
        self.same_y = self.to_y(self.y)
        self.identity_y = self.distance(self.same_y, self.y) * IDENTITY
        self.same_x = self.to_x(self.x)
        self.identity_x = self.distance(self.same_x, self.x) * IDENTITY
        self.adversarial_y = self.adversarial(self.discriminator_y(self.fake_y), True)
        self.adversarial_x = self.adversarial(self.discriminator_x(self.fake_x), True)
        self.cycle_x = self.distance(self.back_x, self.x) * CYCLE
        self.cycle_y = self.distance(self.back_y, self.y) * CYCLE
        loss = self.adversarial_y + self.adversarial_x + self.cycle_x + self.cycle_y
        (loss + self.identity_x + self.identity_y).backward()

    def backward_discriminator(self, net, real, fake):
        on_real = self.adversarial(net(real), True)
        on_fake = self.adversarial(net(fake.detach()), False)
        loss = (on_real + on_fake) * 0.5
        loss.backward()
        return loss

    def discriminators_learn(self, wanted: bool):
        for weight in chain(self.discriminator_y.parameters(), self.discriminator_x.parameters()):
            weight.requires_grad = wanted

    def optimise(self, x, y):
        self.forward(x, y)
        self.discriminators_learn(False)
        self.g_adam.zero_grad()
        self.backward_generators()
        self.g_adam.step()
        self.discriminators_learn(True)
        self.d_adam.zero_grad()
        self.loss_D_y = self.backward_discriminator(
            self.discriminator_y, y, self.pool_y.query(self.fake_y)
        )
        self.loss_D_x = self.backward_discriminator(
            self.discriminator_x, x, self.pool_x.query(self.fake_x)
        )
        self.d_adam.step()

    def measures(self) -> dict:
        return {
            OBJECTIVE: self.adversarial_x + self.adversarial_y,
            "cycle": (self.cycle_x + self.cycle_y) / CYCLE,
            "identity": (self.identity_x + self.identity_y) / IDENTITY,
            "discriminators": self.loss_D_x + self.loss_D_y,
        }


# Side by side


def disagreement(nets: dict, x, y, lab) -> dict[str, float]:
    """How far both ways are apart after one step from the same weights on the same images.

    Returns:
        name of a loss -> relative difference, and name of a network -> length of the difference of
        the gradients, relative to that of the reference's.
    """
    ours, theirs = copy.deepcopy(nets), copy.deepcopy(nets)
    opts = {key: Optimiser(net.parameters(), RATE, BETAS, lab) for key, net in ours.items()}
    losses = LESSON["cyclegan_step"]((x, y), SimpleNamespace(**ours), SimpleNamespace(**opts))
    reference = Reference(theirs)
    reference.optimise(2 * x - 1, 2 * y - 1)
    apart = {
        name: abs(losses[name].item() / loss.item() - 1)
        for name, loss in reference.measures().items()
    }
    for kind, name in (
        (GENERATORS, "to_zebra"),
        (GENERATORS, "to_horse"),
        ("discriminators", "x"),
        ("discriminators", "y"),
    ):
        mine, other = (
            torch.cat([weight.grad.flatten() for weight in side[kind][name].parameters()])
            for side in (ours, theirs)
        )
        apart[f"gradients of {name}"] = ((mine - other).norm() / other.norm()).item()
    return apart


class Clock:
    """Wall and processor seconds a step, after `warm` steps that are not counted."""

    def __init__(self, device: torch.device, warm: int):
        self.device, self.warm, self.calls = device, warm, 0

    def now(self) -> tuple[float, float]:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter(), time.process_time()

    def step_begins(self) -> None:
        if self.calls == self.warm:
            self.began = self.now()
        self.calls += 1

    def seconds(self) -> tuple[float, float]:
        spent = [end - begin for begin, end in zip(self.began, self.now())]
        return tuple(value / (self.calls - self.warm) for value in spent)


def by_fit(nets: dict, images, batch: int, warm: int, lab) -> tuple[float, float]:
    """Seconds a step through the course's loop."""
    clock = Clock(lab.device, warm)

    def step(both, nets, opts):
        clock.step_begins()
        return LESSON["cyclegan_step"](both, nets, opts)

    fit(step, images, nets, lab, epochs=1, lr=RATE, betas=BETAS, batch_size=batch,
        schedule=late_linear)  # fmt: skip
    return clock.seconds()


def by_reference(nets: dict, images, batch: int, warm: int, lab) -> tuple[float, float]:
    """Seconds a step as the reference takes it; the images are brought to its range before."""
    reference, clock = Reference(nets), Clock(lab.device, warm)
    x, y = (2 * kind - 1 for kind in images)
    for picked in torch.randperm(len(x), device=x.device).split(batch):
        clock.step_begins()
        reference.optimise(x[picked], y[picked])
    for scheduler in reference.schedulers:
        scheduler.step()
    return clock.seconds()


def ways(lab) -> dict:
    """Name -> (how to take the steps, the session, the order of the numbers in memory)."""
    half = dataclasses.replace(lab, precision="bf16")
    return {
        "reference": (by_reference, lab, torch.contiguous_format),
        "fit": (by_fit, lab, torch.contiguous_format),
        "fit, channels last": (by_fit, lab, torch.channels_last),
        "fit, bf16": (by_fit, half, torch.contiguous_format),
        "fit, bf16, channels last": (by_fit, half, torch.channels_last),
    }


def measured(options, batch: int, lab) -> list[str]:
    """Rows of the table for one batch size."""
    start = networks(options.size, options.width, options.blocks)
    start = {key: net.to(lab.device) for key, net in start.items()}
    shape = (batch * (options.warm + options.steps), 3, options.size, options.size)
    images = [torch.rand(shape, device=lab.device) for _ in range(2)]
    chosen = {name: way for name, way in ways(lab).items() if name in options.ways}
    taken: dict[str, list] = {name: [] for name in chosen}
    memory = {}
    for _ in range(options.sittings):
        for name, (way, session, order) in chosen.items():
            nets = {key: copy.deepcopy(net).to(memory_format=order) for key, net in start.items()}
            if lab.device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            taken[name].append(way(nets, images, batch, options.warm, session))
            if lab.device.type == "cuda":
                memory[name] = f"{torch.cuda.max_memory_allocated() / 2**30:.1f}"
            print(f"batch {batch} {name}: {taken[name][-1]}", file=sys.stderr, flush=True)
    rows = []
    for name, times in taken.items():
        wall, processor = (statistics.median(column) for column in zip(*times))
        pairs = list(zip(times, taken["reference"]))
        faster = [
            statistics.median(other[kind] / own[kind] for own, other in pairs) for kind in (0, 1)
        ]
        rows.append(
            f"| {batch} | {name} | {batch / wall:.4g} | {wall:.3g} | {processor:.3g} | "
            f"{faster[0]:.3f} | {faster[1]:.3f} | {memory.get(name, '')} |\n"
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    for name, value in FULL.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--batches", type=int, nargs="+", default=[1])
    parser.add_argument("--steps", type=int, default=2, help="steps of a sitting that are timed")
    parser.add_argument("--warm", type=int, default=1, help="steps before them, that are not")
    parser.add_argument("--sittings", type=int, default=3, help="sittings of each way, in turns")
    parser.add_argument("--ways", nargs="+", default=None, help="names of the table's rows")
    options = parser.parse_args()
    os.environ |= {"COURSE_PROGRESS": "off"}
    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark = True  # as the reference sets it
    lab = course_utils.start("benchmark")
    lab = dataclasses.replace(lab, device=torch.device(options.device), precision="float32")
    options.ways = options.ways or [
        name for name in ways(lab) if options.device == "cuda" or "bf16" not in name
    ]
    # In double precision and on a small image, so that what is left is no rounding: in single,
    # the gradients of either way differ by up to 1 % from those in double.
    nets = {key: net.double() for key, net in networks(64, options.width, options.blocks).items()}
    apart = disagreement(nets, *torch.rand(2, 1, 3, 64, 64, dtype=torch.float64), lab)
    assert max(apart.values()) < TOLERANCE, apart
    rows = [row for batch in options.batches for row in measured(options, batch, lab)]
    where = torch.cuda.get_device_name() if options.device == "cuda" else "one CPU thread"
    text = (
        "# A step of a full-size CycleGAN, and the reference implementation's\n\n"
        f"Written by `benchmarks/cyclegan_step.py {' '.join(sys.argv[1:])}`: {where}, torch "
        f"{torch.__version__}, images of {options.size}, {options.blocks} blocks, width "
        f"{options.width}. Medians of {options.sittings} sittings in turns, each {options.steps} "
        f"steps after {options.warm} for warming up; the ratios are medians of the sittings' own. "
        "Both ways give the same losses and gradients: in double precision on an image of 64 they "
        f"differ by at most {max(apart.values()):.0e} of their size. The machine's load was "
        f"{os.getloadavg()[0]:.0f} at the end; where that is more than its cores, wall times say "
        "little and processor times are to be compared.\n\n"
        "| batch | | pairs a second | wall s a step | processor s a step | faster than the "
        "reference, wall | faster, processor | GiB |\n"
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n" + "".join(rows)
    )
    print(text)
    if all(getattr(options, name) == value for name, value in FULL.items()):
        suffix = "_cuda" if options.device == "cuda" else ""
        (RESULTS / f"cyclegan_step{suffix}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
