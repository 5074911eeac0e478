"""Mixtures of equal Gaussians in the plane: data whose missing modes can be counted.

The ring and the grid have the sizes of Lin et al. (2018, "PacGAN"), so that results can be
compared with published ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..session.arguments import real, shown, whole


@dataclass(frozen=True)
class Mixture:
    """Equally likely Gaussians with the same standard deviation.

    Attributes:
        name: its name in figures.
        means: (K, 2) centres.
        std: standard deviation of each Gaussian in each direction.

    Example:
        >>> Mixture("two", torch.tensor([[0.0, 0.0], [1.0, 0.0]]), std=0.1).sample(500).shape
        torch.Size([500, 2])
    """

    name: str
    means: Tensor
    std: float

    def sample(self, *shape: int, generator: torch.Generator | None = None) -> Tensor:
        """Independent samples, `(*shape, 2)`.

        Args:
            shape: of the result, without its last dimension.
            generator: of the random numbers, on the CPU; torch's own by default.
        """
        return self.sample_with_labels(*shape, generator=generator)[0]

    def sample_with_labels(self, *shape: int, generator=None) -> tuple[Tensor, Tensor]:
        """Independent samples, `(*shape, 2)`, and the number of the Gaussian of each, `shape`."""
        shape = tuple(whole(count, "A length of the shape", least=0) for count in shape)
        device = self.means.device
        labels = torch.randint(len(self.means), shape, generator=generator).to(device)
        noise = torch.randn(*shape, 2, generator=generator).to(device)
        return self.means[labels] + self.std * noise, labels

    def log_density(self, points: Tensor) -> Tensor:
        """log p(x) in nats, (...), at points (..., 2)."""
        if not isinstance(points, Tensor) or points.shape[-1:] != (2,):
            raise ValueError(f"The points are {shown(points)}; give points of a plane, (..., 2).")
        squared = (points[..., None, :] - self.means).square().sum(-1)
        kernels = -squared / (2 * self.std**2) - math.log(2 * math.pi * self.std**2)
        return torch.logsumexp(kernels, dim=-1) - math.log(len(self.means))

    def standardised(self) -> Mixture:
        """The same mixture, scaled so that the mean square of the centres' coordinates is 1.

        Networks learn best from numbers of order one. The modes, distances in standard deviations
        and divergences do not change.
        """
        scale = self.means.square().mean().sqrt().item()
        return Mixture(self.name, self.means / scale, self.std / scale)

    def to(self, device) -> Mixture:
        """The mixture with its centres on a device; it samples there."""
        return Mixture(self.name, self.means.to(device), self.std)


def ring(modes: int = 8, radius: float = 1.0, std: float = 0.01) -> Mixture:
    """Gaussians evenly spaced on a circle.

    Args:
        modes: how many.
        radius: of the circle.
        std: standard deviation of each Gaussian.

    Raises:
        ValueError: fewer than one mode, or a length that is not positive.

    Example:
        >>> ring(modes=8).means.shape, ring(modes=8).sample(100).shape
        (torch.Size([8, 2]), torch.Size([100, 2]))
    """
    modes, radius, std = _checked(modes, radius, std)
    # Not linspace(0, 2π, modes), whose first and last angles are the same: that ring has one
    # mode less than it says.
    angle = torch.arange(modes) * (2 * math.pi / modes)
    return Mixture("ring", radius * torch.stack([angle.cos(), angle.sin()], dim=-1), std)


def grid(side: int = 5, spacing: float = 2.0, std: float = 0.05) -> Mixture:
    """Gaussians on a square grid around the origin.

    Args:
        side: modes per row and per column.
        spacing: distance of neighbouring modes.
        std: standard deviation of each Gaussian.

    Raises:
        ValueError: fewer than one mode, or a length that is not positive.

    Example:
        >>> grid(side=5).means.shape, grid(side=5).means.max()  # 5 · 5 modes, 2 apart
        (torch.Size([25, 2]), tensor(4.))
    """
    side, spacing, std = _checked(side, spacing, std)
    line = (torch.arange(side) - (side - 1) / 2) * spacing
    return Mixture("grid", torch.cartesian_prod(line, line), std)


def _checked(count: int, length: float, std: float) -> tuple[int, float, float]:
    """Python's numbers for how many modes, how far apart and how wide."""
    count = whole(count, "The number of modes", most=10_000)
    wanted = "a positive number"
    return (
        count,
        real(length, "The distance", wanted, _positive),
        real(std, "The standard deviation", wanted, _positive),
    )


def _positive(length: float) -> bool:
    return 0 < length < math.inf
