"""The pool of past fakes that a discriminator is shown (Shrivastava et al. 2017).

A module of its own: it has no weights and is no network, but it is a part of a player's state that
a cut must not lose.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .sizes import check_sizes


class ImagePool(nn.Module):
    """Past fakes, so that a discriminator does not forget what the generator drew before.

    The rule of Zhu, Park, Isola and Efros (2017), with 50 images: until the pool is full, every
    fake is stored and handed on. Then, each with probability 1/2, a fake is handed on as it is, or
    it takes the place of one of the stored images, which is handed on instead.

    What it holds are buffers. Put into the `nn.ModuleDict` of a player it moves to the device with
    it and lies in its checkpoint; random numbers are torch's, which the checkpoint keeps as well.
    So a run that was cut goes on exactly.

    Args:
        size: how many images it holds; 0 hands every fake on.
        shape: (C, H, W) of an image.
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
        """(N, C, H, W): what to show the discriminator for N fresh fakes, without gradients.

        A batch meets the rule one image after the other, as if they came singly: the second may
        get what the first has just stored. The device is never waited for.

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

        # Whose image lies in each one's place, just before its turn and when all are through:
        # the last of the batch that was stored there, else the one from before the batch.
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
