"""A set of images as tensors, as every loader of this room returns it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor


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

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index) -> ImageSet:
        """The subset at a slice, a mask or a tensor of positions; always a set, never one item."""
        if hasattr(index, "__index__") and not isinstance(index, Tensor):
            position = range(len(self))[index]  # raises IndexError beyond the end
            index = slice(position, position + 1)
        captions = self.captions
        if captions is not None:
            kept = torch.arange(len(self))[index.cpu() if isinstance(index, Tensor) else index]
            captions = tuple(captions[i] for i in kept.tolist())
        return replace(
            self,
            images=self.images[index],
            labels=None if self.labels is None else self.labels[index],
            factors={name: values[index] for name, values in self.factors.items()},
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
