"""`optimise`: the loop over pixels.

The network stays as it is, and the image is what is learnt. Reconstructions, textures, style
transfer and images that excite a filter all run on it: a notebook writes the loss, the loop
brings the optimiser, coarse to fine, the best image so far, the run and the stop button.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from ..plots.live_image import LiveImage
from ..session.lab import Lab
from ..session.progress import measures_in_words
from . import cosine

RATES = {"adam": 0.03, "lbfgs": 1.0}
HISTORY = 50  # gradients that L-BFGS remembers
CHECK_EVERY = 25  # steps between two looks at whether the loss is still a number


class Diverged(FloatingPointError):
    """The loss became NaN or infinite; `run` holds the best image and the history until then."""

    def __init__(self, message: str, run: PixelRun):
        super().__init__(message)
        self.run = run


@dataclass
class PixelRun:
    """What `optimise` leaves.

    Attributes:
        name: what the line of progress called it.
        image: (N, C, H, W) in [0, 1], the best image of the last scale by the whole loss.
        history: term -> (steps,) float32 tensor on the CPU, its mean over the images at every
            step, one scale after the other; "loss" is the sum of the terms.
        frames: (step, image) pairs on the CPU, each of the size it had at that step.
        seconds: how long it took.
        stopped: whether the stop button ended it early.
    """

    name: str
    image: Tensor
    history: dict[str, Tensor] = field(default_factory=dict)
    frames: list[tuple[int, Tensor]] = field(default_factory=list)
    seconds: float = 0.0
    stopped: bool = False

    def animation(self) -> Tensor:
        """(frames, C, H, W): the first image of every frame, all of the size of the result."""
        size = self.image.shape[-2:]
        return torch.cat([_interpolated(frame[:1], size) for _, frame in self.frames])


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
    recorder = _Recorder(run, sum(counts), watch_at, lab)
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


def resized(image: Tensor, size: int) -> Tensor:
    """(N, C, H, W) -> the same with a longer side of `size` pixels, smoothed where it shrinks."""
    height, width = image.shape[-2:]
    scale = size / max(height, width)
    return _interpolated(image, (max(1, round(height * scale)), max(1, round(width * scale))))


def _interpolated(image: Tensor, size: Sequence[int]) -> Tensor:
    if tuple(image.shape[-2:]) == tuple(size):
        return image
    return F.interpolate(image, size, mode="bilinear", antialias=True)


# The two methods


def _adam(recorder: _Recorder, lr: float, steps: int) -> None:
    """Kingma and Ba (2015), with a rate that falls to zero; pixels are clamped to [0, 1]."""
    pixels = recorder.run.image.clone().requires_grad_()
    # A tiny eps, so that the unit of the loss does not matter.
    adam = torch.optim.Adam([pixels], lr, betas=(0.9, 0.99), eps=1e-12, fused=True)
    # Half-precision gradients underflow unless the loss is scaled up; otherwise idle.
    scaler = torch.amp.GradScaler(pixels.device.type, enabled=recorder.precision == "fp16")
    for step in range(steps):
        adam.param_groups[0]["lr"] = lr * cosine(step / steps)
        loss = recorder.evaluate(pixels)
        (pixels.grad,) = torch.autograd.grad(scaler.scale(loss), pixels)
        scaler.step(adam)
        scaler.update()
        with torch.no_grad():
            pixels.clamp_(0, 1)


def _lbfgs(recorder: _Recorder, lr: float, steps: int) -> None:
    """Liu and Nocedal (1989), with a line search that keeps to Wolfe's conditions.

    Without the search it overshoots, and spends most of its evaluations on coming back. Pixels
    are clamped before each evaluation, and those that press against 0 or 1 count as having no
    slope: a curvature learnt from moves that were cut off would mislead all others (the active
    set of Bertsekas 1982). Where the search finds no way down it forgets what it remembers and
    begins anew along the gradient.
    """
    pixels = recorder.run.image.clone().requires_grad_()
    unit = None

    def closure() -> Tensor:
        nonlocal unit
        with torch.no_grad():
            pixels.clamp_(0, 1)
        loss = recorder.evaluate(pixels)
        # In thousandths of its first value: torch learns nothing from changes below 1e-10.
        unit = loss.detach().abs().clamp_min(1e-30) / 1000 if unit is None else unit
        (slope,) = torch.autograd.grad(loss / unit, pixels)
        stuck = ((pixels <= 0) & (slope > 0)) | ((pixels >= 1) & (slope < 0))
        pixels.grad = slope.masked_fill_(stuck.detach(), 0)
        return loss.detach() / unit

    settings = {
        "max_iter": steps,
        "max_eval": steps,
        "history_size": HISTORY,
        "tolerance_grad": 0.0,
        "tolerance_change": 0.0,
        "line_search_fn": "strong_wolfe",
    }
    try:
        while True:
            before = recorder.left
            torch.optim.LBFGS([pixels], lr, **settings).step(closure)
            if recorder.left == before - 1:  # the gradient is zero
                return
    except _Spent:
        return


METHODS = {"adam": _adam, "lbfgs": _lbfgs}


class _Spent(Exception):
    """All steps of this scale are done."""


class _Recorder:
    """Evaluates the loss; remembers the best image, the history and the frames.

    Nothing is read back from the device but for the live image and, rarely, to see whether the
    loss is still a number: a step never waits for the device.
    """

    def __init__(self, run: PixelRun, steps: int, watch_at: Sequence[int], lab: Lab | None):
        self.run, self.steps, self.watch_at = run, steps, set(watch_at)
        self.precision = "float32" if lab is None else lab.precision
        self.measured: list[dict[str, Tensor]] = []
        self.live, self.began = LiveImage(), time.perf_counter()

    def begin_scale(self, loss: Callable, steps: int) -> None:
        """Begin a scale; a loss of another size says nothing about this one."""
        self.loss, self.left, self.scale_began = loss, steps, len(self.measured)
        images = self.run.image
        precise = torch.promote_types(images.dtype, torch.float32)
        self.best = torch.full((len(images),), torch.inf, dtype=precise, device=images.device)
        self.all_finite = torch.ones((), dtype=torch.bool, device=images.device)

    def evaluate(self, pixels: Tensor) -> Tensor:
        """The loss of the pixels, one number that can be differentiated."""
        if self.left == 0:
            raise _Spent
        half = torch.float16 if self.precision == "fp16" else torch.bfloat16
        with torch.autocast(pixels.device.type, half, enabled=self.precision != "float32"):
            terms = self.loss(pixels)
        total = _total(terms, len(pixels))
        self._remember(pixels.detach(), terms, total.detach())
        return total.sum()

    @torch.no_grad()
    def _remember(self, pixels: Tensor, terms: dict[str, Tensor], total: Tensor) -> None:
        step = len(self.measured)
        if step in self.watch_at:
            self.run.frames.append((step, pixels.clone()))
        means = {term: value.detach().float().mean() for term, value in terms.items()}
        self.measured.append(means | {"loss": total.mean()})
        self.all_finite = (
            self.all_finite & total.isfinite().all()
        )  # what follows NaN does not count
        better = self.all_finite & (total < self.best)
        self.best = torch.where(better, total, self.best)
        self.run.image = torch.where(better[:, None, None, None], pixels, self.run.image)
        self.left -= 1
        if self.live.due():
            self.live.draw(self.run.image, self._line(step + 1, terms))
        if step % CHECK_EVERY == 0 and not total.isfinite().all():
            self.finish()

    def _line(self, done: int, terms: dict[str, Tensor]) -> str:
        words = measures_in_words({term: self.measured[-1][term].item() for term in terms})
        left = (self.steps - done) * (time.perf_counter() - self.began) / done
        return f"{self.run.name}: step {done}/{self.steps} · {words} · {left:.0f} s left"

    def finish(self) -> None:
        """Read everything back, leave the last line, and refuse a loss that is no number.

        Raises:
            Diverged: some loss is NaN or infinite.
        """
        run, done = self.run, len(self.measured)
        for term in self.measured[0] if done else ():
            run.history[term] = torch.stack([means[term] for means in self.measured]).cpu()
        bad = (~run.history["loss"].isfinite()).nonzero().flatten().tolist() if done else []
        if bad:
            run.history = {term: values[: bad[0]] for term, values in run.history.items()}
            run.frames = [frame for frame in run.frames if frame[0] < bad[0]]
        elif self.steps in self.watch_at:
            run.frames.append((done, run.image))
        run.frames = [(step, image.cpu()) for step, image in run.frames]
        run.seconds = time.perf_counter() - self.began
        if bad:
            self._refuse(bad[0])
        self.live.finish(run.image, self._last_line(done))

    def _last_line(self, done: int) -> str:
        """What the image measured that is kept (of several, where their mean was best)."""
        run = self.run
        losses = run.history.get("loss", torch.empty(0))[self.scale_began :]
        best = self.scale_began + int(losses.argmin()) if len(losses) else done - 1
        kept = {term: values[best].item() for term, values in run.history.items()}
        measures = " · ".join(
            part for part in (measures_in_words(kept), f"{run.seconds:.1f} s") if part
        )
        if run.stopped:
            return (
                f"· {run.name}: stopped; the best image so far is kept "
                f"[step {done} of {self.steps} · {measures}]"
            )
        return f"· {run.name}: {done} steps [{measures}]"

    def _refuse(self, step: int) -> None:
        name = self.run.name
        if step == 0:
            raise Diverged(
                f"{name}: the loss of the starting image is NaN or infinite; look for pixels "
                "that are no numbers and for divisions by zero in the loss.",
                self.run,
            )
        raise Diverged(
            f"{name}: the loss became NaN or infinite at step {step}; the best image before it "
            "is kept as run.image of this error. Try a smaller lr, or COURSE_PRECISION=float32.",
            self.run,
        )


def _total(terms, images: int) -> Tensor:
    """(N,): the sum of the terms for each image; one number counts for all of them."""
    if not isinstance(terms, dict) or not terms:
        raise ValueError('A loss must return its terms by name: return {"content": content}.')
    for term, value in terms.items():
        if not isinstance(value, Tensor) or value.shape not in ((), (1,), (images,)):
            shape = tuple(value.shape) if isinstance(value, Tensor) else value
            raise ValueError(
                f"The term {term} is {shape!r}; it must be a tensor of one number, or of one a "
                "image."
            )
    # Half-precision terms would overflow when they are added up.
    total = sum(
        value.to(torch.promote_types(value.dtype, torch.float32)) for value in terms.values()
    )
    if not total.requires_grad:
        raise ValueError(
            "The loss does not depend on the image; compute it from what `loss` is given, and "
            "without torch.no_grad."
        )
    return total


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
