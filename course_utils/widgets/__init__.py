"""Widgets: sliders, buttons and fields over pure functions from a state to an image.

Open `explorer` for sliders over any function that draws, `latent` for views of latent spaces,
`convolution` for a kernel that moves over an image, `time_machine` for the training of a GAN, and
`picker`, `style_studio` and `caption_box` for images and sentences of one's own.
"""

from .caption_box import CaptionBox
from .explorer import Explorer, explore
from .latent import ELBOView, LatentPad, PosteriorAnimation
from .picker import ImagePicker
from .style_studio import StyleStudio
from .time_machine import TimeMachine, flat_weights

__all__ = [
    "CaptionBox",
    "ELBOView",
    "Explorer",
    "ImagePicker",
    "LatentPad",
    "PosteriorAnimation",
    "StyleStudio",
    "TimeMachine",
    "explore",
    "flat_weights",
]
