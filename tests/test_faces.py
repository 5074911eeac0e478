"""What holds of faces and animals alike; and a factor of a face changes only what it should."""

import math
import re
from contextlib import contextmanager

import pytest
import torch
import torch.nn.functional as F
from torchvision.transforms.functional import InterpolationMode, rotate

from course_utils.data import animals, face_sheet, faces

SETS = [pytest.param(animals, {"kind": kind}, id=kind) for kind in animals.KINDS]
SETS += [pytest.param(faces, {}, id="faces")]
of_every_set = pytest.mark.parametrize("module, kind", SETS)


@contextmanager
def refused(error, says):
    """What runs in here raises this error, and its message is one sentence."""
    with pytest.raises(error, match=says) as info:
        yield
    text = str(info.value)
    assert text.endswith(".") and "\n" not in text and ". " not in text.removesuffix(".")


@of_every_set
@pytest.mark.parametrize("resolution", [16, 32, 64, 128])
def test_draw_returns_images_in_range_and_all_that_is_known_of_them(module, kind, resolution):
    drawn = module.draw(64, **kind, seed=1, resolution=resolution)
    assert drawn.images.shape == (64, 3, resolution, resolution)
    assert drawn.images.dtype == torch.float32 and drawn.images.isfinite().all()
    assert drawn.images.min() >= 0 and drawn.images.max() <= 1
    assert drawn.name == kind.get("kind", "faces") and set(drawn.factors) == set(module.FACTORS)
    assert drawn.labels is None and drawn.classes == ()
    assert (drawn.captions is None) == (module != faces)


@of_every_set
def test_the_same_seed_draws_the_same_images_few_or_many_and_another_seed_others(module, kind):
    first, again, other = (module.draw(20, **kind, seed=seed) for seed in (5, 5, 6))
    many = module.draw(300, **kind, seed=5)  # three chunks
    assert first.images.shape == (20, 3, 32, 32) and torch.equal(first.images, again.images)
    assert (first.images - other.images).abs().mean() > 0.05
    torch.testing.assert_close(first.images, many.images[:20], rtol=0, atol=1e-5)
    assert first.captions == again.captions == (many.captions and many.captions[:20])
    assert all(torch.equal(v, many.factors[name][:20]) for name, v in first.factors.items())
    for position in (127, 128, 299):
        factors = {name: values[position, None] for name, values in many.factors.items()}
        alone = module.render(factors, **kind)[0]
        torch.testing.assert_close(alone, many.images[position], rtol=0, atol=1e-5)


@of_every_set
def test_resolutions_show_the_same_image(module, kind):
    factors = module.sample_factors(50, seed=8)
    small = module.render(factors, **kind, resolution=32)
    large = F.avg_pool2d(module.render(factors, **kind, resolution=128), 4)
    assert (small - large).abs().mean() < (0.01 if module == faces else 0.015)


@of_every_set
def test_every_tensor_is_made_on_the_device_asked_for(module, kind):
    """The meta device refuses to mix with the CPU, so it finds tensors that stayed behind."""
    assert module.render(module.sample_factors(3), **kind, device="meta").is_meta


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@of_every_set
def test_cuda_draws_the_same_images(module, kind):
    on_cpu, on_cuda = module.draw(200, **kind), module.draw(200, **kind, device="cuda")
    torch.testing.assert_close(on_cuda.images.cpu(), on_cpu.images, rtol=0, atol=1e-3)
    assert all(values.is_cuda for values in on_cuda.factors.values())


@pytest.mark.parametrize("module", [faces, animals])
def test_factors_are_independent_and_follow_their_ranges_and_odds(module):
    size = 20_000
    columns, owners = [], []
    for name, values in module.sample_factors(size, seed=1).items():
        if name not in module.RANGES:
            odds = torch.tensor(list(module.CHOICES[name].values()))
            one_hot = F.one_hot(values, len(odds)).float()
            torch.testing.assert_close(one_hot.mean(0), odds / odds.sum(), rtol=0, atol=0.02)
            parts = list(one_hot.T[1:])
        else:
            low, high = module.RANGES[name]
            assert low <= values.min() < low + 0.01 and high - 0.01 < values.max() <= high
            parts = [values, values.square()]
        if name == "background":  # a circle has no order, so its two coordinates are compared
            parts = [(2 * math.pi * values).sin(), (2 * math.pi * values).cos()]
        columns, owners = columns + parts, owners + [name] * len(parts)
    of_two = torch.tensor([[one != other for other in owners] for one in owners])
    assert torch.corrcoef(torch.stack(columns))[of_two].abs().max() < 4.5 / size**0.5


def test_a_bad_number_of_images_or_resolution_is_refused():
    for draw, what in ((faces.draw, "size"), (animals.draw, "count"), (animals.mask, "count")):
        for count in (0, 2.5, True):
            with refused(ValueError, f"{what} is {count}; use a whole number of at least 1"):
                draw(count)
        for resolution in (15, 129, 32.0):
            with refused(ValueError, "resolution is .*; use a whole number from 16 to 128"):
                draw(2, resolution=resolution)


@pytest.mark.parametrize(
    "module, number, choice", [(faces, "smile", "hair_style"), (animals, "stride", "facing")]
)
def test_bad_factors_are_refused(module, number, choice):
    for name, values, says in [
        (number, None, rf"\['{number}'\] are missing"),
        ("hat", [0.0, 0.0], r"no factors \['hat'\]"),
        (number, [0.0, 0.0, 0.0], "same shape"),
        (number, [[0.0, 0.0], [0.0, 0.0]], "same shape"),
        (number, [0.0, -1.1], f"{number} must lie between -1.0 and 1.0"),
        (number, [0.0, math.nan], f"{number} must lie between"),
        (choice, [0, 8], f"{choice} must lie between 0 and (7|1),"),
        (choice, [0.0, 0.5], f"{choice} must be (a whole number|0)"),
    ]:
        factors = module.sample_factors(2) | {name: torch.tensor(values or [])}
        if values is None:
            del factors[name]
        with refused(ValueError, says):
            module.render(factors)


# Faces

PLAIN = face_sheet.PLAIN | {"eye_openness": 0.8, "skin_tone": 0.7, "hair_colour": 2}
BALD = list(faces.CHOICES["hair_style"]).index("bald")


def factors_of(values):
    """Factors as tensors of one length from numbers and sequences."""
    columns = (torch.as_tensor(value).reshape(-1) for value in values.values())
    return dict(zip(values, torch.broadcast_tensors(*columns), strict=True))


def render(resolution=64, **changes):
    """One or more faces that are plain but for the given factors (numbers or lists)."""
    return faces.render(factors_of(PLAIN | changes), resolution=resolution)


def grid(resolution=64):
    """x and y of the pixel centres in half images, y upwards."""
    centres = (torch.arange(resolution) + 0.5) * 2 / resolution - 1
    return centres.expand(resolution, -1), -centres[:, None].expand(-1, resolution)


def changed(**changes):
    """(64, 64) mask of the pixels that differ between any of the values of one factor."""
    images = render(**changes)
    return ((images - images[:1]).abs() > 1e-4).any(dim=(0, 1))


def silhouette(**changes):
    """(128, 128) mask of what is not wall: what stays when the wall's colour changes."""
    one, other = render(128, background=[0.1, 0.6], **changes)
    return (one - other).abs().amax(0) < 0.02


@pytest.mark.parametrize("end", [0, -1])
def test_extreme_factors_draw_a_finite_image(end):
    ends = {name: range(len(words))[end] for name, words in faces.CHOICES.items()}
    ends |= {name: values[end] for name, values in faces.RANGES.items()}
    assert render(**ends).isfinite().all()


@pytest.mark.parametrize(
    "changes, elsewhere",
    [
        ({"smile": [-1, -0.3, 0.3, 1]}, lambda x, y: (x > 0.33) | (y < -0.6) | (y > -0.12)),
        ({"eye_openness": [0, 0.3, 0.7, 1]}, lambda x, y: (x > 0.42) | (y < -0.16) | (y > 0.26)),
        ({"gaze": [-1, 0, 1]}, lambda x, y: (x > 0.42) | (y < -0.12) | (y > 0.22)),
        ({"glasses": [0, 1]}, lambda x, y: (x > 0.55) | (y < -0.2) | (y > 0.3)),
        ({"beard": [0, 1]}, lambda x, y: (x > 0.6) | (y < -0.72) | (y > 0.02)),
        ({"hair_colour": range(5)}, lambda x, y: (x > 0.65) | (y < -0.1) | (y > 0.8)),
        # Without hair in the brows alone, with hair not in eyes, nose and mouth:
        ({"hair_colour": range(5), "hair_style": BALD}, lambda x, y: (y < 0.15) | (y > 0.35)),
        ({"hair_colour": range(5)}, lambda x, y: (x < 0.25) & (y > -0.45) & (y < 0.15)),
        ({"hair_style": range(8)}, lambda x, y: (x < 0.25) & (y > -0.45) & (y < 0.15)),
        ({"background": [0.1, 0.4, 0.8]}, lambda x, y: (x < 0.3) & (y.abs() < 0.4)),
        ({"skin_tone": [0, 0.5, 1]}, lambda x, y: (y > 0.8) | (x > 0.75)),
    ],
)
def test_a_factor_changes_nothing_elsewhere(changes, elsewhere):
    x, y = grid()
    mask = changed(**changes)
    assert mask.sum() >= 20 and not mask[elsewhere(x.abs(), y)].any()


def test_background_and_skin_fill_wall_and_face():
    wall, skin = changed(background=[0.1, 0.4, 0.8]), changed(skin_tone=[0.0, 0.5, 1.0])
    x, y = grid()
    assert wall[(y > 0.8) | ((x.abs() > 0.8) & (y > -0.5))].all()
    assert skin[(x.abs() < 0.05) & (y > 0.05) & (y < 0.2)].all()
    face = (x.abs() < 0.3) & (y.abs() < 0.4)
    assert skin[face].float().mean() > 0.5  # but not on eyes, brows and mouth


def test_a_wider_face_is_wider():
    widths = [silhouette(face_width=width, hair_style=BALD)[70].sum() for width in (0.0, 0.5, 1.0)]
    assert widths[0] + 6 < widths[1] < widths[2] - 6


def test_a_smile_shows_at_32_pixels():
    sad, calm, broad = render(32, smile=[-1.0, 0.0, 1.0])
    x, y = grid(32)
    mouth = (x.abs() < 0.3) & (y > -0.55) & (y < -0.15)
    assert ((broad - calm).abs().amax(0)[mouth] > 0.2).sum() >= 12
    assert ((sad - calm).abs().amax(0)[mouth] > 0.2).sum() >= 6
    assert (broad.amin(0)[mouth] > 0.75).sum() >= 4  # teeth


@pytest.mark.parametrize("side", [-1, 1])
def test_pupils_follow_the_gaze(side):
    x, y = grid(128)
    eye = (side * x > 0.1) & (side * x < 0.35) & (y > -0.05) & (y < 0.12)
    ink = [(image.amax(0) < 0.3) & eye for image in render(128, gaze=[-1.0, 0.0, 1.0])]
    to_left, straight, to_right = (x[pupil].mean() for pupil in ink)
    assert to_left < straight - 0.02 and straight + 0.02 < to_right


def test_head_turn_foreshortens_the_far_side():
    head = {"head_turn": 0.7, "hair_style": BALD, "eye_openness": 1.0}
    image, (_, y) = render(128, **head)[0], grid(128)
    white = ((image.amin(0) > 0.9) & (y > -0.15) & (y < 0.25)).any(0).nonzero().flatten()
    gap = (white[1:] - white[:-1]).argmax() + 1  # the bridge of the nose is the widest gap
    near, far = white[:gap], white[gap:]
    assert far.max() - far.min() < 0.85 * (near.max() - near.min())
    row = silhouette(**head)[80].nonzero().flatten()  # below the ears
    assert row.max() - far.max() < 0.5 * (near.min() - row.min())


def test_turning_left_mirrors_turning_right():
    # Eyes are closed, because the glint in them comes from one side.
    images = render(head_turn=[-0.6, 0.0, 0.6], eye_openness=0.0, hair_style=BALD)
    torch.testing.assert_close(images, images.flip(0, 3), rtol=0, atol=1e-4)


@pytest.mark.parametrize("tilt", [-1.0, 0.5])
def test_tilt_is_a_rotation_about_the_neck(tilt):
    upright, tilted = render(128, tilt=[0.0, tilt], smile=1.0)
    x, y = grid(128)
    disc = (x.square() + y.square() < 0.4**2).float()[None]
    neck, angle = [64, 64 - 64 * faces.NECK], math.degrees(-tilt * faces.MAX_TILT)
    rotated = rotate(torch.cat([upright, disc]), angle, InterpolationMode.BILINEAR, center=neck)
    face = rotated[3] == 1
    error = (rotated[:3] - tilted).abs()[:, face]
    assert error.median() < 0.001  # what is left is the blur of resampling, along the edges
    assert error.mean() < 0.03 < 0.1 < (upright - tilted).abs()[:, face].mean()


def test_age_greys_the_hair_step_by_step_and_a_child_has_lower_and_larger_eyes():
    x, y = grid(128)
    images = render(128, age=[0.0, 0.5, 1.0, 1.5, 2.0], eye_openness=1.0)
    steps = images.diff(dim=0).abs().mean(dim=(1, 2, 3))
    assert (steps > 0).all() and steps.max() < (images[-1] - images[0]).abs().mean()
    child, adult, old = images[::2]
    fringe = (x.abs() < 0.2) & (y > 0.58) & (y < 0.63)
    colourfulness = [(image.amax(0) - image.amin(0))[fringe].mean() for image in (adult, old)]
    assert colourfulness[1] < 0.4 * colourfulness[0]
    of_child, of_adult = ((image.amin(0) > 0.9) & (y < 0.3) for image in (child, adult))
    assert y[of_child].mean() < y[of_adult].mean() - 0.05
    assert of_child.sum() > 1.15 * of_adult.sum()


def test_captions_say_what_is_drawn():
    hair_words = ["bald|no hair", "short", "spik", "bob", "long", "curl", "bun", "pigtails"]
    drawn = faces.draw(1500, seed=9, resolution=16)
    for i, text in enumerate(drawn.captions):
        value = {name: values[i].item() for name, values in drawn.factors.items()}
        word = {name: list(words)[value[name]] for name, words in faces.CHOICES.items()}
        colour = "grey" if word["age"] == "old" else word["hair_colour"]
        expected = {words: value["hair_style"] == k for k, words in enumerate(hair_words)} | {
            "glasses": value["glasses"] == 1,
            "beard": value["beard"] == 1,
            "smil|beaming": value["smile"] > 0.15,
            "sad|frown": value["smile"] <= -0.15,
            "old|elderly": word["age"] == "old",
            "child|kid": word["age"] == "child",
            "left": value["head_turn"] < -0.35,
            "right": value["head_turn"] > 0.35,
            "closed": value["eye_openness"] < 0.15,
            f"{colour} (?!wall|background)": word["hair_style"] != "bald" or value["beard"] == 1,
        }
        for words, named in expected.items():
            assert bool(re.search(words, text.lower())) == named, (words, text)
        assert text[0].isupper() and text.endswith(".") and text.count(".") == 1


def test_wording_varies_with_the_seed_and_only_with_it():
    texts = [faces.caption(PLAIN, seed=seed) for seed in range(30)]
    assert texts == [faces.caption(factors_of(PLAIN), seed=seed) for seed in range(30)]
    assert len(set(texts)) > 5
    assert all("short" in text and "red" in text and "glasses" not in text for text in texts)


def test_every_value_of_a_factor_can_be_seen_in_its_row_of_the_sheet():
    sheet, small = face_sheet.factor_sheet(5), face_sheet.factor_sheet(3, resolution=16)
    for name, caption, few in zip(faces.FACTORS, sheet, small.values(), strict=True):
        assert caption.startswith(f"{name.replace('_', ' ')}: ")
        choices, images = len(faces.CHOICES.get(name, ())), sheet[caption]
        assert images.shape == (choices or 5, 3, 32, 32) and few.shape == (choices or 3, 3, 16, 16)
        assert (images.diff(dim=0).abs().flatten(1).amax(1) > 0.05).all(), name
