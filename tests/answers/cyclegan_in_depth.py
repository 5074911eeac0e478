"""Answers to the exercises of lesson 06b that no table of mistakes has."""

import torch
from torch import nn


def exchange(pool, fake, size, coin, place):
    """On a copy, to whose end the fake is put: the order is free, as `place` is random."""
    if len(pool) == size and not coin:
        return fake, pool
    pool = [*pool, fake]
    return (fake, pool) if len(pool) <= size else (pool.pop(place), pool)


def exchange_in_place(pool, fake, size, coin, place):
    if len(pool) < size:
        pool.append(fake)
    elif coin:
        fake, pool[place] = pool[place], fake
    return fake, pool


def overwrites(pool, fake, size, coin, place):
    return pool[place].clone(), [pool[place].copy_(fake), *pool[:place], *pool[place + 1 :]]


def on_true(rule):
    """Right unless a fake is swapped: (pool, fake, place) -> what is returned then."""
    return lambda p, f, size, coin, place: (
        rule(p, f, place) if coin and len(p) == size else exchange(p, f, size, coin, place)
    )


def by_the_layer(real, fake):
    """With the layer that does it, in training, without its small constant."""
    layer = nn.BatchNorm1d(fake.shape[1], eps=1e-12, affine=False)
    return torch.stack([layer(torch.cat([real, fake]))[len(real) :], layer(fake)])


RIGHT = {
    "fakes_as_seen": [by_the_layer],
    "exchange": [exchange, lambda pool, *given: exchange_in_place(pool.copy(), *given)],
}
WRONG = {
    "fakes_as_seen": [
        (lambda real, fake: by_the_layer(fake, real), "(2, N, C)"),
        (lambda real, fake: by_the_layer(real, fake)[0], "(2, N, C)"),
    ],
    "exchange": [
        (lambda p, f, size, coin, i: exchange(p, f, len(p), coin, i), "while the pool is not full"),
        (lambda p, f, size, coin, i: exchange(p, f, size, True, i), "the coin is False"),
        (lambda p, f, size, coin, i: (p[i], exchange(p, f, size, coin, i))[1], "may be no image"),
        (on_true(lambda p, f, i: (p[0], [*p[1:], f])), "here number 2, is shown"),
        (on_true(lambda p, f, i: (p[i], [f] * len(p))), "all but that one stay"),
        (exchange_in_place, "changes `pool` itself"),
        (overwrites, "changes `pool` itself"),
        (lambda *given: exchange(*given)[::-1], "first the image that is shown"),
        (lambda *given: exchange(*given)[0], "return two things"),
    ],
}
