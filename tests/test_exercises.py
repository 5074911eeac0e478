"""Exercises: the stub runs, the solution in the notebook passes, and wrong answers get a hint."""

import math
import re

import pytest
import torch

from course_utils import losses
from course_utils.authoring.notebooks import NOTEBOOKS, read
from course_utils.authoring.variants import exercises
from course_utils.exercises import (
    autoencoder_uses,
    autoencoders,
    conditional_gan,
    conditional_uses,
    cyclegan,
    resnet,
    start_here,
    style_transfer,
)
from course_utils.exercises import (
    gans_and_mode_collapse as gans,
)
from course_utils.exercises import (
    vae_latent_space as vae,
)


def number(path):
    """Of a notebook: "02b" of 02b_autoencoder_uses."""
    return path.stem.split("_")[0]


def exercises_of(path):
    """(name, stub, check, solution) of every exercise of a notebook."""
    for _, stub, call, solution in exercises(read(path)):
        yield re.search(r"def (\w+)", stub).group(1), stub, call, solution


EXERCISES = [
    pytest.param(path, *exercise, id=f"{number(path)}-{exercise[0]}")
    for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    for exercise in exercises_of(path)
]


MODULES = {
    "00": start_here,
    "01": style_transfer,
    "02": autoencoders,
    "02b": autoencoder_uses,
    "03": vae,
    "04": gans,
    "05": conditional_gan,
    "05b": conditional_uses,
    "06": cyclegan,
    "07": resnet,
}
COUNTS = {
    "00": 3,
    "01": 4,
    "02": 5,
    "02b": 4,
    "03": 5,
    "04": 5,
    "05": 5,
    "05b": 4,
    "06": 4,
    "07": 4,
}


def run(path, call, source):
    """Let the check of the notebook speak about a source."""
    scope = {"torch": torch, "exercises": MODULES[number(path)]}
    exec(source, scope)
    assert eval(call, scope) is None  # a value would be shown below the verdict


@pytest.mark.parametrize(("notebook", "count"), COUNTS.items())
def test_no_exercise_of_a_notebook_is_overlooked(notebook, count):
    assert len([one for one in EXERCISES if one.id.split("-")[0] == notebook]) == count


@pytest.mark.parametrize(("path", "name", "stub", "call", "solution"), EXERCISES)
def test_the_stub_is_not_attempted(path, name, stub, call, solution, capsys):
    run(path, call, stub)
    said = capsys.readouterr().out
    assert said.startswith("○ Exercise") and "not attempted" in said


@pytest.mark.parametrize(("path", "name", "stub", "call", "solution"), EXERCISES)
def test_the_solution_is_right(path, name, stub, call, solution, capsys):
    run(path, call, solution)
    assert capsys.readouterr().out.startswith("✔ Exercise")


def per_number(mu, logvar):
    return 0.5 * (logvar.exp() - logvar - 1 + mu**2)


WRONG = [
    (vae.check_kl, lambda mu, logvar: -per_number(mu, logvar).sum(1), "sign"),
    (vae.check_kl, lambda mu, logvar: 2 * per_number(mu, logvar).sum(1), "½"),
    (vae.check_kl, lambda mu, logvar: per_number(mu, logvar).mean(1), "averaged"),
    (vae.check_kl, lambda mu, logvar: per_number(mu, logvar).sum(), "whole batch"),
    (vae.check_kl, per_number, "sum over the latent numbers"),
    (vae.check_kl, lambda mu, logvar: (per_number(mu, logvar) + 0.5).sum(1), "-1 is missing"),
    (vae.check_kl, lambda mu, logvar: per_number(mu, 0.5 * logvar).sum(1), "do not halve"),
    (
        vae.check_kl,
        lambda mu, logvar: (per_number(mu, logvar) + (mu - mu**2) / 2).sum(1),
        "squared",
    ),
    (vae.check_kl, lambda mu, logvar: (mu**2).sum(1), "term by term"),
    (vae.check_kl, lambda mu, logvar: per_number(mu, logvar).sum(0), "shape"),
    (vae.check_kl, lambda mu, logvar: 3.0, "return a tensor"),
    (vae.check_kl, lambda mu, logvar: (mu / 0).sum(1), "finite"),
    (vae.check_kl, lambda mu, logvar: mu @ logvar, "RuntimeError"),
    (vae.check_kl, 42, "function is needed"),
    (vae.check_reparameterise, lambda mu, logvar: mu + torch.randn_like(mu), "logvar"),
    (vae.check_reparameterise, lambda mu, logvar: mu, "same code"),
    (
        vae.check_reparameterise,
        lambda mu, logvar: mu + logvar.exp() * torch.randn_like(mu),
        "spread is the variance",
    ),
    (
        vae.check_reparameterise,
        lambda mu, logvar: mu + (0.5 * logvar).exp() * (torch.rand_like(mu) - 0.5),
        "uniform",
    ),
    (
        vae.check_reparameterise,
        lambda mu, logvar: (mu + (0.5 * logvar).exp() * torch.randn_like(mu)).detach(),
        "no gradient",
    ),
    (
        vae.check_reparameterise,
        lambda mu, logvar: mu + (0.5 * logvar).exp() * torch.rand_like(mu),
        "mean",
    ),
    (
        vae.check_reparameterise,
        lambda mu, logvar: mu + (0.5 * logvar).exp() * torch.randn(1, 2),
        "every image gets the same noise",
    ),
    (
        vae.check_reparameterise,
        lambda mu, logvar: mu + (0.5 * logvar).exp() * torch.randn(len(mu), 1),
        "all numbers of a code get the same noise",
    ),
    (vae.check_reparameterise, lambda mu, logvar: mu + logvar * torch.randn_like(mu), "σ"),
    (
        vae.check_interpolate,
        lambda a, b, n: torch.lerp(b, a, torch.linspace(0, 1, n)[:, None]),
        "from the end",
    ),
    (
        vae.check_interpolate,
        lambda a, b, n: torch.lerp(a, b, torch.linspace(0, 1, n + 1)[:n, None]),
        "both included",
    ),
    (
        vae.check_interpolate,
        lambda a, b, n: torch.lerp(a, b, torch.linspace(0, 1, n)[:, None] ** 2),
        "half of each",
    ),
    (
        vae.check_interpolate,
        lambda a, b, n: torch.lerp(a, b, torch.linspace(0, 1, n)[:, None]).T,
        "one row a step",
    ),
    (vae.check_active_units, lambda mu: (mu.std(0) > 0.01).sum(), "variance"),
    (vae.check_active_units, lambda mu: (mu.mean(0).abs() > 0.01).sum().item(), "mean"),
    (vae.check_active_units, lambda mu: (mu.var(0) <= 0.01).sum().item(), "asleep"),
    (vae.check_active_units, lambda mu: mu.var(0) > 0.01, "not a tensor of shape"),
    (vae.check_active_units, lambda mu: "three", "as a number"),
    (vae.check_active_units, lambda mu: 100, "100 units of 7"),
    (vae.check_active_units, lambda mu: 3, "Exercise 4"),
    (
        vae.check_reparameterise,
        lambda mu, logvar: mu + (0.5 * logvar).exp() * torch.randn_like(mu).sign(),
        "not normal",
    ),
    (
        vae.check_kl,
        lambda mu, logvar: losses.gaussian_kl(*vae._posteriors()),
        "wrong for another",
    ),
    (vae.check_importance_weighted, lambda w: w.mean(1), "inside the log"),
    (vae.check_importance_weighted, lambda w: w.logsumexp(1), "1/k"),
    (vae.check_importance_weighted, lambda w: math.log(64) - w.logsumexp(1), "sign"),
    (vae.check_importance_weighted, lambda w: w.exp().mean(1).log(), "logsumexp"),
    (vae.check_importance_weighted, lambda w: w.max(1).values, "log of the mean"),
    (vae.check_importance_weighted, lambda w: w.logsumexp(0), "shape"),
]


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    check(answer)
    said = capsys.readouterr().out
    assert said.startswith("✘ Exercise") and hint in said


@pytest.mark.parametrize("seed", range(8))
def test_noise_of_two_values_is_not_normal_whatever_the_first_images_drew(seed, capsys):
    """Where two images happen to agree in all their signs it is still not the same noise."""
    torch.manual_seed(seed)
    vae.check_reparameterise(
        lambda mu, logvar: mu + (0.5 * logvar).exp() * torch.randn_like(mu).sign()
    )
    assert "not normal" in capsys.readouterr().out
