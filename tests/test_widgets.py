"""Sliders move images; the image is there without a kernel; errors are seen."""

import io

import ipywidgets
import numpy
import pytest
import torch
from PIL import Image

from course_utils import models, plots, widgets


def bars(height=0, shade=0.5):
    image = numpy.full((20, 30, 3), 255, numpy.uint8)
    image[: height * 5, :, :] = int(shade * 255)
    return image


@pytest.fixture
def explorer():
    return widgets.explore(bars, "Bars.", height=(0, 4, 1, 2), shade=(0.0, 1.0, 0.1, 0.5))


def shown(explorer):
    return numpy.asarray(Image.open(io.BytesIO(explorer.view.value)).convert("RGB"))


def test_controls_become_sliders(explorer):
    assert isinstance(explorer.sliders["height"], ipywidgets.IntSlider)
    assert isinstance(explorer.sliders["shade"], ipywidgets.FloatSlider)
    assert explorer.state == {"height": 2, "shade": 0.5}


def test_a_moved_slider_changes_the_pixels_as_the_function_says(explorer):
    before = shown(explorer)
    explorer.sliders["height"].set_state({"value": 4})  # what a browser sends
    assert not numpy.array_equal(before, shown(explorer))
    assert numpy.array_equal(shown(explorer), bars(4, 0.5))


def test_set_moves_and_refuses(explorer):
    explorer.set(height=1, shade=0.2)
    assert numpy.array_equal(explorer.image, bars(1, 0.2))
    with pytest.raises(KeyError, match="there are height, shade"):
        explorer.set(depth=1)
    with pytest.raises(ValueError, match="height has no position 9"):
        explorer.set(height=9)
    assert explorer.state["height"] == 1


def test_sweep_visits_and_comes_home(explorer):
    assert explorer.sweep() == "2 sliders moved to 6 positions"
    assert explorer.state == {"height": 2, "shade": 0.5}


def test_a_slider_that_does_nothing_is_found_out():
    with pytest.raises(RuntimeError, match="Moving idle changed nothing"):
        widgets.explore(lambda idle: bars(2), "Bars.", idle=(0, 3, 1, 0)).sweep()


def test_an_error_while_dragging_is_shown_and_raised():
    def fragile(height):
        if height == 3:
            raise ValueError("three is too high")
        return bars(height)

    explorer = widgets.explore(fragile, "Bars.", height=(0, 4, 1, 0))
    with pytest.raises(ValueError, match="three is too high"):
        explorer.set(height=3)
    assert "three is too high" in explorer.message.value
    assert explorer.message.layout.display is None
    explorer.set(height=1)
    assert explorer.message.layout.display == "none"


def test_the_stored_form_has_an_image_and_a_sentence(explorer):
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == "Bars."
    stored = Image.open(io.BytesIO(bundle["image/png"])).convert("RGB")
    assert stored.size == (30, 20)


def test_widgets_that_stand_by_keep_little(monkeypatch):
    """A lesson has a dozen; opened again and again, they stay in the kernel for ever."""
    import gc

    from matplotlib.backends.backend_agg import RendererAgg

    plots.use_course_style()
    decoder = models.VariationalAutoencoder(2, hidden=8).decoder
    codes, labels = torch.randn(50, 2), torch.arange(50) % 3
    views = []
    monkeypatch.setattr(plots.LivePlot, "AWAKE", 2)
    for _ in range(4):
        pad = widgets.LatentPad(decoder, codes, labels, ("a", "b", "c"))
        position = (-2.0, 2.0, 0.5, 0.0)
        views.append(widgets.explore(pad.draw, "Codes.", first=position, second=position))
        del pad
    gc.collect()
    canvases = sum(type(thing) is RendererAgg for thing in gc.get_objects())  # a megabyte each
    assert canvases <= plots.LivePlot.AWAKE
    # A screen of 696 by 384 pixels is 800 KB: what is kept of it is a file.
    assert not any(isinstance(kept, numpy.ndarray) for kept in vars(views[0]).values())
    assert len(views[0].png) < 100_000
    # The first has forgotten its background, and draws it again, pixel by pixel.
    before = views[0].image
    views[0].set(first=1.0)
    assert not numpy.array_equal(before, views[0].image)
    views[0].set(first=0.0)
    assert numpy.array_equal(before, views[0].image)


def test_choices_and_players():
    explorer = widgets.explore(
        lambda kind, frame: bars(frame, {"light": 0.9, "dark": 0.1}[kind]),
        "Bars.", kind=["light", "dark"], frame=(0, 4, 1, 4),
    )  # fmt: skip
    assert explorer.state == {"kind": "light", "frame": 4}
    players = [
        child
        for row in explorer.box.children
        for child in getattr(row, "children", ())
        if isinstance(child, ipywidgets.Play)
    ]
    assert len(players) == 1
    players[0].value = 1
    assert explorer.state["frame"] == 1
    explorer.sweep()
    with pytest.raises(ValueError, match="kind has no position 'pink'"):
        explorer.set(kind="pink")


def test_other_controls_can_be_swept_too():
    explorer = widgets.explore(
        lambda up, shade, frame: bars(2 + up + frame, shade),
        "Bars.",
        up=ipywidgets.Checkbox(),
        shade=ipywidgets.Dropdown(options={"light": 0.9, "dark": 0.1}),
        frame=[0, 1],
    )
    assert explorer.sweep() == "3 sliders moved to 8 positions"


def test_a_bad_control_is_refused():
    with pytest.raises(ValueError, match="height"):
        widgets.explore(bars, "Bars.", height=(0, 4))


def test_the_latent_pad_marks_the_point_and_decodes_it():
    torch.manual_seed(0)
    decoder = models.VariationalAutoencoder(2, hidden=8).decoder
    codes, labels = torch.randn(50, 2), torch.arange(50) % 3
    pad = widgets.LatentPad(decoder, codes, labels, ("a", "b", "c"))
    one, two = pad.draw(0.0, 0.0), pad.draw(2.0, -1.0)
    assert one.shape == two.shape and not numpy.array_equal(one, two)
    assert numpy.array_equal(one, pad.draw(0.0, 0.0))
    red = (two[..., 0] > 200) & (two[..., 1] < 60) & (two[..., 2] < 60)
    height, width = red.nonzero()[0].mean(), red.nonzero()[1].mean()
    home = (one[..., 0] > 200) & (one[..., 1] < 60) & (one[..., 2] < 60)
    assert width > home.nonzero()[1].mean() and height > home.nonzero()[0].mean()


def test_the_bound_view_agrees_with_its_terms():
    z = torch.linspace(-5, 5, 501)
    view = widgets.ELBOView(
        z, lambda x: torch.exp(-((z - x) ** 2)), lambda x, mean, sigma: (-3.0, 1.0), lambda x: -2.0
    )
    assert not numpy.array_equal(view.draw(0.0, 0.5, 1.0), view.draw(1.0, 0.5, 1.0))
    assert view.gap_text.get_text() == "gap 1.00"


# Sheets of images


def test_a_sheet_places_every_image():
    images = torch.stack([torch.full((1, 4, 4), value) for value in (0.0, 0.5, 1.0)])
    sheet = plots.image_grid(images, columns=2, scale=2, gap=1)
    assert sheet.shape == (17, 17, 3)
    assert sheet[2, 2].tolist() == [0, 0, 0]
    assert sheet[2, 12].tolist() == [128, 128, 128]
    assert sheet[12, 2].tolist() == [255, 255, 255]


def test_images_beside_and_above_keep_their_size():
    one, two = bars(1), numpy.zeros((10, 10, 3), numpy.uint8)
    assert plots.side_by_side(one, two, gap=4).shape == (20, 44, 3)
    assert plots.stacked(one, two, gap=4).shape == (34, 30, 3)
    assert plots.captioned(one, "a caption that is long", size=12).shape[1] > 30


def test_a_live_plot_redraws_what_moves_and_keeps_the_rest():
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(3, 2))
    (line,) = axis.plot([0, 1], [0, 0])
    axis.set(ylim=(0, 1))
    plot = plots.LivePlot(figure, [line])
    low = plot.image()
    line.set_ydata([1, 1])
    assert not numpy.array_equal(low, plot.image())
    line.set_ydata([0, 0])
    assert numpy.array_equal(low, plot.image())


def test_labels_of_a_latent_map_do_not_overlap():
    plots.use_course_style()
    codes = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.1, 0.0], [2.0, 2.0]])
    pad = widgets.LatentPad(lambda z: torch.zeros(1, 1, 4, 4), codes, torch.arange(4), "0123")
    places = torch.tensor([text.get_position() for text in pad.axis.texts])
    assert torch.pdist(places).min() > 0.4  # a circle is this wide where the map is 6.4 wide
    assert torch.equal(places[3], codes[3])  # one that is in nobody's way stays
