"""Classifiers of two classes with few parameters, many training sets at once.

Linear and quadratic discriminant analysis and naive Bayes are generative: they model p(x|y).
Logistic regression is discriminative: it models p(y|x). Leading dimensions are independent training
sets, so that an error rate comes with its spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

KINDS = ("QDA", "LDA", "naive Bayes")


@dataclass(frozen=True)
class GaussianClassifier:
    """Gaussian discriminant analysis: p(x|y=k) = N(x; mu_k, Sigma_k), and p(y).

    Attributes:
        mean: (..., 2, d), of both classes.
        covariance: (..., 2, d, d).
        log_prior: (..., 2), log p(y).

    Example:
        >>> x, y = torch.randn(5, 40, 2), torch.arange(2).repeat(20).expand(5, -1)
        >>> GaussianClassifier.fit(x, y, "LDA").covariance.shape  # five sets
        torch.Size([5, 2, 2, 2])
    """

    mean: Tensor
    covariance: Tensor
    log_prior: Tensor

    @classmethod
    def fit(cls, x: Tensor, y: Tensor, kind: str) -> GaussianClassifier:
        """The parameters of maximum likelihood.

        Args:
            x: (..., N, d), both classes in every set.
            y: (..., N) of 0 and 1.
            kind: "QDA", a covariance for each class; "LDA", one for both; "naive Bayes", one for
                both that is diagonal.

        Raises:
            ValueError: there is no such kind, or x and y do not belong together.
        """
        if kind not in KINDS:
            raise ValueError(f"The kind is {kind!r}; use one of {', '.join(KINDS)}.")
        _check(x, y)
        member = one_hot(y, 2).to(x)  # (..., N, 2): 1 at the class
        count = member.sum(-2)
        mean = member.mT @ x / count[..., None]
        off = (x[..., None, :, :] - mean[..., None, :]) * member.mT[..., None]
        scatter = off.mT @ off
        own = scatter / count[..., None, None]
        shared = scatter.sum(-3, keepdim=True).expand_as(scatter) / x.shape[-2]
        if kind == "naive Bayes":
            shared = shared * torch.eye(x.shape[-1]).to(x)
        covariance = own if kind == "QDA" else shared
        return cls(mean, covariance, (count / x.shape[-2]).log())

    def log_joint(self, x: Tensor) -> Tensor:
        """log p(x, y) of points (..., N, d), (..., N, 2)."""
        off = x[..., None, :, :] - self.mean[..., None, :]  # (..., 2, N, d)
        squared = (off @ torch.linalg.inv(self.covariance) * off).sum(-1)
        normalizer = torch.logdet(2 * torch.pi * self.covariance)[..., None]
        return (-(squared + normalizer) / 2).mT + self.log_prior[..., None, :]

    def log_odds(self, x: Tensor) -> Tensor:
        """log p(y=1|x) / p(y=0|x) of points (..., N, d), (..., N).

        A quadratic function of x, and a linear one where both covariances are the same.
        """
        precision = torch.linalg.inv(self.covariance)  # (..., 2, d, d)
        linear = (precision @ self.mean[..., None])[..., 0]  # (..., 2, d)
        constant = self.log_prior - torch.logdet(self.covariance) / 2
        constant = constant - (self.mean * linear).sum(-1) / 2
        quadratic = -precision.flatten(-2).diff(dim=-2) / 2  # (..., 1, d²)
        coefficients = torch.cat([quadratic, linear.diff(dim=-2)], -1)
        products = (x[..., :, None] * x[..., None, :]).flatten(-2)
        features = torch.cat([products, x], -1)  # (..., N, d² + d)
        return (features @ coefficients.mT)[..., 0] + constant.diff(dim=-1)


@dataclass(frozen=True)
class LogisticRegression:
    """p(y=1|x) = sigmoid(w · x + b).

    Attributes:
        w: (..., d).
        b: (...).

    Example:
        >>> x, y = torch.randn(5, 40, 2), torch.arange(2).repeat(20).expand(5, -1)
        >>> LogisticRegression.fit(x, y).w.shape
        torch.Size([5, 2])
    """

    w: Tensor
    b: Tensor

    @classmethod
    def fit(cls, x: Tensor, y: Tensor, decay: float = 1e-3, steps: int = 30) -> LogisticRegression:
        """The parameters that minimize the summed cross-entropy plus decay / 2 · |w|².

        Newton's method. Without any decay the minimum lies at infinity where a line separates the
        classes.

        Args:
            x: (..., N, d).
            y: (..., N) of 0 and 1.
            decay: the weight of the penalty.
            steps: of Newton's method.

        Raises:
            ValueError: x and y do not belong together.
        """
        _check(x, y)
        centre = x.mean(-2, keepdim=True)
        inputs = torch.cat([x - centre, torch.ones_like(x[..., :1])], -1)
        penalty = torch.full_like(inputs[..., 0, :], decay)
        penalty[..., -1] = 1e-6  # of the bias: only against a matrix that is singular
        weights = torch.zeros_like(penalty)
        for _ in range(steps):
            p = (inputs @ weights[..., None])[..., 0].sigmoid()
            gradient = ((p - y)[..., None] * inputs).sum(-2) + penalty * weights
            hessian = (inputs * (p * (1 - p))[..., None]).mT @ inputs + torch.diag_embed(penalty)
            weights = weights - torch.linalg.solve(hessian, gradient)
        w = weights[..., :-1]
        return cls(w, weights[..., -1] - (w * centre[..., 0, :]).sum(-1))

    def log_odds(self, x: Tensor) -> Tensor:
        """log p(y=1|x) / p(y=0|x) of points (..., N, d), (..., N)."""
        return (x @ self.w[..., None])[..., 0] + self.b[..., None]


def error_rate(classifier: GaussianClassifier | LogisticRegression, x: Tensor, y: Tensor) -> Tensor:
    """The share of points that are classified wrongly, for each training set.

    Args:
        classifier: of one or many training sets, (...).
        x, y: test points (N, d) and their classes (N,).

    Returns:
        (...).

    Example:
        >>> line = LogisticRegression(torch.tensor([1.0]), torch.tensor(0.0))
        >>> error_rate(line, torch.tensor([[-1.0], [1.0], [2.0]]), torch.tensor([0, 1, 0]))
        tensor(0.3333)
    """
    _check(x, y)
    return ((classifier.log_odds(x) > 0) != y.bool()).to(x).mean(-1)


def _check(x: Tensor, y: Tensor) -> None:
    if not isinstance(x, Tensor) or not isinstance(y, Tensor) or x.shape[:-1] != y.shape:
        shapes = [tuple(getattr(some, "shape", ())) for some in (x, y)]
        raise ValueError(
            f"Points and classes have the shapes {shapes}; give (..., N, d), (..., N)."
        )
