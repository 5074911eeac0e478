"""The loop over pixels: known minima, the stop button, NaN, coarse to fine, the animation."""

import dataclasses
import sys
from types import SimpleNamespace

import pytest
import torch
from scipy.optimize import lsq_linear

from course_utils import losses
from course_utils.models.vgg import VGG
from course_utils.plots.live_image import LiveImage
from course_utils.training import pixel_record, pixels
from course_utils.training.pixels import Diverged, optimise, resized


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


START, TARGET = noise(1, 3, 12, 12, seed=1), noise(1, 3, 12, 12, seed=2)


def distance(image):
    return {"content": losses.content_loss(image, TARGET)}


def rough(image):
    """No quadratic, so that L-BFGS needs its steps."""
    return {"rough": (image - TARGET).abs().pow(1.5).sum()}


def at(size):
    target = resized(TARGET, size)
    return lambda image: {"content": losses.content_loss(image, target)}


def failing_at(step, value, loss=distance):
    """A loss that is multiplied by a value at a step, or interrupted there."""
    calls = iter(range(10_000))

    def broken(image):
        failing = next(calls) == step
        if failing and value is KeyboardInterrupt:
            raise KeyboardInterrupt
        return {term: part * (value if failing else 1) for term, part in loss(image).items()}

    return broken


@pytest.mark.parametrize(("inside", "close"), [(True, 1e-5), (False, 1e-3)])
def test_lbfgs_finds_the_minimum_of_a_quadratic_inside_and_at_the_edge_of_the_box(inside, close):
    torch.manual_seed(1)
    root = torch.randn(12, 12, dtype=torch.double) + 3 * torch.eye(12)
    free = torch.rand(12, dtype=torch.double)  # where the slope is 0
    right = root @ (0.2 + 0.6 * free if inside else 3 * free - 1)

    def quadratic(image):  # ½ ‖root x - right‖² without its constant
        y = root @ image.flatten()
        return {"quadratic": 0.5 * y @ y - right @ y}

    expected = torch.from_numpy(lsq_linear(root.numpy(), right.numpy(), bounds=(0, 1), tol=1e-12).x)
    run = optimise(quadratic, noise(1, 3, 2, 2).double(), steps=300, method="lbfgs")
    assert inside or (expected.min() < 1e-5 and expected.max() > 1 - 1e-5)
    assert torch.allclose(run.image.flatten(), expected, atol=close)


@pytest.mark.parametrize("method", pixels.METHODS)
@pytest.mark.parametrize("size", [1e-8, 1, 1e8])
def test_both_methods_come_near_whatever_the_unit_of_the_loss(method, size):
    run = optimise(
        lambda x: {"far": size * distance(x)["content"]}, START, steps=150, method=method
    )
    assert (run.image - TARGET).abs().max() < 0.02


@pytest.mark.parametrize("method", pixels.METHODS)
def test_pixels_stay_in_reach_when_the_minimum_is_out_of_it(method):
    run = optimise(lambda x: {"far": (x - 3).square().sum()}, START, steps=100, method=method)
    assert torch.allclose(run.image, torch.ones_like(START), atol=0.02)
    assert run.image.max() <= 1


@pytest.mark.parametrize("method", pixels.METHODS)
def test_the_image_is_the_best_one_met(method):
    seen = []

    def watched(image):
        terms = distance(image)
        seen.append((terms["content"].item(), image.detach().clone()))
        return terms

    run = optimise(watched, START, steps=12, lr=0.5, method=method)
    least, best = min(seen, key=lambda pair: pair[0])
    assert torch.equal(run.image, best)
    assert run.history["loss"].min().item() == pytest.approx(least)


def test_several_images_each_keep_their_own_best():
    starts, targets = noise(3, 3, 5, 5), noise(3, 3, 5, 5, seed=3)
    targets[1] = starts[1]  # this one is perfect from the start

    def loss(chosen):
        return lambda image: {"content": losses.content_loss(image, targets[chosen])}

    run = optimise(loss(slice(3)), starts, steps=40)
    for one in (slice(0, 1), slice(1, 2), slice(2, 3)):
        alone = optimise(loss(one), starts[one], steps=40)
        assert torch.allclose(run.image[one], alone.image, atol=1e-6)
    assert torch.equal(run.image[1], starts[1])


def test_a_converged_run_ends_early_and_has_its_last_frame():
    run = optimise(distance, TARGET, steps=50, method="lbfgs", watch_at=(50,))
    assert len(run.history["loss"]) < 10
    assert torch.equal(run.image, TARGET) and torch.equal(run.frames[-1][1], TARGET)


@pytest.mark.parametrize("method", pixels.METHODS)
def test_a_step_is_one_evaluation(method):
    calls = []

    def counted(image):
        calls.append(1)
        return rough(image) | {"tv": losses.squared_variation(image)}

    history = optimise(counted, START, steps=17, method=method).history
    assert len(calls) == 17 and list(history) == ["rough", "tv", "loss"]
    assert all(len(values) == 17 for values in history.values())
    assert torch.allclose(history["loss"], history["rough"] + history["tv"])


def test_the_start_and_the_random_numbers_are_left_as_they_are():
    start, state = START.clone(), torch.get_rng_state()
    optimise(distance, start, steps=5)
    assert torch.equal(start, START) and torch.equal(torch.get_rng_state(), state)


def test_the_network_gets_no_gradient():
    net = VGG((4, 6), (1, 1))
    optimise(lambda x: {"bright": -net(x)["block2_conv1"].mean()}, noise(1, 3, 8, 8), steps=3)
    assert all(weight.grad is None for weight in net.parameters())


def test_sizes_count_the_longer_side_need_not_divide_and_keep_pixels_between_0_and_1():
    assert resized(noise(1, 3, 45, 30), 20).shape == (1, 3, 20, 13)
    assert resized(noise(1, 3, 30, 45), 7).shape == (1, 3, 5, 7)
    assert resized(noise(1, 3, 300, 1), 16).shape == (1, 3, 16, 1)
    assert resized(START, 12) is START
    checks = (torch.arange(64).view(8, 8) % 2).float().expand(1, 3, 8, 8)
    for size in (3, 5, 13, 31):
        assert 0 <= resized(checks, size).min() and resized(checks, size).max() <= 1


@pytest.mark.parametrize("method", pixels.METHODS)
@pytest.mark.parametrize("step", [0, 1, 7])
def test_an_interrupt_keeps_the_best_so_far_and_says_so(method, step, capsys):
    loss = failing_at(step, KeyboardInterrupt, rough)
    run = optimise(loss, START, steps=30, method=method, name="x")
    assert run.stopped and len(run.history.get("loss", ())) == step
    printed = capsys.readouterr().out
    assert printed.startswith("· x: stopped; the best image so far is kept [")
    if step == 0:
        assert torch.equal(run.image, START)
    else:
        best = rough(run.image)["rough"].item()
        assert best == pytest.approx(run.history["loss"].min().item())


def test_an_interrupt_at_a_coarse_scale_gives_an_image_of_full_size():
    run = optimise(
        lambda size: failing_at(3, KeyboardInterrupt, at(size)), START, steps=9, scales=(4, 8, 12)
    )
    assert run.stopped and run.image.shape == START.shape
    assert len(run.history["loss"]) == 3


@pytest.mark.parametrize("method", pixels.METHODS)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_refused_with_the_last_good_image(method, value):
    loss = failing_at(6, value, rough)
    with pytest.raises(Diverged, match="x: the loss became NaN or infinite at step 6") as caught:
        optimise(loss, START, steps=60, method=method, name="x", watch_at=(0, 3, 50))
    run = caught.value.run
    assert run.image.isfinite().all() and len(run.history["loss"]) == 6
    best = rough(run.image)["rough"].item()
    assert best == pytest.approx(run.history["loss"].min().item())
    assert [step for step, _ in run.frames] == [0, 3]


def test_a_start_that_is_no_number_is_named():
    start = torch.where(START == START.max(), torch.nan, START)
    with pytest.raises(Diverged, match="the starting image"):
        optimise(distance, start, steps=30)


def test_nan_is_noticed_long_before_the_end():
    steps = iter(range(1000))

    def loss(image):
        return {term: x * (torch.nan if next(steps) > 2 else 1) for term, x in rough(image).items()}

    with pytest.raises(Diverged):
        optimise(loss, START, steps=1000)
    assert next(steps) <= 2 * pixel_record.CHECK_EVERY


@pytest.mark.parametrize("method", pixels.METHODS)
def test_frames_are_the_images_at_the_steps_asked_for_coarse_ones_first(method):
    scales = {"steps": (4, 5, 6), "scales": (5, 7, 12)}
    run = optimise(at, START, method=method, watch_at=(0, 3, 4, 8, 9, 15), **scales)
    assert [step for step, _ in run.frames] == [0, 3, 4, 8, 9, 15]
    assert [frame.shape[-1] for _, frame in run.frames] == [5, 5, 7, 7, 12, 12]
    assert torch.equal(run.frames[0][1], resized(START, 5))
    assert torch.equal(run.frames[-1][1], run.image)
    assert run.animation().shape == (6, 3, 12, 12)


def test_one_line_is_printed_and_measures_the_image_that_is_kept(capsys):
    """The second of three steps has by far the smallest loss, at the last scale only."""
    values = iter((-9.0, 5.0, 7.0, 6.0, -5.0, 7.0))
    optimise(
        lambda size: lambda image: {"term": image.mean() * 0 + next(values)},
        START, steps=3, scales=(6, 12), name="cat",
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert printed.startswith("· cat: 6 steps [term -5 · loss -5 · ")
    assert printed.endswith(" s]\n") and printed.count("\n") == 1


@pytest.fixture
def shown(monkeypatch):
    """What a notebook is given to show, one after the other."""
    monkeypatch.setenv("COURSE_PROGRESS", "on")
    updates = []
    handle = SimpleNamespace(update=updates.append)
    monkeypatch.setattr("course_utils.session.progress.display_handle", lambda: handle)
    return updates


def test_a_notebook_sees_the_image_and_the_last_line(shown, capsys):
    optimise(distance, START, steps=6, name="<cat>")
    assert 1 <= len(shown) <= 3
    assert "data:image/png;base64," in shown[-1]._repr_html_()
    assert "&lt;cat&gt;: 6 steps" in shown[-1]._repr_html_()
    assert repr(shown[-1]).startswith("· <cat>: 6 steps")
    assert capsys.readouterr().out == ""


def test_it_is_redrawn_at_most_three_times_a_second(shown, monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr(
        "course_utils.session.progress.time.perf_counter", lambda: next(clock) / 100
    )
    optimise(distance, START, steps=60)
    assert len(shown) < 12


def test_a_stop_while_drawing_keeps_the_image(shown, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(LiveImage, "draw", stop)
    monkeypatch.setattr("course_utils.plots.live_image.REDRAW_SECONDS", -1)
    run = optimise(distance, START, steps=6)
    assert run.stopped and torch.equal(run.image, START)


def test_a_terminal_gets_one_line_that_is_redrawn(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROGRESS", "on")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    optimise(distance, START, steps=6)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1 and "\r" in printed


def test_half_precision_runs_the_network_in_it_and_the_pixels_in_float32(lab):
    net, seen = VGG((4,), (1,)), set()
    wanted = net(TARGET)["block1_conv1"].detach()

    def loss(image):
        features = net(image)["block1_conv1"]
        seen.add(features.dtype)
        return {"content": losses.content_loss(features, wanted)}

    run = optimise(loss, START, steps=100, lab=dataclasses.replace(lab, precision="bf16"))
    assert seen == {torch.bfloat16} and run.image.dtype == torch.float32
    assert run.history["loss"][-1] < 0.1 * run.history["loss"][0]


@pytest.mark.parametrize(
    "arguments, advice",
    [
        ({"start": START[0]}, r"images \(N, C, H, W\)"),
        ({"start": START.mul(255).byte()}, "floating-point"),
        ({"start": START * 255}, r"all in \[0, 1\]"),
        ({"start": START[..., :0]}, "must have pixels"),
        ({"method": "sgd"}, "use one of: adam, lbfgs"),
        ({"steps": 0}, "steps is 0; use a whole number from 1"),
        ({"steps": (3, 4)}, "one for each scale"),
        ({"scales": (4, 8), "steps": (3,)}, "one for each scale"),
        ({"scales": ()}, "give sizes in pixels"),
        ({"scales": (0, 4)}, "A side of scales is 0; use a whole number from 1"),
        ({"loss": lambda x: x.sum()}, "its terms by name"),
        ({"loss": lambda x: {"a": x}}, "a tensor of one number"),
        ({"loss": lambda x: {"a": 3.0}}, "a tensor of one number"),
        ({"loss": lambda x: {"a": x.detach().sum()}}, "does not depend on the image"),
    ],
)
def test_what_cannot_be_used_is_refused_with_advice(arguments, advice):
    with pytest.raises(ValueError, match=advice):
        optimise(**({"loss": distance, "start": START, "steps": 3} | arguments))
