"""Answers to the exercises of lesson 02 that no table of mistakes has."""

import math

import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, MultivariateNormal, kl_divergence
from torch.linalg import cholesky

from course_utils import losses
from course_utils.data import corruption
from course_utils.exercises.autoencoders import check_gaussian_codes

samples = check_gaussian_codes.reference


RIGHT = {
    "sparsity": [
        losses.sparsity_kl,
        lambda h, rho: kl_divergence(Bernoulli(torch.tensor(rho)), Bernoulli(h.mean(0))).sum(),
    ],
    "mask": [
        corruption.mask,
        lambda x, share: x.masked_fill(torch.rand_like(x[:, :1]) < share, 0),
    ],
    "gaussian_codes": [
        lambda codes, noise: (codes.mean(0)[:, None] + cholesky(codes.T.cov()) @ noise.T).T,
        lambda codes, noise: (
            codes.mean(0) + noise @ MultivariateNormal(codes[0], codes.T.cov()).scale_tril.T
        ),
    ],
}
WRONG = {
    "sparsity": [
        (lambda h, rho: h.mean(0) - rho, "one number a unit; sum"),
        (lambda h, rho: h.mean(1), "one number for the whole batch"),
        (lambda h, rho: losses.sparsity_kl(h, rho).item(), "without .item()"),
        (lambda h, rho: (h.mean(0) - rho).square().sum(), "term by term"),
        (lambda h, rho: h.mean() * 0 + math.inf, "finite"),
    ],
    "mask": [
        (lambda x, share: corruption.mask(x, 1 - share), "is kept; it should be dropped"),
        (lambda x, share: torch.manual_seed(0) and corruption.mask(x, share), "two calls"),
        (lambda x, share: x * (torch.rand(1, 1, *x.shape[2:]) >= share), "every image loses"),
        (lambda x, share: x * (torch.rand_like(x) >= share), "dropped separately"),
        (lambda x, share: x * (torch.rand_like(x[:, :1, :1]) >= share), "whole rows"),
        (lambda x, share: x * (torch.rand_like(x[:, :1, :, :1]) >= share), "whole rows"),
        (F.dropout, "scaled up"),
        (lambda x, share: x.mul_(torch.rand_like(x[:, :1]) >= share), "changes `x` itself"),
        (corruption.salt_and_pepper, "must become 0"),
        (corruption.gaussian, "add nothing"),
        (lambda x, share: x, "no pixel is 0"),
        (lambda x, share: x * 0, "every pixel is 0"),
        (lambda x, share: corruption.mask(x, 0.3), "for share = 0.8 it drops 30 %"),
        (lambda x, share: torch.rand_like(x[:, :1]) >= share, "that is the mask"),
        (lambda x, share: x.flatten(1), "return images of the same shape"),
    ],
    "gaussian_codes": [
        (lambda codes, noise: samples(codes, noise) + 1, "instead of"),
        (
            lambda codes, noise: codes.mean(0)[:, None] + cholesky(codes.T.cov()) @ noise.T,
            "columns",
        ),
        (lambda codes, noise: cholesky(codes.cov()) @ noise, "covariance of the dimensions"),
        (lambda codes, noise: codes, "one sample for each row"),
    ],
}
