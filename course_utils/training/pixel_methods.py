"""The optimisers of the pixels of an image: Adam, and L-BFGS with a line search."""

from __future__ import annotations

import torch
from torch import Tensor

from .pixel_record import Recorder, Spent
from .schedules import cosine

RATES = {"adam": 0.03, "lbfgs": 1.0}
HISTORY = 50  # gradients that L-BFGS remembers


def _adam(recorder: Recorder, lr: float, steps: int) -> None:
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


def _lbfgs(recorder: Recorder, lr: float, steps: int) -> None:
    """Liu and Nocedal (1989), with a line search that satisfies Wolfe's conditions.

    Without the line search it overshoots, and spends most of its evaluations on coming back.
    Pixels are clamped before each evaluation. The gradient of those that would leave [0, 1] is set
    to 0, because steps that were clamped would give a wrong estimate of the curvature (the active
    set of Bertsekas 1982). If the line search fails, the estimate is discarded, and the next step
    follows the gradient.
    """
    pixels = recorder.run.image.clone().requires_grad_()
    unit = None

    def closure() -> Tensor:
        nonlocal unit
        with torch.no_grad():
            pixels.clamp_(0, 1)
        loss = recorder.evaluate(pixels)
        # In thousandths of its first value: torch ignores changes below 1e-10.
        unit = loss.detach().abs().clamp_min(1e-30) / 1000 if unit is None else unit
        (gradient,) = torch.autograd.grad(loss / unit, pixels)
        active = ((pixels <= 0) & (gradient > 0)) | ((pixels >= 1) & (gradient < 0))
        pixels.grad = gradient.masked_fill_(active.detach(), 0)
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
    except Spent:
        return


METHODS = {"adam": _adam, "lbfgs": _lbfgs}
