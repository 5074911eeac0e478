"""A restoration network: an autoencoder with skip connections and a learnt mask."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .grids import double, halve
from .sizes import check_sizes


class Restorer(nn.Module):
    """A damaged image -> the restored image: three halvings, three doublings, skip connections.

    At every size a skip connection concatenates the encoder's feature maps to the decoder's (the
    U-Net of Ronneberger, Fischer and Brox 2015). It predicts an image p and a mask m in (0, 1)
    of the pixels to replace; the result is (1 - m) x + m p.

    Args:
        width: channels after the first halving; the next two have twice and three times as many.
        colours: channels of an image, in and out.

    Example:
        >>> Restorer()(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 3, 32, 32])
    """

    def __init__(self, width: int = 16, colours: int = 3):
        super().__init__()
        check_sizes(width=width, colours=colours)
        fine, middle, coarse = width, 2 * width, 3 * width
        self.down = nn.ModuleList(
            [halve(colours, fine), halve(fine, middle), halve(middle, coarse)]
        )
        self.up = nn.ModuleList(
            [
                double(coarse, middle),
                double(2 * middle, fine),
                nn.ConvTranspose2d(2 * fine, colours + 1, 4, 2, padding=1),
            ]
        )
        # At first it keeps most of the input everywhere: m = sigmoid(-1) = 0.27.
        nn.init.zeros_(self.up[2].weight)
        self.up[2].bias.data = torch.tensor([0.5] * colours + [-1.0])

    def parts(self, damaged: Tensor) -> tuple[Tensor, Tensor]:
        """The predicted image p (N, C, H, W), and the mask m (N, 1, H, W) in (0, 1).

        Args:
            damaged: (N, C, H, W) in [0, 1]; H and W must be multiples of 8.

        Raises:
            ValueError: images that cannot be halved three times.
        """
        if damaged.shape[-1] % 8 or damaged.shape[-2] % 8:
            raise ValueError(
                f"Images of {damaged.shape[-2]}×{damaged.shape[-1]} cannot be halved three "
                "times; crop or resize them to a multiple of 8."
            )
        fine = self.down[0](damaged)
        middle = self.down[1](fine)
        coarse = self.down[2](middle)
        middle = torch.cat([self.up[0](coarse), middle], dim=1)
        fine = torch.cat([self.up[1](middle), fine], dim=1)
        out = self.up[2](fine)
        return out[:, :-1], out[:, -1:].sigmoid()

    def forward(self, damaged: Tensor) -> Tensor:
        """Restored images (N, C, H, W) of damaged ones; H and W must be multiples of 8.

        The values lie near [0, 1] but are not clipped.

        Raises:
            ValueError: images that cannot be halved three times.
        """
        # The convolutions may have run in half precision; the result has the input's precision.
        predicted, mask = (part.to(damaged.dtype) for part in self.parts(damaged))
        return torch.lerp(damaged, predicted, mask)
