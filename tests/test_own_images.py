"""One's own image is read whatever it is; a photographed digit comes to look like MNIST's."""

import io
import struct
import subprocess
import sys
import zlib
from unittest import mock

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from course_utils import data
from course_utils.data import image_files
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


# Large files that take no time to make: their header may say any size, as what follows is uniform.


def segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body


def grey_jpeg(width: int, height: int, scans: int = 1) -> bytes:
    """A JPEG of three channels stored in full, in one scan or in three; all its bits are zero."""
    channels = b"".join(bytes([channel, 0x11, 0]) for channel in (1, 2, 3))
    header = segment(0xDB, bytes([0] + 64 * [1]))
    header += segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + channels)
    header += b"".join(segment(0xC4, bytes([table, 1] + 16 * [0])) for table in (0x00, 0x10))
    blocks = -(-width // 8) * -(-height // 8)  # of 8 x 8 points, two bits each
    for scan in range(scans):
        of_scan = (1, 2, 3) if scans == 1 else (scan + 1,)
        selected = b"".join(bytes([channel, 0]) for channel in of_scan)
        header += segment(0xDA, bytes([len(of_scan)]) + selected + bytes([0, 63, 0]))
        header += bytes(-(-blocks * len(of_scan) // 4))
    return b"\xff\xd8" + header + b"\xff\xd9"


def red_webp(width: int, height: int) -> bytes:
    """A lossless WebP, whose image data is that of a single pixel."""
    content = bytearray(file_of(Image.new("RGB", (1, 1), RED), "webp", lossless=True))
    content[21:25] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return bytes(content)


def png_of_zeros(width: int, height: int, colour: int, depth: int = 8, interlaced=False) -> bytes:
    """A PNG of colour type 0 (grey), 2 (RGB) or 6 (RGBA), with the seven passes of Adam7 or not."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
              (0, 1, 1, 2)] if interlaced else [(0, 0, 1, 1)]  # fmt: skip
    pixel = {0: 1, 2: 3, 6: 4}[colour] * depth // 8
    packed, stream = [], zlib.compressobj(1)
    for left, top, right, down in passes:
        row = bytes(1 + -(-(width - left) // right) * pixel)
        packed += (stream.compress(row) for _ in range(top, height, down))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    body = b"".join(packed) + stream.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND")


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bmp_of_zeros(path, width: int, height: int) -> None:
    with open(path, "wb") as file:
        file.write(file_of(Image.new("RGB", (1, 1)), "bmp"))
        file.seek(18)
        file.write(struct.pack("<II", width, height))
        file.truncate(54 + 3 * width * height)  # 12,000 x 3 needs no padding


PEAK = """
import sys
from pathlib import Path
from course_utils.data import own_image

def peak():
    (line,) = [x for x in open("/proc/self/status") if x.startswith("VmHWM")]
    return int(line.split()[1])

small, *large = sorted(Path(sys.argv[1]).iterdir())
own_image(small)
before = peak()
for path in large:
    read = own_image(path, (3, 256, 256))[0, :, 100, 100].mul(255).round().tolist()
    print(path.stem, (peak() - before) // 1000, *map(int, read))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak stands in /proc")
def test_the_largest_image_of_each_kind_takes_at_most_half_a_gigabyte(tmp_path):
    """They are read by one process, whose peak is printed after each: the first over it is seen."""
    full = 12_000, 9_000
    flat = Image.new("P", full, 1)
    flat.putpalette([0, 0, 0, *RED])
    (tmp_path / "0.png").write_bytes(file_of(NOISE))
    (tmp_path / "jpeg.jpg").write_bytes(grey_jpeg(*full))
    (tmp_path / "largest.jpg").write_bytes(grey_jpeg(13_300, 13_300))
    (tmp_path / "scans.jpg").write_bytes(grey_jpeg(8_400, 8_400, scans=3))
    (tmp_path / "progressive.jpg").write_bytes(
        file_of(flat.convert("RGB"), "jpeg", progressive=True)
    )
    (tmp_path / "png.png").write_bytes(png_of_zeros(*full, colour=6))
    (tmp_path / "interlaced.png").write_bytes(png_of_zeros(*full, colour=2, interlaced=True))
    (tmp_path / "sixteen.png").write_bytes(png_of_zeros(*full, colour=0, depth=16))
    (tmp_path / "webp.webp").write_bytes(red_webp(6_000, 4_000))
    (tmp_path / "gif.gif").write_bytes(file_of(flat, "gif", transparency=0, disposal=2))
    bmp_of_zeros(tmp_path / "bmp.bmp", *full)
    run = [sys.executable, "-c", PEAK, str(tmp_path)]
    out = subprocess.run(run, capture_output=True, encoding="utf-8", check=True).stdout
    lines = {name: tuple(map(int, rest)) for name, *rest in map(str.split, out.splitlines())}
    grey, black = (128,) * 3, (0,) * 3
    expected = {
        "bmp": black, "gif": RED, "interlaced": black, "jpeg": grey, "largest": grey,
        "png": WHITE, "progressive": (254, 0, 0), "scans": grey, "sixteen": black, "webp": RED,
    }  # fmt: skip
    assert {name: read for name, (_, *read) in lines.items()} == {
        name: list(colour) for name, colour in expected.items()
    }
    assert max(peak for peak, *_ in lines.values()) < 500, out  # MB


def test_what_would_take_more_is_refused_with_the_size_that_it_may_have(tmp_path, recwarn):
    full, smaller = (12_000, 9_000), "make it smaller"
    for content, says in [
        (red_webp(*full), f"more than 24 megapixels, the most for a WebP; {smaller} or save it as"),
        (red_webp(6_001, 4_000), "6001 x 4000 is more than 24 megapixels"),
        (grey_jpeg(*full, scans=3), "more than 71 .* for a progressive JPEG; .*an ordinary JPEG"),
        (png_header(12_001, 9_000), f"more than 108 megapixels, the most for a PNG; {smaller} or"),
        (png_header(60_000, 60_000), f"it has more than 178 megapixels; {smaller}"),
        (png_header(65_536, 2), "65536 x 2 has a side of more than 65,535 pixels; make it"),
    ]:
        path = tmp_path / "photo"
        path.write_bytes(content)
        with refused(ValueError, f"photo cannot be read: .*{says}"):
            data.own_image(path)
    # Decoded in whole, as the shape is large, two JPEGs are beyond what a reduced one may have.
    for content, most in ((grey_jpeg(16_000, 8_000), 108), (grey_jpeg(8_100, 8_100, scans=3), 43)):
        assert data.own_image(content).shape == (1, 3, 64, 64)
        with refused(ValueError, f"more than {most} megapixels"):
            data.own_image(content, (3, 2048, 2048))
    assert not recwarn


def test_an_image_that_cannot_be_read_leaves_nothing_in_memory(monkeypatch):
    with pytest.raises(ValueError, match="cannot be read as an image") as info:
        data.own_image(file_of(NOISE)[:4000])
    assert info.value.__context__ is None  # which would hold the half-read image
    for step in ("_narrowed", "_opened"):
        monkeypatch.setattr(image_files, step, mock.Mock(side_effect=MemoryError))
        with refused(ValueError, "cannot be read: too little memory is free; make it smaller"):
            data.own_image(file_of(NOISE))
        monkeypatch.undo()


@pytest.mark.parametrize("size", [(1, 1), (1, 65_535), (65_535, 1), (3, 2)])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "bmp", "gif"])
@pytest.mark.parametrize("crop", [True, False])
def test_the_smallest_and_the_longest_images_are_read(kind, size, crop):
    if kind == "webp" and max(size) > 16_383:
        pytest.skip("a WebP has no longer side")
    if kind == "jpeg":
        size = tuple(min(side, 65_500) for side in size)  # what libjpeg writes and reads
    content = file_of(Image.new("RGB", size, RED), kind)
    read = data.own_image(content, (3, 16, 12), crop=crop)
    assert 1 <= read.shape[2] <= 16 and 1 <= read.shape[3] <= 12
    assert (read - torch.tensor(RED).view(3, 1, 1) / 255).abs().max() < 0.02


def test_a_second_image_in_a_jpeg_is_left_alone():
    """As phones write it: an MPO."""
    second = {"save_all": True, "append_images": [Image.new("RGB", (8, 8), GREEN)]}
    content = file_of(Image.new("RGB", (2000, 1500), RED), "mpo", **second)
    assert Image.open(io.BytesIO(content)).format == "MPO"
    read = data.own_image(content, (3, 16, 16))
    assert (read - torch.tensor(RED).view(3, 1, 1) / 255).abs().max() < 0.02


def test_what_is_no_image_and_a_shape_that_cannot_be_are_told_in_one_sentence(recwarn):
    for source, error, says in [
        (b"these are words", ValueError, "not an image, or damaged"),
        (file_of(NOISE, "jpeg")[:2000], ValueError, "cannot be read as an image"),
        (file_of(NOISE)[:4000], ValueError, "cannot be read as an image"),
        (file_of(NOISE, "tiff"), ValueError, "save it as PNG or JPEG"),
        (file_of(NOISE, "jpeg", progressive=True)[:2000], ValueError, "truncated"),
        (file_of(NOISE, "webp")[:1000], ValueError, "save it as PNG or JPEG"),
        (file_of(NOISE, "bmp")[:1000], ValueError, "truncated"),
        (file_of(NOISE, "gif")[:2000], ValueError, "truncated"),
        ("nowhere/photo.png", FileNotFoundError, "There is no file .*photo.png"),
        ("x" * 5000, FileNotFoundError, "There is no file"),
        ("/", ValueError, "/ is no file; name one image"),
        ("", ValueError, "give a path, bytes or an open file"),
        (3, ValueError, "3; give a path, bytes or an open file"),
    ]:
        with refused(error, says):
            data.own_image(source)
    for shape in (64, (64, 64), (2, 8, 8), (3, 0, 8), ("a", 8, 8), (3, 2048, 2049)):
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
