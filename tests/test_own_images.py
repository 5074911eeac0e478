"""One's own image is read whatever it is; a photographed digit comes to look like MNIST's."""

import io
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from course_utils import data
from course_utils.data.image_files import EXIF_ORIENTATION
from tests.test_data import png_header
from tests.test_faces import refused

RED, GREEN, WHITE = (255, 0, 0), (0, 128, 0), (255, 255, 255)
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 90, 3), dtype=np.uint8))


def file_of(image, kind="png", turned=None, **options) -> bytes:
    """The bytes of an image file; `turned` is an EXIF orientation."""
    if turned:
        options["exif"] = Image.Exif()
        options["exif"][EXIF_ORIENTATION] = turned
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_path_bytes_and_an_open_file_are_read_alike(tmp_path):
    path, content = tmp_path / "an image", file_of(NOISE)
    path.write_bytes(content)
    sources = (path, str(path), content, memoryview(content), io.BytesIO(content))
    first, *others = (data.own_image(source) for source in sources)
    assert all(torch.equal(image, first) for image in others)
    assert first.shape == (1, 3, 64, 64) and first.dtype == torch.float32
    assert 0 <= first.min() < first.max() <= 1
    with pytest.raises(ValueError, match="cannot be read as an image"):
        data.own_image(io.StringIO("words"))


STRIPES = np.zeros((640, 640, 4), np.uint8)
STRIPES[::2] = (255, 0, 0, 255)  # every other row is red, the others are transparent black
DAMAGED_EXIF = b"Exif\0\0MM\0*\0\0\xff\x08\0\x01"  # can be read past
FRAMES = {"save_all": True, "append_images": [Image.new("RGB", (8, 8), GREEN)]}


@pytest.mark.parametrize(
    "content, expected, within",  # in steps of 0 to 255
    [
        (file_of(Image.new("1", (9, 5), 1)), WHITE, 0.5),
        (file_of(Image.fromarray(np.full((8, 8), 77 * 257, np.uint16))), (77, 77, 77), 0.5),
        (file_of(Image.new("P", (8, 8), 0)), (0, 0, 0), 0.5),
        (file_of(Image.new("LA", (8, 8), (0, 0))), WHITE, 0.5),
        (file_of(Image.new("RGBA", (8, 8), (255, 0, 0, 51))), (255, 204, 204), 0.5),
        (file_of(Image.fromarray(STRIPES)), (255, 127.5, 127.5), 5),
        (file_of(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "jpeg"), RED, 25),
        (file_of(Image.new("RGB", (8, 8), RED), "gif", **FRAMES), RED, 0.5),
        (file_of(Image.new("L", (8, 8), 255), "jpeg", exif=DAMAGED_EXIF), WHITE, 0.5),
        (file_of(Image.new("RGB", (1, 900), RED)), RED, 0.5),
    ],
)
def test_any_mode_and_size_fills_a_frame_or_fits_into_it(content, expected, within, recwarn):
    reads = [data.own_image(content, (3, 30, 20), crop=crop) for crop in (True, False)]
    assert not recwarn
    width, height = Image.open(io.BytesIO(content)).size
    scale = min(30 / height, 20 / width)
    fitted = max(1, round(scale * height)), max(1, round(scale * width))
    assert [read.shape for read in reads] == [(1, 3, 30, 20), (1, 3, *fitted)]
    for read in reads:
        for corner in (0, -1):
            apart = 255 * read[0, :, corner, corner] - torch.tensor(expected)
            assert apart.abs().max() < within


def test_one_channel_is_luma():
    for colour, luma in ((RED, 0.299), ((0, 255, 0), 0.587), ((0, 0, 255), 0.114), (WHITE, 1.0)):
        grey = data.own_image(file_of(Image.new("RGB", (8, 8), colour)), (1, 4, 4))
        assert torch.allclose(grey, torch.full((1, 1, 4, 4), luma), atol=0.003)


@pytest.mark.parametrize("kind, mode", [("jpeg", "RGB"), ("png", "P"), ("webp", "RGBA")])
@pytest.mark.parametrize("width, height", [(48, 32), (1310, 870)])
@pytest.mark.parametrize("crop", [True, False])
def test_an_image_is_turned_upright_also_where_it_is_reduced(kind, mode, width, height, crop):
    halves = Image.new("RGB", (width, height), RED)
    halves.paste(GREEN, (width // 2, 0, width, height))
    content = file_of(halves.convert(mode), kind, turned=6, quality=95)
    read = data.own_image(content, (3, 24, 24), crop=crop)
    assert read.shape == (1, 3, 24, 24 if crop else 16)
    for row, colour in ((3, RED), (20, GREEN)):
        assert (read[0, :, row, 8] - torch.tensor(colour) / 255).abs().max() < 0.03


def test_a_plain_jpeg_of_108_megapixels_is_read_at_a_fraction_of_its_size(recwarn):
    huge = Image.new("L", (12_000, 9_000), 77)
    plain, progressive = file_of(huge, "jpeg"), file_of(huge, "jpeg", progressive=True)
    assert torch.allclose(data.own_image(plain), torch.tensor(77 / 255), atol=0.5 / 255)
    for content, shape in ((plain, (3, 5000, 5000)), (progressive, (3, 64, 64))):
        with refused(ValueError, "12000 x 9000 is more than 100 megapixels"):
            data.own_image(content, shape)
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
    peak = int(subprocess.run(run, capture_output=True, encoding="utf-8", check=True).stdout) * 1024
    assert peak < 1.5 * 4 * 8000 * 5000  # Pillow holds a pixel in four bytes


def test_what_is_no_image_and_a_shape_that_cannot_be_are_told_in_one_sentence(recwarn):
    for source, error, says in [
        (b"these are words", ValueError, "not an image, or damaged"),
        (file_of(NOISE, "jpeg")[:2000], ValueError, "cannot be read as an image"),
        (file_of(NOISE)[:4000], ValueError, "cannot be read as an image"),
        (file_of(NOISE, "tiff"), ValueError, "save it as PNG or JPEG"),
        (png_header(11_000, 10_000), ValueError, "more than 100 megapixels"),
        (png_header(60_000, 60_000), ValueError, "more than 100 megapixels"),
        ("nowhere/photo.png", FileNotFoundError, "There is no file .*photo.png"),
        ("x" * 5000, FileNotFoundError, "There is no file"),
        ("/", ValueError, "/ is no file; name one image"),
        ("", ValueError, "give a path, bytes or an open file"),
        (3, ValueError, "3; give a path, bytes or an open file"),
    ]:
        with refused(error, says):
            data.own_image(source)
    for shape in (64, (64, 64), (2, 8, 8), (3, 0, 8), ("a", 8, 8)):
        with refused(ValueError, "give .C, H, W."):
            data.own_image(file_of(NOISE), shape)
    assert not recwarn


def photograph(digit, seed=0, height=220, centre=(0.5, 0.5), paper=(0.45, 0.95)):
    """A JPEG of a sheet, 600 x 800, on which a digit (1, 28, 28) stands in dark ink."""
    random = np.random.default_rng(seed)
    ink = Image.new("L", (600, 800))
    large = Image.fromarray((digit[0].numpy() * 255).astype(np.uint8)).resize((height, height))
    ink.paste(large, tuple(int(c * s - height / 2) for c, s in zip(centre, ink.size)))
    ink = np.asarray(ink.filter(ImageFilter.GaussianBlur(1))) / 255
    y, x = np.mgrid[0:800, 0:600] / 800
    angle = random.uniform(0, 2 * np.pi)
    slope = (np.cos(angle) * (x - 0.4) + np.sin(angle) * (y - 0.5) + 0.5).clip(0, 1)
    light = paper[0] + (paper[1] - paper[0]) * slope
    sheet = light * (1 - 0.8 * ink) + random.normal(0, 0.03, light.shape)
    sheet = 255 * sheet[..., None] * [1.0, 0.97, 0.9]
    return file_of(Image.fromarray(sheet.clip(0, 255).astype(np.uint8)), "jpeg")


def correlation(ones, others):
    """(N,) correlations over pixels, at the best of the shifts by up to one pixel."""
    shifted = [others.roll((down, right), (2, 3)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    ones, *shifted = (x.flatten(1) - x.flatten(1).mean(1, True) for x in (ones, *shifted))
    return torch.stack([torch.cosine_similarity(ones, moved) for moved in shifted]).amax(0)


@pytest.fixture(scope="module")
def digits():
    return data.load("handwriting", "test", 20).images


@pytest.mark.parametrize(
    "how",
    [{}, {"height": 100}, {"height": 560}, {"centre": (0.3, 0.75)}, {"paper": (0.15, 0.4)}],
    ids=str,
)
def test_photographed_digits_are_read_back(digits, how):
    sheets = (photograph(digit, seed, **how) for seed, digit in enumerate(digits))
    sheets = torch.cat([data.own_image(s, (1, 320, 320), crop=False) for s in sheets])
    read = data.to_mnist_style(sheets)
    assert read.shape == digits.shape and 0 <= read.min() and (read.amax((1, 2, 3)) == 1).all()
    same = correlation(data.to_mnist_style(digits), read)
    assert same.mean() > 0.9 and same.min() > 0.75


def test_bright_on_black_stays_so_and_sits_as_in_mnist(digits):
    centred = data.to_mnist_style(digits)
    assert correlation(centred, digits.roll((1, 1), (2, 3))).mean() > 0.85
    places = torch.arange(28) + 0.5
    for axis in (2, 3):
        middle = (centred.sum((1, 5 - axis)) * places).sum(1) / centred.sum((1, 2, 3))
        assert (middle - 14.5).abs().max() < 0.75
    sizes = [max((image[0] > 0.5).any(axis).sum() for axis in (0, 1)) for image in centred]
    assert 18 <= min(sizes) and max(sizes) <= 21
    assert correlation(centred, data.to_mnist_style(0.9 - 0.7 * digits)).min() > 0.95


def test_thin_strokes_are_broadened_and_specks_and_what_reaches_the_edge_are_left_out():
    page = torch.ones(1, 3, 320, 320)
    page[:, :, 60:260, 99:101] = 0.1
    alone = data.to_mnist_style(page)
    assert 1.5 < alone[0, 0, 14].sum() < 3.5
    page[:, :, 40, 40] = page[:, :, 280, 60] = 0.1
    page[:, :, 300:303] = 0.1
    assert torch.allclose(data.to_mnist_style(page), alone, atol=0.01)


def test_what_is_no_digit_or_no_image_is_told():
    white, slope = torch.ones(300, 200), torch.linspace(0.4, 0.9, 200).expand(300, 200)
    for page in (white, slope, torch.rand(300, 300), torch.full((1, 1), 0.5), torch.zeros(28, 28)):
        with refused(ValueError, "No digit is to be seen here; write one large"):
            data.to_mnist_style(page.expand(1, 3, -1, -1))
    for wrong in (None, torch.rand(28, 28), torch.rand(1, 2, 8, 8)):
        with refused(ValueError, "to_mnist_style needs images"):
            data.to_mnist_style(wrong)
