"""The loop over pixels: minima that are known, the stop button, NaN, coarse to fine, the film."""

import dataclasses
import sys

import pytest
import torch

from course_utils import losses
from course_utils.models.vgg import VGG
from course_utils.plots.live_image import LiveImage
from course_utils.training import pixel_record, pixels
from course_utils.training.pixels import Diverged, optimise, resized


def noise(*shape, seed=0, dtype=torch.float32):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


START, TARGET = noise(1, 3, 12, 12, seed=1), noise(1, 3, 12, 12, seed=2)


def distance(image):
    return {"content": losses.content_loss(image, TARGET)}


def rough(image):
    """No quadratic, so that L-BFGS needs its steps."""
    return {"rough": (image - TARGET).abs().pow(1.5).sum()}


def at(size):
    target = resized(TARGET, size)
    return lambda image: {"content": losses.content_loss(image, target)}


def failing_at(step, error, loss=distance):
    """A loss that raises an error at a step, or returns a value in its place."""
    calls = iter(range(10_000))

    def broken(image):
        if next(calls) != step:
            return loss(image)
        if isinstance(error, type):
            raise error
        return {term: value * error for term, value in loss(image).items()}

    return broken


# Minima that are known


def test_lbfgs_finds_the_minimum_of_a_quadratic():
    torch.manual_seed(0)
    root = torch.randn(12, 12, dtype=torch.double)
    matrix = root @ root.T + torch.eye(12)
    inside = 0.2 + 0.6 * torch.rand(12, dtype=torch.double)
    right = matrix @ inside

    def quadratic(image):
        x = image.flatten()
        return {"quadratic": 0.5 * x @ matrix @ x - right @ x}

    run = optimise(quadratic, noise(1, 3, 2, 2).double(), steps=200, method="lbfgs")
    analytic = torch.linalg.solve(matrix, right)
    assert torch.allclose(run.image.flatten(), analytic, atol=1e-5)


@pytest.mark.parametrize("method", pixels.METHODS)
@pytest.mark.parametrize("size", [1e-8, 1, 1e8])
def test_both_methods_come_near_whatever_the_unit_of_the_loss(method, size):
    run = optimise(
        lambda x: {"content": size * losses.content_loss(x, TARGET)}, START, steps=150,
        method=method,
    )  # fmt: skip
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
    assert len(seen) <= 12
    least, best = min(seen, key=lambda pair: pair[0])
    assert torch.equal(run.image, best)
    assert run.history["loss"].min().item() == pytest.approx(least)


def test_several_images_each_keep_their_own_best():
    starts, targets = noise(3, 3, 5, 5), noise(3, 3, 5, 5, seed=3)
    targets[1] = starts[1]  # this one is perfect from the start

    def each(image):
        return {"content": losses.content_loss(image, targets) + 1e-3 * image.sum((1, 2, 3))}

    run = optimise(each, starts, steps=40)
    alone = optimise(
        lambda x: {"content": losses.content_loss(x, targets[2:]) + 1e-3 * x.sum((1, 2, 3))},
        starts[2:], steps=40,
    )  # fmt: skip
    assert torch.allclose(run.image[2:], alone.image, atol=1e-6)


def test_a_converged_search_ends_early():
    run = optimise(distance, TARGET, steps=50, method="lbfgs")
    assert len(run.history["loss"]) < 10 and torch.equal(run.image, TARGET)


def test_lbfgs_finds_the_minimum_at_the_edge_of_the_box():
    torch.manual_seed(1)
    root = torch.randn(12, 12, dtype=torch.double)
    matrix = root @ root.T + 0.1 * torch.eye(12)
    right = matrix @ (3 * torch.rand(12, dtype=torch.double) - 1)  # the free minimum is outside

    def quadratic(image):
        x = image.flatten()
        return {"quadratic": 0.5 * x @ matrix @ x - right @ x}

    projected = torch.full((12,), 0.5, dtype=torch.double)
    for _ in range(20_000):  # projected gradient descent: slow, and certain
        projected = (projected - 0.02 * (matrix @ projected - right)).clamp(0, 1)
    run = optimise(quadratic, noise(1, 3, 2, 2).double(), steps=300, method="lbfgs")
    assert projected.eq(0).any() and projected.eq(1).any()
    assert torch.allclose(run.image.flatten(), projected, atol=1e-3)


# One evaluation a step, the same every time


@pytest.mark.parametrize("method", pixels.METHODS)
def test_a_step_is_one_evaluation(method):
    calls = []

    def counted(image):
        calls.append(1)
        return {
            "odd": (image - TARGET).abs().pow(1.5).sum(),
            "tv": losses.total_variation(image),
        }

    run = optimise(counted, START, steps=17, method=method)
    assert len(calls) == 17
    assert {term: len(values) for term, values in run.history.items()} == {
        "odd": 17, "tv": 17, "loss": 17,
    }  # fmt: skip
    total = run.history["odd"] + run.history["tv"]
    assert torch.allclose(run.history["loss"], total)


@pytest.mark.parametrize("method", pixels.METHODS)
def test_two_runs_are_equal(method):
    first, second = (
        optimise(at, START, steps=9, scales=(5, 12), method=method, watch_at=(0, 4, 18))
        for _ in range(2)
    )
    assert torch.equal(first.image, second.image)
    assert torch.equal(first.animation(), second.animation())


def test_the_start_and_the_random_numbers_are_left_as_they_are():
    start, state = START.clone(), torch.get_rng_state()
    optimise(distance, start, steps=5)
    assert torch.equal(start, START) and torch.equal(torch.get_rng_state(), state)


def test_the_network_gets_no_gradient():
    net = VGG((4, 6), (1, 1))
    optimise(lambda x: {"bright": -net(x)["block2_conv1"].mean()}, noise(1, 3, 8, 8), steps=3)
    assert all(weight.grad is None for weight in net.parameters())


# Coarse to fine


@pytest.mark.parametrize("method", pixels.METHODS)
def test_scales_follow_each_other_and_the_last_one_counts(method):
    sizes = []

    def loss_at(size):
        inner = at(size)

        def loss(image):
            sizes.append(tuple(image.shape[-2:]))
            return inner(image)

        return loss

    run = optimise(loss_at, START, steps=(4, 5, 6), scales=(5, 7, 12), method=method)
    sizes_in_order = list(dict.fromkeys(sizes))
    assert sizes_in_order == [(5, 5), (7, 7), (12, 12)] and run.image.shape == START.shape


def test_sizes_count_the_longer_side_and_need_not_divide():
    assert resized(noise(1, 3, 45, 30), 20).shape == (1, 3, 20, 13)
    assert resized(noise(1, 3, 30, 45), 7).shape == (1, 3, 5, 7)
    assert resized(noise(1, 3, 300, 1), 16).shape == (1, 3, 16, 1)
    same = noise(1, 3, 9, 8)
    assert resized(same, 9) is same


def test_resizing_stays_between_0_and_1():
    checks = (torch.arange(64).view(8, 8) % 2).float().expand(1, 3, 8, 8)
    for size in (3, 5, 13, 31):
        assert 0 <= resized(checks, size).min() and resized(checks, size).max() <= 1


@pytest.mark.parametrize("method", pixels.METHODS)
def test_an_image_of_one_pixel_is_optimised_too(method):
    net = VGG((4,), (2,))
    with torch.no_grad():
        wanted = net(noise(1, 3, 1, 1))["block1_conv2"]

    def loss(image):
        content = losses.content_loss(net(image)["block1_conv2"], wanted)
        return {"content": content, "tv": losses.total_variation(image)}

    run = optimise(loss, noise(1, 3, 1, 1, seed=3), steps=5, method=method)
    assert run.image.shape == (1, 3, 1, 1)


# The stop button


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


def test_the_notebook_goes_on_after_an_interrupt():
    optimise(failing_at(2, KeyboardInterrupt), START, steps=30)
    assert not optimise(distance, START, steps=3).stopped


# Losses that are no numbers


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
    start = START.clone()
    start[0, 0, 0, 0] = torch.nan
    with pytest.raises(Diverged, match="the starting image"):
        optimise(distance, start, steps=30)


def test_nan_is_noticed_long_before_the_end():
    calls = []

    def loss(image):
        calls.append(1)
        return {
            "content": losses.content_loss(image, TARGET) * (torch.nan if len(calls) > 3 else 1)
        }

    with pytest.raises(Diverged):
        optimise(loss, START, steps=1000)
    assert len(calls) <= 2 * pixel_record.CHECK_EVERY


# The film


def test_frames_are_the_images_at_the_steps_asked_for():
    run = optimise(at, START, steps=4, scales=(6, 12), watch_at=(0, 2, 4, 8))
    assert [step for step, _ in run.frames] == [0, 2, 4, 8]
    assert [frame.shape[-1] for _, frame in run.frames] == [6, 6, 12, 12]
    assert torch.equal(run.frames[0][1], resized(START, 6))
    assert torch.equal(run.frames[-1][1], run.image)
    assert run.animation().shape == (4, 3, 12, 12)


def test_the_last_frame_is_there_when_the_search_ends_early():
    run = optimise(distance, TARGET, steps=50, method="lbfgs", watch_at=(50,))
    assert torch.equal(run.frames[-1][1], run.image)


def test_only_one_line_is_printed_and_only_its_figures_may_differ(capsys):
    optimise(distance, START, steps=6, name="cat")
    printed = capsys.readouterr().out
    assert printed.startswith("· cat: 6 steps [content ") and printed.endswith(" s]\n")
    assert printed.count("\n") == 1


def test_the_line_measures_the_image_that_is_kept(capsys):
    """The second of three steps has by far the smallest loss, at the last scale only."""
    prices = iter((-9.0, 5.0, 7.0, 6.0, -5.0, 7.0))
    optimise(
        lambda size: lambda image: {"price": image.mean() * 0 + next(prices)},
        START, steps=3, scales=(6, 12), name="cat",
    )  # fmt: skip
    assert "[price -5 · loss -5 · " in capsys.readouterr().out


# What is shown


class Handle:
    def __init__(self):
        self.updates = []

    def update(self, shown):
        self.updates.append(shown)


@pytest.fixture
def handle(monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "on")
    shown = Handle()
    monkeypatch.setattr("course_utils.session.progress.display_handle", lambda: shown)
    return shown


def test_a_notebook_sees_the_image_and_the_last_line(handle, capsys):
    optimise(distance, START, steps=6, name="<cat>")
    assert 1 <= len(handle.updates) <= 3
    assert "data:image/png;base64," in handle.updates[-1]._repr_html_()
    assert "&lt;cat&gt;: 6 steps" in handle.updates[-1]._repr_html_()
    assert repr(handle.updates[-1]).startswith("· <cat>: 6 steps")
    assert capsys.readouterr().out == ""


def test_it_is_redrawn_at_most_three_times_a_second(handle, monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr(
        "course_utils.session.progress.time.perf_counter", lambda: next(clock) / 100
    )
    optimise(distance, START, steps=60)
    assert len(handle.updates) < 12


def test_a_stop_while_drawing_keeps_the_image(handle, monkeypatch):
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


# Half precision


def test_half_precision_runs_the_network_in_it_and_sums_in_float32(lab):
    net, seen = VGG((4,), (1,)), set()
    with torch.no_grad():
        wanted = losses.gram_matrix(net(noise(1, 3, 12, 12))["block1_conv1"])

    def style(image):
        features = net(image)["block1_conv1"]
        gram = losses.gram_matrix(features)
        seen.add((features.dtype, gram.dtype))
        return {"style": losses.style_loss(gram, wanted)}

    run = optimise(style, START, steps=40, lab=dataclasses.replace(lab, precision="bf16"))
    assert seen == {(torch.bfloat16, torch.float32)}
    assert run.image.dtype == torch.float32
    assert run.history["loss"][-1] < 0.1 * run.history["loss"][0]


# What cannot be used


@pytest.mark.parametrize(
    "arguments, advice",
    [
        ({"start": START[0]}, r"images \(N, C, H, W\)"),
        ({"start": START.mul(255).byte()}, "floating-point"),
        ({"start": START * 255}, r"all in \[0, 1\]"),
        ({"start": START[..., :0]}, "must have pixels"),
        ({"method": "sgd"}, "use one of: adam, lbfgs"),
        ({"steps": 0}, "at least 1"),
        ({"steps": (3, 4)}, "one for each scale"),
        ({"scales": (4, 8), "steps": (3,)}, "one for each scale"),
        ({"scales": ()}, "give sizes in pixels"),
        ({"scales": (0, 4)}, "give sizes in pixels"),
        ({"loss": lambda x: x.sum()}, "its terms by name"),
        ({"loss": lambda x: {"a": x}}, "a tensor of one number"),
        ({"loss": lambda x: {"a": 3.0}}, "a tensor of one number"),
        ({"loss": lambda x: {"a": x.detach().sum()}}, "does not depend on the image"),
    ],
)
def test_what_cannot_be_used_is_refused_with_advice(arguments, advice):
    with pytest.raises(ValueError, match=advice):
        optimise(**({"loss": distance, "start": START, "steps": 3} | arguments))
