"""Widgets: sliders, buttons and fields over pure functions from a state to an image.

Open `explorer` for sliders over any function that draws, `latent` for views of latent spaces,
`measuring` for a rotated posterior and the weights of draws from q(z|x),
`convolution` for a kernel that moves over an image, `time_machine` for the training of a GAN,
`plane` for an image with handles to drag, `gan_map` for a GAN whose data are dragged, `sample_path`
for a path from noise to data, and `picker`, `style_studio` and `caption_box` for images and
sentences of one's own.
"""

from .caption_box import CaptionBox
from .explorer import Explorer, explore
from .gan_map import GANMap
from .latent import ELBOView, LatentMap, LatentPad
from .measuring import ImportanceView, RotationView
from .picker import ImagePicker
from .plane import Plane, frame_of
from .sample_path import SamplePath
from .style_studio import StyleStudio
from .time_machine import TimeMachine, flat_weights

__all__ = [
    "CaptionBox",
    "ELBOView",
    "Explorer",
    "GANMap",
    "ImagePicker",
    "ImportanceView",
    "LatentMap",
    "LatentPad",
    "Plane",
    "RotationView",
    "SamplePath",
    "StyleStudio",
    "TimeMachine",
    "explore",
    "flat_weights",
    "frame_of",
]
