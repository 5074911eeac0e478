"""One's own image is read whatever it is; a photographed digit comes to look like MNIST's."""

import io
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from course_utils import data, plots, widgets
from course_utils.data.folder import EXIF_ORIENTATION
from tests.test_data import png_header

RED, GREEN, WHITE = (255, 0, 0), (0, 128, 0), (255, 255, 255)


def file_of(image, kind="png", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def colours(image, *places):
    """The colours at (row, column) places of (1, 3, H, W), in steps of 0 to 255."""
    values = (image[0] * 255).round().int()
    return [tuple(values[:, row, column].tolist()) for row, column in places]


# Any image


def test_a_path_bytes_and_an_open_file_are_read_alike(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    content = file_of(Image.fromarray(noise))
    path = tmp_path / "an image"
    path.write_bytes(content)
    images = [data.own_image(source) for source in (path, str(path), content)]
    images += [data.own_image(memoryview(content)), data.own_image(io.BytesIO(content))]
    assert all(torch.equal(image, images[0]) for image in images)
    assert images[0].shape == (1, 3, 64, 64) and images[0].dtype == torch.float32
    assert 0 <= images[0].min() < images[0].max() <= 1


@pytest.mark.parametrize(
    "image, expected",
    [
        (Image.new("1", (9, 5), 1), WHITE),
        (Image.new("L", (300, 200), 77), (77, 77, 77)),
        (Image.fromarray(np.full((8, 8), 77 * 257, np.uint16)), (77, 77, 77)),
        (Image.new("P", (8, 8), 0), (0, 0, 0)),
        (Image.new("LA", (8, 8), (0, 0)), WHITE),
        (Image.new("RGBA", (8, 8), (255, 0, 0, 51)), (255, 204, 204)),
        (Image.new("RGB", (1, 1), RED), RED),
        (Image.new("RGB", (1, 900), RED), RED),
    ],
)
@pytest.mark.parametrize("crop", [True, False])
def test_any_mode_and_size(image, expected, crop):
    read = data.own_image(file_of(image), (3, 16, 16), crop=crop)
    assert colours(read, (0, 0), (-1, -1)) == [expected, expected]
    assert read.shape == (1, 3, 16, 16) if crop else max(read.shape[2:]) == 16


def test_cmyk_orientation_and_animation():
    cmyk = data.own_image(file_of(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "jpeg"))
    assert (cmyk[0, :, 8, 8] - torch.tensor([1.0, 0, 0])).abs().max() < 0.1
    lying = Image.new("RGB", (48, 32), RED)
    lying.paste(GREEN, (24, 0, 48, 32))
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    upright = data.own_image(file_of(lying, "jpeg", exif=exif, quality=95), crop=False)
    assert upright.shape == (1, 3, 64, 43)
    assert upright[0, 0, 4, 20] > 0.9 and upright[0, 0, 60, 20] < 0.1
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN)]
    first = data.own_image(file_of(frames[0], "gif", save_all=True, append_images=frames[1:]))
    assert colours(first, (4, 4)) == [RED]


@pytest.mark.parametrize(
    "kind, mode", [("jpeg", "RGB"), ("png", "RGB"), ("png", "P"), ("webp", "RGBA")]
)
def test_a_large_image_is_reduced_as_a_small_one_is(kind, mode):
    halves = Image.new("RGB", (1310, 870), RED)
    halves.paste(GREEN, (655, 0, 1310, 870))
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    read = data.own_image(file_of(halves.convert(mode), kind, exif=exif), (3, 24, 16))
    above, below = (torch.tensor(colour) / 255 for colour in (RED, GREEN))
    assert (read[0, :, 3, 8] - above).abs().max() < 0.03
    assert (read[0, :, 20, 8] - below).abs().max() < 0.03


def test_what_is_seen_through_takes_no_colour_from_what_is_hidden():
    pixels = np.zeros((640, 640, 4), np.uint8)
    pixels[::2] = (255, 0, 0, 255)  # every other row is red, the others transparent black
    read = data.own_image(file_of(Image.fromarray(pixels)), (3, 16, 16))
    assert (read[0, :, 8, 8] - torch.tensor([1.0, 0.5, 0.5])).abs().max() < 0.02


def test_a_plain_jpeg_of_108_megapixels_is_read_at_a_fraction_of_its_size(recwarn):
    huge = Image.new("L", (12_000, 9_000), 77)
    assert colours(data.own_image(file_of(huge, "jpeg")), (9, 9)) == [(77, 77, 77)]
    progressive = file_of(huge, "jpeg", progressive=True)
    for content, shape in ((file_of(huge, "jpeg"), (3, 5000, 5000)), (progressive, (3, 64, 64))):
        with pytest.raises(ValueError, match="12000 x 9000 is more than 100 megapixels") as info:
            data.own_image(content, shape)
        assert one_sentence(info)
    assert not recwarn


PEAK = """
import resource, sys
from course_utils.data import own_image
own_image(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
own_image(sys.argv[2], (3, 256, 256))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is in KiB on Linux")
def test_a_large_png_is_in_memory_once(tmp_path):
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    Image.new("RGB", (8, 8), RED).save(small)
    Image.new("RGB", (8000, 5000), RED).save(large, compress_level=1)
    run = [sys.executable, "-c", PEAK, str(small), str(large)]
    peak = int(subprocess.run(run, capture_output=True, text=True, check=True).stdout) * 1024
    assert peak < 1.5 * 4 * 8000 * 5000  # Pillow holds a pixel in four bytes


def test_one_channel_is_luma():
    grey = [
        data.own_image(file_of(Image.new("RGB", (8, 8), colour)), (1, 4, 4))
        for colour in (RED, (0, 255, 0), (0, 0, 255), WHITE)
    ]
    assert grey[0].shape == (1, 1, 4, 4)
    expected = torch.tensor([0.299, 0.587, 0.114, 1.0])
    assert torch.allclose(torch.cat(grey)[:, 0, 0, 0], expected, atol=0.003)


def test_a_frame_that_is_not_square_is_filled_or_fitted():
    content = file_of(Image.new("RGB", (200, 100), RED))
    assert data.own_image(content, (3, 30, 20)).shape == (1, 3, 30, 20)
    assert data.own_image(content, (3, 30, 20), crop=False).shape == (1, 3, 10, 20)


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
DAMAGED_EXIF = b"Exif\0\0MM\0*\0\0\xff\x08\0\x01"


@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "not an image, or damaged"),
        (b"these are words", "not an image, or damaged"),
        (file_of(NOISE, "jpeg")[:2000], "cannot be read as an image"),
        (file_of(NOISE)[:4000], "cannot be read as an image"),
        (file_of(NOISE, "tiff"), "save it as PNG or JPEG"),
        (png_header(11_000, 10_000), "more than 100 megapixels"),
        (png_header(60_000, 60_000), "more than 100 megapixels"),
    ],
)
def test_what_is_no_image_is_told_in_one_sentence(content, says, recwarn):
    with pytest.raises(ValueError, match=says) as info:
        data.own_image(content)
    assert one_sentence(info) and not recwarn


def test_an_oddity_that_can_be_read_past_is_no_noise(recwarn):
    image = data.own_image(file_of(NOISE, "jpeg", exif=DAMAGED_EXIF))
    assert image.shape == (1, 3, 64, 64) and not recwarn


def test_what_is_no_file_is_told_in_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file .*photo.png") as info:
        data.own_image(tmp_path / "photo.png")
    assert one_sentence(info)
    with pytest.raises(FileNotFoundError):
        data.own_image("x" * 5000)
    with pytest.raises(ValueError, match="is no file; name one image") as info:
        data.own_image(tmp_path)
    assert one_sentence(info)
    for source in (None, "", 3):
        with pytest.raises(ValueError, match="give a path, bytes or an open file") as info:
            data.own_image(source)
        assert one_sentence(info)
    with pytest.raises(ValueError, match="cannot be read as an image"):
        data.own_image(io.StringIO("words"))


@pytest.mark.parametrize("shape", [64, (64, 64), (2, 8, 8), (3, 0, 8), ("a", 8, 8), None])
def test_a_shape_that_cannot_be(shape):
    with pytest.raises(ValueError, match="give .C, H, W.") as info:
        data.own_image(file_of(NOISE), shape)
    assert one_sentence(info)


def one_sentence(info) -> bool:
    text = str(info.value)
    return text.endswith(".") and "\n" not in text and ". " not in text.removesuffix(".")


# Ink on paper


def photograph(digit, seed, height=220, centre=(0.5, 0.5), turned=None, paper=(0.45, 0.95)):
    """A JPEG of a sheet, 600 x 800, on which a digit (28, 28) stands in dark ink."""
    random = np.random.default_rng(seed)
    ink = Image.new("L", (600, 800))
    large = Image.fromarray((digit * 255).astype(np.uint8)).resize((height, height))
    ink.paste(large, tuple(int(c * s - height / 2) for c, s in zip(centre, ink.size)))
    ink = np.asarray(ink.filter(ImageFilter.GaussianBlur(1))) / 255
    y, x = np.mgrid[0:800, 0:600] / 800
    angle = random.uniform(0, 2 * np.pi)
    slope = (np.cos(angle) * (x - 0.4) + np.sin(angle) * (y - 0.5) + 0.5).clip(0, 1)
    light = paper[0] + (paper[1] - paper[0]) * slope
    sheet = light * (1 - 0.8 * ink) + random.normal(0, 0.03, light.shape)
    colour = np.array([1.0, 0.97, 0.9])
    image = Image.fromarray((255 * sheet[..., None] * colour).clip(0, 255).astype(np.uint8))
    if turned is None:
        return file_of(image, "jpeg")
    exif = Image.Exif()
    exif[EXIF_ORIENTATION], stored = turned
    return file_of(image.transpose(stored), "jpeg", exif=exif)


TURNS = [None, (3, Image.ROTATE_180), (6, Image.ROTATE_90), (8, Image.ROTATE_270)]


def read_back(content):
    return data.to_mnist_style(data.own_image(content, (1, 320, 320), crop=False))


def correlation(one, other):
    """(N,) correlations over pixels, at the best of the shifts by up to one pixel."""
    one = one.flatten(1)
    shifted = [
        other.roll((down, right), (2, 3)).flatten(1) for down in (-1, 0, 1) for right in (-1, 0, 1)
    ]
    return torch.stack(
        [torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(one, two)])
         for two in shifted]
    ).amax(0)  # fmt: skip


@pytest.fixture(scope="module")
def digits():
    return data.load("handwriting", "test", 20).images


@pytest.mark.parametrize(
    "how",
    [{}, {"height": 100}, {"height": 560}, {"centre": (0.3, 0.75)}, {"paper": (0.15, 0.4)}],
    ids=str,
)
def test_photographed_digits_are_read_back(digits, how):
    read = torch.cat([
        read_back(photograph(digit[0].numpy(), seed, turned=TURNS[seed % 4], **how))
        for seed, digit in enumerate(digits)
    ])  # fmt: skip
    assert read.shape == digits.shape and 0 <= read.min() and (read.amax((1, 2, 3)) == 1).all()
    same = correlation(data.to_mnist_style(digits), read)
    assert same.mean() > 0.9 and same.min() > 0.75


def test_bright_on_black_stays_so_and_sits_as_in_mnist(digits):
    centred = data.to_mnist_style(digits)
    assert correlation(centred, digits.roll((1, 1), (2, 3))).mean() > 0.85
    places = torch.arange(28) + 0.5
    mass = centred.sum((1, 2, 3))
    for axis in (2, 3):
        middle = (centred.sum((1, 5 - axis)) * places).sum(1) / mass
        assert (middle - 14.5).abs().max() < 0.75
    sizes = [max((image[0] > 0.5).any(axis).sum() for axis in (0, 1)) for image in centred]
    assert 18 <= min(sizes) and max(sizes) <= 21
    assert correlation(centred, data.to_mnist_style(0.9 - 0.7 * digits)).min() > 0.95


def test_thin_strokes_are_broadened():
    page = torch.ones(1, 1, 300, 200)
    page[:, :, 50:250, 99:101] = 0
    one = data.to_mnist_style(page)
    assert 1.5 < one[0, 0, 14].sum() < 3.5


def test_specks_and_what_reaches_the_edge_are_left_out():
    page = torch.ones(1, 3, 320, 320)
    page[:, :, 100:220, 150:170] = 0.1
    alone = data.to_mnist_style(page)
    page[:, :, 40, 40] = page[:, :, 280, 60] = 0.1
    page[:, :, 300:303] = 0.1
    assert torch.allclose(data.to_mnist_style(page), alone, atol=0.01)


@pytest.mark.parametrize("page", [
    torch.ones(1, 1, 300, 200), torch.zeros(1, 3, 28, 28), torch.rand(1, 1, 300, 300),
    torch.full((1, 1, 1, 1), 0.5), torch.linspace(0.4, 0.9, 200).expand(1, 1, 300, 200),
], ids=["white", "black", "noise", "pixel", "slope"])  # fmt: skip
def test_an_empty_page_is_told(page):
    with pytest.raises(ValueError, match="No digit is to be seen here; write one large") as info:
        data.to_mnist_style(page)
    assert one_sentence(info)


@pytest.mark.parametrize("wrong", [None, torch.rand(28, 28), torch.rand(1, 2, 8, 8)])
def test_what_are_no_images(wrong):
    with pytest.raises(ValueError, match="to_mnist_style needs images"):
        data.to_mnist_style(wrong)


def test_a_picker_of_digits_explains_an_empty_page(digits):
    seen = []
    picker = widgets.ImagePicker(
        lambda x: (seen.append(x), plots.image_grid(x, 1))[1], "Yours.",
        first=photograph(digits[0, 0].numpy(), 0), shape=(1, 320, 320),
        prepare=data.to_mnist_style, crop=False,
    )  # fmt: skip
    assert seen[0].shape == (1, 1, 28, 28)
    before = picker.view.value
    assert "No digit" in picker.offer(file_of(Image.new("RGB", (60, 80), WHITE)))
    assert picker.view.value == before and len(seen) == 1


def test_an_error_in_show_is_seen_and_raised():
    def fragile(image):
        if image[0, 0, 0, 0] < 0.5:
            raise RuntimeError("too <dark>")
        return plots.image_grid(image, 1)

    white, black = (file_of(Image.new("L", (8, 8), value)) for value in (255, 0))
    picker = widgets.ImagePicker(fragile, "Yours.", first=white, shape=(1, 8, 8))
    with pytest.raises(RuntimeError, match="too <dark>"):
        picker.offer(black)
    assert "too &lt;dark&gt;" in picker.message.value
    assert picker.offer(white) == "" and picker.message.layout.display == "none"
