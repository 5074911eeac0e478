"""Exercises of lesson 06b, CycleGAN in depth."""

import torch
from torch import Tensor

from .checking import Wrong
from .exercise import Case, Exercise

# 1. The pool


def _numbers(found):
    """The number of the image that is shown, how often each is in the pool, and how many are."""
    if isinstance(found, Tensor) and found.shape == (7,):
        return found
    shown, pool = found if isinstance(found, (tuple, list)) and len(found) == 2 else (0, 0)
    if not isinstance(pool, (list, tuple)) or not all(map(_is_image, [shown, *pool])):
        raise Wrong("return two things: first the image that is shown, (C, H, W), then the pool "
                    "afterwards, a list of images.")  # fmt: skip
    inside = [image.mean().item() for image in pool]
    return torch.tensor([shown.mean().item(), *map(inside.count, range(5)), len(pool)])


def _is_image(found) -> bool:
    return isinstance(found, Tensor) and found.shape == (3, 2, 2) and found.is_floating_point()


def _swapped(pool, fake, place):
    return [*pool[:place], fake, *pool[place + 1 :]]


def _exchange(pool, fake, size, coin, place):
    if len(pool) < size:
        return _numbers((fake, [*pool, fake]))
    return _numbers((pool[place], _swapped(pool, fake, place)) if coin else (fake, pool))


FAKE, *POOL = [torch.full((3, 2, 2), float(number)) for number in range(5)]
FILLING = "while the pool is not full, the fake is put into it *and* shown, whatever the coin says."
NO_COIN = "the coin is False, and so the fake is shown as it is, and the pool stays as it was."
LENGTH = "the pool has {} images afterwards; the fake takes the *place* of one of them."
check_exchange = Exercise(
    "Exercise 1, the pool",
    _exchange,
    [
        *(Case((POOL, FAKE, 4, True, place)) for place in (2, 0, 3)),
        Case((POOL[:1], FAKE, 1, True, 0)),
        Case((POOL, FAKE, 4, False, 1), NO_COIN),
        Case((POOL[:2], FAKE, 4, False, 0), FILLING),
        Case((POOL[:2], FAKE, 4, True, 1), FILLING),
        Case(([], FAKE, 3, True, 0), FILLING),
    ],
    [
        (lambda p, f, size, coin, i: _numbers((f, _swapped(p, f, i))), "the fake goes into the "
         "pool, and the image that lay there is shown; you show the fake, so the discriminator "
         "sees no past fake at all."),
        (lambda p, f, size, coin, i: _numbers((f, p)), "the coin is True and the pool is full, and "
         "still the fake is shown as it is; swap it with the image at `place`."),
        (lambda p, f, size, coin, i: _numbers((p[i], p)), "a past fake is shown, but the pool "
         "stays as it was; without the fresh one it keeps the first fakes for ever."),
        (lambda p, f, size, coin, i: _numbers((f, [*p, f])), LENGTH.format("more")),
        (lambda p, f, size, coin, i: _numbers((p[i], [*p, f])), LENGTH.format("more")),
        (lambda p, f, size, coin, i: _numbers((f, p[:i] + p[i + 1 :])), LENGTH.format("fewer")),
        (lambda p, f, size, coin, i: _numbers((p[i], p[:i] + p[i + 1 :])), LENGTH.format("fewer")),
    ],
    result="the image that is shown and the pool",
    crashes={"IndexError": "while the pool is filling there may be no image at `place`"},
    read=_numbers,
    explain=lambda found, right, pool, fake, size, coin, place: "the image at `place`, here number "
    f"{place}, is shown, and the fake takes its place; all but that one stay in the pool.",
    praise="right: half of what the discriminator sees is fresh, the other half from the past.",
)  # fmt: skip

# 2. Batch normalization


def _normalized(images, mean, std):
    return (images - mean) / std


def _both(first, second=None, correction=0, dim=0):
    """The fakes with the statistics of `first`, and with those of `second`, else their own."""

    def answer(real, fake):
        return torch.stack(
            [
                _normalized(
                    fake,
                    of.mean(dim, keepdim=True),
                    of.std(dim, correction=correction, keepdim=True),
                )
                for of in (first(real, fake), (second or _fake)(real, fake))
            ]
        )

    return answer


def _together(real, fake):
    return torch.cat([real, fake])


def _fake(real, fake):
    return fake


def _real(real, fake):
    return real


def _of_all_channels(real, fake):
    return torch.stack(
        [(fake - of.mean()) / of.std(correction=0) for of in (_together(real, fake), fake)]
    )


def _only_centred(real, fake):
    return torch.stack([fake - _together(real, fake).mean(0), fake - fake.mean(0)])


def _features(count, other, channels, seed):
    generator = torch.Generator().manual_seed(seed)
    real = torch.randn(count, channels, generator=generator)
    return real, 0.7 * torch.randn(other, channels, generator=generator) + 2


check_fakes_as_seen = Exercise(
    "Exercise 2, batch normalization",
    _both(_together),
    [Case(_features(4, 4, 3, 0)), Case(_features(6, 2, 5, 1))],
    [
        (lambda real, fake: _both(_together)(real, fake).flip(0), "both are there, in the wrong "
         "order; first the fakes in one pass with the real images, then the fakes alone."),
        (_both(_together, correction=1), "the variance of a batch normalization divides by the "
         "number of images, not by one less; use correction=0."),
        (_both(_real), "the first is normalized with statistics of the real images alone; in one "
         "pass they are those of real and fake ones together."),
        (_both(_together, _together), "both are normalized with statistics of real and fake "
         "images; where G asks, the fakes are alone."),
        (_both(_fake), "both are normalized with statistics of the fakes alone; in one pass the "
         "real images count as well."),
        (_both(_fake, dim=1), "each image is normalized by itself, over its channels; batch "
         "normalization takes mean and variance of each channel over the images."),
        (_of_all_channels, "one mean and one variance for all channels; each channel has its own."),
        (_only_centred, "the means are taken away, and the division by the standard deviation is "
         "missing."),
    ],
    result="the fakes normalized twice, (2, N, C)",
    praise="right: alone, the fakes have mean 0 in every channel, whatever they look like. D "
    "cannot tell G that all of them are too bright.",
)  # fmt: skip
