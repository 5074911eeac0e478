"""Sliders and players: thin layers over pure functions from a state to an image."""

from .caption_box import CaptionBox
from .explorer import Explorer, explore
from .latent import ELBOView, LatentPad, PosteriorAnimation
from .picker import ImagePicker
from .style_studio import StyleStudio
from .time_machine import TimeMachine, flat_weights

__all__ = [
    "BoundView",
    "CaptionBox",
    "Explorer",
    "LatentPad",
    "ImagePicker",
    "PosteriorFilm",
    "StyleStudio",
    "TimeMachine",
    "explore",
    "weights_of",
]
