"""Helpers of a notebook course on generative deep learning and modern networks.

A notebook begins with

    import course_utils
    lab = course_utils.start("03_vae_latent_space")

and then imports what it shows: `from course_utils import claim, fit, data, plots, widgets`.
Names are loaded when they are first used, so that `import course_utils` costs little more
than `import torch`.

- `session`, `doctor`: device, budget and seed of a lesson; what is installed.
- `data`: datasets as tensors, with their true factors where these are known.
- `models`, `losses`, `training`: the networks and formulas of the lectures, and the training loop.
- `metrics`, `tables`, `claims`: how good a model is, as numbers, in a table, against the lecture.
- `plots`, `widgets`: figures, and sliders over them.
- `exercises`, `shipped`, `authoring`: checks of the exercises, trained weights, making notebooks.
"""

from importlib import import_module

__version__ = "0.1.0"

_FUNCTIONS = {
    "start": "session.lab",
    "fit": "training",
    "claim": "claims",
    "check": "claims",
    "above": "claims",
    "below": "claims",
    "shipped_weights": "shipped.weights",
    "shipped_table": "shipped.tables",
    "KeptParts": "shipped.parts",
    "shipped_image": "shipped.images",
}
_ROOMS = (
    "data",
    "doctor",
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
