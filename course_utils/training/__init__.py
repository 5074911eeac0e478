"""Training: `loop.fit` is the loop, the files beside it are its parts."""

from .loop import Diverged, Optimiser, Run, constant, cosine, fit, late_linear, update_ema
