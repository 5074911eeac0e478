"""Evaluation networks: a classifier and a regressor that measure generated images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..data import face_vectors
from .sizes import check_sizes

# The factors that the shipped attribute regressor of faces predicts, in the order of its outputs.
FACE_FACTORS = (
    "smile", "skin_tone", "face_width", "background", "glasses", "beard", "age", "hair_style",
    "hair_colour",
)  # fmt: skip


class SmallConvNet(nn.Module):
    """A small convolutional network, as evaluation classifier or attribute regressor.

    Three convolutions with stride 2, each with batch normalisation and ReLU, and a linear layer.

    Args:
        outputs: how many logits or attributes come out.
        width: channels of the first convolution; each halving doubles them.
        shape: (C, H, W) of an image.

    Example:
        >>> SmallConvNet(outputs=10)(torch.rand(4, 3, 32, 32)).shape
        torch.Size([4, 10])
    """

    def __init__(self, outputs: int, width: int = 24, shape: tuple[int, int, int] = (3, 32, 32)):
        super().__init__()
        check_sizes(outputs=outputs, width=width)
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
        """(N, outputs) for images (N, C, H, W) in [0, 1]."""
        return self.head(self.features(x))


class FaceAttributeRegressor(SmallConvNet):
    """Predicts the factors of a drawn face.

    It is trained to predict `face_vectors.encode(factors, names)`.

    Args:
        names: the factors, in the order of its outputs.
        width: channels of the first convolution.

    Raises:
        ValueError: there is no factor of such a name.

    Example:
        >>> net = FaceAttributeRegressor(["smile", "hair_style"])
        >>> predicted = net.read(torch.rand(4, 3, 32, 32))
        >>> predicted["smile"].shape, predicted["hair_style"].dtype
        (torch.Size([4]), torch.int64)
    """

    def __init__(self, names: Sequence[str], width: int = 12):
        super().__init__(sum(map(face_vectors.width, names)), width)
        self.names = tuple(names)

    @torch.no_grad()
    def read(self, images: Tensor, batch_size: int = 500) -> dict[str, Tensor]:
        """The predicted factors, in the units of `faces.sample_factors`.

        Args:
            images: (N, 3, 32, 32) in [0, 1].
            batch_size: images that are evaluated at once.

        Returns:
            name -> (N,).
        """
        predicted = torch.cat([self(part) for part in images.split(batch_size)])
        return face_vectors.decode(predicted, self.names)
