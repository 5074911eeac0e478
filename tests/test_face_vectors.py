"""Faces as vectors: there and back for thousands of faces, and what lies between the choices."""

import math

import pytest
import torch

from course_utils.data import face_vectors
from course_utils.data.face_factors import CHOICES, FACTORS, RANGES, sample_factors


def encode_one(name, *values):
    return face_vectors.encode({name: torch.tensor(values)}, [name])


def decode_one(name, *rows):
    return face_vectors.decode(torch.tensor(rows), [name])[name]


def test_faces_come_back_as_they_went_and_the_choices_also_when_a_network_errs_a_little():
    names, factors = FACTORS[::-1], sample_factors(5_000)
    vectors = face_vectors.encode(factors, names)
    parts = [face_vectors.encode({name: factors[name]}, [name]) for name in names]
    assert torch.equal(vectors, torch.cat(parts, dim=1))
    widths = [part.shape[1] for part in parts]
    assert widths == [3, 1, 1, 5, 8, 2, *[1] * 7] == [face_vectors.width(name) for name in names]
    assert vectors.dtype == torch.float32 and vectors.abs().max() <= 1
    noise = torch.rand(vectors.shape, generator=torch.Generator().manual_seed(0)) - 0.5
    again, nearly = (face_vectors.decode(v, names) for v in (vectors, vectors + 0.9 * noise))
    assert list(again) == list(names)
    for name, values in factors.items():
        assert again[name].dtype == values.dtype and again[name].shape == values.shape
        if name in CHOICES:
            assert torch.equal(again[name], values) and torch.equal(nearly[name], values), name
        else:
            torch.testing.assert_close(again[name], values, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", [name for name in RANGES if name != "background"])
def test_the_ends_of_a_range_become_minus_one_and_one(name):
    low, high = RANGES[name]
    encoded = encode_one(name, low, (low + high) / 2, high)
    torch.testing.assert_close(encoded, torch.tensor([[-1.0], [0.0], [1.0]]))
    assert decode_one(name, [-1.7], [0.0], [30.0]).tolist() == [low, (low + high) / 2, high]


def test_the_wall_goes_round_and_is_read_by_its_direction_alone():
    encoded = encode_one("background", 0.0, 0.25, 0.5, 0.75, 1.0)
    corners = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0], [1.0, 0.0]]
    torch.testing.assert_close(encoded, torch.tensor(corners), atol=1e-6, rtol=0)
    share = torch.linspace(0, 1, 101)[:-1]
    rows = torch.stack([(2 * math.pi * share).cos(), (2 * math.pi * share).sin()], dim=1)
    for length in (0.01, 1.0, 50.0):
        read = face_vectors.decode(length * rows, ["background"])["background"]
        assert read.min() >= 0 and read.max() <= 1
        away = (read - share).abs()
        assert torch.minimum(away, 1 - away).max() < 1e-5


def test_an_age_between_two_stages_and_half_a_pair_of_glasses_can_be_asked_for():
    ages = torch.linspace(0, 2, 200)
    encoded = face_vectors.encode({"age": ages}, ["age"])
    torch.testing.assert_close(encoded.sum(1), torch.ones(200))
    torch.testing.assert_close(encoded @ torch.arange(3.0), ages)
    assert (encoded > 1e-6).sum(1).max() == 2
    assert torch.equal(face_vectors.decode(encoded, ["age"])["age"], ages.round().long())
    for whole in (torch.arange(3), torch.arange(3.0), torch.arange(3, dtype=torch.float64)):
        assert torch.equal(face_vectors.encode({"age": whole}, ["age"]), torch.eye(3))
    assert encode_one("glasses", 0.0, 0.5, 1.0).tolist() == [[0.0], [0.5], [1.0]]
    assert decode_one("glasses", [-0.2], [0.4], [0.6], [1.3]).tolist() == [0, 0, 1, 1]


def test_unknown_or_missing_names_and_vectors_of_another_width_are_refused():
    two = {"smile": torch.zeros(2), "nose": torch.zeros(2)}
    for call in (
        lambda: face_vectors.width("nose"),
        lambda: face_vectors.encode(two, ["smile", "nose"]),
        lambda: face_vectors.decode(torch.zeros(2, 2), ["smile", "nose"]),
    ):
        with pytest.raises(ValueError, match="no factor 'nose'; a face has smile, "):
            call()
    with pytest.raises(ValueError, match="'age' is missing; these are smile"):
        face_vectors.encode(two, ["smile", "age"])
    says = r"\['smile', 'age'\] take vectors \(N, 4\); these are"
    for shape in ((4, 3), (4, 5), (4,)):
        with pytest.raises(ValueError, match=says):
            face_vectors.decode(torch.zeros(shape), ["smile", "age"])
