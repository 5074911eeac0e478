"""Notebook 02b: wrong answers get the right hint, and search and mending do what they say."""

import pytest
import torch

from course_utils import models
from course_utils.exercises import autoencoder_uses as exercises
from course_utils.metrics import retrieval

WRONG = [
    (exercises.check_precision, lambda f, w, k: (f == w[:, None]).float().mean(1), "cut off"),
    (exercises.check_precision, lambda f, w, k: (f[:, :k] == w[:, None]).sum(1), "divided by k"),
    (
        exercises.check_precision,
        lambda f, w, k: (f[:, :k] == w[:, None]).sum(1).float(),
        "divided by k",
    ),
    (exercises.check_precision, lambda f, w, k: (f[:, :k] == w[:, None]).float(), "shape"),
    (exercises.check_precision, lambda f, w, k: f[:, :k] == w[:, None], "true or false"),
    (
        exercises.check_precision,
        lambda f, w, k: (f[:, :k] == w[:, None]).float().mean(),
        "each query",
    ),
    (
        exercises.check_precision,
        lambda f, w, k: (f[:, :k] == w[:, None]).float().mean().item(),
        "each query",
    ),
    (exercises.check_precision, lambda f, w, k: (f == w[:, None]).sum(1) / k, "only those among"),
    (
        exercises.check_precision,
        lambda f, w, k: (f[:, :k] == w[:, None]).sum(1) / f.shape[1],
        "divide by k",
    ),
    (
        exercises.check_precision,
        lambda f, w, k: (f[:, -k:] == w[:, None]).float().mean(1),
        "last k",
    ),
    (
        exercises.check_precision,
        lambda f, w, k: (f[:, :k] != w[:, None]).float().mean(1),
        "misses",
    ),
    (
        exercises.check_precision,
        lambda f, w, k: (f[:, : k - 1] == w[:, None]).float().mean(1),
        "k - 1",
    ),
    (exercises.check_precision, lambda f, w, k: torch.ones(len(w)) / 7, "the first 4 give"),
    (exercises.check_precision, lambda f, w, k: f[:, :k] == w, "RuntimeError"),
    (exercises.check_precision, 42, "function is needed"),
    (exercises.check_hamming, lambda a, s: a[:, None] ^ s, "count over the bits"),
    (exercises.check_hamming, lambda a, s: (a[:, None] ^ s).any(2), "no distance"),
    (exercises.check_hamming, lambda a, s: (a[:, None] == s).sum(2), "agree"),
    (exercises.check_hamming, lambda a, s: (a[:, None] ^ s).float().mean(2), "share of bits"),
    (exercises.check_hamming, lambda a, s: (a[:, None] & s).sum(2), "on in both"),
    (exercises.check_hamming, lambda a, s: (a[:, None] | s).sum(2), "on in either"),
    (exercises.check_hamming, lambda a, s: torch.cdist(a.float(), s.float()), "Euclidean"),
    (exercises.check_hamming, lambda a, s: (a[:, None] & ~s).sum(2), "both ways"),
    (exercises.check_hamming, lambda a, s: (s[:, None] ^ a).sum(2), "turned round"),
    (exercises.check_hamming, lambda a, s: (a ^ s[: len(a)]).sum(1), "every query with every"),
    (exercises.check_hamming, lambda a, s: a @ s, "RuntimeError"),
    (exercises.check_hamming, lambda a, s: torch.full((len(a), len(s)), 0.3), "get 0.3"),
    (exercises.check_psnr, lambda x, t: ((x - t) ** 2).mean().log10() * -10, "whole batch"),
    (
        exercises.check_psnr,
        lambda x, t: ((x - t) ** 2).flatten(1).mean(1).log10() * 10,
        "sign",
    ),
    (exercises.check_psnr, lambda x, t: ((x - t) ** 2).flatten(1).mean(1).log() * -10, "natural"),
    (exercises.check_psnr, lambda x, t: ((x - t) ** 2).flatten(1).sum(1).log10() * -10, "summed"),
    (
        exercises.check_psnr,
        lambda x, t: ((x - t) ** 2).flatten(1).mean(1).log10() * -20,
        "twice",
    ),
    (
        exercises.check_psnr,
        lambda x, t: ((x - t) ** 2).flatten(1).mean(1).sqrt().log10() * -10,
        "half",
    ),
    (exercises.check_psnr, lambda x, t: -((x - t) ** 2).flatten(1).mean(1).log10(), "10 times"),
    (exercises.check_psnr, lambda x, t: (x - t).abs().flatten(1).mean(1).log10() * -10, "square"),
    (exercises.check_psnr, lambda x, t: ((x - t) ** 2).flatten(1).mean(1), "now take"),
    (exercises.check_psnr, lambda x, t: ((x - t) ** 2).mean((0, 1)), "shape"),
    (exercises.check_psnr, lambda x, t: torch.full((len(x),), 7.0), "yours is 7.00"),
    (exercises.check_hole_loss, lambda x, t, h: ((x - t) ** 2).flatten(1).mean(1), "whole image"),
    (
        exercises.check_hole_loss,
        lambda x, t, h: ((x - t) ** 2 * h).flatten(1).mean(1),
        "divided by all pixels",
    ),
    (
        exercises.check_hole_loss,
        lambda x, t, h: ((x - t) ** 2 * h).flatten(1).sum(1) / h.flatten(1).sum(1),
        "several colours",
    ),
    (exercises.check_hole_loss, lambda x, t, h: ((x - t) ** 2 * h).flatten(1).sum(1), "summed"),
    (
        exercises.check_hole_loss,
        lambda x, t, h: ((x - t) ** 2)[h.expand_as(t)].mean(),
        "whole batch",
    ),
    (
        exercises.check_hole_loss,
        lambda x, t, h: ((x - t) ** 2 * ~h).flatten(1).sum(1) / (~h).flatten(1).sum(1) / 3,
        "turned round",
    ),
    (
        exercises.check_hole_loss,
        lambda x, t, h: ((x - t) ** 2 * h).flatten(1).sum(1) / h.sum() / 3,
        "its own",
    ),
    (
        exercises.check_hole_loss,
        lambda x, t, h: ((x - t).abs() * h).flatten(1).sum(1) / h.flatten(1).sum(1) / 3,
        "absolute",
    ),
    (
        exercises.check_hole_loss,
        lambda x, t, h: (((x - t) ** 2 * h).flatten(1).sum(1) / h.flatten(1).sum(1) / 3).detach(),
        "no gradient",
    ),
    (exercises.check_hole_loss, lambda x, t, h: torch.full((len(x),), 0.5), "yours is 0.5000"),
]


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    check(answer)
    said = capsys.readouterr().out
    assert said.startswith("✘ Exercise") and hint in said


def test_hamming_agrees_with_counting_bit_by_bit():
    asked, stored = torch.rand(5, 9) < 0.5, torch.rand(7, 9) < 0.5
    counted = [[sum(a != b for a, b in zip(q.tolist(), s.tolist())) for s in stored] for q in asked]
    assert retrieval.hamming(asked, stored).tolist() == counted


def test_hamming_refuses_numbers():
    with pytest.raises(ValueError, match="threshold"):
        retrieval.hamming(torch.rand(2, 4), torch.rand(2, 4))


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
    with pytest.raises(ValueError, match="ask for 1"):
        retrieval.precision_at(torch.ones(2, 4, dtype=torch.bool), k)


def test_a_restorer_begins_by_trusting_its_input_and_can_learn():
    net = models.Restorer(width=4)
    damaged, image = torch.rand(4, 3, 16, 24), torch.rand(4, 3, 16, 24)
    drawn, doubt = net.parts(damaged)
    assert drawn.shape == damaged.shape and doubt.shape == (4, 1, 16, 24)
    assert torch.allclose(doubt, torch.full_like(doubt, 0.2689), atol=1e-4)
    assert torch.allclose(net(damaged), (1 - doubt) * damaged + doubt * drawn, atol=1e-6)
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
