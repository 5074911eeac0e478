"""The drawn handwriting: reproducible, balanced, legible, and with factors that are true."""

import math

import pytest
import torch
from torch.nn.functional import one_hot, pad

from course_utils.data import handwriting
from course_utils.data.handwriting import FACTORS, NOISE_SIZE, SIDE
from course_utils.data.handwriting_styles import STYLES

SIZE = 5000
STANDARD_ERRORS = 4.5  # between independent columns, one correlation in 150,000 is further from 0


@pytest.fixture(scope="module")
def digits():
    return handwriting.draw(SIZE, seed=3)


def measured(images):
    """What the images show of the factors, name -> (N,)."""
    pixels = torch.arange(SIDE) - (SIDE - 1) / 2
    weight = images[:, 0] / images.sum(dim=(2, 3))[..., None]
    x, y = (weight.sum(axis) @ pixels for axis in (1, 2))
    xx, yy = (weight.sum(axis) @ pixels**2 - mean**2 for axis, mean in ((1, x), (2, y)))
    xy = weight @ pixels @ pixels - x * y
    right, down = images.diff(dim=3)[:, 0, :-1], images.diff(dim=2)[:, 0, :, :-1]
    outline = (right**2 + down**2).sqrt().sum(dim=(1, 2))
    height, width = (images.amax(dim=axis).sum(dim=(1, 2)) for axis in (3, 2))
    return {
        "slant": -xy / yy,  # the shear after which x no longer depends on y
        "rotation": torch.atan2(-2 * xy, yy - xx) / 2,  # of the long axis from the vertical
        "thickness": 2 * images.sum(dim=(1, 2, 3)) / outline,
        "size": torch.maximum(height, width),
        "position_x": x,
        "position_y": y,
    }


def test_the_set_holds_as_many_of_each_digit_in_range_and_seldom_at_the_edge(digits):
    assert digits.name == "handwriting" and digits.classes == tuple("0123456789")
    assert digits.images.shape == (SIZE, 1, SIDE, SIDE) and digits.images.dtype == torch.float32
    assert set(digits.factors) == set(FACTORS)
    assert 0 <= digits.images.min() and digits.images.max() <= 1
    assert (digits.images.amax(dim=(1, 2, 3)) > 0.5).all()  # every image holds ink
    edge = digits.images.clone()
    edge[:, :, 1:-1, 1:-1] = 0
    assert (edge.amax(dim=(1, 2, 3)) > 0.5).float().mean() < 0.03
    assert digits.labels.bincount().tolist() == [SIZE // 10] * 10
    some = handwriting.sample_labels(37, seed=1).bincount(minlength=10)
    assert some.max() - some.min() <= 1
    assert digits.labels[:100].tolist() != sorted(digits.labels[:100].tolist())


def test_one_seed_gives_one_set_large_or_small_drawn_or_rendered_and_changes_nothing_else(digits):
    before = torch.get_rng_state()
    first, again, other = (handwriting.draw(301, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(again.images, first.images)
    torch.testing.assert_close(first.images, digits.images[:301], atol=1e-4, rtol=0)
    assert torch.equal(first.labels, digits.labels[:301])
    for name in FACTORS:
        torch.testing.assert_close(first.factors[name], digits.factors[name][:301])
    assert not torch.equal(other.images, first.images)
    assert not torch.equal(other.factors["slant"], first.factors["slant"])
    rows = torch.tensor([4, 900, 17])
    some, noise = digits[rows], handwriting.sample_noise(SIZE, seed=3)[rows]
    images = handwriting.render(some.labels, some.factors, noise)
    torch.testing.assert_close(images, some.images, atol=1e-5, rtol=0)
    assert all(torch.equal(some.factors[name], digits.factors[name][rows]) for name in FACTORS)


def test_legible_digits_are_the_same_digits_with_half_the_noise_in_a_border():
    calm, usual = handwriting.legible_digits(40, seed=3), handwriting.draw(40, seed=3)
    assert torch.equal(calm.labels, usual.labels) and calm.classes == usual.classes
    assert all(torch.equal(calm.factors[name], usual.factors[name]) for name in FACTORS)
    inner = handwriting.render(usual.labels, usual.factors, handwriting.sample_noise(40, 3) / 2)
    assert torch.equal(calm.images, pad(inner, (2, 2, 2, 2)))


def test_fixed_factors_leave_the_others_as_drawn(digits):
    held = handwriting.draw(50, seed=3, fixed=handwriting.CANONICAL).factors
    assert set(FACTORS) - set(handwriting.CANONICAL) == {"style", "thickness"}
    for name, (low, high) in FACTORS.items():
        value = handwriting.CANONICAL.get(name)
        assert value is None or low <= value <= high
        wanted = digits.factors[name][:50] if value is None else torch.full((50,), value)
        torch.testing.assert_close(held[name], wanted)
    with pytest.raises(ValueError, match="There are no factors .'slope'."):
        handwriting.draw(50, fixed={"slope": 0.0})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_draws_the_same_images():
    on_cpu, on_cuda = handwriting.draw(500), handwriting.draw(500, device="cuda")
    assert on_cuda.images.is_cuda and torch.equal(on_cuda.labels.cpu(), on_cpu.labels)
    torch.testing.assert_close(on_cuda.images.cpu(), on_cpu.images, atol=1e-3, rtol=0)


def test_every_style_is_used_as_often_as_its_weight_says_and_only_for_its_digit():
    labels, style = handwriting.sample_labels(50000), handwriting.sample_factors(50000)["style"]
    index = handwriting.style_index(labels, style)
    assert len({(style.digit, style.name) for style in STYLES}) == len(STYLES)
    assert all(len(style.strokes()) <= 2 for style in STYLES)
    assert torch.equal(torch.tensor([style.digit for style in STYLES])[index], labels)
    counts = index.bincount(minlength=len(STYLES)).double()
    total = torch.tensor([sum(s.weight for s in STYLES if s.digit == d) for d in range(10)])
    expected = torch.tensor([5000 * style.weight / total[style.digit] for style in STYLES])
    assert (counts > 0).all()
    assert ((counts - expected).abs() < STANDARD_ERRORS * expected.sqrt()).all()


def test_factors_fill_their_range_about_its_middle(digits):
    for name, (low, high) in FACTORS.items():
        values = digits.factors[name]
        share = (values - low) / (high - low)
        assert -1e-6 <= share.min() < 0.02 and 0.98 < share.max() <= 1 + 1e-6, name
        if name == "thickness":  # drawn by ratios
            values, low, high = values.log(), math.log(low), math.log(high)
        error = abs(values.mean() - (low + high) / 2) * SIZE**0.5 / values.std()
        assert error < STANDARD_ERRORS, name


def test_factors_are_independent_of_each_other_within_each_class_and_of_class_and_noise(digits):
    factors = torch.stack(list(digits.factors.values())).double()
    columns = torch.cat([factors, (factors - factors.mean(1, keepdim=True)) ** 2])
    of_one = torch.eye(len(FACTORS), dtype=torch.bool).repeat(2, 2)
    for part in [digits.labels >= 0, *(digits.labels == digit for digit in range(10))]:
        between = torch.corrcoef(columns[:, part])[~of_one]
        assert between.abs().max() < STANDARD_ERRORS / part.sum() ** 0.5
    others = torch.cat([handwriting.sample_noise(SIZE, seed=3).T, one_hot(digits.labels).T])
    between = torch.corrcoef(torch.cat([columns, others]))[: len(columns), len(columns) :]
    assert between.abs().max() < STANDARD_ERRORS / SIZE**0.5


def test_every_factor_can_be_measured_in_the_images(digits):
    # The axis of a digit also turns with the slant and the style, which vary more.
    least = {"slant": 0.7, "rotation": 0.1, "thickness": 0.8, "size": 0.6}
    for name, values in measured(digits.images).items():
        means = torch.stack([values[digits.labels == digit].mean() for digit in range(10)])
        pair = torch.stack([values - means[digits.labels], digits.factors[name]])
        assert torch.corrcoef(pair)[0, 1] > least.get(name, 0.9), name


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("name", FACTORS)
def test_moving_one_factor_moves_what_it_names(name, digit):
    factors = {key: torch.full((49,), sum(ends) / 2) for key, ends in FACTORS.items()}
    low, high = FACTORS[name]
    factors[name] = torch.linspace(low, high - 1e-3, 49)
    noise = handwriting.sample_noise(1).expand(49, -1)
    images = handwriting.render(torch.full((49,), digit), factors, noise)
    if name == "style":
        assert len(images.unique(dim=0)) == sum(style.digit == digit for style in STYLES)
        return
    values, shown = factors[name][::8], measured(images[::8])
    assert (shown[name].diff() > -0.02).all() and shown[name][-1] > shown[name][0]
    assert torch.corrcoef(torch.stack([values, shown[name]]))[0, 1] > 0.95
    if name in ("position_x", "position_y", "size") and digit == 3:  # in pixels
        change = (shown[name][-1] - shown[name][0]) / (values[-1] - values[0])
        assert change == pytest.approx(1, abs=0.3)
    if name == "position_x" and digit == 5:  # the shape stays
        for other in ("slant", "rotation", "thickness", "position_y"):
            assert shown[other].max() - shown[other].min() < 0.1, other


def test_what_cannot_be_drawn_is_refused():
    for bad in (0, 2.5, True):
        with pytest.raises(ValueError, match="size is .*; use a whole number of at least 1"):
            handwriting.draw(bad)
        with pytest.raises(ValueError, match="seed is .*; use a whole number from 0"):
            handwriting.draw(3, seed=bad or 0.5)
    for name, values, says in [
        ("labels", torch.tensor([1, 10]), "labels must be"),
        ("labels", torch.tensor([1.0, 2.0]), "labels must be"),
        ("noise", torch.zeros(3, NOISE_SIZE), "noise must have the shape"),
        ("slant", torch.zeros(3), "slant must hold 2 numbers"),
        ("slant", torch.tensor([0.0, math.nan]), "slant holds numbers that are not finite"),
        ("style", torch.tensor([0.5, 1.0]), "style must lie in"),
        ("thickness", torch.tensor([0.0, 2.0]), "thickness must be positive"),
        ("colour", torch.zeros(2), "factors must be exactly"),
    ]:
        what = {"labels": torch.tensor([1, 2]), "noise": handwriting.sample_noise(2)}
        what |= handwriting.sample_factors(2) | {name: values}
        with pytest.raises(ValueError, match=says):
            handwriting.render(what.pop("labels"), noise=what.pop("noise"), factors=what)
