"""Handles over an image, and the GAN whose data they move, without a browser."""

import io
import itertools
import sys
from functools import partial

import ipywidgets
import numpy
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import softplus

import course_utils
from course_utils import models, plots, widgets
from course_utils.data import mixtures
from course_utils.widgets import plane as plane_module

RING = mixtures.ring().standardised()
SQUARE, WHOLE = (-1, 1, -1, 1), (0, 0, 1, 1)


def make_nets():
    D = models.perceptrons(1, 2, 1, (16, 16), partial(nn.LeakyReLU, 0.2))
    return {"G": models.perceptrons(1, 2, 2, (16, 16)), "D": nn.Sequential(D, nn.Flatten(1))}


def step(real, nets, opts):
    real = real.transpose(0, 1)
    fake = nets.G(torch.randn_like(real)).detach()
    loss_D = (softplus(-nets.D(real)) + softplus(nets.D(fake))).mean()
    opts.D.minimise(loss_D)
    loss_G = softplus(-nets.D(nets.G(torch.randn_like(real)))).mean()
    opts.G.minimise(loss_G)
    return {"loss_D": loss_D, "loss_G": loss_G}


def a_map(step=step, **options):
    lab = course_utils.start("plane")
    return widgets.GANMap(step, make_nets, RING, lab, "A GAN learns a ring.", **options)


@pytest.fixture
def gan_map():
    return a_map()


@pytest.fixture(params=["with anywidget", "without"])
def anywhere(request, monkeypatch):
    """The class of the handles, and none, as where anywidget is not installed."""
    if request.param == "without":
        monkeypatch.setattr(plane_module, "handles_class", lambda: None)
    else:
        pytest.importorskip("anywidget")


def drag(plane, points, chosen):
    """What the page sends."""
    pytest.importorskip("anywidget")
    plane.handles.set_state({"state": {"points": points, "chosen": chosen}})


def shown(gan_map):
    return numpy.asarray(Image.open(io.BytesIO(gan_map.plane.view.value)).convert("RGB"))


def test_what_the_page_moves_arrives_once():
    calls = []
    plane = widgets.Plane(b"", [(0, 0)], lambda: calls.append(plane.points), SQUARE, WHOLE, most=3)
    drag(plane, [[0, 0], [0.5, 0.25]], 1)
    assert calls == [[(0.0, 0.0), (0.5, 0.25)]] and plane.chosen == 1
    plane.put([(1, 1)])  # from code: the page is told, and nobody called
    assert len(calls) == 1
    assert plane.handles.state == {"points": [[1.0, 1.0]], "chosen": 0}
    assert (plane.handles.least, plane.handles.most) == (1, 3)


def test_the_image_is_there_whatever_is_installed(anywhere):
    file = plots.png(numpy.zeros((8, 8, 3), numpy.uint8))
    plane = widgets.Plane(file, [(0, 0)], lambda: None, SQUARE, WHOLE)
    assert isinstance(plane.box.children[0], ipywidgets.Image)
    plane.put([(0.5, 0.5)])
    plane.show(b"new")
    assert (plane.points, plane.view.value) == ([(0.5, 0.5)], b"new")


def test_without_the_package_there_are_no_handles(monkeypatch):
    plane_module.handles_class.cache_clear()
    monkeypatch.setattr(plane_module, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "anywidget", None)  # importing it would fail
    assert plane_module.handles_class() is None
    assert widgets.Plane(b"", [(0, 0)], lambda: None, SQUARE, WHOLE).handles is None
    plane_module.handles_class.cache_clear()


def test_the_frame_is_where_the_axes_are():
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(4, 2), dpi=100, layout="none")
    axes = figure.add_axes((0.25, 0.1, 0.5, 0.6))
    assert widgets.frame_of(axes, 200, 400) == pytest.approx((0.25, 0.3, 0.75, 0.9))
    # With another image at its right, and room above: `side_by_side` keeps it at the bottom.
    assert widgets.frame_of(axes, 400, 800) == pytest.approx((0.125, 0.65, 0.375, 0.95))
    pyplot.close(figure)


def a_latent_map():
    plots.use_course_style()
    torch.manual_seed(0)
    decoder = models.VariationalAutoencoder(2, hidden=8).decoder
    codes, labels = torch.randn(20, 2), torch.arange(20) % 2
    return widgets.LatentMap(decoder, codes, labels, ("a", "b"), "A map of codes.")


def test_a_code_is_moved_by_sliders_and_code_alike(anywhere):
    by_slider, by_code = a_latent_map(), a_latent_map()
    assert by_slider.code == (0.0, 0.0) and by_slider.plane.points == [(0.0, 0.0)]
    by_slider.sliders["first"].value += 50
    assert by_slider.code == by_slider.plane.points[0] == (1.0, 0.0)
    assert numpy.array_equal(by_slider.image, by_code.set(first=1.0).image)
    assert numpy.array_equal(shown(by_slider), by_slider.image)  # the page is sent what is drawn
    assert by_code.sweep() == "2 sliders moved to 6 positions" and by_code.code == (1.0, 0.0)
    with pytest.raises(ValueError, match="no position 3.3"):
        by_code.set(second=3.3)


def test_a_code_is_dragged_and_drawn_once(monkeypatch):
    by_hand, by_code = a_latent_map(), a_latent_map()
    drawn = []
    monkeypatch.setattr(by_hand, "draw", lambda **at: drawn.append(at) or by_code.draw(**at))
    drag(by_hand.plane, [[0.5049, -1.2]], 0)
    assert drawn == [{"first": 0.5, "second": -1.2}]
    assert numpy.array_equal(by_hand.image, by_code.set(first=0.5, second=-1.2).image)
    assert by_hand.plane.points == [(0.5049, -1.2)]  # the handle stays with the mouse
    assert by_hand.plane.handles.most == 1


def test_the_map_follows_sliders_and_code_alike(anywhere):
    by_slider, by_code = a_map(), a_map()
    assert len({by_slider.png, by_code.png}) == 1
    by_slider.sliders["mode"].value = 3
    by_slider.sliders["x"].value = 0.5
    by_slider.sliders["y"].value = -0.25
    points = list(by_code.points)
    points[2] = (0.5, -0.25)
    by_code.set(points=points, mode=3)
    assert by_slider.points == by_code.points == by_code.plane.points
    assert by_slider.png == by_code.png and by_code.sliders["x"].value == 0.5
    assert numpy.array_equal(shown(by_slider), by_slider.image)
    buttons = by_code.buttons
    before = by_code.png
    buttons["train"].click()
    assert by_code.png != before and len(by_code.losses["loss_D"]) == 100
    assert by_code.sweep() == "10 controls changed the image"


def test_dragging_moves_data_handles_and_sliders(gan_map):
    points = [list(point) for point in gan_map.points]
    points[4] = [-2.0, 0.5]
    before = shown(gan_map)
    drag(gan_map.plane, points, 4)
    assert gan_map.points[4] == (-2.0, 0.5)
    assert torch.allclose(gan_map.mixture.means[4], torch.tensor([-2.0, 0.5]))
    values = {name: gan_map.sliders[name].value for name in ("mode", "x", "y")}
    assert values == {"mode": 5, "x": -2.0, "y": 0.5}
    assert not numpy.array_equal(before, shown(gan_map))
    # The title counts what was moved.
    drag(gan_map.plane, [*points, [0, 0]], 8)
    assert "of 9 modes" in gan_map.figure.text.get_text() and gan_map.sliders["mode"].max == 9
    drag(gan_map.plane, points[:2], 0)
    assert "of 2 modes" in gan_map.figure.text.get_text() and gan_map.sliders["mode"].max == 2
    gan_map.buttons["ring"].click()
    assert len(gan_map.points) == 8 and len(gan_map.plane.handles.state["points"]) == 8


def test_a_slider_shows_the_nearest_position_and_moves_one_coordinate(gan_map):
    assert [gan_map.sliders[name].value for name in ("mode", "x", "y")] == [1, 1.41, 0.0]
    before = gan_map.set(mode=2, y=0.7094).png
    x = gan_map.points[1][0]
    assert gan_map.sliders["y"].value == 0.71 and gan_map.points[1] == (x, 0.7094)
    # The number of the position is whole, so that a browser has nothing to round and send back.
    index = gan_map.sliders["y"].index
    gan_map.sliders["y"].set_state({"index": index})
    assert gan_map.png == before
    gan_map.sliders["y"].set_state({"index": index + 1})
    assert gan_map.points[1] == (x, 0.72) and gan_map.png != before


def test_the_same_moves_give_the_same_run_however_they_are_cut(gan_map):
    numbers, other = torch.get_rng_state(), a_map()
    gan_map.train(30)
    other.train(10).train(20)
    assert gan_map.png == other.png and gan_map.losses == other.losses
    assert torch.equal(numbers, torch.get_rng_state())
    trained = gan_map.png
    assert gan_map.restart().png == a_map().png != trained
    assert gan_map.train(30).png == trained
    assert gan_map.set(seed=1).train(30).png != trained


def test_the_data_may_change_while_it_trains(gan_map):
    learnt = []
    for number in range(3):
        gan_map.set(points=[(0.5 * number, 0), (0, 1)])
        gan_map.play.value += 1  # what the play button does ten times a second
        learnt.append(gan_map.png)
    assert len(gan_map.losses["loss_G"]) == 3 * gan_map.A_TICK
    assert all(one != other for one, other in itertools.combinations(learnt, 2))
    gan_map.play.value = 0  # the stop button
    assert len(gan_map.losses["loss_G"]) == 3 * gan_map.A_TICK


def test_the_learning_rate_is_that_of_the_slider():
    rates = []

    def watched(real, nets, opts):
        rates.extend(group["lr"] for group in opts.G.adam.param_groups)
        assert opts.G.adam.param_groups[0]["betas"] == (0.0, 0.99)
        assert real.shape == (64, 1, 2)
        return step(real, nets, opts)

    a_map(watched, lr=1e-3, batch_size=64).train(1).set(learning_rate=1e-2).train(1)
    assert rates == pytest.approx([1e-3, 1e-2])


def test_a_gan_of_this_size_learns_where_the_data_are(gan_map):
    gan_map.set(points=[(1.5, 1.5)], learning_rate=5e-3).train(300)
    assert (gan_map.fakes.mean(0) - 1.5).abs().max() < 0.4


def test_surface_and_samples_are_those_of_the_networks():
    def linear_nets():
        D = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Flatten(1))
        D[0].weight.data = torch.tensor([[1.0, 0.0]])  # the logit rises to the right only
        G = nn.Linear(2, 2, bias=False)
        G.weight.data = torch.eye(2)
        return {"G": G, "D": D}

    lab = course_utils.start("plane")
    gan_map = widgets.GANMap(step, linear_nets, RING, lab, "Noise.")
    expected = torch.linspace(-2.4, 2.4, 48).sigmoid().expand(48, -1)
    assert numpy.allclose(gan_map.figure.surface.get_array(), expected, atol=1e-6)
    assert numpy.allclose(gan_map.figure.samples.get_offsets(), gan_map.z[0, :400])
    assert torch.allclose(gan_map.fakes, gan_map.z[0])


@pytest.mark.parametrize(
    ("points", "values", "said"),
    [
        ([], {}, "give 1 to 25 pairs"),
        ([(0, 0)] * 26, {}, "give 1 to 25 pairs"),
        ([(0, 9)], {}, "numbers from -2.4 to 2.4"),
        ([(0, float("nan"))], {}, "numbers from -2.4 to 2.4"),
        ([(0, 0, 0)], {}, "pairs"),
        (["ab"], {}, "pairs"),
        (5, {}, "The points are 5; give"),
        (torch.zeros(2, 3), {}, "pairs"),
        (None, {"mode": 9}, "mode has no position 9"),
        ([(0, 0)], {"mode": 2}, "mode has no position 2"),
        (None, {"mode": 1.5}, "mode has no position 1.5"),
        (None, {"x": 3}, "x has no position 3"),
        (None, {"x": "left"}, "x has no position 'left'"),
        (None, {"learning_rate": 1}, "learning_rate has no position 1"),
        (None, {"y": 0, "steps": 9}, "steps has no position 9"),
    ],
)
def test_what_is_out_of_range_moves_nothing(gan_map, points, values, said):
    before = gan_map.png
    with pytest.raises(ValueError, match=said):
        gan_map.set(points, **values)
    assert gan_map.png == before
    with pytest.raises(KeyError, match="there are mode, x, y"):
        gan_map.set(depth=1)


def test_an_error_of_the_step_is_shown_and_raised():
    gan_map = a_map(lambda real, nets, opts: {"D": 1.0})
    with pytest.raises(ValueError, match="must return a dict of loss_D and loss_G"):
        gan_map.train(1)
    assert "cannot be trained: The step returned" in gan_map.message.value
    assert gan_map.message.layout.display is None
    with pytest.raises(ValueError, match="steps is 0"):
        gan_map.train(0)
    with pytest.raises(ValueError, match="lr is 3; use one of"):
        a_map(lr=3)


def test_a_run_that_diverges_says_so_and_can_be_restarted():
    def exploding(real, nets, opts):
        for weight in nets.G.parameters():
            weight.data *= float("nan")
        return step(real, nets, opts)

    gan_map = a_map(exploding).train(2)
    assert "choose a lower learning rate and restart" in gan_map.message.value
    assert "0 of 8 modes" in gan_map.figure.text.get_text()
    gan_map.step = step
    assert gan_map.restart().train(1).message.layout.display == "none"


def test_the_losses_are_drawn_up_to_now_in_means_of_ten():
    def counting(real, nets, opts):
        number = len(gan_map.losses["loss_D"])
        return {"loss_D": number, "loss_G": torch.tensor(1.0)}

    gan_map = a_map(counting)
    gan_map.train(25)
    line = gan_map.figure.lines["loss_D"]
    assert line.get_xdata().tolist() == [-10, 0]
    assert line.get_ydata().tolist() == pytest.approx([9.5, 19.5])  # of steps 5 to 24
    gan_map.train(1000)
    assert line.get_xdata().tolist() == list(range(-990, 1, 10))


def test_it_can_be_drawn_after_many_other_plots(gan_map):
    before = gan_map.png
    for number in range(60):
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(figsize=(1, 1))
        plots.LivePlot(figure, axes.plot([0, number])).image()
    assert gan_map.set(x=0.0).set(x=gan_map.first_points[0][0]).png == before


def test_the_stored_form_has_an_image_and_a_sentence(gan_map):
    bundle = gan_map._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == "A GAN learns a ring."
    assert bundle["image/png"][:4] == b"\x89PNG"
