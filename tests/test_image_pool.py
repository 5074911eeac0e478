"""The pool of past fakes: the rule, one by one and in batches, and that no cut is noticed."""

import pytest
import torch
from torch import nn

from course_utils import fit
from course_utils.models.image_pool import ImagePool
from course_utils.training import checkpoints


def numbered(first, count):
    """Images of one pixel, each with a number of its own; 0 is what an empty pool holds."""
    return torch.arange(first, first + count, dtype=torch.float32).view(count, 1, 1, 1)


def one_by_one(stored, size, fakes, places, swaps):
    """The rule as the paper's code has it: a list, and one image after the other."""
    returned = []
    for fake, place, swap in zip(fakes.flatten().tolist(), places.tolist(), swaps.tolist()):
        if len(stored) < size:
            stored.append(fake)
        elif swap:
            stored[place], fake = fake, stored[place]
        returned.append(fake)
    return returned


@pytest.mark.parametrize("size, batch", [(5, 1), (5, 3), (3, 8), (1, 4), (50, 4), (4, 4)])
def test_the_rule_is_that_of_a_list_and_one_image_after_the_other(size, batch):
    pool, stored = ImagePool(size, (1, 1, 1)), []
    for turn in range(40):
        fakes = numbered(1 + turn * batch, batch)
        torch.manual_seed(turn)
        returned = pool.exchange(fakes)
        torch.manual_seed(turn)  # the same draws, for the list
        places, swaps = torch.randint(size, (batch,)), torch.rand(batch) < 0.5
        assert returned.flatten().tolist() == one_by_one(stored, size, fakes, places, swaps)
        assert pool.images.flatten().tolist()[: len(stored)] == stored
        assert pool.held == len(stored)


def test_what_is_returned_is_a_copy_in_the_precision_of_the_pool_without_a_gradient():
    pool, fakes = ImagePool(2, (1, 2, 2)), torch.rand(4, 1, 2, 2, requires_grad=True)
    for given in (fakes, fakes, fakes.bfloat16()):
        returned = pool.exchange(given)
        assert not returned.requires_grad and returned.dtype == torch.float32
        kept = pool.images.clone()
        returned.zero_()
        assert torch.equal(pool.images, kept) and fakes.abs().sum() > 0
    returned = ImagePool(0, (1, 2, 2)).exchange(fakes)  # a pool of nothing returns every fake
    assert torch.equal(returned, fakes) and not returned.requires_grad


def test_images_of_another_shape_and_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3, 4, 4\); these are \(2, 3, 8, 4\)"):
        ImagePool(5, (3, 4, 4)).exchange(torch.zeros(2, 3, 8, 4))
    with pytest.raises(ValueError, match="size must be a whole number"):
        ImagePool(-1, (3, 4, 4))


def test_a_run_that_is_cut_finds_its_pool_again(lab, monkeypatch):
    def step(batch, nets, opts):
        loss = nets.D["net"](nets.D["pool"].exchange(batch)).mean().square()
        opts.D.minimise(loss)
        return {"loss": loss}

    def run(save):
        torch.manual_seed(3)
        images = torch.rand(30, 1, 2, 2)
        D = nn.ModuleDict({"net": nn.Conv2d(1, 1, 1), "pool": ImagePool(4, (1, 2, 2))})
        options = {"epochs": 3, "batch_size": 3, "save": save, "save_every": 0}
        return fit(step, images, {"D": D}, lab, **options), D

    whole, D = run("whole")
    keep = checkpoints.save

    def cut(path, state, identity):
        keep(path, state, identity)
        if state["step"] == 17:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoints, "save", cut)
        run("parts")
    parts, other = run("parts")
    assert parts.resumed_at == 17
    assert torch.equal(whole.history["loss"], parts.history["loss"])
    assert torch.equal(D["pool"].images, other["pool"].images)
