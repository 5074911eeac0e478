"""A set of images as tensors, as every loader of this room returns it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..session.arguments import shown
from ..session.text import printable, some


@dataclass(frozen=True)
class ImageSet:
    """Images with all that is known about them, aligned along the first dimension.

    Attributes:
        name: of the set, for titles and messages.
        images: (N, C, H, W) float32 in [0, 1].
        labels: (N,) int64 class of each image, or None where there are no classes.
        factors: name -> (N,) or (N, k) tensor: the true generative factors, where they are
            known (drawn images know theirs, photographs do not).
        captions: one English sentence per image, or None.
        classes: the name of each label.

    Raises:
        ValueError: not as many labels, captions or factors as images.
    """

    name: str
    images: Tensor
    labels: Tensor | None = None
    factors: dict[str, Tensor] = field(default_factory=dict)
    captions: tuple[str, ...] | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self):
        count = len(self.images)
        aligned = {"labels": self.labels, "captions": self.captions, **self.factors}
        for what, values in aligned.items():
            if values is not None and len(values) != count:
                raise ValueError(f"{self.name}: {count} images but {len(values)} {what}.")

    def __repr__(self) -> str:
        """One line that says what there is.

        Example:
            >>> ImageSet("noise", torch.rand(2000, 3, 64, 64), torch.arange(2000) % 2)
            ImageSet 'noise': 2,000 images 3×64×64, labels
        """
        shape = "×".join(map(str, self.images.shape[1:]))
        parts = [f"ImageSet '{printable(self.name)}': {len(self):,} images {shape}"]
        if self.labels is not None:
            parts.append(f"labels ({len(self.classes)} classes)" if self.classes else "labels")
        if self.factors:
            parts.append(f"{len(self.factors)} factors ({some(self.factors)})")
        if self.captions is not None:
            parts.append("captions")
        return ", ".join(parts)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index) -> ImageSet:
        """The subset at an index; always a set, never one item.

        Args:
            index: a position, a slice, positions (from argmax, a permutation ...) or a mask of one
                truth value per image; of Python, NumPy or torch, on any device. Positions may
                count from the end, as -1 does.

        Raises:
            IndexError: a position beyond the end, a mask of another length, or neither.
        """
        kept = _chosen(index, len(self))
        captions = self.captions
        if captions is not None:
            positions = range(len(self))[kept] if isinstance(kept, slice) else kept.tolist()
            captions = tuple(captions[position] for position in positions)
        return replace(
            self,
            images=_of(self.images, kept),
            labels=None if self.labels is None else _of(self.labels, kept),
            factors={name: _of(values, kept) for name, values in self.factors.items()},
            captions=captions,
        )

    def to(self, device) -> ImageSet:
        """The same set with every tensor on `device`."""
        return replace(
            self,
            images=self.images.to(device),
            labels=None if self.labels is None else self.labels.to(device),
            factors={name: values.to(device) for name, values in self.factors.items()},
        )


def _of(values: Tensor, kept: slice | Tensor) -> Tensor:
    return values[kept if isinstance(kept, slice) else kept.to(values.device)]


def _chosen(index, count: int) -> slice | Tensor:
    """What an index chooses among `count` images: a slice, or positions (n,) int64 on the CPU."""
    if isinstance(index, slice):
        forward = index.step is None or index.step > 0
        return index if forward else torch.tensor(range(count)[index], dtype=torch.int64)
    try:
        chosen = torch.as_tensor(index).cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise _no_index(index) from error
    if chosen.dtype == torch.bool and chosen.shape == (count,):
        return chosen.nonzero().flatten()
    whole = chosen.dtype in (torch.int64, torch.int32, torch.int16) or chosen.numel() == 0
    if isinstance(index, tuple) or not whole or chosen.dim() > 1:
        raise _no_index(index)
    for position in chosen.flatten().tolist():
        if not -count <= position < count:
            raise IndexError(f"There is no image {position:.0f} in a set of {count}, from 0 on.")
    if chosen.dim() == 0:
        return slice(int(chosen) % count, int(chosen) % count + 1)
    return chosen.long() % max(1, count)


def _no_index(index) -> IndexError:
    return IndexError(
        f"The index is {shown(index)}; give a position, a slice, positions in a row, or a mask "
        "with one truth value for each image."
    )
