"""The record of a run over pixels: the best image, the history, the frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..plots.live_image import LiveImage
from ..session.lab import Lab
from ..session.progress import measures_in_words
from .pixel_run import Diverged, PixelRun

CHECK_EVERY = 25  # steps between two checks that the loss is finite


class Spent(Exception):
    """All steps of this scale are done."""


class Recorder:
    """Evaluates the loss, and keeps the best image, the history and the frames.

    Values are copied from the device only for the live image and, every `CHECK_EVERY` steps, to
    check the loss; all other steps do not wait for the device.
    """

    def __init__(self, run: PixelRun, steps: int, watch_at: Sequence[int], lab: Lab | None):
        self.run, self.steps, self.watch_at = run, steps, set(watch_at)
        self.precision = "float32" if lab is None else lab.precision
        self.measured: list[dict[str, Tensor]] = []
        self.live, self.began = LiveImage(), time.perf_counter()

    def begin_scale(self, loss: Callable, steps: int) -> None:
        """Begin a scale; losses at other sizes are not comparable with its losses."""
        self.loss, self.left, self.scale_began = loss, steps, len(self.measured)
        images = self.run.image
        precise = torch.promote_types(images.dtype, torch.float32)
        self.best = torch.full((len(images),), torch.inf, dtype=precise, device=images.device)
        self.all_finite = torch.ones((), dtype=torch.bool, device=images.device)

    def evaluate(self, pixels: Tensor) -> Tensor:
        """The loss of the pixels, one differentiable number.

        Raises:
            Spent: all steps of this scale are done.
        """
        if self.left == 0:
            raise Spent
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
        """Copy everything from the device, show the last line, and check that the loss is finite.

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
        """The measures of the best image (of several images, of the step with the best mean)."""
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
                "that are not numbers and for divisions by zero in the loss.",
                self.run,
            )
        raise Diverged(
            f"{name}: the loss became NaN or infinite at step {step}; the best image before it "
            "is kept as run.image of this error. Try a smaller lr, or COURSE_PRECISION=float32.",
            self.run,
        )


def _total(terms, images: int) -> Tensor:
    """The sum of the terms for each image, (N,); a single number is added to all of them."""
    if not isinstance(terms, dict) or not terms:
        raise ValueError('A loss must return its terms by name: return {"content": content}.')
    for term, value in terms.items():
        if not isinstance(value, Tensor) or value.shape not in ((), (1,), (images,)):
            shape = tuple(value.shape) if isinstance(value, Tensor) else value
            raise ValueError(
                f"The term {term} is {shape!r}; it must be a tensor of one number, or of one per "
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
