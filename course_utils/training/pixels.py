"""`optimise`: the loop over the pixels of an image.

The network is fixed, and the image is optimised: for reconstructions, textures, style transfer and
images that maximise the activation of a filter. A notebook writes the loss; the loop has the
optimiser, the scales from coarse to fine, the best image so far, the history and the stop button.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from ..session.arguments import real, shown, whole
from ..session.lab import Lab
from . import arguments
from .pixel_methods import METHODS, RATES
from .pixel_record import Recorder
from .pixel_run import LARGEST, Diverged, PixelRun, resized

MOST_STEPS = 10**7

__all__ = ["METHODS", "RATES", "Diverged", "PixelRun", "optimise", "resized"]


def optimise(
    loss: Callable,
    start: Tensor,
    *,
    steps: int | Sequence[int],
    method: str = "adam",
    lr: float | None = None,
    scales: Sequence[int] | None = None,
    watch_at: Sequence[int] = (),
    name: str = "image",
    lab: Lab | None = None,
) -> PixelRun:
    """Minimise a loss over the pixels of an image, and keep the best image.

    In a notebook the image is shown while it changes. The stop button of the kernel ends the
    run early with the best image so far, and the cell continues.

    Args:
        loss: `loss(image) -> {term: value}`, whose sum is minimised. A value is a tensor of one
            number, or of one number per image, (N,). With `scales`, `loss(size)` returns this
            function for each size, with targets of that size (see `resized`).
        start: (N, C, H, W) in [0, 1]; it is not changed.
        steps: how often the loss is evaluated at each scale; one number for all of them, or one
            for each. So the same number of steps is the same work for both methods.
        method: "adam", with a learning rate that falls to zero, or "lbfgs", with a line search.
            Adam optimises several images independently, L-BFGS all as one vector.
        lr: the learning rate; by default that of the method in `RATES`.
        scales: coarse to fine: the lengths of the longer side in pixels, such as (64, 128, 256).
            Each scale starts from the best image of the scale before, enlarged.
        watch_at: the steps whose images become frames, counted from 0 over all scales; the total
            number of steps stands for the best image at the end.
        name: of the run, in the line of progress.
        lab: the session, for its precision (bf16 or fp16 on CUDA); float32 without it.

    Returns:
        a `PixelRun` with the best image and the history.

    Raises:
        ValueError: an argument cannot be used, or the loss does not return what it should.
        Diverged: the loss became NaN or infinite; its attribute `run` has the run until then.

    Example:
        >>> import torch
        >>> loss = lambda image: {"error": (image - 0.3).square().sum()}
        >>> run = optimise(loss, torch.rand(1, 3, 8, 8), steps=50)
        · image: 50 steps [error ...]
        >>> run.image.mean().round(decimals=1), run.history["loss"].shape
        (tensor(0.3000), torch.Size([50]))
    """
    counts, scales = _checked(start, steps, method, scales)
    rate = RATES.get(method) if lr is None else lr
    rate = real(rate, "lr", "a number above 0", lambda rate: 0 < rate < math.inf)
    arguments.callable_or_refused(loss, "loss", 'lambda image: {"error": image.square().mean()}')
    watch_at = arguments.steps(watch_at)
    run = PixelRun(name, start.detach())
    recorder = Recorder(run, sum(counts), watch_at, lab)
    try:
        for size, count in zip(scales or (None,), counts):
            if size is not None:
                run.image = resized(run.image, size)
            recorder.begin_scale(loss if size is None else loss(size), count)
            METHODS[method](recorder, rate, count)
    except KeyboardInterrupt:
        run.stopped = True
        if scales is not None:
            run.image = resized(run.image, scales[-1])
    recorder.finish()
    return run


def _checked(start, steps, method, scales) -> tuple[list[int], list[int] | None]:
    """The steps of each scale and the scales, after a check of all arguments."""
    if not isinstance(start, Tensor) or start.ndim != 4 or not start.is_floating_point():
        raise ValueError("start must be images (N, C, H, W) of floating-point numbers.")
    if 0 in start.shape or (start < 0).any() or (start > 1).any():
        raise ValueError("start must have pixels, all in [0, 1]; begin with torch.rand for noise.")
    if method not in METHODS:
        raise ValueError(f"The method is {method!r}; use one of: {', '.join(METHODS)}.")
    if scales is not None:
        if not _in_a_row(scales) or not len(scales):
            raise ValueError(f"scales is {shown(scales)}; give sizes in pixels, as in (64, 128).")
        scales = [whole(side, "A side of scales", most=LARGEST) for side in scales]
    count = 1 if scales is None else len(scales)
    counts = list(steps) if _in_a_row(steps) else [steps] * count
    if len(counts) != count:
        raise ValueError(f"steps is {shown(steps)}; give one number, or one for each scale.")
    return [whole(number, "The number of steps", most=MOST_STEPS) for number in counts], scales


def _in_a_row(values) -> bool:
    """Whether these are several values, and no single number or word."""
    row = hasattr(values, "__len__") and getattr(values, "ndim", 1) == 1
    return row and not isinstance(values, str)
