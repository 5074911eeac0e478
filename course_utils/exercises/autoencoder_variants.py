"""Exercises of lesson 02c, autoencoder variants."""

import torch
from torch.nn.functional import pad

from .checking import random_tensor
from .exercise import Case, Exercise, combined, listed

# 1. Tied weights


def _tied(x, weight, bias_h, bias_x):
    return torch.sigmoid(x @ weight.T + bias_h) @ weight + bias_x


ORDERS = [
    (lambda f, x, w, b, c: f(x @ w.T + b) @ w + c, ""),
    (lambda f, x, w, b, c: f(x @ w.T + b) @ w.T + c, "the decoder has the matrix the same way "
     "round as the encoder; it needs the transpose, so after x @ weight.T comes h @ weight."),
    (lambda f, x, w, b, c: f(x @ w + b) @ w.T + c, "the matrix is used in the wrong order: weight "
     "is (code, pixels), so the encoder is x @ weight.T and the decoder h @ weight."),
    (lambda f, x, w, b, c: f(x @ w + b) @ w + c, "the encoder needs the transpose: weight is "
     "(code, pixels) and x has its images in rows, so it is x @ weight.T."),
]  # fmt: skip
CODES = [
    (torch.sigmoid, ""),
    (lambda a: a, "h is not what the encoder's matrix gives but the sigmoid of it."),
    (torch.tanh, "the code's non-linearity is the sigmoid, not tanh."),
    (torch.relu, "the code's non-linearity is the sigmoid, not the ReLU."),
]
OUTPUTS = [
    (lambda a: a, ""),
    (torch.sigmoid, "that is the image; return its logits. The loss takes the sigmoid itself."),
]
check_tied = Exercise(
    "Exercise 1, tied weights",
    _tied,
    # With as many units as pixels a matrix that is not transposed gives a result, and no error.
    [
        Case((random_tensor(5, pixels, seed=1).sigmoid(), random_tensor(code, pixels, seed=2),
              random_tensor(code, seed=3), random_tensor(pixels, seed=4)))
        for pixels, code in ((4, 4), (7, 3))
    ],
    [
        *combined(lambda order, f, last: lambda *x: last(order(f, *x)), ORDERS, CODES, OUTPUTS),
        (lambda x, w, b, c: _tied(x, w, c, b), "the biases are swapped: bias_h belongs to h."),
        (lambda x, w, b, c: _tied(x, w, 0, c), "bias_h is missing, before the sigmoid."),
        (lambda x, w, b, c: _tied(x, w, b, 0), "bias_x is missing, in the logits."),
        (lambda x, w, b, c: _tied(x, w, 0, 0), "both biases are missing."),
    ],
    result="Wᵀ h + b_x with h = σ(W x + b_h), one row an image, one column a pixel",
    crashes={"RuntimeError": "x is (N, pixels), weight (code, pixels)"},
    slopes="the encoder and the decoder are one matrix, and a gradient comes back from both.",
    leaves=4,
    praise="right: one matrix, there and back.",
)  # fmt: skip

# 2. The contractive penalty


def _contractive(h, weight):
    return (h * (1 - h)).square() @ weight.square().sum(1)


NO_SLOPE = "the slope h(1 - h) is missing: a unit that is fully on or off hardly changes."
SLOPES = [
    (lambda h: h * (1 - h), ""),
    (torch.ones_like, NO_SLOPE),
    (lambda h: h.sigmoid() * (1 - h.sigmoid()), "h has been through the sigmoid already; its slope "
     "is h(1 - h), without another σ."),
    (lambda h: h, "the slope of the sigmoid is h(1 - h), not h."),
    (lambda h: 1 - h, "the slope of the sigmoid is h(1 - h), not 1 - h."),
    (lambda h: 1 - h.square(), "1 - h² is the slope of tanh; that of the sigmoid is h(1 - h)."),
]  # fmt: skip
SCALES = [
    (lambda w: 1, ""),
    (lambda w: w.shape[0], "the units are averaged; the formula sums over them."),
    (lambda w: w.shape[1], "the pixels are averaged; the formula sums over them."),
    (lambda w: w.numel(), "the entries are averaged; the formula sums over them."),
    (lambda w: 2, "half as large as it should be; there is no ½ in this formula."),
]
SUMS = [
    (lambda d, w: d @ w.square().sum(1), "the slope h(1 - h) is squared, too."),
    (lambda d, w: d.square() @ w.sum(1), "the weights are squared, too."),
    (lambda d, w: d @ w.sum(1), "every entry of the Jacobian is squared before it is summed."),
    (lambda d, w: d @ w.abs().sum(1), "the entries of the Jacobian are squared; these are their "
     "absolute values."),
    (lambda d, w: (d.square() @ w.square().sum(1)).sqrt(), "the penalty is the norm squared."),
    (lambda d, w: (d @ w.sum(1)).square(), "that is the square of the sum; it is the sum of "
     "the squares."),
    (lambda d, w: d.square() @ w.sum(1).square(), "the weights are summed and then squared; square "
     "each, then sum."),
    (lambda d, w: (d @ w).square().sum(1), "the entries are summed over the units and then "
     "squared; square each, then sum."),
    (lambda d, w: w.square().sum(), NO_SLOPE),
]  # fmt: skip
check_contractive = Exercise(
    "Exercise 2, the contractive penalty",
    _contractive,
    [
        Case((random_tensor(5, 4, seed=7).mul(2).sigmoid(), random_tensor(4, 6, seed=17))),
        Case((random_tensor(5, 3, seed=8).mul(2).sigmoid(), random_tensor(3, 8, seed=18))),
    ],
    [
        *combined(lambda slope, scale: lambda h, w: slope(h).square() @ w.square().sum(1)
                  / scale(w), SLOPES, SCALES),
        *combined(lambda total: lambda h, w: total(h * (1 - h), w), SUMS),
    ],
    result="one number an image, the sum over j and i of (h_j (1 - h_j) W_ji)²",
    shapes=lambda h, weight: {
        tuple(h.shape): "that is one number a unit; sum over the units, too.",
        (len(h), weight.shape[1]): "that is one number a pixel; sum over the pixels, too.",
        (*h.shape, weight.shape[1]): "those are the entries of the Jacobian; square and sum them.",
    },
    slopes="each h_j stands twice in its slope h_j (1 - h_j), and both let a gradient through.",
    praise="right: the squared norm of the Jacobian, and no Jacobian built.",
)  # fmt: skip

# 3. Kernel contributions: how many kernels of a transposed convolution lie on a place


def _kernels(shift=0, before=0, behind=0, wider=0):
    """The count, of kernels that are moved, wider, or more (or fewer) at the two ends."""

    def count(d, f, s):
        starts = s * torch.arange(-before, d + behind) + shift
        places = torch.arange((d - 1) * s + f)[:, None]
        return ((starts <= places) & (places < starts + f + wider)).sum(1)

    return count


_count = _kernels()
WHICH = "that says which kernel lies on which place; sum over the kernels, dim={}."
NO_STRIDE = "the stride is missing: each kernel begins s places behind the one before."
WIDTH = "the kernels are one place too {}; one that begins at a covers a to a + f - 1."
MOVED = "the kernels lie one place too far {}; the first begins at place 0."
NEAR_THE_ENDS = (
    "near the ends fewer kernels overlap than in the middle: none lies before the first input's "
    "and none behind the last one's."
)
check_kernel_contributions = Exercise(
    "Exercise 3, kernel contributions",
    _count,
    [
        Case(given, before="for d = {}, f = {} and s = {}: ".format(*given))
        # After the first: s divides f, they are equal, s is 1, gaps between kernels, one kernel.
        for given in ((7, 5, 2), (5, 3, 2), (6, 4, 2), (4, 3, 3), (5, 4, 1), (5, 2, 4), (1, 5, 2))
    ],
    [
        (lambda d, f, s: _count(d, f, s) > 0, "that says whether a place is hit; return how "
         "often."),
        (lambda d, f, s: _count(d, f, s) ** 2, "in an image rows and columns multiply; here "
         "there is one dimension."),
        (lambda d, f, s: 0 * _count(d, f, s) + f // s, NEAR_THE_ENDS),
        (lambda d, f, s: 0 * _count(d, f, s) - -f // s, NEAR_THE_ENDS),
        (_kernels(before=9, behind=9), NEAR_THE_ENDS),
        (_kernels(before=9), "no kernel lies before the first input's, which begins at place 0."),
        (_kernels(behind=9), "no kernel lies behind the last input's, which begins at (d - 1)s."),
        (_kernels(behind=1), "that is one kernel too many; there are d, one for each input."),
        (_kernels(behind=-1), "one kernel is missing; there are d, one for each input."),
        (_kernels(wider=1), WIDTH.format("wide")),
        (_kernels(wider=-1), WIDTH.format("narrow")),
        (_kernels(shift=1), MOVED.format("behind")),
        (_kernels(shift=-1), MOVED.format("in front")),
        (lambda d, f, s: _count(d, f, 1), NO_STRIDE),
        (lambda d, f, s: pad(_count(d, f, 1), (0, (d - 1) * (s - 1))), NO_STRIDE),
        (lambda d, f, s: _count(d, s, f), "f and s are swapped: the kernels are f places wide and "
         "begin s apart."),
    ],
    result="one count a place; the last kernel begins at (d - 1)s and is f places wide",
    shapes=lambda d, f, s: {
        (d, (d - 1) * s + f): WHICH.format(0),
        ((d - 1) * s + f, d): WHICH.format(1),
        (d,): "that is one number an input; return one for each place of the output.",
    },
    read=listed,
    explain=lambda found, right, *given: next(
        f"on place {at}, counted from 0, you say {yours:g} instead of {count}."
        for at, (yours, count) in enumerate(zip(found.tolist(), right.tolist()))
        if yours != count
    ),
    not_finite="a count is a whole number.",
    praise="right: even in the middle where s divides f, and up and down everywhere else.",
)  # fmt: skip
