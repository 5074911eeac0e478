"""The style studio: two images of one's own, a button, and nothing lost when something fails."""

import io

import pytest
import torch
from PIL import Image

from course_utils import plots
from course_utils.training.pixels import PixelRun, optimise
from course_utils.widgets import StyleStudio


def file_of(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(buffer, "png")
    return buffer.getvalue()


RED, BLUE, GREEN = file_of("red"), file_of("blue"), file_of((0, 255, 0))


def mixed(content, style, watch):
    watch(content)
    return PixelRun("mixed", (content + style) / 2, seconds=0.5)


def studio(paint=mixed):
    return StyleStudio(paint, RED, BLUE, "two colours", size=8)


def colour_of(view):
    image = Image.open(io.BytesIO(view.value)).convert("RGB")
    return image.size, image.getpixel((0, 0))


def test_before_it_is_pressed_the_photograph_is_shown():
    widget = studio()
    assert colour_of(widget.view) == ((320, 320), (255, 0, 0)) and widget.result is None
    assert widget.image.shape == (320, 3 * 320 + 2 * 16, 3)
    assert {"image/png", "text/plain"} < set(widget._repr_mimebundle_())


def test_a_press_paints_the_chosen_images():
    widget = studio()
    assert widget.style.offer(GREEN) == ""
    widget.button.click()
    assert widget.result[0, :, 0, 0].tolist() == [0.5, 0.5, 0.0]
    assert colour_of(widget.view)[1] == (128, 128, 0)
    assert "finished, after 0.5 s" in widget.message.value and not widget.button.disabled


def test_a_bad_file_is_explained_and_nothing_is_lost():
    widget = studio()
    widget.press()
    assert "cannot be read" in widget.content.offer(b"this is no image")
    assert torch.equal(
        widget.result, torch.tensor([0.5, 0, 0.5]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    )
    widget.press()
    assert colour_of(widget.view)[1] == (128, 0, 128)


def test_a_stopped_film_says_so():
    def stopped(content, style, watch):
        return PixelRun("stopped", style, stopped=True)

    widget = studio(stopped)
    widget.press()
    assert "best so far" in widget.message.value and colour_of(widget.view)[1] == (0, 0, 255)


def test_what_fails_is_said_and_raised_and_the_last_image_stays():
    widget = studio()
    widget.press()

    def fails(content, style, watch):
        watch(style)
        raise ValueError("too <small>")

    widget.paint = fails
    with pytest.raises(ValueError, match="too <small>"):
        widget.press()
    assert "too &lt;small&gt;" in widget.message.value and not widget.button.disabled
    assert colour_of(widget.view)[1] == (128, 0, 128)


def test_what_is_watched_is_drawn_but_rarely(monkeypatch):
    drawn, clock = [], iter(range(1000))
    monkeypatch.setattr(
        "course_utils.widgets.style_studio.time.perf_counter", lambda: next(clock) / 10
    )
    widget = studio(
        lambda content, style, watch: (
            [watch(style) for _ in range(20)] and mixed(content, style, watch)
        )
    )
    before = plots.png
    monkeypatch.setattr(plots, "png", lambda image: (drawn.append(1), before(image))[1])
    widget.press()
    assert 3 <= len(drawn) < 10


def test_its_output_stays_out_of_the_notebook(capsys):
    def prints(content, style, watch):
        print("· a line of progress")
        return mixed(content, style, watch)

    studio(prints).press()
    assert capsys.readouterr().out == ""


def test_the_stop_button_keeps_the_best_so_far():
    """An interrupt in the middle of a real optimisation, as the kernel's stop button sends it."""
    steps = iter(range(100))

    def interrupted(content, style, watch):
        def loss(image):
            watch(image.detach())
            if next(steps) == 5:
                raise KeyboardInterrupt
            return {"apart": (image - style).square().mean()}

        return optimise(loss, content, steps=50)

    widget = studio(interrupted)
    widget.press()
    assert "best so far" in widget.message.value and not widget.button.disabled
    start, goal = widget.chosen["photograph"], widget.chosen["painting"]
    assert 0 < (widget.result - goal).abs().mean() < (start - goal).abs().mean()
