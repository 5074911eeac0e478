"""The pool of past fakes on which a discriminator is trained (Shrivastava et al. 2017).

It is an `nn.Module` although it has no weights: its images belong to the state of a run, and must
be in its checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .sizes import check_sizes


class ImagePool(nn.Module):
    """Past fakes, so that a discriminator is trained on earlier images of the generator as well.

    The rule of Zhu, Park, Isola and Efros (2017), who hold 50 images: until the pool is full,
    every fake is stored and returned. After that, with probability 1/2, a fake is returned as it
    is; otherwise it replaces one of the stored images, which is returned instead.

    The images are buffers: in an `nn.ModuleDict` with the discriminator they move to its device
    and are saved in its checkpoint. Random numbers are torch's, which the checkpoint keeps as
    well, so that an interrupted run resumes exactly.

    Args:
        size: how many images it holds; with 0 every fake is returned as it is.
        shape: (C, H, W) of an image.

    Raises:
        ValueError: `size` is not a whole number of at least 0.

    Example:
        >>> pool = ImagePool(size=50, shape=(3, 32, 32))
        >>> fakes = torch.rand(4, 3, 32, 32)
        >>> torch.equal(pool.exchange(fakes), fakes), int(pool.held)  # not full yet
        (True, 4)
    """

    def __init__(self, size: int, shape: Sequence[int]):
        super().__init__()
        if size != 0:
            check_sizes(size=size)
        self.size, self.shape = size, tuple(shape)
        self.register_buffer("images", torch.zeros(size, *self.shape))
        self.register_buffer("held", torch.zeros((), dtype=torch.int64))

    def extra_repr(self) -> str:
        return f"{self.size}, {self.shape}"

    @torch.no_grad()
    def exchange(self, fakes: Tensor) -> Tensor:
        """The images to train the discriminator on, for N new fakes, without gradients.

        The rule is applied to one image of the batch after the other: the second may get the
        image that the first has just stored. It never waits for the device.

        Args:
            fakes: (N, C, H, W).

        Returns:
            (N, C, H, W).

        Raises:
            ValueError: images of another shape.
        """
        if fakes.shape[1:] != self.shape:
            raise ValueError(
                f"This pool holds images of shape {self.shape}; these are {tuple(fakes.shape)}."
            )
        if self.size == 0:
            return fakes.detach()
        count, device = len(fakes), fakes.device
        fakes = fakes.to(self.images.dtype)
        turn = torch.arange(count, device=device)
        place = self.held + turn
        filling = place < self.size
        place = torch.where(filling, place, torch.randint(self.size, (count,), device=device))
        swapped = ~filling & (torch.rand(count, device=device) < 0.5)

        # Whose image is at each one's place, just before its turn and after the batch: the last
        # of the batch that was stored there, or else the one from before the batch.
        stored_there = (place[:, None] == place) & (filling | swapped)
        before = _last(stored_there.tril(-1))
        after = _last(stored_there)
        known = torch.cat([fakes, self.images[place]])
        self.images[place] = known[torch.where(after < 0, count + turn, after)]
        self.held.add_(count).clamp_(max=self.size)
        given = torch.where(before < 0, count + turn, before)
        return known[torch.where(swapped, given, turn)]


def _last(marked: Tensor) -> Tensor:
    """The last marked column of each row of a table of truth values; -1 where none is."""
    columns = torch.arange(marked.shape[1], device=marked.device)
    return torch.where(marked, columns, -1).amax(1)
