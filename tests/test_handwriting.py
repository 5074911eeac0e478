"""The drawn handwriting: reproducible, balanced, readable, and with factors that are true."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from course_utils.data import handwriting
from course_utils.data.handwriting import FACTORS, NOISE_SIZE, SIDE
from course_utils.data.handwriting_styles import STYLES

SIZE = 5000
STANDARD_ERRORS = 4.5  # between independent columns, one correlation in 150,000 is further from 0


@pytest.fixture(scope="module")
def digits():
    return handwriting.draw(SIZE, seed=3)


def correlation(a, b):
    return float(torch.corrcoef(torch.stack([a, b]).double())[0, 1])


def rank_correlation(a, b):
    return correlation(a.argsort().argsort(), b.argsort().argsort())


def within_class(values, labels):
    """Values less the mean of their class: what is left when classes differ by themselves."""
    means = torch.stack([values[labels == digit].mean() for digit in range(10)])
    return values - means[labels]


def still(digit, name, steps=7, seed=0):
    """Values of one factor, and images of one digit by one hand, alike in all but that factor."""
    factors = {key: torch.full((steps,), sum(ends) / 2) for key, ends in FACTORS.items()}
    low, high = FACTORS[name]
    factors[name] = torch.linspace(low, high - 1e-3, steps)
    noise = handwriting.sample_noise(1, seed).expand(steps, -1)
    images = handwriting.render(torch.full((steps,), digit), factors, noise)
    return factors[name], images


def moments(images):
    """Each image's centre of mass (x, y) and variances (xx, xy, yy), in pixels."""
    pixels = torch.arange(SIDE) - (SIDE - 1) / 2
    weight = images[:, 0] / images.sum(dim=(2, 3))[..., None]
    x = (weight * pixels).sum(dim=(1, 2))
    y = (weight * pixels[:, None]).sum(dim=(1, 2))
    dx, dy = pixels - x[:, None, None], pixels[:, None] - y[:, None, None]
    return x, y, *((weight * d).sum(dim=(1, 2)) for d in (dx * dx, dx * dy, dy * dy))


def measured_slant(images):
    """The shear, to the right per pixel up, after which x no longer depends on y."""
    *_, xy, yy = moments(images)
    return -xy / yy


def measured_rotation(images):
    """Angle of the long axis from the vertical, clockwise, in radians."""
    *_, xx, xy, yy = moments(images)
    return torch.atan2(-2 * xy, yy - xx) / 2


def measured_thickness(images):
    """Twice the area over the length of the outline, in pixels."""
    right, down = images.diff(dim=3)[:, 0, :-1], images.diff(dim=2)[:, 0, :, :-1]
    outline = (right**2 + down**2).sqrt().sum(dim=(1, 2))
    return 2 * images.sum(dim=(1, 2, 3)) / outline


def measured_size(images):
    """Longer side of the ink: how many rows, or columns, it covers, the faint ones in part."""
    height = images.amax(dim=3).sum(dim=(1, 2))
    width = images.amax(dim=2).sum(dim=(1, 2))
    return torch.maximum(height, width)


MEASURES = {
    "slant": measured_slant,
    "rotation": measured_rotation,
    "thickness": measured_thickness,
    "size": measured_size,
    "position_x": lambda images: moments(images)[0],
    "position_y": lambda images: moments(images)[1],
}


# --- the set -------------------------------------------------------------------------------------


def test_the_set_is_what_the_contract_says(digits):
    assert digits.name == "handwriting"
    assert digits.images.shape == (SIZE, 1, SIDE, SIDE)
    assert digits.images.dtype == torch.float32
    assert digits.classes == tuple("0123456789")
    assert set(digits.factors) == set(FACTORS)
    assert 0 <= digits.images.min() and digits.images.max() <= 1
    assert (digits.images.amax(dim=(1, 2, 3)) > 0.5).all()  # every image holds ink


def test_labels_are_balanced(digits):
    assert digits.labels.bincount().tolist() == [SIZE // 10] * 10
    some = handwriting.sample_labels(37, seed=1).bincount(minlength=10)
    assert some.max() - some.min() <= 1
    assert digits.labels[:100].tolist() != sorted(digits.labels[:100].tolist())


def test_one_seed_gives_one_set(digits):
    again = handwriting.draw(301, seed=3)
    assert torch.equal(again.images, handwriting.draw(301, seed=3).images)
    torch.testing.assert_close(again.images, digits.images[:301], atol=1e-4, rtol=0)
    assert torch.equal(again.labels, digits.labels[:301])
    for name in FACTORS:
        torch.testing.assert_close(again.factors[name], digits.factors[name][:301])
    other = handwriting.draw(301, seed=4)
    assert not torch.equal(other.images, again.images)
    assert not torch.equal(other.factors["slant"], again.factors["slant"])


def test_a_steadier_hand_writes_the_same_digits_with_half_the_noise():
    calm, usual = handwriting.legible_digits(40, seed=3), handwriting.draw(40, seed=3)
    assert calm.images.shape == (40, 1, 32, 32) and calm.images.dtype == torch.float32
    assert torch.equal(calm.labels, usual.labels) and calm.classes == usual.classes
    assert all(torch.equal(calm.factors[name], usual.factors[name]) for name in FACTORS)
    inner, border = calm.images[..., 2:30, 2:30], calm.images.clone()
    border[..., 2:30, 2:30] = 0
    assert not border.any()
    half = handwriting.sample_noise(40, seed=3) / 2
    assert torch.equal(inner, handwriting.render(usual.labels, usual.factors, half))


def test_a_steady_pen_holds_all_but_what_the_digit_and_the_hand_decide():
    held = handwriting.draw(5, fixed=handwriting.CANONICAL).factors
    assert set(FACTORS) - set(handwriting.CANONICAL) == {"style", "thickness"}
    for name, value in handwriting.CANONICAL.items():
        low, high = FACTORS[name]
        assert low <= value <= high and (held[name] == value).all()


def test_drawing_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    handwriting.draw(3, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_draws_the_same_images():
    on_cpu, on_cuda = handwriting.draw(500), handwriting.draw(500, device="cuda")
    assert on_cuda.images.device.type == "cuda"
    assert torch.equal(on_cuda.labels.cpu(), on_cpu.labels)
    torch.testing.assert_close(on_cuda.images.cpu(), on_cpu.images, atol=1e-3, rtol=0)


def test_ink_seldom_reaches_the_edge_of_the_image(digits):
    edge = digits.images.clone()
    edge[:, :, 1:-1, 1:-1] = 0
    assert (edge.amax(dim=(1, 2, 3)) > 0.5).float().mean() < 0.03


# --- the styles ----------------------------------------------------------------------------------


def test_every_style_is_used_as_often_as_its_weight_says():
    labels, style = handwriting.sample_labels(50000), handwriting.sample_factors(50000)["style"]
    counts = handwriting.style_index(labels, style).bincount(minlength=len(STYLES)).double()
    total = torch.tensor([sum(s.weight for s in STYLES if s.digit == d) for d in range(10)])
    expected = torch.tensor([5000 * style.weight / total[style.digit] for style in STYLES])
    assert (counts > 0).all()
    assert ((counts - expected).abs() < STANDARD_ERRORS * expected.sqrt()).all()


def test_a_style_belongs_to_its_digit():
    labels = torch.arange(10).repeat_interleave(101)
    style = torch.linspace(0, 1 - 1e-6, 101).repeat(10)
    digit_of_style = torch.tensor([style.digit for style in STYLES])
    assert torch.equal(digit_of_style[handwriting.style_index(labels, style)], labels)


def test_styles_are_well_formed():
    assert [style.digit for style in STYLES] == sorted(style.digit for style in STYLES)
    assert len({(style.digit, style.name) for style in STYLES}) == len(STYLES)
    assert all(style.weight > 0 and len(style.strokes()) <= 2 for style in STYLES)


# --- the factors ---------------------------------------------------------------------------------


def test_factors_fill_their_range(digits):
    for name, (low, high) in FACTORS.items():
        share = (digits.factors[name] - low) / (high - low)
        assert -1e-6 <= share.min() < 0.02 and 0.98 < share.max() <= 1 + 1e-6, name


def test_factors_centre_on_the_middle_of_their_range(digits):
    for name, (low, high) in FACTORS.items():
        values = digits.factors[name]
        if name == "thickness":  # drawn by ratios
            values, low, high = values.log(), math.log(low), math.log(high)
        error = values.std() / SIZE**0.5
        assert abs(values.mean() - (low + high) / 2) < STANDARD_ERRORS * error, name


def test_factors_are_independent_of_each_other(digits):
    for a, b in itertools.combinations(FACTORS, 2):
        r = rank_correlation(digits.factors[a], digits.factors[b])
        assert abs(r) < STANDARD_ERRORS / SIZE**0.5, (a, b)


def test_factors_are_independent_within_each_class(digits):
    for digit in range(10):
        factors = digits[digits.labels == digit].factors
        for a, b in itertools.combinations(FACTORS, 2):
            r = rank_correlation(factors[a], factors[b])
            assert abs(r) < STANDARD_ERRORS / (SIZE / 10) ** 0.5, (digit, a, b)


def test_factors_are_independent_of_the_class(digits):
    for name in FACTORS:
        values = digits.factors[name]
        deviation = (values - values.mean()) / values.std()
        for power in (1, 2):  # the mean of each class, and its spread
            moment = deviation**power
            allowed = STANDARD_ERRORS * moment.std() / (SIZE / 10) ** 0.5
            for digit in range(10):
                of_class = moment[digits.labels == digit].mean()
                assert abs(of_class - moment.mean()) < allowed, (name, digit)


def test_factors_are_independent_of_the_noise(digits):
    noise = handwriting.sample_noise(SIZE, seed=3)
    columns = torch.cat([torch.stack(list(digits.factors.values()), dim=1), noise], dim=1)
    r = torch.corrcoef(columns.T.double())[: len(FACTORS), len(FACTORS) :]
    assert r.abs().max() < STANDARD_ERRORS / SIZE**0.5


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("slant", 0.7),
        ("rotation", 0.1),  # the axis also turns with the slant and the style, which vary more
        ("thickness", 0.8),
        ("size", 0.6),
        ("position_x", 0.9),
        ("position_y", 0.9),
    ],
)
def test_a_factor_can_be_measured_in_the_images(digits, name, least):
    measured = within_class(MEASURES[name](digits.images), digits.labels)
    assert correlation(measured, digits.factors[name]) > least


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("name", MEASURES)
def test_moving_one_factor_moves_what_it_names(name, digit):
    values, images = still(digit, name)
    measured = MEASURES[name](images)
    assert (measured.diff() > -0.02).all() and measured[-1] > measured[0]
    assert correlation(values, measured) > 0.95


def test_positions_and_sizes_are_in_pixels():
    for name in ("position_x", "position_y", "size"):
        values, images = still(3, name)
        measured = MEASURES[name](images)
        change = (measured[-1] - measured[0]) / (values[-1] - values[0])
        assert change == pytest.approx(1, abs=0.3), name


def test_moving_position_leaves_the_shape_alone():
    _, images = still(5, "position_x")
    for name in ("slant", "rotation", "thickness", "position_y"):
        measured = MEASURES[name](images)
        assert measured.max() - measured.min() < 0.1, name


def test_style_changes_the_shape():
    _, images = still(7, "style", steps=50)
    assert len(images.unique(dim=0)) == sum(style.digit == 7 for style in STYLES)


# --- pure drawing and bad requests ---------------------------------------------------------------


def test_render_repeats_what_draw_drew(digits):
    noise = handwriting.sample_noise(SIZE, seed=3)
    some = digits[torch.tensor([4, 900, 17])]
    images = handwriting.render(some.labels, some.factors, noise[[4, 900, 17]])
    torch.testing.assert_close(images, some.images, atol=1e-5, rtol=0)


def test_moving_one_factor_keeps_the_hand():
    factors, noise = handwriting.sample_factors(4), handwriting.sample_noise(4)
    labels, kept = torch.tensor([1, 2, 3, 4]), {name: v.clone() for name, v in factors.items()}
    upright = handwriting.render(labels, {**factors, "slant": torch.zeros(4)}, noise)
    slanted = handwriting.render(labels, {**factors, "slant": torch.full((4,), 0.5)}, noise)
    back = handwriting.render(labels, {**factors, "slant": torch.zeros(4)}, noise)
    assert torch.equal(upright, back)
    assert (measured_slant(slanted) > measured_slant(upright) + 0.2).all()
    assert all(torch.equal(factors[name], kept[name]) for name in FACTORS)


def test_a_held_factor_leaves_the_others_as_drawn(digits):
    upright = handwriting.draw(50, seed=3, fixed={"slant": 0.0})
    assert (upright.factors["slant"] == 0).all()
    for name in set(FACTORS) - {"slant"}:
        torch.testing.assert_close(upright.factors[name], digits.factors[name][:50])
    with pytest.raises(ValueError, match="factors must be exactly"):
        handwriting.draw(50, fixed={"slope": 0.0})


@pytest.mark.parametrize("size", [0, -3, 2.5, True, "ten"])
def test_a_bad_size_is_refused(size):
    with pytest.raises(ValueError, match="size must be a positive whole number"):
        handwriting.draw(size)


def test_a_bad_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be a whole number"):
        handwriting.draw(3, seed=0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": torch.tensor([1, 10])}, "labels must be"),
        ({"labels": torch.tensor([1.0, 2.0])}, "labels must be"),
        ({"noise": torch.zeros(3, NOISE_SIZE)}, "noise must have the shape"),
        ({"slant": torch.zeros(3)}, "slant must hold 2 numbers"),
        ({"slant": torch.tensor([0.0, float("nan")])}, "slant holds numbers that are not finite"),
        ({"style": torch.tensor([0.5, 1.0])}, "style must lie in"),
        ({"thickness": torch.tensor([0.0, 2.0])}, "thickness must be positive"),
        ({"colour": torch.zeros(2)}, "factors must be exactly"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, message):
    labels = change.pop("labels", torch.tensor([1, 2]))
    noise = change.pop("noise", handwriting.sample_noise(2))
    with pytest.raises(ValueError, match=message):
        handwriting.render(labels, {**handwriting.sample_factors(2), **change}, noise)
