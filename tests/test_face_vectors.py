"""Faces as vectors: there and back for thousands of faces, and what lies between the choices."""

import math

import pytest
import torch

from course_utils.data import face_vectors
from course_utils.data.face_factors import (
    CHOICES,
    FACTORS,
    RANGES,
    sample_factors,
)

FACES = 5_000
NUMBERS = ("smile", "eye_openness", "gaze", "head_turn", "tilt", "face_width", "skin_tone")


def there_and_back(factors, names):
    return face_vectors.decode(face_vectors.encode(factors, names), names)


def encode_one(name, *values):
    return face_vectors.encode({name: torch.tensor(values)}, [name])


def decode_one(name, *rows):
    return face_vectors.decode(torch.tensor(rows), [name])[name]


@pytest.mark.parametrize("seed", [0, 1])
def test_faces_come_back_as_they_went(seed):
    factors = sample_factors(FACES, seed)
    again = there_and_back(factors, FACTORS)
    assert list(again) == list(FACTORS)
    for name, values in factors.items():
        assert again[name].dtype == values.dtype and again[name].shape == (FACES,)
        if name in CHOICES:
            assert torch.equal(again[name], values), name
        else:
            torch.testing.assert_close(again[name], values, atol=1e-5, rtol=0)


def test_a_network_that_reads_a_little_wrong_still_finds_the_choices():
    factors = sample_factors(FACES, seed=2)
    vectors = face_vectors.encode(factors, FACTORS)
    noise = torch.rand(vectors.shape, generator=torch.Generator().manual_seed(0)) - 0.5
    again = face_vectors.decode(vectors + 0.9 * noise, FACTORS)
    for name in CHOICES:
        assert torch.equal(again[name], factors[name]), name


def test_what_is_told_is_float32_and_between_minus_one_and_one():
    vectors = face_vectors.encode(sample_factors(FACES), FACTORS)
    assert vectors.dtype == torch.float32
    assert vectors.shape == (FACES, sum(map(face_vectors.width, FACTORS)))
    assert vectors.min() >= -1 and vectors.max() <= 1


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("smile", 1), ("background", 2), ("glasses", 1), ("beard", 1), ("age", 3), ("hair_style", 8),
     ("hair_colour", 5)],
)  # fmt: skip
def test_a_factor_takes_as_many_numbers_as_it_needs(name, numbers):
    assert face_vectors.width(name) == numbers
    assert face_vectors.encode(sample_factors(7), [name]).shape == (7, numbers)


@pytest.mark.parametrize("name", NUMBERS)
def test_the_ends_of_a_range_become_minus_one_and_one(name):
    low, high = RANGES[name]
    told = encode_one(name, low, (low + high) / 2, high)
    torch.testing.assert_close(told, torch.tensor([[-1.0], [0.0], [1.0]]))
    assert decode_one(name, [-1.7], [0.0], [30.0]).tolist() == [low, (low + high) / 2, high]


def test_every_number_has_a_test():
    assert {*NUMBERS, "background"} == set(RANGES)


def test_the_wall_goes_round():
    told = encode_one("background", 0.0, 0.25, 0.5, 0.75, 1.0)
    corners = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0], [1.0, 0.0]]
    torch.testing.assert_close(told, torch.tensor(corners), atol=1e-6, rtol=0)
    nearly = encode_one("background", 0.01, 0.99)
    assert (nearly[0] - nearly[1]).norm() < 0.13  # two hundredths of the circle


def test_a_wall_is_read_by_its_direction_alone():
    angle = 2 * math.pi * torch.linspace(0, 1, 101)[:-1]
    rows = torch.stack([angle.cos(), angle.sin()], dim=1)
    for length in (0.01, 1.0, 50.0):
        read = face_vectors.decode(length * rows, ["background"])["background"]
        assert read.min() >= 0 and read.max() <= 1
        away = (read - angle / (2 * math.pi)).abs()
        assert torch.minimum(away, 1 - away).max() < 1e-5


def test_an_age_between_two_stages_is_a_share_of_each():
    ages = torch.linspace(0, 2, 201)
    told = face_vectors.encode({"age": ages}, ["age"])
    torch.testing.assert_close(told.sum(1), torch.ones(201))
    torch.testing.assert_close(told @ torch.arange(3.0), ages)
    assert (told > 1e-6).sum(1).max() == 2
    torch.testing.assert_close(encode_one("age", 0.25, 1.9)[1], torch.tensor([0.0, 0.1, 0.9]))


def test_a_whole_age_is_one_hot_whatever_its_type():
    for ages in (torch.arange(3), torch.arange(3.0), torch.arange(3, dtype=torch.float64)):
        assert torch.equal(face_vectors.encode({"age": ages}, ["age"]), torch.eye(3))


def test_an_age_is_read_as_the_nearest_stage():
    ages = torch.tensor([0.0, 0.4, 0.6, 1.0, 1.4, 1.6, 2.0])
    assert there_and_back({"age": ages}, ["age"])["age"].tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_half_a_pair_of_glasses_can_be_asked_for():
    assert encode_one("glasses", 0.0, 0.5, 1.0).tolist() == [[0.0], [0.5], [1.0]]
    assert decode_one("glasses", [-0.2], [0.4], [0.6], [1.3]).tolist() == [0, 0, 1, 1]


def test_the_order_of_the_names_is_kept():
    names = ["beard", "smile", "age", "background"]
    factors = sample_factors(20)
    parts = [face_vectors.encode(factors, [name]) for name in names]
    vectors = face_vectors.encode(factors, names)
    assert torch.equal(vectors, torch.cat(parts, dim=1))
    assert list(face_vectors.decode(vectors, names)) == names
    turned = face_vectors.encode(factors, names[::-1])
    assert torch.equal(turned, torch.cat(parts[::-1], dim=1))


def test_only_what_is_asked_for_need_be_known():
    assert face_vectors.encode({"smile": torch.zeros(3)}, ["smile"]).tolist() == [[0.0]] * 3


def test_unknown_names_are_refused():
    factors = sample_factors(2)
    for call in (
        lambda: face_vectors.width("nose"),
        lambda: face_vectors.encode(factors, ["smile", "nose"]),
        lambda: face_vectors.encode(factors | {"nose": torch.zeros(2)}, ["nose"]),
        lambda: face_vectors.decode(torch.zeros(2, 2), ["smile", "nose"]),
    ):
        with pytest.raises(ValueError, match="no factor 'nose'; a face has smile, "):
            call()


def test_a_factor_that_is_missing_is_named():
    with pytest.raises(ValueError, match="'age' is missing; these are smile"):
        face_vectors.encode({"smile": torch.zeros(2)}, ["smile", "age"])


@pytest.mark.parametrize("shape", [(4, 3), (4, 5), (4,), (4, 2, 2)])
def test_vectors_of_another_width_are_refused(shape):
    with pytest.raises(ValueError, match=r"\['smile', 'age'\] take vectors \(N, 4\); these are"):
        face_vectors.decode(torch.zeros(shape), ["smile", "age"])
