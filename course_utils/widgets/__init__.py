"""Sliders and players: thin layers over pure functions from a state to a picture."""

from .caption_box import CaptionBox
from .explorer import Explorer, explore
from .latent import BoundView, LatentPad, PosteriorFilm
from .picker import PicturePicker
from .style_studio import StyleStudio
from .time_machine import TimeMachine, weights_of

__all__ = [
    "BoundView",
    "CaptionBox",
    "Explorer",
    "LatentPad",
    "PicturePicker",
    "PosteriorFilm",
    "StyleStudio",
    "TimeMachine",
    "explore",
    "weights_of",
]
