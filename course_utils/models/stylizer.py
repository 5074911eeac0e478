"""A feed-forward network for style transfer: all styles in one network, mixed by shares."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .sizes import check_sizes


class ConditionalInstanceNorm(nn.Module):
    """Instance normalization with one gain and one shift per channel and style.

    Every channel of every image gets the mean 0 and the standard deviation 1 over its positions
    (Ulyanov et al. 2017), then the gain and the shift of the style (Dumoulin et al. 2017). For a
    mixture of styles they are the means of the styles' gains and shifts, weighted by the shares.

    Args:
        channels: of the activations.
        styles: how many there are.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> import torch
        >>> layer = ConditionalInstanceNorm(channels=2, styles=3)
        >>> y = layer(torch.rand(4, 2, 8, 8), torch.eye(3)[[0, 0, 1, 2]])
        >>> y.shape, y.mean((2, 3)).abs().max() < 1e-5
        (torch.Size([4, 2, 8, 8]), tensor(True))
    """

    def __init__(self, channels: int, styles: int):
        super().__init__()
        check_sizes(channels=channels, styles=styles)
        self.gain = nn.Parameter(torch.ones(styles, channels))
        self.shift = nn.Parameter(torch.zeros(styles, channels))

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """Normalized activations.

        Args:
            x: (N, C, h, w).
            shares: (N, styles) or (1, styles) for all images.

        Returns:
            (N, C, h, w).
        """
        gain, shift = (shares @ table for table in (self.gain, self.shift))
        return F.instance_norm(x) * gain[:, :, None, None] + shift[:, :, None, None]


class StyledConvolution(nn.Module):
    """A convolution with reflected borders, then conditional instance normalization.

    Args:
        before, after: channels.
        styles: how many styles there are.
        kernel: side of the filters, an odd number.
        stride: of the convolution.
        enlarge: double the sides before the convolution, by nearest neighbours; so each output
            pixel gets equally many contributions, and no checkerboard is built in.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> import torch
        >>> layer = StyledConvolution(3, 8, styles=2, stride=2)
        >>> layer(torch.rand(1, 3, 32, 32), torch.tensor([[0.5, 0.5]])).shape
        torch.Size([1, 8, 16, 16])
    """

    def __init__(
        self,
        before: int,
        after: int,
        styles: int,
        kernel: int = 3,
        stride: int = 1,
        enlarge: bool = False,
    ):
        super().__init__()
        check_sizes(before=before, after=after, styles=styles, kernel=kernel, stride=stride)
        # The normalization takes the mean away, so a bias would have no effect.
        self.convolution = nn.Conv2d(before, after, kernel, stride, bias=False)
        self.norm = ConditionalInstanceNorm(after, styles)
        self.enlarge, self.border = enlarge, kernel // 2

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """(N, after, h, w) of activations (N, before, H, W) and shares (N or 1, styles)."""
        if self.enlarge:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        x = F.pad(x, (self.border,) * 4, mode="reflect")
        return self.norm(self.convolution(x), shares)


class Stylizer(nn.Module):
    """An image and the shares of the styles -> the image in that style, in one forward pass.

    The transformer network of Johnson, Alahi and Fei-Fei (2016), smaller: two halvings, residual
    blocks, two doublings; at full and at half size the activations of the way down are added on the
    way up, so that edges need not pass the quarter size. All styles share the filters; a style is
    one gain and one shift a filter (Dumoulin, Shlens and Kudlur 2017).

    Args:
        styles: how many.
        widths: channels at full, half and quarter size.
        blocks: residual blocks at quarter size.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> import torch
        >>> net = Stylizer(styles=8)
        >>> shares = torch.zeros(1, 8).index_fill(1, torch.tensor([2, 5]), 0.5)
        >>> net(torch.rand(1, 3, 64, 48), shares).shape
        torch.Size([1, 3, 64, 48])
    """

    def __init__(self, styles: int, widths: Sequence[int] = (16, 32, 48), blocks: int = 4):
        super().__init__()
        fine, middle, coarse = widths
        check_sizes(fine=fine, middle=middle, coarse=coarse, blocks=blocks)
        self.styles = styles
        self.down = nn.ModuleList(
            [
                StyledConvolution(3, fine, styles, kernel=5),
                StyledConvolution(fine, middle, styles, stride=2),
                StyledConvolution(middle, coarse, styles, stride=2),
            ]
        )
        self.blocks = nn.ModuleList(
            nn.ModuleList(StyledConvolution(coarse, coarse, styles) for _ in range(2))
            for _ in range(blocks)
        )
        self.up = nn.ModuleList(
            [
                StyledConvolution(coarse, middle, styles, enlarge=True),
                StyledConvolution(middle, fine, styles, enlarge=True),
            ]
        )
        self.last = StyledConvolution(fine, 3, styles, kernel=7)

    def forward(self, images: Tensor, shares: Tensor) -> Tensor:
        """The images in the style.

        Args:
            images: (N, 3, H, W) in [0, 1], with sides of at least 8 pixels.
            shares: (N, styles), one row an image, or (1, styles) for all of them. A row with one
                1 is one style; a row that sums to 1 mixes styles.

        Returns:
            (N, 3, H, W) in [0, 1].

        Raises:
            ValueError: the images are smaller, or the shares are of another number of styles.
        """
        if shares.dim() != 2 or shares.shape[1] != self.styles:
            raise ValueError(
                f"shares has the shape {tuple(shares.shape)}; give (N, {self.styles}), one row "
                "an image, or (1, …) for all of them."
            )
        if images.shape[2] < 8 or images.shape[3] < 8:
            raise ValueError(
                f"Images of {images.shape[2]}×{images.shape[3]} are too small to be halved twice "
                "and reflected at their borders; give sides of at least 8 pixels."
            )
        fine = self.down[0]((images - 0.5) / 0.25, shares).relu()
        middle = self.down[1](fine, shares).relu()
        x = self.down[2](middle, shares).relu()
        for first, second in self.blocks:
            x = x + second(first(x, shares).relu(), shares)
        # Odd sides are rounded up on the way down, and so come back larger.
        x = self.up[0](x, shares)[:, :, : middle.shape[2], : middle.shape[3]].relu() + middle
        x = self.up[1](x, shares)[:, :, : fine.shape[2], : fine.shape[3]].relu() + fine
        x = self.last(x, shares).sigmoid()
        return x.to(images.dtype)
