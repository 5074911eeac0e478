"""Animals are drawn as their factors say, and partners differ in nothing but the animal."""

import pytest
import torch
import torch.nn.functional as F

from course_utils.data import animals

PLAIN = {
    "coat": 0.4, "facing": 1.0, "place": 0.0, "size": 0.5, "head": 0.7, "stride": 0.5,
    "sky": 0.4, "grass": 0.5, "horizon": 0.6, "tree": -0.8,
}  # fmt: skip
RESOLUTION = 64


def factors_of(**changes):
    """One or more animals that are plain but for the given factors (numbers or lists)."""
    columns = [torch.as_tensor(changes.get(name, value)) for name, value in PLAIN.items()]
    columns = torch.broadcast_tensors(*(column.float().reshape(-1) for column in columns))
    return dict(zip(PLAIN, columns, strict=True))


def render(kind="horse", resolution=RESOLUTION, **changes):
    return animals.render(factors_of(**changes), kind, resolution=resolution)


def mask_of(kind="horse", resolution=RESOLUTION, **changes):
    """(R, R): where one plain animal is, but for the changes."""
    held = {**PLAIN, **changes}
    return animals.mask(1, kind, resolution=resolution, fixed=held)[0, 0] > 0.5


def grid(resolution=RESOLUTION):
    """x and y of the pixel centres in half images, y upwards."""
    centres = (torch.arange(resolution) + 0.5) * 2 / resolution - 1
    return centres.expand(resolution, -1), -centres[:, None].expand(-1, resolution)


# The set


def test_draw_returns_images_and_their_factors():
    drawn = animals.draw(12, "zebra", seed=3)
    assert drawn.images.shape == (12, 3, 32, 32) and drawn.images.dtype == torch.float32
    assert drawn.name == "zebra" and set(drawn.factors) == set(animals.FACTORS)
    assert drawn.labels is None and drawn.captions is None


@pytest.mark.parametrize("kind", animals.KINDS)
@pytest.mark.parametrize("resolution", [16, 32, 64, 128])
def test_images_stay_in_range(kind, resolution):
    images = animals.draw(64, kind, seed=1, resolution=resolution).images
    assert images.shape == (64, 3, resolution, resolution)
    assert images.min() >= 0 and images.max() <= 1 and images.isfinite().all()
    masks = animals.mask(64, kind, seed=1, resolution=resolution)
    assert masks.shape == (64, 1, resolution, resolution)
    assert masks.min() == 0 and masks.max() == 1


def test_same_seed_same_images_and_another_seed_others():
    first, again, other = (animals.draw(20, seed=seed).images for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 0.05


def test_first_images_do_not_depend_on_how_many_are_drawn():
    few, many = animals.draw(7, seed=2), animals.draw(300, seed=2)  # one chunk, three chunks
    torch.testing.assert_close(few.images, many.images[:7], rtol=0, atol=1e-5)
    for name, values in few.factors.items():
        assert torch.equal(values, many.factors[name][:7])
    last = {name: values[299:] for name, values in many.factors.items()}
    torch.testing.assert_close(animals.render(last)[0], many.images[299], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", animals.KINDS)
def test_resolutions_show_the_same_scene(kind):
    factors = animals.sample_factors(50, seed=8)
    small = animals.render(factors, kind, resolution=32)
    large = F.avg_pool2d(animals.render(factors, kind, resolution=128), 4)
    assert (small - large).abs().mean() < 0.015


def test_every_tensor_is_made_on_the_device_asked_for():
    """The meta device refuses to mix with the CPU, so it finds tensors that stayed behind."""
    for kind in animals.KINDS:
        assert animals.render(animals.sample_factors(3), kind, device="meta").is_meta
        assert animals.mask(3, kind, device="meta").is_meta


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", animals.KINDS)
def test_cuda_draws_the_same_images(kind):
    on_cpu, on_cuda = animals.draw(200, kind), animals.draw(200, kind, device="cuda")
    torch.testing.assert_close(on_cuda.images.cpu(), on_cpu.images, rtol=0, atol=1e-3)
    assert all(values.is_cuda for values in on_cuda.factors.values())


# Partners


@pytest.mark.parametrize("kind", animals.KINDS[1:])
def test_partners_share_factors_and_background(kind):
    horses, others = animals.draw(200, seed=4), animals.draw(200, kind, seed=4)
    for name, values in horses.factors.items():
        assert torch.equal(values, others.factors[name])
    covered = torch.maximum(animals.mask(200, seed=4), animals.mask(200, kind, seed=4))
    difference = (horses.images - others.images).abs()
    assert (difference * (covered == 0)).max() == 0
    assert (difference.amax(1, keepdim=True) > 0.1)[covered == 1].float().mean() > 0.5
    assert 0.5 < (covered == 0).float().mean() < 0.9


@pytest.mark.parametrize("kind", ["zebra", "grey zebra"])
def test_a_zebra_has_the_shape_of_its_horse(kind):
    assert torch.equal(animals.mask(100, seed=1), animals.mask(100, kind, seed=1))


def test_a_giraffe_keeps_the_body_and_reaches_higher():
    horse, giraffe = mask_of(), mask_of("giraffe")
    x, y = grid()
    trunk = (x < 0.1) & (y < 0)
    assert torch.equal(horse[trunk], giraffe[trunk])
    assert y[giraffe].max() > y[horse].max() + 0.15


def colour_under(image, mask):
    return image[:, mask].mean(dim=1)


@pytest.mark.parametrize("kind, tells", [("zebra", True), ("giraffe", True), ("grey zebra", False)])
def test_the_coat_shows_in_every_kind_but_the_grey_zebra(kind, tells):
    """Neighbouring coats differ in a zebra's stripes, so the way back to the horse exists."""
    coats = torch.linspace(0, 1, 9)
    images = render(kind, coat=coats)
    steps = (images[1:] - images[:-1]).abs().flatten(1).amax(1)
    assert (steps > 0.02).all() if tells else (steps == 0).all()


def test_the_coat_can_be_read_from_the_stripes():
    horses, zebras = render(coat=[0.0, 0.5, 1.0]), render("zebra", coat=[0.0, 0.5, 1.0])
    middle = (slice(None), slice(None), slice(32, 42), slice(24, 36))  # of the trunk
    darkest = zebras[middle].flatten(2).amin(2)
    plain = horses[middle].flatten(2).amin(2)
    torch.testing.assert_close(darkest, plain * animals.STRIPE, rtol=0, atol=0.02)
    assert zebras[middle].flatten(2).amax(2).min() > 0.8  # the pale between the stripes


def test_stripes_at_32_pixels():
    """Along the trunk light and dark take turns, about three to four pixels a period."""
    for size, facing in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)):
        row = render("grey zebra", 32, size=size, facing=facing)[0, 1, 18]
        trunk = row[9:23]
        dark = trunk < 0.5
        turns = (dark[1:] != dark[:-1]).sum()
        assert 6 <= turns <= 10, (size, facing, turns)


# Factors


def test_factors_are_independent_and_fill_their_ranges():
    factors = animals.sample_factors(20_000, seed=1)
    correlation = torch.corrcoef(torch.stack(list(factors.values())))
    correlation.fill_diagonal_(0)
    assert correlation.abs().max() < 4.5 / 20_000**0.5
    for name, (low, high) in animals.RANGES.items():
        assert low <= factors[name].min() < low + 0.01
        assert high - 0.01 < factors[name].max() <= high
    assert set(factors["facing"].tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("kind", animals.KINDS)
def test_every_factor_changes_the_image(kind):
    for name, (low, high) in animals.RANGES.items():
        if (name, kind) == ("coat", "grey zebra"):
            continue
        one, other = render(kind, **{name: [low, high]})
        assert (one - other).abs().amax(0).gt(0.05).sum() >= 20, name


@pytest.mark.parametrize("name", ["sky", "grass", "horizon", "tree"])
def test_the_scene_leaves_the_animal_alone(name):
    low, high = animals.RANGES[name]
    for kind in animals.KINDS:
        one, other = render(kind, **{name: [low, high]})
        inside = animals.mask(1, kind, resolution=RESOLUTION, fixed=PLAIN)[0, 0] == 1
        assert (one - other).abs()[:, inside].max() < 1e-5


def test_the_coat_leaves_the_scene_alone():
    one, other = render(coat=[0.0, 1.0])
    outside = animals.mask(1, resolution=RESOLUTION, fixed=PLAIN)[0, 0] == 0
    assert torch.equal(one[:, outside], other[:, outside])


def test_facing_mirrors_the_animal():
    assert torch.equal(mask_of(facing=0.0), mask_of(facing=1.0).flip(-1))


def test_place_size_and_head_move_as_they_say():
    x, y = grid()
    left, right = (x[mask_of(place=place, size=0.0)].mean() for place in (-1.0, 1.0))
    assert left < -0.15 and right > left + 0.4
    assert mask_of(size=1.0).sum() > 1.3 * mask_of(size=0.0).sum()
    grazing, high = mask_of(head=0.0), mask_of(head=1.0)
    front = x > 0.45
    assert y[grazing & front].max() < y[high & front].max() - 0.4


@pytest.mark.parametrize("kind", animals.KINDS)
def test_animals_are_seen_whole(kind):
    masks = animals.mask(2000, kind, seed=3) > 0.5
    edges = torch.cat([masks[..., 0], masks[..., -1], masks[:, :, 0], masks[:, :, -1]], dim=1)
    assert edges.any(-1).any(-1).float().mean() < 0.06  # at most a tip of a nose or tail


# Errors


@pytest.mark.parametrize("draw", [animals.draw, animals.mask])
@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"count": 0}, "count must be a whole number"),
        ({"count": 2.5}, "count must be a whole number"),
        ({"count": True}, "count must be a whole number"),
        ({"kind": "cow"}, "no kind 'cow'; choose one of horse, zebra, grey zebra, giraffe"),
        ({"resolution": 15}, "resolution must be"),
        ({"resolution": 32.0}, "resolution must be"),
        ({"fixed": {"hat": 1.0}}, r"no factors \['hat'\]"),
        ({"fixed": {"coat": 1.5}}, "coat must lie between 0.0 and 1.0"),
        ({"fixed": {"head": float("nan")}}, "head must lie between"),
        ({"fixed": {"facing": 0.5}}, "facing must be 0"),
        ({"fixed": {"coat": "red", "head": 1}}, r"must be a number, and \['coat'\] are not"),
    ],
)
def test_bad_arguments_are_refused(draw, arguments, says):
    with pytest.raises(ValueError, match=says) as info:
        draw(**{"count": 2, **arguments})
    message = str(info.value)
    assert "\n" not in message and message.endswith(".") and ". " not in message


@pytest.mark.parametrize(
    "change, says",
    [
        ({"coat": None}, r"\['coat'\] are missing"),
        ({"coat": torch.zeros(3)}, "same shape"),
        ({"coat": torch.zeros(2, 2)}, "same shape"),
        ({"stride": torch.tensor([0.0, -1.1])}, "stride must lie between -1.0 and 1.0"),
    ],
)
def test_bad_factors_are_refused(change, says):
    factors = animals.sample_factors(2) | change
    factors = {name: values for name, values in factors.items() if values is not None}
    with pytest.raises(ValueError, match=says):
        animals.render(factors)
