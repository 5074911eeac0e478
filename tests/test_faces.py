"""Faces are drawn as their factors say, and each factor moves only what it should."""

import re

import pytest
import torch
import torch.nn.functional as F

from course_utils.data import faces

PLAIN = {
    "smile": 0.0, "eye_openness": 0.8, "gaze": 0.0, "head_turn": 0.0, "tilt": 0.0,
    "face_width": 0.5, "skin_tone": 0.7, "background": 0.6, "hair_style": 1, "hair_colour": 2,
    "glasses": 0, "beard": 0, "age": 1,
}  # fmt: skip
RESOLUTION = 64
BALD = list(faces.CHOICES["hair_style"]).index("bald")


def factors_of(**changes):
    """One or more faces that are plain but for the given factors (numbers or lists)."""
    columns = {name: torch.as_tensor(changes.get(name, value)) for name, value in PLAIN.items()}
    columns = torch.broadcast_tensors(*(column.reshape(-1) for column in columns.values()))
    return dict(zip(PLAIN, columns, strict=True))


def render(resolution=RESOLUTION, **changes):
    return faces.render(factors_of(**changes), resolution=resolution)


def grid(resolution=RESOLUTION):
    """x and y of the pixel centres in half images, y upwards."""
    centres = (torch.arange(resolution) + 0.5) * 2 / resolution - 1
    return centres.expand(resolution, -1), -centres[:, None].expand(-1, resolution)


def changed(name, values, **others):
    """(R, R) mask of the pixels that differ between any of the values of one factor."""
    images = render(**{name: values}, **others)
    return ((images - images[:1]).abs() > 1e-4).any(dim=(0, 1))


def silhouette(resolution, **changes):
    """(R, R) mask of what is not wall: what stays when the wall's colour changes."""
    one, other = render(resolution, background=[0.1, 0.6], **changes)
    return (one - other).abs().amax(0) < 0.02


# The set


def test_draw_returns_everything_that_is_known():
    faces_set = faces.draw(12, seed=3)
    assert faces_set.images.shape == (12, 3, 32, 32)
    assert faces_set.images.dtype == torch.float32
    assert set(faces_set.factors) == set(faces.FACTORS)
    assert len(faces_set.captions) == 12
    assert faces_set.labels is None and faces_set.classes == ()


@pytest.mark.parametrize("resolution", [16, 32, 64, 128])
def test_images_stay_in_range(resolution):
    images = faces.draw(64, seed=1, resolution=resolution).images
    assert images.shape == (64, 3, resolution, resolution)
    assert images.min() >= 0 and images.max() <= 1
    assert images.isfinite().all()


def test_extreme_factors_draw_a_finite_image():
    low = {name: faces.RANGES[name][0] if name in faces.RANGES else 0 for name in PLAIN}
    high = {
        name: faces.RANGES[name][1] if name in faces.RANGES else len(faces.CHOICES[name]) - 1
        for name in PLAIN
    }
    for extreme in (low, high):
        assert render(**extreme).isfinite().all()


def test_same_seed_same_faces_and_another_seed_others():
    first, again, other = (faces.draw(20, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first.images, again.images)
    assert first.captions == again.captions
    assert (first.images - other.images).abs().mean() > 0.05


def test_first_faces_do_not_depend_on_how_many_are_drawn():
    few, many = faces.draw(7, seed=2), faces.draw(40, seed=2)
    torch.testing.assert_close(few.images, many.images[:7], rtol=0, atol=1e-5)
    assert few.captions == many.captions[:7]
    for name, values in few.factors.items():
        assert torch.equal(values, many.factors[name][:7])


def test_chunks_do_not_change_images():
    factors = faces.sample_factors(300, seed=4)  # three chunks at this resolution
    together = faces.render(factors)
    for position in (0, 127, 128, 299):
        alone = faces.render({name: v[position : position + 1] for name, v in factors.items()})
        torch.testing.assert_close(alone[0], together[position], rtol=0, atol=1e-5)


def test_resolutions_show_the_same_face():
    factors = faces.sample_factors(50, seed=8)
    small = faces.render(factors, resolution=32)
    large = F.avg_pool2d(faces.render(factors, resolution=128), 4)
    assert (small - large).abs().mean() < 0.01


def test_every_tensor_is_made_on_the_device_asked_for():
    """The meta device refuses to mix with the CPU, so it finds tensors that stayed behind."""
    assert faces.render(faces.sample_factors(3), device="meta").device.type == "meta"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_draws_the_same_faces():
    on_cpu, on_cuda = faces.draw(200), faces.draw(200, device="cuda")
    torch.testing.assert_close(on_cuda.images.cpu(), on_cpu.images, rtol=0, atol=1e-3)


# Factors


def test_factors_are_independent():
    size = 20_000
    columns = []
    for name, values in faces.sample_factors(size, seed=0).items():
        if name == "background":  # a circle has no order, so its two coordinates are compared
            columns += [(2 * torch.pi * values).sin(), (2 * torch.pi * values).cos()]
        elif name in faces.RANGES:
            columns += [values, values.square()]
        else:
            columns += list(F.one_hot(values).T[1:].float())
    correlation = torch.corrcoef(torch.stack(columns))
    counts = {"background": 2} | {
        name: 2 if name in faces.RANGES else len(faces.CHOICES[name]) - 1 for name in faces.FACTORS
    }
    start = 0
    for name in faces.FACTORS:
        stop = start + counts[name]
        across = torch.cat([correlation[start:stop, :start], correlation[start:stop, stop:]], dim=1)
        assert across.abs().max() < 4.5 / size**0.5, name
        start = stop


def test_factors_follow_their_ranges_and_odds():
    factors = faces.sample_factors(20_000, seed=1)
    for name, (low, high) in faces.RANGES.items():
        assert low <= factors[name].min() < low + 0.01
        assert high - 0.01 < factors[name].max() <= high
    for name, odds in faces.CHOICES.items():
        share = F.one_hot(factors[name], len(odds)).float().mean(0)
        expected = torch.tensor(list(odds.values())) / sum(odds.values())
        torch.testing.assert_close(share, expected, rtol=0, atol=0.02)


def test_identity_leaves_out_what_age_mood_and_pose_change():
    assert set(faces.IDENTITY_FACTORS) < set(faces.FACTORS)
    passing = {"smile", "eye_openness", "gaze", "head_turn", "tilt", "age", "background", "glasses"}
    assert not passing & set(faces.IDENTITY_FACTORS)


# name, values, and the box (left, right, bottom, top) that must hold every changed pixel
LOCAL = [
    ("smile", [-1.0, -0.3, 0.3, 1.0], (-0.33, 0.33, -0.6, -0.12)),
    ("eye_openness", [0.0, 0.3, 0.7, 1.0], (-0.42, 0.42, -0.16, 0.26)),
    ("gaze", [-1.0, 0.0, 1.0], (-0.42, 0.42, -0.12, 0.22)),
    ("glasses", [0, 1], (-0.55, 0.55, -0.2, 0.3)),
    ("beard", [0, 1], (-0.6, 0.6, -0.72, 0.02)),
    ("hair_colour", [0, 1, 2, 3, 4], (-0.65, 0.65, -0.1, 0.8)),
]


@pytest.mark.parametrize("name, values, box", LOCAL, ids=[row[0] for row in LOCAL])
def test_factor_changes_only_its_region(name, values, box):
    left, right, bottom, top = box
    x, y = grid()
    mask = changed(name, values)
    assert mask.sum() >= 20
    assert not mask[(x < left) | (x > right) | (y < bottom) | (y > top)].any()


def test_hair_leaves_eyes_nose_and_mouth_alone():
    x, y = grid()
    middle = (x.abs() < 0.25) & (y > -0.45) & (y < 0.15)
    assert not changed("hair_style", list(range(8)))[middle].any()
    assert not changed("hair_colour", list(range(5)))[middle].any()


def test_without_hair_its_colour_shows_in_the_brows_alone():
    _, y = grid()
    mask = changed("hair_colour", list(range(5)), hair_style=BALD)
    assert mask.any()
    assert not mask[(y < 0.15) | (y > 0.35)].any()


def test_background_and_skin_change_apart():
    wall = changed("background", [0.1, 0.4, 0.8])
    skin = changed("skin_tone", [0.0, 0.5, 1.0])
    x, y = grid()
    assert wall[(y > 0.8) | ((x.abs() > 0.8) & (y > -0.5))].all()
    face = (x.abs() < 0.3) & (y.abs() < 0.4)
    assert not wall[face].any()
    assert skin[(x.abs() < 0.05) & (y > 0.05) & (y < 0.2)].all()
    assert skin[face].float().mean() > 0.5  # but not on eyes, brows and mouth
    assert not skin[(y > 0.8) | (x.abs() > 0.75)].any()


def test_a_wider_face_is_wider():
    widths = [silhouette(128, face_width=v, hair_style=BALD)[70].sum() for v in (0.0, 0.5, 1.0)]
    assert widths[0] + 6 < widths[1] < widths[2] - 6


def test_a_smile_shows_at_32_pixels():
    sad, calm, broad = render(32, smile=[-1.0, 0.0, 1.0])
    x, y = grid(32)
    mouth = (x.abs() < 0.3) & (y > -0.55) & (y < -0.15)
    assert ((broad - calm).abs().amax(0)[mouth] > 0.2).sum() >= 12
    assert ((sad - calm).abs().amax(0)[mouth] > 0.2).sum() >= 6
    assert (broad.amin(0)[mouth] > 0.75).sum() >= 4  # teeth


def eye_whites(image):
    """Per eye, left then right, the columns that hold white pixels at the eyes' height."""
    _, y = grid(128)
    white = ((image.amin(0) > 0.9) & (y > -0.15) & (y < 0.25)).any(0).nonzero().flatten()
    gap = (white[1:] - white[:-1]).argmax() + 1  # the bridge of the nose is the widest gap
    return white[:gap], white[gap:]


@pytest.mark.parametrize("gaze", [-1.0, 1.0])
def test_pupils_follow_the_gaze(gaze):
    x, y = grid(128)
    straight, aside = render(128, gaze=[0.0, gaze])
    for side in (-1, 1):
        eye = (side * x > 0.1) & (side * x < 0.35) & (y > -0.05) & (y < 0.12)
        ink = (straight.amax(0) < 0.3) & eye, (aside.amax(0) < 0.3) & eye
        assert (x[ink[1]].mean() - x[ink[0]].mean()) * gaze > 0.02


@pytest.mark.parametrize("turn", [-0.7, 0.7])
def test_head_turn_foreshortens_the_far_side(turn):
    head = {"head_turn": turn, "hair_style": BALD, "eye_openness": 1.0}
    left, right = eye_whites(render(128, **head)[0])
    near, far = (left, right) if turn > 0 else (right, left)
    assert far.max() - far.min() < 0.85 * (near.max() - near.min())
    row = silhouette(128, **head)[80].nonzero().flatten()  # below the ears
    to_left, to_right = left.min() - row.min(), row.max() - right.max()
    beyond_near, beyond_far = (to_left, to_right) if turn > 0 else (to_right, to_left)
    assert beyond_far < 0.5 * beyond_near


def test_straight_head_has_equal_eyes():
    left, right = eye_whites(render(128, hair_style=BALD)[0])
    assert abs(len(left) - len(right)) <= 2


def test_turning_left_mirrors_turning_right():
    # Eyes are closed, because the glint in them comes from one side.
    left, right = render(head_turn=[-0.6, 0.6], eye_openness=0.0, hair_style=BALD)
    torch.testing.assert_close(left, right.flip(-1), rtol=0, atol=1e-4)


@pytest.mark.parametrize("tilt", [-1.0, 0.5])
def test_tilt_is_a_rotation_about_the_neck(tilt):
    upright, tilted = render(128, tilt=[0.0, tilt], smile=1.0)
    x, y = grid(128)
    angle = torch.tensor(tilt * faces.MAX_TILT)
    source_x = x * angle.cos() - (y - faces.NECK) * angle.sin()
    source_y = x * angle.sin() + (y - faces.NECK) * angle.cos() + faces.NECK
    where = torch.stack([source_x, -source_y], dim=-1)[None]
    rotated = F.grid_sample(upright[None], where, align_corners=False)[0]
    face = source_x.square() + source_y.square() < 0.4**2
    error = (rotated - tilted).abs()[:, face]
    assert error.median() < 0.001  # what is left is the blur of resampling, along the edges
    assert error.mean() < 0.03 < 0.1 < (upright - tilted).abs()[:, face].mean()


def test_age_greys_the_hair_and_a_child_has_lower_eyes():
    x, y = grid(128)
    child, adult, old = render(128, age=[0, 1, 2], eye_openness=1.0)
    fringe = (x.abs() < 0.2) & (y > 0.58) & (y < 0.63)
    colourfulness = [(image.amax(0) - image.amin(0))[fringe].mean() for image in (adult, old)]
    assert colourfulness[1] < 0.4 * colourfulness[0]
    heights = [y[(im.amin(0) > 0.9) & (y < 0.3)].mean() for im in (child, adult)]
    assert heights[0] < heights[1] - 0.05
    sizes = [((im.amin(0) > 0.9) & (y < 0.3)).sum() for im in (child, adult)]
    assert sizes[0] > 1.15 * sizes[1]


def test_age_may_lie_between_its_stages():
    images = render(age=[0.0, 0.5, 1.0, 1.5, 2.0])
    steps = (images[1:] - images[:-1]).abs().mean(dim=(1, 2, 3))
    whole = (images[-1] - images[0]).abs().mean()
    assert (steps > 0).all() and steps.max() < whole


# Captions


def test_captions_say_what_is_drawn():
    drawn = faces.draw(1500, seed=9, resolution=16)
    hair_words = {
        "bald": "bald|no hair", "short": "short", "spiky": "spik", "bob": "bob", "long": "long",
        "curly": "curl", "bun": "bun", "pigtails": "pigtails",
    }  # fmt: skip
    for i, text in enumerate(drawn.captions):
        value = {name: values[i].item() for name, values in drawn.factors.items()}
        style = list(faces.CHOICES["hair_style"])[value["hair_style"]]
        colour = list(faces.CHOICES["hair_colour"])[value["hair_colour"]]
        age = list(faces.CHOICES["age"])[value["age"]]
        told = text.lower()
        assert ("glasses" in told) == (value["glasses"] == 1)
        assert ("beard" in told) == (value["beard"] == 1)
        for name, words in hair_words.items():
            assert bool(re.search(words, told)) == (name == style), text
        assert bool(re.search("smil|beaming", told)) == (value["smile"] > 0.15)
        assert bool(re.search("sad|frown", told)) == (value["smile"] <= -0.15)
        assert bool(re.search("old|elderly", told)) == (age == "old")
        assert bool(re.search("child|kid", told)) == (age == "child")
        assert ("left" in told) == (value["head_turn"] < -0.35)
        assert ("right" in told) == (value["head_turn"] > 0.35)
        assert ("closed" in told) == (value["eye_openness"] < 0.15)
        if style != "bald" or value["beard"]:
            assert f"{'grey' if age == 'old' else colour} " in told
        assert text[0].isupper() and text.endswith(".") and text.count(".") == 1


def test_wording_varies_with_the_seed_and_only_with_it():
    face = {name: float(value) for name, value in PLAIN.items()}
    texts = [faces.caption(face, seed=seed) for seed in range(30)]
    assert texts == [faces.caption(face, seed=seed) for seed in range(30)]
    assert len(set(texts)) > 5
    assert all("short" in text and "red" in text and "glasses" not in text for text in texts)


def test_caption_takes_one_face_of_a_set():
    face = {name: values[:1] for name, values in faces.sample_factors(3, seed=0).items()}
    assert faces.caption(face) == faces.caption({name: v.item() for name, v in face.items()})


# Errors


@pytest.mark.parametrize("size", [0, -3, 2.5, True])
def test_bad_size_is_refused(size):
    with pytest.raises(ValueError, match="size must be a whole number"):
        faces.draw(size)


@pytest.mark.parametrize("resolution", [15, 129, 32.0, "32"])
def test_bad_resolution_is_refused(resolution):
    with pytest.raises(ValueError, match="resolution must be"):
        faces.draw(2, resolution=resolution)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"smile": None}, r"\['smile'\] are missing"),
        ({"hat": torch.zeros(2)}, r"no factors \['hat'\]"),
        ({"smile": torch.zeros(3)}, "same shape"),
        ({"smile": torch.tensor([0.0, 1.5])}, "smile must lie between -1.0 and 1.0"),
        ({"gaze": torch.tensor([0.0, float("nan")])}, "gaze must lie between"),
        ({"hair_style": torch.tensor([0, 8])}, "hair_style must lie between 0 and 7"),
        ({"hair_style": torch.tensor([0.0, 1.5])}, "hair_style must be a whole number"),
    ],
)
def test_bad_factors_are_refused(change, message):
    factors = faces.sample_factors(2) | change
    factors = {name: values for name, values in factors.items() if values is not None}
    with pytest.raises(ValueError, match=message):
        faces.render(factors)
