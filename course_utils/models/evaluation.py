"""Networks that read the true factors off an image: the judges of what a model draws."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..data import face_vectors

# What the judge of faces that ships with the course (`faces_judge`) reads, in its order.
FACE_FACTORS = (
    "smile", "skin_tone", "face_width", "background", "glasses", "beard", "age", "hair_style",
    "hair_colour",
)  # fmt: skip


class SmallConvNet(nn.Module):
    """A small convolutional network from an image to the numbers that describe it.

    Args:
        outputs: how many numbers it reads.
        width: channels of the first convolution; each halving doubles them.
        shape: (C, H, W) of an image.
    """

    def __init__(self, outputs: int, width: int = 24, shape: tuple[int, int, int] = (3, 32, 32)):
        super().__init__()
        channels, height, wide = shape
        layers: list[nn.Module] = []
        for block in range(3):
            layers += [
                nn.Conv2d(channels, width * 2**block, 3, stride=2, padding=1),
                nn.BatchNorm2d(width * 2**block),
                nn.ReLU(),
            ]
            channels = width * 2**block
        features = channels * math.ceil(height / 8) * math.ceil(wide / 8)
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Linear(features, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, outputs) readings of images (N, C, H, W) in [0, 1]."""
        return self.head(self.features(x))


class FaceAttributeRegressor(SmallConvNet):
    """Reads factors of a drawn face.

    It is trained to give what `face_vectors.encode(factors, names)` says.

    Args:
        names: the factors, in the order of its outputs.
        width: channels of the first convolution.
    """

    def __init__(self, names: Sequence[str], width: int = 12):
        super().__init__(sum(map(face_vectors.width, names)), width)
        self.names = tuple(names)

    @torch.no_grad()
    def read(self, images: Tensor, batch_size: int = 500) -> dict[str, Tensor]:
        """name -> (N,), in the units of `faces.sample_factors`, of images (N, 3, 32, 32)."""
        readings = torch.cat([self(part) for part in images.split(batch_size)])
        return face_vectors.decode(readings, self.names)
