"""`optimise`: the loop over pixels.

The network stays as it is, and the image is what is learnt. Reconstructions, textures, style
transfer and images that excite a filter all run on it: a notebook writes the loss, the loop
brings the optimiser, coarse to fine, the best image so far, the run and the stop button.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from ..session.lab import Lab
from .pixel_methods import METHODS, RATES
from .pixel_record import Recorder
from .pixel_run import Diverged, PixelRun, resized

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
    """Change the pixels of an image until a loss is small, and keep the best image met.

    In a notebook the image is shown while it changes. The stop button of the kernel ends the
    run early with the best image so far, and the notebook goes on.

    Args:
        loss: `loss(image) -> {term: value}`, whose sum is minimised. A value is a tensor of one
            number, or of one an image, (N,). With `scales` it is `loss(size)` that gives this
            function, made anew for each size from targets of that size (see `resized`).
        start: (N, C, H, W) in [0, 1]; it is left as it is.
        steps: how often the loss is evaluated at each scale; one number for all of them, or one
            for each. So the same number of steps is the same work for both methods.
        method: "adam", with a rate that falls to zero, or "lbfgs", with a line search. Of several
            images Adam improves each by itself, L-BFGS all as one.
        lr: the learning rate, unless it shall be the method's own in `RATES`.
        scales: coarse to fine: the lengths of the longer side in pixels, such as (64, 128, 256).
            Each scale begins with the best image of the one before it, enlarged.
        watch_at: the steps whose images become frames, counted from 0 over all scales; the
            number of steps in all means the end, the best image.
        name: what the line of progress calls it.
        lab: the session, for its precision (bf16 or fp16 on CUDA); float32 without it.

    Raises:
        ValueError: an argument cannot be used, or the loss does not give what it should.
        Diverged: the loss became NaN or infinite; the error carries the run until then.
    """
    counts = _checked(start, steps, method, scales)
    run = PixelRun(name, start.detach())
    recorder = Recorder(run, sum(counts), watch_at, lab)
    try:
        for size, count in zip(scales or (None,), counts):
            if size is not None:
                run.image = resized(run.image, size)
            recorder.begin_scale(loss if size is None else loss(size), count)
            METHODS[method](recorder, RATES[method] if lr is None else lr, count)
    except KeyboardInterrupt:
        run.stopped = True
        if scales is not None:
            run.image = resized(run.image, scales[-1])
    recorder.finish()
    return run


def _checked(start, steps, method, scales) -> list[int]:
    """The steps of each scale, once all arguments are known to be of use."""
    if not isinstance(start, Tensor) or start.ndim != 4 or not start.is_floating_point():
        raise ValueError("start must be images (N, C, H, W) of floating-point numbers.")
    if 0 in start.shape or (start < 0).any() or (start > 1).any():
        raise ValueError("start must have pixels, all in [0, 1]; begin with torch.rand for noise.")
    if method not in METHODS:
        raise ValueError(f"The method is {method!r}; use one of: {', '.join(METHODS)}.")
    if scales is not None and (not len(scales) or min(scales) < 1):
        raise ValueError(f"scales is {scales!r}; give sizes in pixels, for example (64, 128).")
    size_count = 1 if scales is None else len(scales)
    counts = [steps] * size_count if isinstance(steps, int) else list(steps)
    if len(counts) != size_count or min(counts) < 1:
        raise ValueError(f"steps is {steps!r}; give a number of at least 1, or one for each scale.")
    return counts
