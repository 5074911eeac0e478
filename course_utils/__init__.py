"""Helpers of a notebook course on generative deep learning and modern networks.

A notebook begins with

    import course_utils
    lab = course_utils.start("03_vae_latent_space")

and then imports what it shows: `from course_utils import claim, fit, data, plots, widgets`.
Names are loaded when they are first used, so that `import course_utils` costs little more
than `import torch`.
"""

from importlib import import_module

__version__ = "0.1.0"

_FUNCTIONS = {
    "start": "session.lab",
    "fit": "training",
    "claim": "claims",
    "shipped_weights": "shipped.weights",
    "shipped_image": "shipped.images",
}
_ROOMS = (
    "data",
    "exercises",
    "losses",
    "metrics",
    "models",
    "plots",
    "shipped",
    "tables",
    "training",
    "widgets",
)

__all__ = [*_FUNCTIONS, *_ROOMS]


def __getattr__(name):
    if name in _FUNCTIONS:
        return getattr(import_module(f"{__name__}.{_FUNCTIONS[name]}"), name)
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"course_utils has no {name!r}; it has {', '.join(__all__)}.")


def __dir__():
    return sorted([*globals(), *__all__])
