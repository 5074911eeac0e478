"""Networks that mend an image: an autoencoder whose decoder may look past the code."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .grids import double, halve


class Restorer(nn.Module):
    """A damaged image -> the image: three halvings, three doublings, and ways past the code.

    At every size the decoder gets what the encoder had there as well (the U-Net of Ronneberger,
    Fischer and Brox 2015). It draws an image p and says for every pixel how much it doubts the
    input there, d in (0, 1); the result is (1 - d) x + d p.

    Args:
        width: channels after the first halving; the next two have twice and three times as many.
        colours: channels of an image, in and out.
    """

    def __init__(self, width: int = 16, colours: int = 3):
        super().__init__()
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
        # It begins by trusting the input almost everywhere: d = sigmoid(-1).
        nn.init.zeros_(self.up[2].weight)
        self.up[2].bias.data = torch.tensor([0.5] * colours + [-1.0])

    def parts(self, damaged: Tensor) -> tuple[Tensor, Tensor]:
        """What it draws, (N, C, H, W), and how much it doubts the input, (N, 1, H, W) in (0, 1).

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

        The values lie near [0, 1] without being held there.
        """
        # The convolutions may have run in half precision; the image that was given has not.
        drawn, doubt = (part.to(damaged.dtype) for part in self.parts(damaged))
        return torch.lerp(damaged, drawn, doubt)
