"""The generative factors of the cartoon faces: their ranges, samples and captions.

`faces` draws them. Every factor is one number per face, and is sampled independently of all
others, unlike in photographs of real people: here a child may wear a beard.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import torch
from torch import Tensor

from .held import check_factors as check_ranges
from .held import drawable

# Continuous factors are uniform between these ends. "Left" and "right" are those of the image.
RANGES = {
    "smile": (-1.0, 1.0),  # -1 sad, 0 serious, 1 a broad smile that shows the teeth
    "eye_openness": (0.0, 1.0),  # 0 closed, 1 wide open
    "gaze": (-1.0, 1.0),  # pupils to the left .. to the right
    "head_turn": (-1.0, 1.0),  # face to the left .. to the right, about the vertical axis
    "tilt": (-1.0, 1.0),  # top of the head to the left .. to the right, in the image's plane
    "face_width": (0.0, 1.0),  # narrow .. wide
    "skin_tone": (0.0, 1.0),  # light .. dark
    "background": (0.0, 1.0),  # once round the colour wheel: 0 and 1 are the same salmon
}

# The other factors are a position in a list of words; the numbers are their relative frequencies.
CHOICES = {
    "hair_style": {
        "bald": 2, "short": 3, "spiky": 3, "bob": 3, "long": 3, "curly": 3, "bun": 3, "pigtails": 2,
    },
    "hair_colour": {"black": 1, "brown": 1, "red": 1, "blond": 1, "blue": 1},
    "glasses": {"no glasses": 3, "glasses": 2},
    "beard": {"no beard": 2, "beard": 1},
    "age": {"child": 1, "adult": 1, "old": 1},
}  # fmt: skip

FACTORS = (*RANGES, *CHOICES)
ENDS = RANGES | {name: (0, len(words) - 1) for name, words in CHOICES.items()}

# Two faces that agree in these show the same person, whatever the age, mood, pose or wall.
IDENTITY_FACTORS = ("face_width", "skin_tone", "hair_style", "hair_colour", "beard")

# Fixed, these make faces that look into the camera with open eyes.
FACING = {"head_turn": 0.0, "tilt": 0.0, "gaze": 0.0, "eye_openness": 0.8}

WALLS = ("salmon", "yellow", "green", "turquoise", "blue", "lilac")


def sample_factors(size: int, seed: int = 0) -> dict[str, Tensor]:
    """Independent factors of `size` faces, the same on every device.

    The first faces do not depend on `size`.

    Args:
        size: how many faces.
        seed: of the random numbers.

    Returns:
        name -> (size,) tensor on the CPU: float32 for `RANGES`, int64 for `CHOICES`.

    Raises:
        ValueError: `size` is not a whole number of at least 1.

    Example:
        >>> factors = sample_factors(100)
        >>> len(factors), factors["smile"].shape, factors["glasses"].unique().tolist()
        (13, torch.Size([100]), [0, 1])
    """
    size, seed = drawable(size, seed, 3, 32, 32)
    generator = torch.Generator().manual_seed(seed)
    # One row per face, so that more faces only add rows.
    uniform = torch.rand(size, len(FACTORS), generator=generator)
    factors = {}
    for name, column in zip(FACTORS, uniform.T.contiguous(), strict=True):
        if name in RANGES:
            low, high = RANGES[name]
            factors[name] = low + (high - low) * column
        else:
            odds = torch.tensor(list(CHOICES[name].values()), dtype=torch.float32)
            factors[name] = torch.bucketize(column, (odds / odds.sum()).cumsum(0)[:-1], right=True)
    return factors


def check_factors(factors: Mapping[str, Tensor]) -> None:
    """Refuse factors that do not describe one or more faces.

    Raises:
        ValueError: a factor is missing, unknown, of another shape or out of its range.
    """
    check_ranges(factors, ENDS, "a face")
    for name in CHOICES:
        values = torch.as_tensor(factors[name])
        if name != "age" and not (values == values.round()).all():
            raise ValueError(f"Every {name} must be a whole number, and one is not.")


def caption(factors: Mapping[str, float], seed: int = 0) -> str:
    """One English sentence about one face.

    It has the age, hair, glasses, beard, mood and wall, and, where they are visible, the turn of
    the head and closed eyes.

    Args:
        factors: name -> number or tensor with one element.
        seed: chooses among wordings of equal meaning.

    Example:
        >>> from course_utils.data.face_sheet import PLAIN
        >>> caption(PLAIN)
        'A grown-up with neat short brown hair, serious, on a turquoise background.'
    """
    value = {name: float(factors[name]) for name in FACTORS}
    choose = random.Random(seed).choice
    word = {name: list(words)[round(value[name])] for name, words in CHOICES.items()}

    person = choose(_PERSON[word["age"]])
    colour = "grey" if word["age"] == "old" else word["hair_colour"]
    features = [choose(_HAIR[word["hair_style"]]).format(colour=colour)]
    if word["glasses"] == "glasses":
        features.append(choose(("glasses", "round glasses", "a pair of glasses")))
    if word["beard"] == "beard":
        features.append(choose((f"a {colour} beard", f"a full {colour} beard")))

    parts = [f"{person} with {_join(features)}", choose(_mood(value["smile"]))]
    if value["eye_openness"] < 0.15:
        parts.append(choose(("eyes closed", "with closed eyes")))
    if abs(value["head_turn"]) > 0.35:
        side = "right" if value["head_turn"] > 0 else "left"
        parts.append(choose((f"turned to the {side}", f"facing {side}")))
    wall = WALLS[round(value["background"] * len(WALLS)) % len(WALLS)]
    parts.append(choose((f"in front of a {wall} wall", f"on a {wall} background")))
    return ", ".join(parts) + "."


_PERSON = {
    "child": ("A child", "A young child", "A kid"),
    "adult": ("An adult", "A grown-up"),
    "old": ("An old person", "An elderly person"),
}
_HAIR = {
    "bald": ("a bald head", "no hair"),
    "short": ("short {colour} hair", "neat short {colour} hair"),
    "spiky": ("spiky {colour} hair", "{colour} hair in spikes"),
    "bob": ("a {colour} bob", "{colour} hair cut in a bob"),
    "long": ("long {colour} hair", "{colour} hair worn long"),
    "curly": ("curly {colour} hair", "{colour} curls"),
    "bun": ("{colour} hair in a bun", "a {colour} bun"),
    "pigtails": ("{colour} pigtails", "{colour} hair in pigtails"),
}


def _mood(smile: float) -> tuple[str, ...]:
    if smile > 0.5:
        return ("smiling broadly", "with a big smile", "beaming")
    if smile > 0.15:
        return ("smiling", "with a smile")
    if smile > -0.15:
        return ("serious", "with a serious face")
    if smile > -0.5:
        return ("a little sad", "frowning a little")
    return ("very sad", "with a sad face")


def _join(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
