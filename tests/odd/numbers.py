"""Numbers and tensors as people have them: NumPy's, of other shapes, kinds and ranges."""

from __future__ import annotations

import dataclasses
import math
import types
from functools import cache, partial
from pathlib import Path

import numpy
import torch
from torch import Tensor, nn

import course_utils
from course_utils import data, fit, losses, metrics, models, widgets
from course_utils.data import (
    animals,
    augmentation,
    colours,
    corruption,
    face_factors,
    face_sheet,
    faces,
    handwriting,
    mixtures,
    paintings,
    photographs,
    sentences,
)
from course_utils.data.unpaired import unpaired
from course_utils.metrics import codes, distributions, images, likelihood, retrieval
from course_utils.session import arguments
from course_utils.session.lab import Lab
from course_utils.training import Diverged, Optimiser, pixels, update_ema
from course_utils.widgets import convolution

from . import Row, refused, works

HERE = torch.device("cpu")
NUMBERS = torch.Generator().manual_seed(0)


def some(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=NUMBERS)


def lab(folder: Path) -> Lab:
    return Lab("odd", 0, "classroom", HERE, "float32", folder, folder)


def equal(one, other) -> bool:
    """Whether two results are the same numbers, however deeply they lie in each other."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, numpy.ndarray):
        return numpy.array_equal(one, other)
    if dataclasses.is_dataclass(one):
        return equal(vars(one), vars(other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


# --- whole numbers -----------------------------------------------------------------------------
# How a whole number comes out of NumPy and torch, and what is none.
WHOLE = {
    "NumPy's int64": numpy.int64,
    "NumPy's int32": numpy.int32,
    "an array of one number": numpy.array,
    "a tensor of one number": torch.tensor,
}
NOT_WHOLE = {
    "2.5": 2.5,
    "2.0": 2.0,
    "NumPy's 2.0": numpy.float64(2.0),
    "a word": "3",
    "True": True,
    "NumPy's True": numpy.bool_(True),
    "NaN": math.nan,
    "-1": -1,
    "several numbers": numpy.array([3, 3]),
    "a tensor of 2.0": torch.tensor(2.0),
}
IMAGES = some(4, 1, 12, 12)
VAE = models.VariationalAutoencoder(2)
DIGITS = some(2, 1, 28, 28).round()


def seeded(call):
    """The call with the same random numbers each time."""

    def again(*given):
        torch.manual_seed(0)
        return call(*given)

    return again


def line_step(x, nets, opts):
    loss = (nets.line(x) - x).square().mean()
    opts.line.minimise(loss)
    return {"loss": loss}


def trained(folder: Path, step=line_step, batches=None, nets=None, **options):
    """The history of a short run of `fit`, its weights and its snapshots."""
    torch.manual_seed(0)
    nets = {"line": nn.Linear(2, 2)} if nets is None else nets
    batches = torch.linspace(-1, 1, 16).view(8, 2) if batches is None else batches
    options = {"epochs": 2, "batch_size": 4, **options}
    run = fit(step, batches, nets, lab(folder), **options)
    return run.history, [net.state_dict() for net in nets.values()], run.snapshots


def optimised(**options):
    error = {"loss": lambda image: {"error": (image - 0.3).square().sum()}}
    start = torch.full((1, 1, 4, 4), 0.5)
    return pixels.optimise(**{**error, "start": start, "steps": 3, **options}).history


def box(seeds=20):
    known = sentences.Vocabulary(["a red house"])

    def draw(sentence, seed):
        return numpy.full((8, 8, 3), seed, numpy.uint8)

    topics = {"house": ["red"]}
    return widgets.CaptionBox(draw, known, ["a red house"], topics, "A house.", seeds)


def written(seed):
    shown = box()
    shown.write("a red house", seed)
    return shown.image


@cache
def machine():
    torch.manual_seed(0)
    g, d = models.perceptrons(2, 2, 2), nn.Sequential(models.perceptrons(2, 2, 1), nn.Flatten())
    frames = [(step, widgets.flat_weights(g, d).detach()) for step in range(5)]
    return widgets.TimeMachine(g, d, frames, mixtures.ring(), [("G", lambda g, d: None)])


GREY = numpy.full((64, 64, 3), 128, numpy.uint8)


@cache
def grey_file():
    from course_utils import plots

    return plots.png(GREY)


def picked(side):
    show = partial(numpy.full, (8, 8, 3), 1, numpy.uint8)
    return widgets.ImagePicker(lambda image: show(), "Grey.", grey_file(), (3, side, side)).shape


def studio(size):
    return widgets.StyleStudio(None, grey_file(), grey_file(), "Grey images.", size).image


# what -> (the call with a whole number, a number that it takes, what a refusal calls it)
WHOLES = {
    "data.load, size of digits": (lambda n: data.load("handwriting", size=n), 3, "size"),
    "data.load, size of faces": (lambda n: data.load("faces", size=n), 3, "size"),
    "data.load, size of photographs": (lambda n: data.load("photographs", size=n), 3, "size"),
    "data.load, seed": (lambda n: data.load("handwriting", "test", size=2, seed=n), 3, "seed"),
    "data.load, resolution": (lambda n: data.load("faces", size=2, resolution=n), 16, "resolution"),
    "handwriting.draw, size": (handwriting.draw, 3, "size"),
    "handwriting.draw, seed": (lambda n: handwriting.draw(2, seed=n), 3, "seed"),
    "handwriting.legible_digits, size": (handwriting.legible_digits, 3, "size"),
    "handwriting.legible_digits, seed": (lambda n: handwriting.legible_digits(2, n), 3, "seed"),
    "handwriting.sample_labels, size": (handwriting.sample_labels, 3, "size"),
    "handwriting.sample_factors, seed": (lambda n: handwriting.sample_factors(2, n), 3, "seed"),
    "handwriting.sample_noise, seed": (lambda n: handwriting.sample_noise(2, n), 3, "seed"),
    "faces.draw, seed": (lambda n: faces.draw(2, seed=n), 3, "seed"),
    "face_factors.sample_factors, size": (face_factors.sample_factors, 3, "size"),
    "animals.draw, count": (animals.draw, 3, "count"),
    "animals.draw, seed": (lambda n: animals.draw(2, seed=n), 3, "seed"),
    "animals.mask, resolution": (lambda n: animals.mask(2, resolution=n), 16, "resolution"),
    "unpaired, size": (lambda n: unpaired(size=n, test_size=1), 3, "size"),
    "unpaired, test_size": (lambda n: unpaired(size=1, test_size=n), 3, "test_size"),
    "unpaired, seed": (lambda n: unpaired(size=1, test_size=1, seed=n), 3, "seed"),
    "photograph, size": (lambda n: photographs.photograph("cat", n), 3, "size"),
    "paint, size": (lambda n: paintings.paint("colour_circles", n), 16, "size"),
    "paint, seed": (lambda n: paintings.paint("colour_circles", 16, n), 3, "seed"),
    "factor_sheet, steps": (lambda n: face_sheet.factor_sheet(n, 16), 3, "steps"),
    "mixtures.ring, modes": (mixtures.ring, 3, "modes"),
    "mixtures.grid, side": (mixtures.grid, 3, "modes"),
    "Mixture.sample, how many": (seeded(mixtures.ring().sample), 3, "length"),
    "Vocabulary.numbers, length": (
        lambda n: sentences.Vocabulary(["a b"]).numbers(["a"], n),
        3,
        "length",
    ),
    "random_crop, padding": (
        seeded(lambda n: augmentation.random_crop(IMAGES, n)),
        3,
        "padding",
    ),
    "metrics.binarise, seed": (lambda n: metrics.binarise(IMAGES, n), 3, "seed"),
    "metrics.log_weights, draws": (
        seeded(lambda n: metrics.log_weights(VAE, DIGITS, n)),
        3,
        "draws",
    ),
    "metrics.elbo, draws": (seeded(lambda n: metrics.elbo(VAE, DIGITS, n)), 3, "draws"),
    "metrics.elbo, batch_size": (
        seeded(lambda n: metrics.elbo(VAE, DIGITS, 2, n)),
        3,
        "batch_size",
    ),
    "metrics.importance_weighted_elbo, draws": (
        seeded(lambda n: metrics.importance_weighted_elbo(VAE, DIGITS, n)),
        3,
        "draws",
    ),
    "metrics.log_joint_on_grid, steps": (
        lambda n: metrics.log_joint_on_grid(VAE, DIGITS, steps=n),
        3,
        "steps",
    ),
    "metrics.code_grid, steps": (lambda n: metrics.code_grid(1.0, n), 3, "steps"),
    "metrics.prior_coverage, draws": (
        seeded(lambda n: metrics.prior_coverage(some(4, 2) * 0, some(4, 2) * 0, n)),
        3,
        "draws",
    ),
    "metrics.normalised_information, bins": (
        lambda n: metrics.normalised_information(IMAGES.view(-1, 2), IMAGES.view(-1, 2), n),
        3,
        "bins",
    ),
    "metrics.density_and_coverage, nearest": (
        lambda n: metrics.density_and_coverage(*IMAGES.flatten()[:36].view(2, 9, 2), n),
        3,
        "nearest",
    ),
    "metrics.ssim, window": (lambda n: metrics.ssim(IMAGES, IMAGES, n), 3, "window"),
    "retrieval.precision_at, k": (lambda n: retrieval.precision_at(some(2, 5) > 2, n), 3, "k"),
    "pixels.resized, size": (lambda n: pixels.resized(IMAGES, n), 3, "size"),
    "pixels.optimise, steps": (lambda n: optimised(steps=n), 3, "steps"),
    "pixels.optimise, steps of each scale": (
        lambda n: optimised(
            steps=(n, 1),
            scales=(2, 4),
            loss=lambda size: lambda image: {"error": image.square().sum()},
        ),
        3,
        "steps",
    ),
    "pixels.optimise, scales": (
        lambda n: optimised(
            scales=[n], loss=lambda size: lambda image: {"error": image.square().sum()}
        ),
        3,
        "scales",
    ),
    "pixels.optimise, watch_at": (lambda n: optimised(watch_at=[n]), 3, "watch_at"),
    "convolution_walk, size": (
        lambda n: convolution.convolution_walk(n, 3, 1, 0, "forward", 0),
        3,
        "size",
    ),
    "convolution_walk, kernel": (
        lambda n: convolution.convolution_walk(5, n, 1, 0, "transposed, contributions", 0),
        3,
        "kernel",
    ),
    "convolution_walk, stride": (
        lambda n: convolution.convolution_walk(5, 3, n, 0, "transposed, fancy padding", 0),
        3,
        "stride",
    ),
    "convolution_walk, padding": (
        lambda n: convolution.convolution_walk(5, 3, 1, n, "forward", 0),
        3,
        "padding",
    ),
    "convolution_walk, step": (
        lambda n: convolution.convolution_walk(5, 3, 1, 0, "forward", n),
        3,
        "step",
    ),
    "convolution.output_size": (lambda n: convolution.output_size(n, 3, 0, 1), 3, "size"),
    "convolution.fancy_padding": (
        lambda n: convolution.fancy_padding(some(2, 2) * 0, n, 1, 0),
        3,
        "kernel",
    ),
    "CaptionBox, seeds": (lambda n: box(n).slider.max, 3, "seeds"),
    "CaptionBox.write, seed": (written, 3, "seed"),
    "TimeMachine.draw, frame": (lambda n: machine().draw(n), 3, "frame"),
    "TimeMachine.draw, slow_motion": (lambda n: machine().draw(0, n), 3, "slow_motion"),
    "TimeMachine.draw, run": (lambda n: machine().draw(0, run=n), 2, "run"),
    "ImagePicker, shape": (picked, 16, "shape"),
    "StyleStudio, size": (studio, 16, "size"),
    "a layer of a model": (
        lambda n: sum(p.numel() for p in models.ConvolutionalVAE(latent=n).parameters()),
        3,
        "latent",
    ),
    "a network's depth": (
        lambda n: sum(p.numel() for p in models.cifar_resnet(n, width=4).parameters()),
        8,
        "layers",
    ),
    "a code of an autoencoder": (
        lambda n: sum(p.numel() for p in models.Autoencoder(n).parameters()),
        3,
        "code",
    ),
}
# The same for calls that need a folder to work in.
IN_A_FOLDER = {
    "fit, epochs": (lambda folder, n: trained(folder, epochs=n), 3, "epochs"),
    "fit, batch_size": (lambda folder, n: trained(folder, batch_size=n), 3, "batch_size"),
    "fit, watch_at": (
        lambda folder, n: trained(folder, watch=lambda nets: nets.line.weight, watch_at=[n]),
        3,
        "watch_at",
    ),
    "start, seed": (lambda folder, n: course_utils.start("odd", n).seed, 3, "seed"),
}
CALLS = {
    **{what: (lambda _, n, call=call: call(n), *rest) for what, (call, *rest) in WHOLES.items()},
    **IN_A_FOLDER,
}
SLOW = ("TimeMachine", "StyleStudio", "data.load, size of photographs",
        "factor_sheet", "a network", "a layer", "a code", "paint")  # fmt: skip


def of_each(kinds: dict, what: str) -> dict:
    """All kinds of a number, or where a call takes long, one."""
    return dict(list(kinds.items())[:1]) if what.startswith(SLOW) else kinds


ROWS: list[Row] = [
    works(
        f"{what}: {kind}",
        lambda folder, call=call, n=n, make=make: (call(folder, make(n)), call(folder, n)),
        lambda results: equal(*results),
    )
    for what, (call, n, _) in CALLS.items()
    for kind, make in of_each(WHOLE, what).items()
]
ROWS += [
    refused(f"{what}: {kind}", lambda folder, call=call, bad=bad: call(folder, bad), name)
    for what, (call, _, name) in CALLS.items()
    for kind, bad in NOT_WHOLE.items()
]
FROM_0 = {"seed", "padding", "step", "frame", "slow_motion", "watch_at", "length"}
ROWS += [
    refused(f"{what}: 0", lambda folder, call=call: call(folder, 0), name)
    for what, (call, _, name) in CALLS.items()
    if name not in FROM_0
]
ROWS += [
    refused(f"{what}: a million millions", lambda folder, call=call: call(folder, 10**12), words)
    for what, call, words in (
        ("data.load of digits", WHOLES["data.load, size of digits"][0], "size is 1,000.*GiB"),
        ("data.load of faces", WHOLES["data.load, size of faces"][0], "size is 1,000.*GiB"),
        ("data.load of photographs", WHOLES["data.load, size of photographs"][0], "not 1,000"),
    )
    for call in [lambda _, n, call=call: call(n)]
]
ROWS += [
    refused(f"{what}: a million millions", lambda folder, call=call: call(folder, 10**12), words)
    for what, (call, words) in {
        "animals.draw": (CALLS["animals.draw, count"][0], "count is 1,000.*GiB"),
        "unpaired, size": (CALLS["unpaired, size"][0], "size is 1,000.*GiB"),
        "unpaired, test_size": (CALLS["unpaired, test_size"][0], "test_size is 1,000.*GiB"),
        "handwriting.sample_labels": (CALLS["handwriting.sample_labels, size"][0], "GiB"),
        "photograph": (CALLS["photograph, size"][0], "from 1 to 4096"),
        "fit, epochs": (CALLS["fit, epochs"][0], "from 1 to 1000000"),
        "pixels.resized": (CALLS["pixels.resized, size"][0], "from 1 to 8192"),
        "convolution_walk": (CALLS["convolution_walk, size"][0], "from 1 to 100"),
    }.items()
]

# --- what is fixed in a drawn set --------------------------------------------------------------
FIXED = {
    "a place outside the image": ("handwriting", {"position_x": 1000}, "position_x is 1000.*left"),
    "a place above it": ("handwriting", {"position_y": -15}, "position_y is -15"),
    "a size beyond it": ("handwriting", {"size": 1e6}, "size is 1e.06"),
    "an unknown factor of digits": ("handwriting", {"smile": 1.0}, "no factors .'smile'.*slant"),
    "an unknown factor of faces": ("faces", {"slant": 1.0}, "no factors .'slant'.*smile"),
    "a word": ("faces", {"smile": "big"}, "The fixed smile is 'big'"),
    "None": ("handwriting", {"slant": None}, "The fixed slant is None"),
    "NaN": ("handwriting", {"slant": math.nan}, "The fixed slant is nan"),
    "several numbers": ("faces", {"smile": torch.zeros(3)}, "The fixed smile is Tensor of shape"),
    "half a pair of glasses": ("faces", {"glasses": 0.5}, "glasses must be a whole number"),
    "a smile beyond its range": ("faces", {"smile": 3}, "smile must lie between"),
    "a list of names": ("faces", ["smile"], "fixed is .'smile'.; give names and numbers"),
    "a factor of digits, of real ones": ("mnist", {"slant": 0.0}, "not known"),
}
ROWS += [
    refused(
        f"fixed: {what}",
        lambda _, name=name, fixed=fixed: data.load(name, size=2, fixed=fixed),
        words,
    )
    for what, (name, fixed, words) in FIXED.items()
]
ROWS += [
    refused("fixed of animals: unknown", lambda _: animals.draw(2, fixed={"wings": 1}), "wings"),
    refused("fixed of animals: a word", lambda _: animals.draw(2, fixed={"coat": "red"}), "coat"),
    refused(
        "fixed of unpaired: NaN",
        lambda _: unpaired(size=1, test_size=1, fixed={"sky": math.nan}),
        "sky is nan",
    ),
    works(
        "fixed: NumPy's number",
        lambda _: data.load("faces", size=2, fixed={"smile": numpy.float32(1)}),
        lambda found: found.factors["smile"].tolist() == [1.0, 1.0],
    ),
    works(
        "fixed: a tensor of one number",
        lambda _: faces.draw(2, fixed={"glasses": torch.tensor(1)}),
        lambda found: found.factors["glasses"].tolist() == [1, 1],
    ),
    works(
        "fixed: turned by more than its range",
        lambda _: handwriting.draw(2, fixed={"rotation": 3.1}),
        lambda found: bool((found.images.flatten(1).sum(1) > 10).all()),
    ),
]

# --- which images of a set ---------------------------------------------------------------------
SET = data.ImageSet(
    "some", torch.arange(5.0).view(5, 1, 1, 1), torch.arange(5), {"size": torch.arange(5.0)},
    captions=tuple("abcde"),
)  # fmt: skip
CHOSEN = {
    "torch's argmax": (torch.tensor([0.0, 9.0]).argmax(), [1]),
    "NumPy's argmax": (numpy.array([0.0, 9.0]).argmax(), [1]),
    "torch's permutation": (torch.tensor([4, 0, 3, 1, 2]), [4, 0, 3, 1, 2]),
    "NumPy's permutation": (numpy.array([4, 0, 3, 1, 2]), [4, 0, 3, 1, 2]),
    "torch's mask": (torch.arange(5) > 2, [3, 4]),
    "NumPy's mask": (numpy.arange(5) > 2, [3, 4]),
    "a list of truth values": ([False, True, False, False, True], [1, 4]),
    "a list": ([3, 1], [3, 1]),
    "a range": (range(1, 3), [1, 2]),
    "a list of tensors": ([torch.tensor(3), torch.tensor(1)], [3, 1]),
    "NumPy's int32": (numpy.array([3, 1], numpy.int32), [3, 1]),
    "positions from the end": (torch.tensor([-1, -5]), [4, 0]),
    "the last": (-1, [4]),
    "NumPy's last": (numpy.int64(-1), [4]),
    "a position more than once": ([2, 2], [2, 2]),
    "none": ([], []),
    "a mask of none": (torch.zeros(5, dtype=torch.bool), []),
    "a slice of NumPy's numbers": (slice(numpy.int64(1), numpy.int64(3)), [1, 2]),
    "backwards": (slice(None, None, -1), [4, 3, 2, 1, 0]),
    "a slice beyond the end": (slice(3, 99), [3, 4]),
}
ROWS += [
    works(
        f"a set at {what}",
        lambda _, index=index: SET[index],
        lambda found, positions=positions: (
            found.labels.tolist() == positions
            and found.images.flatten().tolist() == positions
            and found.factors["size"].tolist() == positions
            and found.captions == tuple("abcde"[position] for position in positions)
        ),
    )
    for what, (index, positions) in CHOSEN.items()
]
NOT_CHOSEN = {
    "a position beyond the end": (5, "no image 5 in a set of 5"),
    "positions of which one is beyond the end": (torch.tensor([0, 7]), "no image 7"),
    "a position before the first": (numpy.int64(-6), "no image -6"),
    "a mask of another length": (torch.ones(4, dtype=torch.bool), "mask"),
    "a mask of every pixel": (torch.ones(5, 1, 1, 1, dtype=torch.bool), "mask"),
    "a mask as bytes": (torch.ones(5, dtype=torch.uint8), "mask"),
    "numbers with a point": (torch.tensor([0.0, 1.0]), "give a position"),
    "2.0": (2.0, "give a position"),
    "True": (True, "mask"),
    "a word": ("labels", "The index is 'labels'"),
    "None": (None, "give a position"),
    "two axes": ((0, 1), "give a position"),
    "rows of positions": (torch.zeros(2, 2, dtype=torch.long), "give a position"),
}
ROWS += [
    refused(f"a set at {what}", lambda _, index=index: SET[index], words, IndexError)
    for what, (index, words) in NOT_CHOSEN.items()
]

# --- tensors that belong together --------------------------------------------------------------
# Every function of losses and metrics with arguments that it takes, and the changes of a shape
# that it takes, too: an axis of another length (N images, k units), one of length 1.
IMAGE = ["axis 0", "axis 1", "axis 2", "axis 3"]
SPECS = {
    losses.same_shape: ({"images": some(3, 2), "truth": some(3, 2)}, []),
    losses.same_but_for_ones: ({"images": some(3, 2), "truth": some(3, 2)}, ["length 1"]),
    losses.of_dimensions: ({"count": 2, "meaning": "(N, d)", "mu": some(3, 2)}, ["axis"]),
    losses.of_examples: ({"mu": some(3, 2)}, ["axis", "new axis"]),
    losses.binary_cross_entropy: ({"logits": some(3, 1, 4, 4), "target": some(3, 1, 4, 4)}, []),
    losses.squared_error: ({"reconstruction": some(3, 1, 4, 4), "target": some(3, 1, 4, 4)}, []),
    losses.gaussian_kl: ({"mu": some(3, 2), "logvar": some(3, 2)}, []),
    losses.gaussian_kl_full: ({"mu": some(3, 2), "covariance": torch.eye(2).repeat(3, 1, 1)}, []),
    losses.gaussian_log_density: (
        {"z": some(3, 2), "mu": some(3, 2), "logvar": some(3, 2)},
        [
            "without axis 0",
            "new axis 0",
            "new axis 1",
            "z axis 0 of length 1",
            "mu axis 0 of length 1",
            "mu axis 1 of length 1",
            "logvar axis 0 of length 1",
            "logvar axis 1 of length 1",
        ],
    ),
    losses.sparsity_kl: ({"activations": some(3, 2), "rho": 0.1}, ["axis 0", "axis 1"]),
    losses.contractive_penalty: (
        {"h": some(3, 2), "weight": some(2, 5)},
        ["h axis 0", "weight axis 1"],
    ),
    losses.content_loss: ({"features": some(3, 2, 4, 5), "wanted": some(3, 2, 4, 5)}, ["length 1"]),
    losses.gram_matrix: ({"features": some(3, 2, 4, 5)}, IMAGE),
    losses.mean_and_variance: ({"features": some(3, 2, 4, 5)}, IMAGE),
    losses.style_loss: ({"statistics": some(3, 2, 2), "wanted": some(3, 2, 2)}, ["length 1"]),
    losses.squared_variation: ({"images": some(3, 2, 4, 5)}, IMAGE),
    losses.total_variation: ({"images": some(3, 2, 4, 5)}, IMAGE),
    metrics.active_units: ({"mu": some(3, 2)}, ["axis 0 twice", "axis 1"]),
    metrics.jacobian_norm: (
        {"encode": lambda x: x.flatten(1)[:, :2], "images": some(3, 1, 4, 4)},
        IMAGE,
    ),
    metrics.linear_probe: (
        {
            "codes": some(4, 2),
            "labels": torch.tensor([0, 1, 0, 1]),
            "test_codes": some(3, 2),
            "test_labels": torch.tensor([0, 1, 0]),
        },
        [],
    ),
    metrics.mutual_information: ({"codes": some(30, 2), "factors": some(30, 3)}, ["axis 1"]),
    metrics.normalised_information: ({"codes": some(30, 2), "factors": some(30, 3)}, ["axis 1"]),
    metrics.mutual_information_gap: (
        {"codes": some(30, 2), "factors": some(30, 3)},
        ["axis 1 twice", "factors axis 1"],
    ),
    metrics.nearest_code_distance: ({"mu": some(3, 2), "logvar": some(3, 2)}, []),
    metrics.prior_coverage: ({"mu": some(3, 2), "logvar": some(3, 2)}, []),
    metrics.principal_angles: ({"first": some(5, 2), "second": some(5, 2)}, []),
    metrics.coverage: (
        {"samples": some(5, 2), "mixture": mixtures.ring()},
        ["axis 0 twice", "axis 0 of", "new axis 0", "new axis 1"],
    ),
    metrics.frechet_distance: ({"first": some(9, 2), "second": some(8, 2)}, ["axis 0 twice"]),
    metrics.density_and_coverage: ({"real": some(9, 2), "fake": some(8, 2)}, ["axis 0"]),
    metrics.psnr: ({"images": some(3, 1, 4, 4), "truth": some(3, 1, 4, 4)}, []),
    metrics.ssim: ({"images": some(3, 1, 12, 12), "truth": some(3, 1, 12, 12)}, []),
    metrics.sharpness: (
        {"images": some(3, 2, 4, 5)},
        ["axis 0", "axis 1", "axis 2 twice", "axis 3 twice"],
    ),
    metrics.squared_error: ({"reconstruction": some(3, 2), "images": some(3, 2)}, []),
    metrics.log_joint_on_grid: ({"vae": VAE, "x": DIGITS, "steps": 3}, ["axis 0"]),
    retrieval.euclidean: ({"queries": some(3, 4), "gallery": some(5, 4)}, ["axis 0"]),
    retrieval.hamming: ({"queries": some(3, 4) > 0.5, "gallery": some(5, 4) > 0.5}, ["axis 0"]),
    retrieval.packed: ({"bits": some(3, 8) > 0.5}, ["axis 0", "axis 1 twice"]),
    retrieval.ranked: ({"distances": some(3, 4)}, ["axis"]),
    retrieval.average_precision: ({"hits": some(3, 4) > 0.5}, ["axis"]),
    retrieval.precision_at: ({"hits": some(3, 4) > 0.5, "k": 2}, ["axis 0", "axis 1 twice"]),
}
# Their shapes are those of a network, which refuses others itself, or are free.
OTHERS = {losses.squared_gradient_norm, metrics.binarise, metrics.log_joint, metrics.log_weights,
          metrics.elbo, metrics.importance_weighted_elbo, metrics.code_grid,
          retrieval.popcount}  # fmt: skip
ROOMS = (losses, codes, images, likelihood, distributions, retrieval)


def functions() -> set:
    """Every public function of losses and metrics."""
    return {
        each
        for room in ROOMS
        for name, each in vars(room).items()
        if isinstance(each, types.FunctionType) and each.__module__ == room.__name__
        if not name.startswith("_")
    }


def is_pair(each) -> bool:
    """Whether a function compares two tensors alone."""
    given = SPECS[each][0].values()
    return len(given) == 2 and all(isinstance(value, Tensor) for value in given)


def may_compare(each, one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether a function of two tensors may take two of these shapes."""
    if each in (losses.same_but_for_ones, losses.content_loss, losses.style_loss):
        pairs = zip(one, other)
        return len(one) == len(other) and all(a == b or 1 in (a, b) for a, b in pairs)
    if each in (
        retrieval.euclidean,
        retrieval.hamming,
        metrics.frechet_distance,
        metrics.density_and_coverage,
    ):  # as many columns, other rows
        return one[1:] == other[1:]
    if each is losses.contractive_penalty:
        return one[1:] == other[:1]
    if each is losses.gaussian_kl_full:
        return other == (*one, one[-1])
    if each in (metrics.mutual_information, metrics.normalised_information,
                metrics.mutual_information_gap):  # fmt: skip
        return one[0] == other[0]
    return one == other


def changed(tensor: Tensor) -> dict[str, Tensor]:
    """The tensor with an axis less, an axis more, or an axis of another length."""
    axes = range(tensor.dim())
    changes = {f"without axis {axis}": tensor.select(axis, 0) for axis in axes}
    changes |= {f"axis {axis} twice as long": torch.cat([tensor] * 2, axis) for axis in axes}
    changes |= {f"axis {axis} of length 1": tensor.narrow(axis, 0, 1) for axis in axes
                if tensor.shape[axis] > 1}  # fmt: skip
    return changes | {
        f"new axis {axis}": tensor.unsqueeze(axis) for axis in range(tensor.dim() + 1)
    }


def fits(change: str, allowed: list[str]) -> bool:
    """Whether a change of a shape is one of those that a function takes."""
    return any(
        word in change and ("without" in word or "without" not in change)
        and ("new" in word or "new" not in change)
        for word in allowed
    )  # fmt: skip


ROWS += [
    refused(
        f"{each.__module__.split('.')[-1]}.{each.__name__}: {name} {change}",
        lambda _, each=each, given={**given, name: tensor}: each(**given),
        "shape|give|use|compare",
    )
    for each, (given, allowed) in SPECS.items()
    for name, value in given.items()
    if isinstance(value, Tensor)
    for change, tensor in changed(value).items()
    if not fits(f"{name} {change}", allowed)
]
ROWS += [
    refused(
        f"{each.__module__.split('.')[-1]}.{each.__name__}: {name} as an array of NumPy",
        lambda _, each=each, given=given, name=name: each(**{**given, name: given[name].numpy()}),
        "tensor",
        (TypeError, ValueError),
    )
    for each, (given, _) in SPECS.items()
    if each.__module__ == "course_utils.losses"
    for name, value in given.items()
    if isinstance(value, Tensor) and name not in ("mu", "logvar")
]
WITHOUT_CHANNEL = some(3, 4, 4)
ROWS += [
    refused(
        f"an image against itself without its channels: {each.__module__}.{each.__name__}",
        lambda _, each=each: each(WITHOUT_CHANNEL[:, None], WITHOUT_CHANNEL),
        "same shape|dimensions|give it as",
    )
    for each in (
        losses.binary_cross_entropy,
        losses.squared_error,
        losses.content_loss,
        metrics.psnr,
        metrics.ssim,
        metrics.squared_error,
    )
]

# --- ranges of tensors -------------------------------------------------------------------------
LOGITS = torch.zeros(2, 3)
TARGETS = {
    "images in [-1, 1]": (torch.tensor([[-1.0, 0.0, 1.0]] * 2), "from -1 to 1; rescale"),
    "images in [0, 255]": (torch.tensor([[0.0, 128.0, 255.0]] * 2), "from 0 to 255"),
    "standardised images": (torch.tensor([[-0.42, 0.0, 2.8]] * 2), "from -0.42 to 2.8"),
    "NaN": (torch.full((2, 3), math.nan), "from nan"),
    "classes": (torch.tensor([[0, 1, 1]] * 2), r"target\.float"),
    "truth values": (torch.tensor([[True, False, True]] * 2), r"target\.float"),
    "bytes": (torch.tensor([[0, 1, 1]] * 2, dtype=torch.uint8), r"target\.float"),
}
ROWS += [
    refused(
        f"a target of a cross-entropy: {what}",
        lambda _, target=target: losses.binary_cross_entropy(LOGITS, target),
        words,
    )
    for what, (target, words) in TARGETS.items()
]
SOFT = {
    "rounded beyond 1": torch.full((2, 3), 1.0000002),
    "half precision": torch.ones(2, 3, dtype=torch.bfloat16),
    "no example at all": torch.zeros(0, 3),
}
ROWS += [
    works(
        f"a target of a cross-entropy: {what}",
        lambda _, target=target: losses.binary_cross_entropy(0 * target.float(), target),
        lambda found: bool(found.isfinite().all()),
    )
    for what, target in SOFT.items()
]
ROWS += [
    refused("rho of 0", lambda _: losses.sparsity_kl(some(3, 2), 0), "between 0 and 1"),
    refused("rho of NaN", lambda _: losses.sparsity_kl(some(3, 2), math.nan), "between 0 and 1"),
    refused("binarise: images in [-1, 1]", lambda _: metrics.binarise(2 * IMAGES - 1), "floats in"),
    refused("binarise: NaN", lambda _: metrics.binarise(IMAGES * math.nan), "floats in"),
    refused("binarise: bytes", lambda _: metrics.binarise(IMAGES.byte()), "floats in"),
    refused(
        "ssim: a window larger than the images", lambda _: metrics.ssim(IMAGES, IMAGES, 13), "fit"
    ),
    refused("ssim: sigma of 0", lambda _: metrics.ssim(IMAGES, IMAGES, sigma=0), "sigma is 0"),
    refused(
        "linear_probe: labels with a point",
        lambda _: metrics.linear_probe(some(3, 2), some(3), some(3, 2), some(3)),
        "classes",
    ),
    refused(
        "linear_probe: a label of -1",
        lambda _: metrics.linear_probe(
            some(2, 2), torch.tensor([0, -1]), some(2, 2), torch.tensor([0, 1])
        ),
        "classes",
    ),
    refused(
        "hamming: codes that are no bits",
        lambda _: retrieval.hamming(some(3, 4), some(3, 4)),
        "booleans",
    ),
    refused("packed: seven bits", lambda _: retrieval.packed(some(3, 7) > 0.5), "whole bytes"),
    refused("packed: codes that are no bits", lambda _: retrieval.packed(some(3, 8)), "booleans"),
    refused("popcount: booleans", lambda _: retrieval.popcount(some(3, 8) > 0.5), "bytes"),
    refused(
        "code_grid: an extent of NaN", lambda _: metrics.code_grid(math.nan, 3), "extent is nan"
    ),
    refused(
        "coverage: points of space",
        lambda _: metrics.coverage(some(5, 3), mixtures.ring()),
        "plane",
    ),
    refused(
        "log_density: points of a line", lambda _: mixtures.ring().log_density(some(5, 1)), "plane"
    ),
    refused("ring: a deviation of 0", lambda _: mixtures.ring(std=0), "deviation is 0"),
    refused("ring: a radius of NaN", lambda _: mixtures.ring(radius=math.nan), "distance is nan"),
    refused("luminance: grey images", lambda _: colours.luminance(IMAGES), "give .N, 3, H, W"),
    refused(
        "with_colours_of: two for three",
        lambda _: colours.with_colours_of(some(3, 3, 4, 4), some(2, 3, 4, 4)),
        "one each",
    ),
    refused(
        "R1 of a logit that is not of these images",
        lambda _: losses.squared_gradient_norm(some(3), IMAGES),
        "grad",
        RuntimeError,
    ),
]
SHARES = {"2": 2, "-0.1": -0.1, "NaN": math.nan, "a word": "half", "None": None, "True": True}
ROWS += [
    refused(
        f"corruption, {kind}: {what}", lambda _, damage=damage, bad=bad: damage(IMAGES, bad), "is "
    )
    for kind, damage in corruption.KINDS.items()
    for what, bad in SHARES.items()
    if (kind, what) != ("gaussian", "2")
]
ROWS += [
    refused(
        f"random_flip: {what}", lambda _, bad=bad: augmentation.random_flip(IMAGES, bad), "flip is"
    )
    for what, bad in SHARES.items()
]
ROWS += [
    works(
        f"corruption, {kind}: NumPy's number",
        lambda _, damage=damage: damage(IMAGES, numpy.float32(0.5)),
        lambda found: found.shape == IMAGES.shape and found.dtype == torch.float32,
    )
    for kind, damage in corruption.KINDS.items()
]

# --- fit: networks, rates, data ----------------------------------------------------------------
NET = nn.Linear(2, 2)
SPOILT = nn.Linear(2, 2)
SPOILT.weight.data.fill_(math.nan)
FITS = {
    "nets: a network": ({"nets": NET}, "nets is of the type Linear; give every network a name"),
    "nets: a ModuleDict": ({"nets": nn.ModuleDict({"line": NET})}, "type ModuleDict; give every"),
    "nets: a list": ({"nets": [NET]}, "type list; give every"),
    "nets: None in a list": ({"nets": {"line": None}}, r"nets\['line'\] is of the type NoneType"),
    "nets: a class": ({"nets": {"line": nn.Linear}}, "is the class Linear; give a network"),
    "nets: weights": ({"nets": {"line": NET.weight}}, "type Parameter; give a network"),
    "nets: none": ({"nets": {}}, "nets is empty"),
    "nets: without weights": ({"nets": {"line": nn.ReLU()}}, "no weights that require a gradient"),
    "nets: all frozen": (
        {"nets": {"line": nn.Linear(2, 2).requires_grad_(False)}},
        "no weights that require",
    ),
    "nets: not yet of a shape": ({"nets": {"line": nn.LazyLinear(2)}}, "lazy weights"),
    "nets: weights of NaN": ({"nets": {"line": SPOILT}}, "NaN or infinite before the first step"),
    "nets: a name with a space": ({"nets": {"my line": NET}}, "called 'my line'"),
    "nets: a number for a name": ({"nets": {0: NET}}, "called 0"),
    "nets: a word of Python": ({"nets": {"lambda": NET}}, "called 'lambda'"),
    "lr: one is missing": (
        {"nets": {"G": NET, "D": NET}, "lr": {"G": 1e-3}},
        "lr has rates for G,",
    ),
    "lr: one is unknown": ({"lr": {"line": 1e-3, "D": 1e-3}}, "and the networks are line"),
    "lr: none": ({"lr": {}}, "lr has rates for none"),
    "lr: 0 for all of them": ({"lr": {"line": 0.0}}, "All rates of lr are 0"),
    "lr: a negative one of several": ({"lr": {"line": -1.0}}, r"lr\['line'\] is -1.0"),
    **{
        f"lr: {what}": ({"lr": bad}, "lr is .*; use a number above 0")
        for what, bad in {
            "0": 0,
            "negative": -0.1,
            "NaN": math.nan,
            "infinite": math.inf,
            "a word": "fast",
            "None": None,
            "True": True,
            "several": torch.ones(2),
        }.items()
    },
    **{
        f"betas: {what}": ({"betas": bad}, "betas is")
        for what, bad in {
            "1": (0.9, 1),
            "negative": (-0.1, 0.9),
            "NaN": (math.nan, 0.9),
            "one": 0.9,
            "one of two": (0.9,),
            "three": (0.1, 0.2, 0.3),
            "None": None,
            "words": ("a", "b"),
        }.items()
    },
    "schedule: a number": ({"schedule": 0.5}, "schedule is 0.5; give a function"),
    "schedule: of NaN": ({"schedule": lambda progress: math.nan}, "factor of the schedule is nan"),
    "schedule: of nothing": ({"schedule": lambda progress: None}, "factor of the schedule is None"),
    "schedule: below 0": ({"schedule": lambda progress: -1}, "factor of the schedule is -1"),
    "save_every: NaN": ({"save_every": math.nan}, "save_every is nan"),
    "save_every: negative": ({"save_every": -1}, "save_every is -1"),
    **{
        f"save: {what}": ({"save": bad}, "save is .*; use a name of letters")
        for what, bad in {
            "a path": "runs/mine",
            "a folder above": "../mine",
            "a path of Windows": "runs\\mine",
            "signs": "what?",
            "a colon": "a:b",
            "a line end": "a\nb",
            "nothing": "",
            "hidden": ".mine",
            "a number": 3,
            "True": True,
            "a space at its end": "mine ",
            "a whole page": "a" * 300,
            "zero byte": "a\0b",
        }.items()
    },
    "watch_at: a number": (
        {"watch": lambda nets: NET.weight, "watch_at": 3},
        "watch_at is 3; give",
    ),
    "watch: no tensor": ({"watch": lambda nets: 3.0, "watch_at": [0]}, "watch returned 3.0"),
    "watch: no function": ({"watch": 3, "watch_at": [0]}, "watch is 3; give a function"),
    "data: NaN": ({"batches": torch.tensor([[1.0, math.nan]] * 4)}, "hold 4 numbers that are NaN"),
    "data: infinite": ({"batches": torch.tensor([[1.0, -math.inf]] * 4)}, "NaN or infinite"),
    "data: NaN in the second tensor": (
        {"batches": (torch.ones(4, 2), torch.full((4, 1), math.nan))},
        r"\(4, 1\) hold 4 numbers",
    ),
    "data: bytes": ({"batches": torch.ones(4, 2, dtype=torch.uint8)}, r"bytes.*\.float\(\) / 255"),
    "data: NumPy's float64": ({"batches": torch.ones(4, 2, dtype=torch.float64)}, "are float64"),
    "data: an array": ({"batches": numpy.ones((4, 2))}, "was given ndarray.*from_numpy"),
    "data: a set": ({"batches": SET}, r"was given ImageSet; of a dataset, give its \.images"),
    "data: none": ({"batches": torch.ones(0, 2)}, "not 0"),
    "data: no tensors": ({"batches": ()}, "one length"),
    "data: one number": ({"batches": torch.tensor(1.0)}, "was given one number"),
    "data: of two lengths": (
        {"batches": (torch.ones(4, 2), torch.ones(3, 2))},
        r"these have \[3, 4\]",
    ),
    "data: None": ({"batches": (torch.ones(4, 2), None)}, "was given NoneType"),
}
ROWS += [
    refused(f"fit, {what}", lambda folder, options=options: trained(folder, **options), words)
    for what, (options, words) in FITS.items()
]
RETURNED = {
    "nothing": (None, "must return its measures"),
    "a loss without a name": (torch.tensor(1.0), "must return its measures"),
    "no measure": ({}, "must return its measures"),
    "a tensor of several numbers": ({"loss": torch.ones(4)}, "loss has 4 numbers"),
    "an array of several numbers": ({"loss": numpy.ones(4)}, "loss has 4 numbers"),
    "no number": ({"loss": None}, "loss is None; return a number"),
    "a word": ({"loss": "low"}, "loss is 'low'; return a number"),
    "a list": ({"loss": [1.0]}, "loss is .1.0.; return a number"),
    "an empty tensor": ({"loss": torch.ones(0)}, "loss has 0 numbers"),
}


def returning(value):
    return lambda x, nets, opts: value


def renaming(x, nets, opts):
    return {f"loss {int(nets.line.weight.numel())} {float(torch.rand(()))}": 1.0}


ROWS += [
    refused(
        f"a step that returns {what}",
        lambda folder, value=value: trained(folder, returning(value)),
        words,
    )
    for what, (value, words) in RETURNED.items()
]
ROWS += [
    refused(
        "a step whose measures change their names",
        lambda folder: trained(folder, renaming),
        "every step must return the same",
    ),
    works(
        "a step that returns NumPy's number",
        lambda folder: trained(folder, returning({"loss": numpy.float64(1)})),
        lambda found: found[0]["loss"].tolist() == [1.0] * 4,
    ),
    works(
        "a step that returns a tensor of shape (1,)",
        lambda folder: trained(folder, returning({"loss": torch.ones(1)})),
        lambda found: found[0]["loss"].tolist() == [1.0] * 4,
    ),
]
MINIMISED = {
    "a number": (lambda loss: loss.item(), "type float without a gradient"),
    "a detached loss": (lambda loss: loss.detach(), "a number without a gradient"),
    "several numbers": (lambda loss: loss.repeat(3), r"shape \(3,\); minimise one number"),
    "nothing": (lambda loss: None, "NoneType without a gradient"),
    "measures": (lambda loss: {"loss": loss}, "dict without a gradient"),
}


def minimising(change):
    def step(x, nets, opts):
        opts.line.minimise(change(nets.line(x).square().mean()))
        return {"loss": 1.0}

    return step


ROWS += [
    refused(
        f"minimise: {what}",
        lambda folder, change=change: trained(folder, minimising(change)),
        words,
    )
    for what, (change, words) in MINIMISED.items()
]
ROWS += [
    works(
        "fit, lr: NumPy's number",
        lambda folder: [trained(folder, lr=numpy.float64(0.01)), trained(folder, lr=0.01)],
        lambda two: equal(*two),
    ),
    works(
        "fit, lr: 0 for one of two, which stays as it was",
        lambda folder: trained(
            folder, nets={"line": nn.Linear(2, 2), "kept": NET}, lr={"line": 0.1, "kept": 0}
        ),
        lambda found: equal(found[1][1], NET.state_dict()),
    ),
    works(
        "fit, lr: a tensor",
        lambda folder: [trained(folder, lr={"line": torch.tensor(0.5)}), trained(folder, lr=0.5)],
        lambda two: equal(*two),
    ),
    works(
        "fit, betas: an array",
        lambda folder: [
            trained(folder, betas=numpy.array([0.5, 0.25])),
            trained(folder, betas=(0.5, 0.25)),
        ],
        lambda two: equal(*two),
    ),
    works(
        "fit, watch_at: an array",
        lambda folder: trained(
            folder, watch=lambda nets: nets.line.weight, watch_at=numpy.array([0, 3])
        ),
        lambda found: [step for step, _ in found[2]] == [0, 3],
    ),
    works(
        "fit, save: a name with signs",
        lambda folder: (
            trained(folder, save="β = ½, 2nd (a)") and [path.name for path in folder.glob("*.pt")]
        ),
        lambda names: names[0].startswith("β = ½, 2nd (a)-"),
    ),
    works(
        "fit, data: float64 for a network of float64",
        lambda folder: trained(
            folder,
            batches=torch.ones(4, 2, dtype=torch.float64),
            nets={"line": nn.Linear(2, 2).double()},
        ),
        lambda found: found[0]["loss"].isfinite().all(),
    ),
    works(
        "fit, data: classes",
        lambda folder: trained(
            folder,
            lambda batch, nets, opts: {"loss": float(batch[1].sum())},
            (torch.ones(4, 2), torch.arange(4)),
        ),
        lambda found: found[0]["loss"].sum() == 12,
    ),
    works(
        "fit, data: a batch larger than the data",
        lambda folder: trained(folder, batch_size=1000),
        lambda found: len(found[0]["loss"]) == 2,
    ),
    refused(
        "Optimiser: a beta of 1",
        lambda folder: Optimiser(NET.parameters(), 0.1, (0.9, 1), lab(folder)),
        "betas is 1",
    ),
    refused(
        "update_ema: a decay of 1", lambda _: update_ema(nn.Linear(2, 2), NET, 1), "decay is 1"
    ),
    refused(
        "update_ema: a decay of NaN", lambda _: update_ema(nn.Linear(2, 2), NET, math.nan), "nan"
    ),
    refused(
        "update_ema: another network",
        lambda _: update_ema(nn.Linear(3, 2), NET),
        "one architecture",
    ),
]

# --- weights that are no numbers ---------------------------------------------------------------


class Counting(nn.Linear):
    """A layer that remembers how many steps it was trained."""

    def __init__(self):
        super().__init__(2, 2)
        self.register_buffer("steps", torch.zeros(()))


def root_step(x, nets, opts, at):
    """A finite measure, and at one step an update of NaN: the slope of a root at 0."""
    loss = nets.line(x).square().sum() * float(nets.line.steps != at)
    nets.line.steps += 1
    opts.line.minimise(loss.sqrt())
    return {"loss": loss.detach()}


def after_nan(folder: Path, at: int, again: bool = False, **options):
    """Whether a run with an update of NaN says so, and all that it leaves is finite."""
    torch.manual_seed(0)
    net = Counting()
    said = []
    for _ in range(1 + again):
        try:
            step, nets = partial(root_step, at=at), {"line": net}
            fit(step, torch.ones(8, 2), nets, lab(folder), epochs=1, batch_size=1, **options)
        except Diverged as end:
            said.append(str(end))
    kept = [
        torch.load(file, weights_only=True)["state"]["nets"]["line"]["weight"]
        for path in folder.glob("*.pt")
        for file in [path.open("rb")]
        if [file.readline(), file.readline()]
    ]
    finite = all(bool(part.isfinite().all()) for part in [*kept, *net.parameters()])
    return said, finite, len(kept)


ROWS += [
    works(
        "an update of NaN in the last step",
        lambda folder: after_nan(folder, 7),
        lambda found: len(found[0]) == 1 and "weights became NaN" in found[0][0] and found[1],
    ),
    works(
        "an update of NaN in the last step, saved",
        lambda folder: after_nan(folder, 7, save="a"),
        lambda found: len(found[0]) == 1 and found[1] and found[2] >= 1,
    ),
    works(
        "an update of NaN in the middle",
        lambda folder: after_nan(folder, 3, save="a"),
        lambda found: len(found[0]) == 1 and found[1] and found[2] >= 1,
    ),
    works(
        "an update of NaN in the first step",
        lambda folder: after_nan(folder, 0, save="a"),
        lambda found: len(found[0]) == 1 and found[1] and found[2] >= 1,
    ),
    works(
        "an update of NaN, a checkpoint every step",
        lambda folder: after_nan(folder, 3, save="a", save_every=0),
        lambda found: len(found[0]) == 1 and found[1] and found[2] >= 1,
    ),
    works(
        "an update of NaN, and the same cell once more",
        lambda folder: after_nan(folder, 7, again=True, save="a"),
        lambda found: all("last good weights back" in words for words in found[0]) and found[1],
    ),
]

# --- the other public numbers ------------------------------------------------------------------
OPTIMISED = {
    "lr of 0": ({"lr": 0}, "lr is 0"),
    "lr of NaN": ({"lr": math.nan}, "lr is nan"),
    "lr of a word": ({"lr": "fast"}, "lr is 'fast'"),
    "a loss that is none": ({"loss": 3}, "loss is 3; give a function"),
    "an image without its batch": ({"start": some(1, 4, 4)}, "N, C, H, W"),
    "bytes": ({"start": torch.zeros(1, 1, 4, 4, dtype=torch.uint8)}, "floating-point"),
    "an array": ({"start": numpy.zeros((1, 1, 4, 4))}, "N, C, H, W"),
    "one scale that is no row": ({"scales": 4}, "give sizes in pixels"),
    "steps for two scales": ({"steps": (3, 3)}, "one for each scale"),
    "steps as a word": ({"steps": "many"}, "use a whole number"),
    "watch_at of a number": ({"watch_at": 3}, "watch_at is 3"),
}
ROWS += [
    refused(f"pixels.optimise: {what}", lambda _, options=options: optimised(**options), words)
    for what, (options, words) in OPTIMISED.items()
]
ROWS += [
    works(
        "pixels.optimise, steps: an array for all scales",
        lambda _: optimised(
            steps=numpy.array([2, 3]),
            scales=torch.tensor([2, 4]),
            loss=lambda size: lambda image: {"error": image.square().sum()},
        ),
        lambda found: len(found["loss"]) == 5,
    ),
    refused(
        "pixels.optimise: pixels of NaN",
        lambda _: optimised(start=torch.full((1, 1, 4, 4), math.nan)),
        "starting image",
        pixels.Diverged,
    ),
    refused(
        "pixels.resized: an image without its batch",
        lambda _: pixels.resized(some(1, 4, 4), 3),
        "N, C, H, W",
    ),
    refused("start: a name that is a path", lambda _: course_utils.start("a/b"), "name is 'a/b'"),
    refused("start: a number for a name", lambda _: course_utils.start(3), "name is 3"),
    refused(
        "start: a seed of 2^31", lambda _: course_utils.start("odd", 2**31), "seed is 2147483648"
    ),
    refused("lab.pick: without names", lambda folder: lab(folder).pick(5, 50), "positional"),
    refused("lab.pick: one alone", lambda folder: lab(folder).pick(full=5), "classroom"),
    works(
        "lab.pick: NumPy's numbers",
        lambda folder: lab(folder).pick(classroom=numpy.int64(5), full=numpy.int64(50)),
        lambda found: found == 5,
    ),
]


@cache
def pad():
    decoder = nn.Sequential(nn.Linear(2, 784), nn.Unflatten(1, (1, 28, 28)))
    return widgets.LatentPad(decoder, torch.zeros(9, 2), torch.zeros(9), ["zero"])


@cache
def bound_view():
    z = torch.linspace(-4, 4, 81)
    return widgets.ELBOView(z, lambda x: 0 * z, lambda x, mean, sigma: (-2, 0.5), lambda x: -1.5)


ROWS += [
    works(
        "LatentPad.draw: NumPy numbers",
        lambda _: pad().draw(numpy.float64(0.5), numpy.int64(1)),
        lambda image: image.dtype == numpy.uint8,
    ),
    works(
        "LatentPad.draw: whole numbers",
        lambda _: pad().draw(1, torch.tensor(2)),
        lambda image: image.dtype == numpy.uint8,
    ),
    refused("LatentPad.draw: NaN", lambda _: pad().draw(math.nan, 0), "first is nan"),
    refused("LatentPad.draw: a word", lambda _: pad().draw(0, "left"), "second is 'left'"),
    works(
        "ELBOView.draw: NumPy's numbers",
        lambda _: bound_view().draw(numpy.float32(0), numpy.int64(1), torch.tensor(0.5)),
        lambda image: image.dtype == numpy.uint8,
    ),
    refused("ELBOView.draw: sigma of 0", lambda _: bound_view().draw(0, 0, 0), "sigma is 0"),
    refused("ELBOView.draw: NaN", lambda _: bound_view().draw(math.nan, 1, 0), "mean is nan"),
    refused("TimeMachine.draw: beyond the last frame", lambda _: machine().draw(9), "from 0 to 4"),
    refused("TimeMachine.draw: run 0", lambda _: machine().draw(0, run=0), "run is 0"),
    refused(
        "CaptionBox.write: a seed beyond the last", lambda _: written(20), "seed is 20.* to 19"
    ),
    refused(
        "convolution_walk: no such direction",
        lambda _: convolution.convolution_walk(5, 3, 1, 0, "sideways", 0),
        "direction is 'sideways'",
    ),
]

# --- how a refusal reads -----------------------------------------------------------------------
ROWS += [
    refused(
        f"a sentence about {what}", lambda _, value=value: arguments.whole(value, "size"), words
    )
    for what, value, words in (
        ("a large array", numpy.zeros((100, 100)), r"size is ndarray of shape \(100, 100\); use"),
        ("a long word", "x" * 1000, r"^size is 'x+\.\.\.x+'; use a whole number of at least 1\.$"),
        ("several lines", "a\nb", r"^.*; use a whole number of at least 1\.$"),
        ("a class", int, "size is the class int"),
        ("a dictionary", {"size": 3}, "size is .'size': 3.; use"),
        ("a complex number", 3 + 0j, "size is .3.0j.; use"),
    )
]
ROWS += [
    refused(
        f"random_affine, {name}: {what}",
        lambda _, name=name, bad=bad: augmentation.random_affine(IMAGES, **{name: bad}),
        f"{name} is",
    )
    for name in ("shift", "degrees", "scale", "shear")
    for what, bad in SHARES.items()
    if what != "2"
]
ROWS += [
    refused(
        f"deskewed: a size of {bad}",
        lambda _, bad=bad: augmentation.deskewed(IMAGES, bad),
        "size is",
    )
    for bad in (0, -1, math.nan, "half")
]
