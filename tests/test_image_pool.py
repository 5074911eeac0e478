"""The pool of past fakes: the rule, one by one and in batches, and that no cut is noticed."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from course_utils import fit
from course_utils.models.image_pool import ImagePool


def numbered(first, count):
    """Images of one pixel, each with a number of its own; 0 is what an empty pool holds."""
    return torch.arange(first, first + count, dtype=torch.float32).view(count, 1, 1, 1)


def one_by_one(pool, fakes, places, swaps):
    """The rule as the paper's code has it: a list, and one image after the other."""
    handed_on = []
    for fake, place, swap in zip(fakes.flatten().tolist(), places.tolist(), swaps.tolist()):
        if len(pool.stored) < pool.size:
            pool.stored.append(fake)
            handed_on.append(fake)
        elif swap:
            handed_on.append(pool.stored[place])
            pool.stored[place] = fake
        else:
            handed_on.append(fake)
    return handed_on


@pytest.mark.parametrize("size, batch", [(5, 1), (5, 3), (3, 8), (1, 4), (50, 4), (4, 4)])
def test_the_rule_is_that_of_a_list_and_one_image_after_the_other(size, batch):
    pool, plain = ImagePool(size, (1, 1, 1)), SimpleNamespace(size=size, stored=[])
    for turn in range(40):
        fakes = numbered(1 + turn * batch, batch)
        torch.manual_seed(turn)
        handed_on = pool.exchange(fakes)
        torch.manual_seed(turn)  # the same draws, for the list
        places, swaps = torch.randint(size, (batch,)), torch.rand(batch) < 0.5
        assert handed_on.flatten().tolist() == one_by_one(plain, fakes, places, swaps)
        assert pool.images.flatten().tolist()[: len(plain.stored)] == plain.stored
        assert pool.held == len(plain.stored)


def test_half_of_what_is_handed_on_is_old_and_every_place_is_as_likely():
    torch.manual_seed(0)
    pool = ImagePool(4, (1, 1, 1))
    pool.exchange(numbered(1, 4))
    fresh, replaced = 0, torch.zeros(4)
    for turn in range(2000):
        before = pool.images.clone()
        fakes = numbered(10 + 2 * turn, 2)
        fresh += (pool.exchange(fakes) == fakes).sum().item()
        replaced += (pool.images != before).flatten()
    assert abs(fresh / 4000 - 0.5) < 0.03
    assert (replaced / replaced.sum() - 1 / 4).abs().max() < 0.03


def test_no_image_is_lost_or_doubled():
    torch.manual_seed(0)
    pool, handed_on = ImagePool(6, (1, 1, 1)), []
    for turn in range(30):
        handed_on += pool.exchange(numbered(1 + 7 * turn, 7)).flatten().tolist()
    first = handed_on[:6]  # handed on and stored
    both = handed_on[6:] + pool.images.flatten().tolist()
    assert sorted(both) == sorted(first + list(range(7, 211)))


def test_a_pool_of_nothing_hands_every_fake_on():
    pool, fakes = ImagePool(0, (3, 4, 4)), torch.rand(5, 3, 4, 4, requires_grad=True)
    handed_on = pool.exchange(fakes)
    assert torch.equal(handed_on, fakes) and not handed_on.requires_grad


def test_what_is_handed_on_has_no_gradient_and_is_a_copy():
    pool, fakes = ImagePool(2, (1, 2, 2)), torch.rand(4, 1, 2, 2, requires_grad=True)
    for _ in range(5):
        handed_on = pool.exchange(fakes)
        assert not handed_on.requires_grad
        kept = pool.images.clone()
        handed_on.zero_()
        assert torch.equal(pool.images, kept) and fakes.abs().sum() > 0


def test_half_precision_fakes_are_stored_as_the_pool_is():
    handed_on = ImagePool(2, (1, 2, 2)).exchange(torch.rand(4, 1, 2, 2).bfloat16())
    assert handed_on.dtype == torch.float32


def test_images_of_another_shape_and_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3, 4, 4\); these are \(2, 3, 8, 4\)"):
        ImagePool(5, (3, 4, 4)).exchange(torch.zeros(2, 3, 8, 4))
    with pytest.raises(ValueError, match="size must be a whole number"):
        ImagePool(-1, (3, 4, 4))


def test_a_run_that_is_cut_finds_its_pool_again(lab):
    steps = SimpleNamespace(left=None)

    def step(batch, nets, opts):
        if steps.left == 0:
            raise KeyboardInterrupt
        steps.left = steps.left and steps.left - 1
        past = nets.judge["pool"].exchange(nets.painter(batch))
        opts.painter.minimise((nets.painter(batch) - past).square().mean())
        loss = nets.judge["net"](past).mean().square()
        opts.judge.minimise(loss)
        return {"loss": loss}

    def run(save):
        torch.manual_seed(3)
        images = torch.rand(30, 1, 2, 2)
        judge = nn.ModuleDict({"net": nn.Conv2d(1, 1, 1), "pool": ImagePool(4, (1, 2, 2))})
        nets = {"painter": nn.Conv2d(1, 1, 1), "judge": judge}
        options = {"epochs": 3, "batch_size": 3, "save": save, "save_every": 0}
        return fit(step, images, nets, lab, **options), judge

    whole, judge = run("whole")
    steps.left = 17
    with pytest.raises(KeyboardInterrupt):
        run("parts")
    steps.left = None
    parts, other = run("parts")
    assert parts.resumed_at == 17
    assert torch.equal(whole.history["loss"], parts.history["loss"])
    assert torch.equal(judge["pool"].images, other["pool"].images)
