"""Answers to the exercises of notebook 04b that no table of mistakes has."""

import torch
import torch.nn.functional as F

from course_utils.exercises import stabilizing_gans as gans

diversity = gans.check_diversity.reference
differences = gans._pairs


def without_the_diagonal(norm):
    def answer(x):
        apart = differences(x)[~torch.eye(len(x), dtype=torch.bool)]
        return norm(apart).view(len(x), -1).mean(1)

    return answer


def root_by_hand(tiny):
    def answer(x):
        return (differences(x).square().sum(2) + tiny).sqrt().sum(1) / (len(x) - 1)

    return answer


def drawn(weight):
    """Points on the lines, for a weight that depends on (N, d)."""

    def points(real, fake):
        w = weight(*real.shape)
        return (w * real + (1 - w) * fake).requires_grad_()

    return points


def gradient_at(critic, points):
    return torch.autograd.grad(critic(points).sum(), points, create_graph=True)[0]


uniform = drawn(lambda n, d: torch.rand(n, 1))


def penalty(points=uniform, gradient=gradient_at, measure=gans.PENALTY.reference):
    """A gradient penalty with one of its parts replaced."""
    return lambda critic, real, fake: measure(gradient(critic, points(real, fake)))


def each_by_itself(critic, points):
    return torch.cat([gradient_at(critic, x.detach()[None].requires_grad_()) for x in points])


def by_backward(critic, points):
    critic(points).sum().backward(create_graph=True)
    return points.grad


RIGHT = {
    "diversity": [
        without_the_diagonal(lambda pairs: pairs.norm(dim=1)),
        root_by_hand(1e-8),
        lambda x: torch.cdist(x, x).mean(1) * len(x) / (len(x) - 1),
    ],
    "gradient_penalty": [
        penalty(gradient=lambda D, x: torch.func.grad(lambda y: D(y).sum())(x)),
        penalty(gradient=each_by_itself),
        penalty(lambda real, fake: real.lerp(fake, torch.rand(len(real), 1)).requires_grad_()),
        penalty(measure=lambda g: F.mse_loss(((g**2).sum(1) + 1e-12).sqrt(), torch.ones(len(g)))),
    ],
}
WRONG = {
    "diversity": [
        (lambda x: diversity(x).mean(), "wants a number to go with each"),
        (lambda x: F.pdist(x).mean().item(), "wants a number to go with each"),
        (F.pdist, "one number a pair"),
        (lambda x: torch.cdist(x, x), "all the pairs"),
        (differences, "those are the differences"),
        (lambda x: differences(x).norm(dim=1), "a number for each of d is left"),
        (lambda x: x.std(0), "has shape (3,) and should have (6,)"),
        (root_by_hand(0), "slope of a root is infinite"),
        (
            without_the_diagonal(lambda pairs: pairs.square().sum(1).sqrt()),
            "where two examples are equal: the value is right, but its slope is nan",
        ),
        (lambda x: torch.stack([d[d > 0].mean() for d in torch.cdist(x, x)]), "count, too"),
        (lambda x: diversity(x.detach()), "no gradient"),
        (lambda x: torch.cdist(x, x.detach()).sum(1) / (len(x) - 1), "detached"),
        (lambda x: torch.cdist(x, x[1:]).mean(1), "instead of"),
    ],
    "gradient_penalty": [
        *((penalty(measure=m), hint) for m, hint in gans.PENALTY.mistakes if " And " not in hint),
        (penalty(gradient=lambda D, x: torch.autograd.grad(D(x).sum(), x)[0]), "create_graph=True"),
        (penalty(gradient=lambda D, x: gradient_at(D, x).detach()), "create_graph=True"),
        (penalty(gradient=by_backward), ".backward()"),
        (penalty(measure=lambda g: gans.PENALTY.reference(g).item()), "without .item()"),
        (penalty(measure=lambda g: (g.norm(dim=1) - 2).square().mean()), "the points are right"),
        (penalty(measure=lambda g: gans.PENALTY.reference(g)[None]), "has shape (1,)"),
        (penalty(drawn(lambda n, d: torch.ones(n, 1))), "at the real examples"),
        (penalty(drawn(lambda n, d: torch.zeros(n, 1))), "at the generated examples"),
        (penalty(drawn(lambda n, d: torch.rand(1, 1))), "shared by the whole batch"),
        (penalty(drawn(lambda n, d: torch.rand(n, d))), "fill a box"),
        (penalty(drawn(lambda n, d: torch.rand(d))), "one a coordinate, and the same for all"),
        (penalty(drawn(lambda n, d: 0.5)), "always in the middle"),
        (penalty(drawn(lambda n, d: torch.randn(n, 1))), "torch.rand, not randn"),
        (penalty(drawn(lambda n, d: torch.rand(n, 1).round())), "either a real or a generated"),
        (penalty(drawn(lambda n, d: torch.rand(n, 1).sqrt())), "not uniformly"),
        (penalty(drawn(lambda n, d: torch.linspace(0, 1, n)[:, None])), "same points"),
        (penalty(lambda real, fake: uniform(real, fake.roll(1, 0))), "not on the lines"),
        (penalty(lambda real, fake: torch.cat([real, fake]).requires_grad_()), "about N points"),
        (penalty(lambda real, fake: uniform(real, fake).detach()), "must have .requires_grad_()"),
        (penalty(gradient=lambda D, x: torch.autograd.grad(D(x), x)[0]), "differentiate the sum"),
        (penalty(gradient=lambda D, x: gradient_at(lambda _: D(x + 0), x + 0)), "critic was given"),
        (penalty(lambda real, fake: uniform(real, fake) + 0, by_backward), "keeps no .grad"),
        (lambda critic, real, fake: (real - fake).norm(), "never called"),
    ],
}
