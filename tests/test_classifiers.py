"""The four classifiers and the cookies: closed forms, gradients, and scikit-learn as a second
derivation."""

import pytest
import torch
from torch.distributions import MultivariateNormal

from course_utils.data import cookies
from course_utils.models.classifiers import (
    KINDS,
    GaussianClassifier,
    LogisticRegression,
    error_rate,
)


@pytest.fixture
def sets():
    return cookies.draw(20, 4, generator=torch.Generator().manual_seed(1))


def test_the_true_density_of_the_cookies_integrates_to_one_and_fits_their_samples():
    line = torch.linspace(-4, 26, 900).double()
    plane, cell = torch.cartesian_prod(line, line), (line[1] - line[0]) ** 2
    for jars in ({}, {"skew": 0.0}, {"skew": 0.0, "correlation": 0.0}):
        total = cookies.log_density(plane, **jars).exp().sum(0) * cell
        torch.testing.assert_close(total, torch.ones(2).double(), atol=2e-3, rtol=0)
    x, y = cookies.draw(20_000, generator=torch.Generator().manual_seed(2))
    inside = (plane - torch.tensor([6.5, 5.0])).abs().amax(1) < 1
    mass = (cookies.log_density(plane)[inside, 0].exp().sum() * cell).item()
    share = ((x[y == 0] - torch.tensor([6.5, 5.0])).abs().amax(1) < 1).double().mean().item()
    assert abs(mass - share) < 0.02


def test_gaussian_cookies_have_the_correlation_that_was_asked_for():
    x, y = cookies.draw(20_000, skew=0.0, correlation=0.3)
    assert abs(torch.corrcoef(x[y == 1].T)[0, 1] - 0.3) < 0.03


@pytest.mark.parametrize("bad", [{"correlation": 1.0}, {"skew": -0.1}, {"skew": float("nan")}])
def test_jars_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError):
        cookies.draw(3, **bad)


@pytest.mark.parametrize("kind", KINDS)
def test_many_sets_at_once_are_what_each_is_alone(sets, kind):
    x, y = sets
    together = GaussianClassifier.fit(x, y, kind)
    for number in range(len(x)):
        alone = GaussianClassifier.fit(x[number], y[number], kind)
        torch.testing.assert_close(together.covariance[number], alone.covariance)
        torch.testing.assert_close(together.log_odds(x[0])[number], alone.log_odds(x[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_joint_density_is_torchs_and_its_ratio_is_the_log_odds(sets, kind):
    x, y = sets[0][0], sets[1][0]
    fitted = GaussianClassifier.fit(x, y, kind)
    joint = [
        MultivariateNormal(mean, covariance).log_prob(x) + prior
        for mean, covariance, prior in zip(fitted.mean, fitted.covariance, fitted.log_prior)
    ]
    torch.testing.assert_close(fitted.log_joint(x), torch.stack(joint, 1))
    torch.testing.assert_close(fitted.log_odds(x), joint[1] - joint[0])


def test_discriminant_analysis_is_that_of_scikit_learn(sets):
    analysis = pytest.importorskip("sklearn.discriminant_analysis")
    x, y = sets[0][0], sets[1][0]
    theirs = analysis.LinearDiscriminantAnalysis(solver="lsqr").fit(x, y)
    ours = GaussianClassifier.fit(x, y, "LDA").log_odds(x)
    torch.testing.assert_close(ours, torch.tensor(theirs.decision_function(x)), rtol=0.1, atol=0.1)


def test_logistic_regression_is_at_the_minimum_of_its_loss(sets):
    x, y = sets
    fitted = LogisticRegression.fit(x, y, decay=0.5)
    w, b = fitted.w.requires_grad_(), fitted.b.requires_grad_()
    logits = LogisticRegression(w, b).log_odds(x)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, y.double(), reduction="sum")
    (loss + 0.25 * w.square().sum()).backward()
    assert w.grad.abs().max() < 1e-4 and b.grad.abs().max() < 1e-4


def test_separable_sets_stay_finite_and_without_errors():
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0], [6.0, 1.0]]).double()
    y = torch.tensor([0, 0, 1, 1])
    fitted = LogisticRegression.fit(x, y)
    assert fitted.w.isfinite().all() and error_rate(fitted, x, y) == 0


def test_other_kinds_and_other_shapes_are_refused(sets):
    x, y = sets
    with pytest.raises(ValueError, match="use one of QDA"):
        GaussianClassifier.fit(x, y, "cubic")
    with pytest.raises(ValueError, match="shapes"):
        LogisticRegression.fit(x, y[:, 1:])
