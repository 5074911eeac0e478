"""Lesson 02b: search and restoration do what they say."""

import numpy
import pytest
import torch

from course_utils import models
from course_utils.metrics import retrieval


def test_hamming_agrees_with_counting_bit_by_bit():
    asked, stored = torch.rand(5, 9) < 0.5, torch.rand(7, 9) < 0.5
    counted = [[sum(a != b for a, b in zip(q.tolist(), s.tolist())) for s in stored] for q in asked]
    assert retrieval.hamming(asked, stored).tolist() == counted


def test_hamming_refuses_numbers():
    with pytest.raises(ValueError, match="threshold"):
        retrieval.hamming(torch.rand(2, 4), torch.rand(2, 4))


@pytest.mark.parametrize("bits", [8, 24, 64, 136])
def test_packed_codes_have_the_hamming_distances_of_the_booleans(bits):
    asked, stored = torch.rand(5, bits) < 0.5, torch.rand(7, bits) < 0.5
    stored[0], stored[1] = True, False  # the sign of a word is a bit like the others
    ours, theirs = retrieval.packed(asked), retrieval.packed(stored)
    assert theirs.dtype == torch.uint8 and theirs.shape == (7, bits // 8)
    counted = retrieval.popcount(ours[:, None] ^ theirs)
    assert counted.equal(retrieval.hamming(asked, stored).long())


def test_bits_are_counted_alike_without_the_processors_instruction():
    words = torch.randint(-(2**63), 2**63 - 1, (500,))
    words[:3] = torch.tensor([0, -1, -(2**63)])
    counted = [bin(word & (2**64 - 1)).count("1") for word in words.tolist()]
    assert retrieval._ones(words).tolist() == counted
    assert retrieval.popcount(words[:, None].view(torch.uint8)).tolist() == counted


def test_packing_agrees_with_numpy():
    bits = torch.rand(6, 40) < 0.5
    expected = numpy.packbits(bits.numpy(), axis=1, bitorder="little")
    assert retrieval.packed(bits).numpy().tolist() == expected.tolist()


def test_equal_distances_keep_the_order_of_the_gallery():
    assert retrieval.ranked(torch.tensor([[1.0, 0.0, 1.0, 0.0]])).tolist() == [[1, 3, 0, 2]]


def test_distances_take_images_as_well_as_codes():
    images = torch.rand(3, 1, 4, 4)
    assert torch.allclose(
        retrieval.euclidean(images, images),
        retrieval.euclidean(images.flatten(1), images.flatten(1)),
    )


def test_precision_and_average_precision_by_hand():
    hits = torch.tensor([[True, False, True, False], [False, False, False, True]])
    assert retrieval.precision_at(hits, 2).tolist() == [0.5, 0.0]
    average = retrieval.average_precision(hits)
    assert average.tolist() == pytest.approx([(1 + 2 / 3) / 2, 1 / 4])
    assert retrieval.average_precision(torch.zeros(1, 3, dtype=torch.bool)).tolist() == [0.0]


def test_average_precision_agrees_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    hits = torch.rand(6, 40) < 0.3
    scores = -torch.arange(40.0)
    expected = [metrics.average_precision_score(row.int(), scores) for row in hits]
    assert retrieval.average_precision(hits).tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("k", [0, 5])
def test_more_than_was_found_is_refused(k):
    with pytest.raises(ValueError, match="whole number from 1 to"):
        retrieval.precision_at(torch.ones(2, 4, dtype=torch.bool), k)


def test_a_restorer_begins_by_keeping_most_of_its_input_and_can_learn():
    net = models.Restorer(width=4)
    damaged, image = torch.rand(4, 3, 16, 24), torch.rand(4, 3, 16, 24)
    predicted, mask = net.parts(damaged)
    assert predicted.shape == damaged.shape and mask.shape == (4, 1, 16, 24)
    assert torch.allclose(mask, torch.full_like(mask, 0.2689), atol=1e-4)
    assert torch.allclose(net(damaged), (1 - mask) * damaged + mask * predicted, atol=1e-6)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    errors = []
    for _ in range(20):
        loss = (net(damaged) - image).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        errors.append(loss.item())
    assert all(parameter.grad is not None for parameter in net.parameters())
    assert errors[-1] < 0.8 * errors[0]


def test_a_restorer_refuses_images_it_cannot_halve():
    with pytest.raises(ValueError, match="multiple of 8"):
        models.Restorer()(torch.rand(1, 3, 28, 28))
