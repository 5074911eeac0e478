"""ResNet-20 on CIFAR-10: images that lie in tensors and `fit`, beside torchvision's own way.

    python benchmarks/resnet_cifar.py [--images FOLDER] [--epochs 3] [--seeds 3]

The same network from the same starting weights, Adam, a falling learning rate, batches of 64,
crops of the padded image and flips in both. One way is torchvision's: ImageFolder opens every
image in every epoch, transforms change it, a DataLoader makes batches of it (on one thread, so
it has no workers). The other reads the folder once, augments whole batches and trains by `fit`.
They take turns, also in going first, and what counts is the processor's time and not the clock's:
neither other programs nor a drifting machine favour one. The images are those of a folder with
train/CLASS and test/CLASS, by default cifar10_jpeg in the folder that COURSE_DATA names: a part of
CIFAR-10 saved as JPEG, 1,000 + 200 images of each class.

    python benchmarks/resnet_cifar.py --paper

trains ResNet-20 as He et al. (2015, section 4.2) did, on all of CIFAR-10: 64,000 steps of
stochastic gradient descent with momentum. (Colours are normalised by one mean and deviation each,
where they subtracted a mean image.) Theirs has an error of 8.75 % on the test images. It wants
a GPU: half an hour on one such as Colab's T4 is an estimate, not a measurement. `--steps 200`
tries it out.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that it runs from any folder

from course_utils import data, fit, models
from course_utils.data import augmentation
from course_utils.session import lab as session
from course_utils.training import cosine

RESULT = ROOT / "benchmarks" / "results" / "resnet_cifar.md"
BATCH, RATE, PADDING = 64, 3e-3, 4
PAPER_BATCH, PAPER_RATE, PAPER_STEPS = 128, 0.1, 64_000


def network(seed: int):
    """ResNet-20 with the starting weights of a seed."""
    torch.manual_seed(seed)
    # Colours as the last dimension: a quarter faster on a processor, and the same numbers.
    return models.cifar_resnet(20).to(memory_format=torch.channels_last)


def augmented(images, statistics):
    """Crops of the padded images, half of them mirrored, normalised."""
    moved = augmentation.random_crop(images, PADDING)
    return augmentation.normalised(augmentation.random_flip(moved), *statistics)


def by_fit(lab, train, colours, epochs: int, seed: int):
    """A network trained on an `ImageSet` by the course's loop."""

    def step(batch, nets, opts):
        x, y = batch
        loss = cross_entropy(nets.resnet(augmented(x, colours)), y)
        opts.resnet.minimise(loss)
        return {"loss": loss}

    net = network(seed)
    settings = {"lr": RATE, "batch_size": BATCH, "schedule": cosine}
    fit(step, (train.images, train.labels), {"resnet": net}, lab, epochs=epochs, **settings)
    return net


def loader_of(folder: Path, colours):
    """Augmented batches as torchvision's examples make them."""
    from torchvision import datasets, transforms

    change = transforms.Compose([
        transforms.RandomCrop(32, padding=PADDING),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(*colours),
    ])  # fmt: skip
    images = datasets.ImageFolder(folder / "train", change)
    return torch.utils.data.DataLoader(images, batch_size=BATCH, shuffle=True)


def by_loader(folder: Path, colours, epochs: int, seed: int):
    """The same network trained by the loop that everybody writes."""
    loader, net = loader_of(folder, colours), network(seed)
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
    steps = epochs * len(loader)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=steps)
    net.train()
    for _ in range(epochs):
        for x, y in loader:
            loss = cross_entropy(net(x), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net


@torch.no_grad()
def accuracy(net, test, colours) -> float:
    """Percent of the test images that are read right, each as it is."""
    net.eval()
    right = [
        net(augmentation.normalised(part.images, *colours)).argmax(dim=1) == part.labels
        for part in (test[start : start + 500] for start in range(0, len(test), 500))
    ]
    return 100 * torch.cat(right).float().mean().item()


def timed(function, *arguments):
    """What a function gives, and the seconds of processor time that it took."""
    began = time.process_time()
    return function(*arguments), time.process_time() - began


def only_batches(batches) -> None:
    """Make every batch of an epoch, and throw it away."""
    for _ in batches:
        pass


def compare(options) -> str:
    """Both ways in turns; the report."""
    torch.set_num_threads(1)
    folder = options.images or session.data_folder() / "cifar10_jpeg"
    if not (folder / "train").is_dir():
        sys.exit(f"No images in {folder / 'train'}: set COURSE_DATA, or give --images FOLDER.")
    lab = session.start("benchmark")
    train, loading = timed(data.load, f"folder:{folder}")
    test = data.load(f"folder:{folder}", "test")
    colours = augmentation.colour_statistics(train.images)

    def in_tensors():
        order = torch.randperm(len(train)).split(BATCH)
        return ((augmented(train.images[rows], colours), train.labels[rows]) for rows in order)

    next(iter(loader_of(folder, colours)))  # the first of everything is slow
    accuracy(network(0), test[:BATCH], colours)
    rounds = []
    for seed in range(options.seeds):
        ways = {
            "torchvision": lambda seed=seed: by_loader(folder, colours, options.epochs, seed),
            "fit": lambda seed=seed: by_fit(lab, train, colours, options.epochs, seed),
        }
        measured = {}
        for way in sorted(ways, reverse=seed % 2 == 0):  # each goes first in its turn
            net, seconds = timed(ways[way])
            batches = loader_of(folder, colours) if way == "torchvision" else in_tensors()
            _, feeding = timed(only_batches, batches)
            speeds = len(train) * options.epochs / seconds, len(train) / feeding
            measured[way] = (*speeds, accuracy(net, test, colours))
            print(seed, way, *(f"{number:.1f}" for number in measured[way]), flush=True)
        rounds.append(measured)
    return report(options, rounds, len(train), len(test), loading)


def report(options, rounds, train: int, test: int, loading: float) -> str:
    """The results as Markdown."""
    lines = [
        "# ResNet-20 on a part of CIFAR-10: torchvision's way, and `fit`",
        "",
        f"{time.strftime('%Y-%m-%d')}, one thread of a CPU, torch {torch.__version__}:",
        "",
        f"    OMP_NUM_THREADS=1 python benchmarks/resnet_cifar.py --epochs {options.epochs} "
        f"--seeds {options.seeds}",
        "",
        f"Medians of {options.seeds} seeds, {options.epochs} epochs of {train:,} training images "
        f"each; accuracy on {test:,} test images. Images a second of processor time; both ways "
        "on one thread, so the DataLoader has no workers.",
        "",
        "| | images/s | making batches alone, images/s | accuracy |",
        "| --- | ---: | ---: | ---: |",
    ]
    for way in ("torchvision", "fit"):
        speed, feeding, right = (
            statistics.median(column) for column in zip(*(row[way] for row in rounds))
        )
        lines.append(f"| {way} | {speed:.0f} | {feeding:,.0f} | {right:.1f} % |")
    ratios = [row["fit"][0] / row["torchvision"][0] for row in rounds]
    gaps = [row["fit"][2] - row["torchvision"][2] for row in rounds]
    each = {
        way: ", ".join(f"{row[way][2]:.1f}" for row in rounds) for way in ("torchvision", "fit")
    }
    half = 100 * math.sqrt(0.25 / test)
    lines += [
        "",
        f"`fit` trains {statistics.median(ratios):.2f} times as many images a second (median of "
        f"the seeds' own ratios: {', '.join(f'{ratio:.2f}' for ratio in ratios)}), after "
        f"{loading:.1f} s spent once on reading the folder. Accuracies by seed: torchvision "
        f"{each['torchvision']}; `fit` {each['fit']}; on average `fit` has "
        f"{statistics.mean(gaps):+.1f} points. The two draw other random numbers, and one "
        f"accuracy on {test:,} images has a standard error of up to {half:.1f} points.",
    ]
    return "\n".join(lines) + "\n"


def paper(options) -> str:
    """ResNet-20 as in the paper; the test error, and how long it took."""
    lab = session.start("benchmark")
    name = f"folder:{options.images}" if options.images else "cifar10"
    train, test = (data.load(name, split, device=lab.device) for split in ("train", "test"))
    colours = augmentation.colour_statistics(train.images)
    net = network(lab.seed).to(lab.device).train()
    sgd = torch.optim.SGD(net.parameters(), lr=PAPER_RATE, momentum=0.9, weight_decay=1e-4)
    drops = [options.steps // 2, options.steps * 3 // 4]  # 32,000 and 48,000
    schedule = torch.optim.lr_scheduler.MultiStepLR(sgd, drops, gamma=0.1)
    began, done = time.perf_counter(), 0
    while done < options.steps:
        order = torch.randperm(len(train), device=lab.device)
        for rows in order.split(PAPER_BATCH)[: options.steps - done]:
            x = augmented(train.images[rows], colours)
            loss = cross_entropy(net(x), train.labels[rows])
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            schedule.step()
            done += 1
        wrong = 100 - accuracy(net, test, colours)
        net.train()
        print(f"step {done:,}: loss {loss:.3f}, test error {wrong:.2f} %", flush=True)
    minutes = (time.perf_counter() - began) / 60
    return f"\nTest error {wrong:.2f} % after {done:,} steps, {minutes:.1f} min on {lab.device}.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, help="folder with train/CLASS and test/CLASS")
    parser.add_argument("--epochs", type=int, default=3, help="of each way, for each seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--paper", action="store_true", help="train as in the paper, on a GPU")
    parser.add_argument("--steps", type=int, default=PAPER_STEPS, help="of --paper")
    options = parser.parse_args()
    if options.paper:
        print(paper(options))
        return
    os.environ["COURSE_DEVICE"] = "cpu"
    os.environ["COURSE_PROGRESS"] = "off"
    text = compare(options)
    print(text)
    if (options.epochs, options.seeds) == (3, 3):
        RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
