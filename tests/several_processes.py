"""Trains small networks in as many processes as a launcher starts, and saves what came out.

Run as a program: `torchrun --nproc-per-node 2 tests/several_processes.py FOLDER PART ...`. Each
process writes what it holds after each part, as FOLDER/PART-RANK.pt.
"""

import atexit
import sys
from pathlib import Path

import torch
from torch import distributed, nn

import course_utils
from course_utils import fit
from course_utils.session import processes
from course_utils.training import Diverged


def line_data(count=70):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, 3, generator=generator)
    return x, x @ torch.tensor([[1.0], [-2.0], [0.5]])


def exact(lab) -> dict:
    """No random numbers in the step; batches of 32 and 6, which three processes cannot halve."""
    net = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1))
    if not processes.is_first():
        nn.init.zeros_(net[0].weight)  # what the first process has is what counts
    seen = []

    def step(batch, nets, opts):
        x, y = batch
        seen.append(x.clone())
        loss = (nets.net(x) - y).square().mean()
        opts.net.minimise(loss)
        return {"loss": loss, "count": len(x)}

    run = fit(step, line_data(), {"net": net}, lab, epochs=6, batch_size=32, lr=0.01)
    return {"net": net.state_dict(), "history": run.history, "seen": seen}


def noisy(lab, epochs=12, begun=lambda: None, save=None) -> dict:
    """A GAN with noise, dropout, batch normalization and snapshots."""
    noise = torch.randn(600, 4)  # the same in every process, if their generators agree
    real = noise @ torch.randn(4, 4) + 1
    generator = nn.Sequential(nn.Linear(4, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 4))
    discriminator = nn.Sequential(
        nn.Linear(4, 32), nn.LeakyReLU(), nn.Dropout(0.2), nn.Linear(32, 1)
    )
    drawn = []

    def step(x, nets, opts):
        begun()
        fake = nets.generator(torch.randn_like(x))
        drawn.append(torch.rand(()))
        D = nets.discriminator
        loss_D = (D(x) - 1).square().mean() + D(fake.detach()).square().mean()
        opts.discriminator.minimise(loss_D)
        loss_G = (D(fake) - 1).square().mean() + (fake.mean(0) - 1).square().mean()
        opts.generator.minimise(loss_G)
        return {"loss_D": loss_D, "loss_G": loss_G}

    run = fit(
        step, real, {"generator": generator, "discriminator": discriminator}, lab,
        epochs=epochs, batch_size=50,
        betas=(0.5, 0.9), save=save, save_every=0.02,
        watch=lambda nets: nets.generator(torch.randn(3, 4)), watch_at=(0, 30, 100),
    )  # fmt: skip
    return {
        "nets": [generator.state_dict(), discriminator.state_dict()],
        "history": run.history,
        "snapshots": run.snapshots,
        "resumed at": run.resumed_at,
        "drawn": torch.stack(drawn) if drawn else torch.zeros(0),
        "next": torch.rand(3),
    }


def cut(lab) -> dict:
    """A longer one that is saved often and may be killed; a file says that it has begun."""
    begun = Path(sys.argv[1], "begun")
    return noisy(lab, epochs=30, begun=begun.touch, save="cut")


def small(lab) -> dict:
    """Batches of three are not shared: every process computes them whole."""
    net = nn.Linear(1, 1)
    sizes = []

    def step(x, nets, opts):
        sizes.append(len(x))
        loss = nets.net(x).square().mean()
        opts.net.minimise(loss)
        return {"loss": loss}

    run = fit(step, torch.ones(3, 1), {"net": net}, lab, epochs=2)
    return {"net": net.state_dict(), "sizes": sizes, "history": run.history}


def diverging(lab) -> dict:
    """One process meets an image that spoils its loss; both must end, at the same step."""
    net = nn.Linear(1, 1)

    def step(x, nets, opts):
        loss = nets.net(x).square().mean() * (float("nan") if (x > 100).any() else 1)
        opts.net.minimise(loss)
        return {"loss": loss}

    data = torch.cat([torch.ones(159, 1), torch.full((1, 1), 101.0)])
    try:
        fit(step, data, {"net": net}, lab, epochs=1, batch_size=4)
    except Diverged as end:
        return {"net": net.state_dict(), "end": str(end), "history": end.run.history}


def unlike(lab) -> dict:
    """The processes come with data of unlike lengths."""
    data = torch.ones(8 + processes.rank(), 1)
    try:
        fit(lambda x, nets, opts: {"loss": 0.0}, data, {"net": nn.Linear(1, 1)}, lab, epochs=1)
    except ValueError as refusal:
        return {"refusal": str(refusal)}


def pair(seed=0):
    """Two networks that are one player, of which a step calls one at a time."""
    torch.manual_seed(seed)
    return nn.ModuleDict({name: nn.Linear(3, 1) for name in ("there", "back")})


def member(lab) -> dict:
    """The step calls a member of a network, as that of a CycleGAN does."""
    net = pair()

    def step(batch, nets, opts):
        x, y = batch
        loss = (nets.pair["there"](x) + nets.pair["back"](x) - y).square().mean()
        opts.pair.minimise(loss)
        return {"loss": loss}

    fit(step, line_data(64), {"pair": net}, lab, epochs=4, batch_size=32, lr=0.05)
    return {"net": net.state_dict()}


def member_by_torch(lab) -> dict:
    """The same network wrapped in DistributedDataParallel, whose hooks a member does not call."""
    wrapped = nn.parallel.DistributedDataParallel(pair(), find_unused_parameters=True)
    adam = torch.optim.Adam(wrapped.parameters(), lr=0.05)
    for _ in range(8):
        x, y = (processes.shard(part)[0] for part in line_data(64))
        adam.zero_grad()
        (wrapped.module["there"](x) + wrapped.module["back"](x) - y).square().mean().backward()
        adam.step()
    return {"net": wrapped.module.state_dict()}


PARTS = {"exact": exact, "noisy": noisy, "cut": cut, "small": small, "diverging": diverging}
PARTS |= {"unlike": unlike, "member": member, "member_by_torch": member_by_torch}


def main() -> None:
    folder, *parts = sys.argv[1:]

    def say_whether_connected():  # registered first, called last: after what the package registers
        names = [
            path.read_text(encoding="utf-8") for path in Path("/proc/self/task").glob("*/comm")
        ]  # on Linux
        connected = distributed.is_initialized() or any("gloo" in name for name in names)
        Path(folder, f"connected-{processes.rank()}.txt").write_text(
            str(connected), encoding="utf-8"
        )

    atexit.register(say_whether_connected)
    for part in parts:
        outcome = PARTS[part](course_utils.start("several"))
        torch.save(outcome, Path(folder) / f"{part}-{processes.rank()}.pt")


if __name__ == "__main__":
    main()
