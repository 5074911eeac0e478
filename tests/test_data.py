"""Loading data sets: real ones from files, folders of images, downloads that may fail.

Every file is made here and every server runs on this machine: no test needs a network.
"""

import ast
import gzip
import hashlib
import io
import random
import socket
import struct
import tarfile
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import course_utils
from course_utils import data
from course_utils.data import (
    DownloadError,
    download,
    folder,
    real,
)
from course_utils.session import files
from course_utils.session import lab as session


# --- arguments ---------------------------------------------------------------------------------
def test_unknown_name_lists_the_names():
    with pytest.raises(ValueError, match="no data set 'minst'.*handwriting, faces, mnist") as info:
        data.load("minst")
    assert one_sentence(info)


@pytest.mark.parametrize("name", [None, 3, "folder", "Faces"])
def test_names_that_are_not_names(name):
    with pytest.raises(ValueError, match="There is no data set"):
        data.load(name)


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"split": "validation"}, "split is 'validation'"),
        ({"size": 0}, "size is 0"),
        ({"size": -3}, "size is -3"),
        ({"size": 2.5}, "size is 2.5"),
        ({"size": True}, "size is True"),
        ({"resolution": "big"}, "resolution is 'big'"),
        ({"resolution": 64}, "28 x 28 pixels only"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": None}, "seed is None"),
        ({"seed": 2**31 - 1}, "seed is 2147483647"),
    ],
)
def test_arguments_that_cannot_be_used(arguments, says):
    with pytest.raises(ValueError, match=says) as info:
        data.load("handwriting", **arguments)
    assert one_sentence(info)


@pytest.mark.parametrize("name", ["handwriting", "faces"])
def test_drawn_sets(name):
    pytest.importorskip(f"course_utils.data.{name}")
    train, again = data.load(name, size=20), data.load(name, size=20)
    assert len(train) == 20 and train.images.dtype == torch.float32
    assert 0 <= train.images.min() < train.images.max() <= 1
    assert torch.equal(train.images, again.images)
    # Test images are others than the training images of this seed and of its neighbours.
    test = data.load(name, "test", 20).images.flatten(1)
    for seed in (0, 1):
        others = data.load(name, size=200, seed=seed).images.flatten(1)
        assert torch.cdist(test, others).min() > 0.1


def test_default_sizes_of_drawn_sets(monkeypatch):
    module = pytest.importorskip("course_utils.data.handwriting")
    calls = []
    monkeypatch.setattr(module, "draw", lambda size, **rest: calls.append((size, rest)))
    data.load("handwriting", seed=5)
    data.load("handwriting", "test", seed=5)
    assert calls == [
        (60_000, {"seed": 5, "fixed": None, "device": "cpu"}),
        (10_000, {"seed": 5 + 2**31 - 1, "fixed": None, "device": "cpu"}),
    ]
    # torch's CPU generator looks at 32 bits of a seed only; the test seeds must fit.
    assert 2**31 - 2 + data.TEST_SEED_OFFSET < 2**32


def test_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert session.data_folder() == tmp_path
    monkeypatch.delenv("COURSE_DATA")
    assert session.data_folder().parts[-2:] == ("data", "downloads")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "__file__", str(tmp_path / "site" / "course_utils" / "session.py"))
    assert session.data_folder() == tmp_path / "data" / "downloads"


# --- MNIST and FashionMNIST --------------------------------------------------------------------
def idx(array: np.ndarray) -> bytes:
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + shape + array.astype(np.uint8).tobytes()


@pytest.fixture
def idx_files():
    """The contents of the four files of an MNIST-like set of 12 and 5 images, by name."""
    values = np.random.default_rng(0)
    files = {}
    for split, count in (("train", 12), ("t10k", 5)):
        images = values.integers(0, 256, (count, 28, 28))
        files[f"{split}-images-idx3-ubyte"] = idx(images)
        files[f"{split}-labels-idx1-ubyte"] = idx(np.arange(count) % 10)
    return files


def write_all(files: dict[str, bytes], into: Path):
    into.mkdir(parents=True)
    for name, content in files.items():
        (into / name).write_bytes(content)


@pytest.mark.parametrize("name, place", [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
def test_idx_sets(name, place, idx_files, tmp_path):
    write_all(idx_files, tmp_path / place / "raw")
    train = data.load(name, root=tmp_path)
    assert train.images.shape == (12, 1, 28, 28) and train.images.dtype == torch.float32
    assert train.labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert train.labels.dtype == torch.int64
    stored = idx_files["train-images-idx3-ubyte"][16:]
    assert (train.images * 255).round().byte().numpy().tobytes() == stored
    assert train.classes[9] == {"mnist": "9", "fashion_mnist": "Ankle boot"}[name]
    assert len(data.load(name, "test", root=tmp_path)) == 5
    assert torch.equal(data.load(name, "train", 3, root=tmp_path).images, train.images[:3])
    with pytest.raises(ValueError, match="12 train images, not 13; lower size"):
        data.load(name, "train", 13, root=tmp_path)


def test_course_data_is_the_default_root(idx_files, tmp_path, monkeypatch):
    write_all(idx_files, tmp_path / "MNIST" / "raw")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert len(data.load("mnist", "test")) == 5


@pytest.mark.parametrize(
    "damage, says",
    [
        (lambda whole: whole[:-100], "is damaged"),
        (lambda whole: whole + b"more", "is damaged"),
        (lambda whole: whole[:10], "is not an IDX file"),
        (lambda whole: b"", "is not an IDX file"),
        (lambda whole: b"<html>404 not found</html>", "is not an IDX file"),
        (lambda whole: idx(np.zeros((11, 28, 28))), "are not those of mnist"),
        (lambda whole: idx(np.zeros((12, 32, 32))), "are not those of mnist"),
        (lambda whole: idx(np.zeros(12)), "are not those of mnist"),
    ],
)
def test_damaged_idx_file(damage, says, idx_files, tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    write_all(idx_files, raw)
    broken = raw / "train-images-idx3-ubyte"
    broken.write_bytes(damage(broken.read_bytes()))
    with pytest.raises(ValueError, match=says) as info:
        data.load("mnist", root=tmp_path)
    assert one_sentence(info) and str(raw) in str(info.value)
    assert len(data.load("mnist", "test", root=tmp_path)) == 5  # the other split still loads


def test_labels_that_no_class_has(idx_files, tmp_path):
    idx_files["t10k-labels-idx1-ubyte"] = idx(np.array([0, 1, 2, 3, 10]))
    write_all(idx_files, tmp_path / "MNIST" / "raw")
    with pytest.raises(ValueError, match="are not those of mnist"):
        data.load("mnist", "test", root=tmp_path)


def test_the_real_mnist():
    raw = session.data_folder() / "MNIST" / "raw"
    if not (raw / "t10k-images-idx3-ubyte").is_file():
        pytest.skip("The real MNIST is not here; set COURSE_DATA to a folder that has it.")
    test = data.load("mnist", "test")
    assert test.images.shape == (10_000, 1, 28, 28)
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert test.labels.bincount().tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert abs(test.images.mean().item() - 0.1325) < 1e-4


# --- downloads ---------------------------------------------------------------------------------
def one_sentence(info) -> bool:
    """Whether the message is one line that ends as a sentence and holds no second one."""
    message = str(info.value)
    return "\n" not in message and message.endswith(".") and ". " not in message


def files_under(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


class Server:
    """Serves `files` (path -> bytes); the paths in `truncated` break off half way."""

    def __init__(self):
        self.files, self.truncated, self.requests = {}, set(), []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append(self.path)
                if self.path not in outer.files:
                    return self.send_error(404)
                body = outer.files[self.path]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                cut = self.path in outer.truncated
                self.wfile.write(body[: len(body) // 2] if cut else body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    yield server
    server.stop()


BODY = bytes(range(256)) * 64
CHECKSUM = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


def fetch(urls, path, **options):
    return download.fetch(urls, path, CHECKSUM, instead="do something else", **options)


def test_fetch_whole_file(server, tmp_path):
    server.files["/a.bin"] = BODY
    path = tmp_path / "deep" / "a.bin"
    assert fetch([server.url + "a.bin"], path) == path
    assert path.read_bytes() == BODY and files_under(tmp_path) == ["deep/a.bin"]
    fetch([server.url + "a.bin"], path)
    assert server.requests == ["/a.bin"], "a good file was downloaded again"


def test_fetch_tries_the_mirrors_in_order(server, tmp_path):
    server.files |= {"/cut/a.bin": BODY, "/good/a.bin": BODY}
    server.truncated.add("/cut/a.bin")
    urls = [server.url + part + "/a.bin" for part in ("none", "cut", "good", "spare")]
    fetch(urls, tmp_path / "a.bin")
    assert server.requests == ["/none/a.bin", "/cut/a.bin", "/good/a.bin"]
    assert (tmp_path / "a.bin").read_bytes() == BODY and files_under(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("old", [None, b"an older file"])
@pytest.mark.parametrize(
    "case, says",
    [
        ("missing", "127.0.0.1:[0-9]+ answered 404"),
        ("truncated", "sent only 8,192 of 16,384 bytes"),
        ("other", "sent another file .hash [0-9a-f]{64} instead of [0-9a-f]{64}"),
        ("endless", "sent more than the 20,000 bytes allowed"),
    ],
)
def test_failed_fetch_leaves_everything_as_it_was(case, says, old, server, tmp_path):
    server.files |= {"/truncated": BODY, "/other": b"x" * len(BODY), "/endless": BODY * 2}
    server.truncated.add("/truncated")
    path = tmp_path / "a.bin"
    if old:
        path.write_bytes(old)
    with pytest.raises(DownloadError, match=says) as info:
        fetch([server.url + case], path, limit=20_000)
    assert one_sentence(info) and str(info.value).endswith("; do something else.")
    assert files_under(tmp_path) == (["a.bin"] if old else [])
    assert not old or path.read_bytes() == old


def test_no_connection(server, tmp_path):
    server.stop()
    with pytest.raises(DownloadError, match="a.bin could not be fetched: no connection to 127"):
        fetch([server.url + "a.bin"], tmp_path / "a.bin")
    assert files_under(tmp_path) == []


def test_silent_server(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.bin"
        with pytest.raises(DownloadError, match="timed out"):
            fetch([url], tmp_path / "a.bin", timeout=0.2)
    assert files_under(tmp_path) == []


def test_folder_that_cannot_be_written(server, tmp_path):
    server.files["/a.bin"] = BODY
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DownloadError, match="cannot be read or written") as info:
        fetch([server.url + "a.bin"], tmp_path / "file" / "a.bin")
    assert one_sentence(info)


def test_interrupt_leaves_no_file(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), files.replacing(tmp_path / "a.bin") as file:
        file.write(b"half of")
        raise KeyboardInterrupt
    assert files_under(tmp_path) == ["a.bin"] and (tmp_path / "a.bin").read_bytes() == b"old"


def serve_mnist(server, files, monkeypatch) -> None:
    """Let `server` be the only mirror of MNIST, serving these files compressed."""
    from torchvision.datasets import MNIST

    archives = {f"{name}.gz": gzip.compress(content) for name, content in files.items()}
    resources = [(name, hashlib.md5(content).hexdigest()) for name, content in archives.items()]
    monkeypatch.setattr(MNIST, "mirrors", [server.url])
    monkeypatch.setattr(MNIST, "resources", resources)
    server.files = {f"/{name}": content for name, content in archives.items()}


def test_mnist_is_downloaded_once(server, idx_files, tmp_path, monkeypatch):
    serve_mnist(server, idx_files, monkeypatch)
    first = data.load("mnist", "test", root=tmp_path)
    assert len(first) == 5 and len(server.requests) == 2, "one split needs two files"
    again = data.load("mnist", "test", root=tmp_path)
    assert torch.equal(first.images, again.images) and len(server.requests) == 2


def test_archives_put_there_by_hand_need_no_network(server, idx_files, tmp_path, monkeypatch):
    serve_mnist(server, idx_files, monkeypatch)
    by_hand = {name.strip("/"): content for name, content in server.files.items()}
    write_all(by_hand, tmp_path / "MNIST" / "raw")
    assert len(data.load("mnist", root=tmp_path)) == 12 and server.requests == []


def test_mnist_without_network(server, idx_files, tmp_path, monkeypatch):
    serve_mnist(server, idx_files, monkeypatch)
    server.stop()
    with pytest.raises(DownloadError) as info:
        data.load("mnist", root=tmp_path)
    message = str(info.value)
    assert one_sentence(info) and "no connection" in message
    for way_out in ('data.load("handwriting")', str(tmp_path / "MNIST" / "raw"), "COURSE_DATA"):
        assert way_out in message
    assert files_under(tmp_path) == []


# --- CIFAR-10 ----------------------------------------------------------------------------------
CIFAR10_FILES = sum(real.CIFAR10_FILES.values(), ())


@pytest.fixture
def cifar10_files(monkeypatch):
    """The contents of the six binary batches, four images each, by name."""
    monkeypatch.setattr(real, "CIFAR10_IMAGES_A_FILE", 4)
    values = np.random.default_rng(0)
    files = {}
    for name in CIFAR10_FILES:
        records = values.integers(0, 256, (4, 3073), dtype=np.uint8)
        records[:, 0] = values.integers(0, 10, 4)
        files[name] = records.tobytes()
    return files


def tar_gz(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def serve_cifar10(server, archive: bytes, monkeypatch) -> None:
    server.files["/c.tar.gz"] = archive
    checksum = f"sha256:{hashlib.sha256(archive).hexdigest()}"
    monkeypatch.setattr(real, "CIFAR10_URLS", (server.url + "c.tar.gz",))
    monkeypatch.setattr(real, "CIFAR10_CHECKSUM", checksum)


def test_cifar10(cifar10_files, server, tmp_path, monkeypatch):
    archive = tar_gz({f"{real.CIFAR10_FOLDER}/{name}": b for name, b in cifar10_files.items()})
    serve_cifar10(server, archive, monkeypatch)
    train = data.load("cifar10", root=tmp_path)
    first = np.frombuffer(cifar10_files["data_batch_1.bin"], np.uint8)[:3073]
    assert train.images.shape == (20, 3, 32, 32) and train.labels[0] == first[0]
    red = torch.from_numpy(first[1 : 1 + 1024].copy()).view(32, 32) / 255
    assert torch.equal(train.images[0, 0], red)
    assert train.classes[3] == "cat" and len(train.classes) == 10
    assert len(data.load("cifar10", "test", root=tmp_path)) == 4
    assert data.load("cifar10", size=2, resolution=32, root=tmp_path).images.shape[0] == 2
    assert server.requests == ["/c.tar.gz"]


def test_hostile_archive_writes_only_what_is_expected(cifar10_files, tmp_path):
    archive = tmp_path / "c.tar.gz"
    batch = cifar10_files["test_batch.bin"]
    members = {"../../evil.txt": b"x", "/evil": b"x", "a/extra.bin": b"x"}
    members |= {"a/data_batch_1.bin": batch * 2, "../../test_batch.bin": batch}
    archive.write_bytes(tar_gz(members))
    into = tmp_path / "one" / "two"
    download.extract(archive, into, CIFAR10_FILES, limit=len(batch))
    assert files_under(tmp_path) == ["c.tar.gz", "one/two/test_batch.bin"]


@pytest.mark.parametrize(
    "damage, says",
    [
        (lambda whole: whole[:-1], "is damaged .12,291 bytes instead of 12,292"),
        (lambda whole: b"\xff" + whole[1:], "a label is 255"),
    ],
)
def test_damaged_cifar10(damage, says, cifar10_files, tmp_path):
    cifar10_files["test_batch.bin"] = damage(cifar10_files["test_batch.bin"])
    write_all(cifar10_files, tmp_path / real.CIFAR10_FOLDER)
    with pytest.raises(ValueError, match=says) as info:
        data.load("cifar10", "test", root=tmp_path)
    assert one_sentence(info)


def test_cifar10_archive_without_its_files(server, cifar10_files, tmp_path, monkeypatch):
    serve_cifar10(server, tar_gz({"readme.html": b"nothing else"}), monkeypatch)
    with pytest.raises(ValueError, match="lacks test_batch.bin") as info:
        data.load("cifar10", "test", root=tmp_path)
    assert one_sentence(info)


# --- folders of images -----------------------------------------------------------------------
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)


def only_image(path: Path, **options) -> torch.Tensor:
    """The single image of a folder, in steps of 0 to 255."""
    images = data.load(f"folder:{path}", **options).images
    assert images.dtype == torch.float32 and len(images) == 1
    return (images[0] * 255).round()


def colour_at(image: torch.Tensor, row: int, column: int) -> tuple:
    return tuple(int(value) for value in image[:, row, column])


def close(colour, expected, tolerance=12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(colour, expected, strict=True))


def save(image: Image.Image, path: Path, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def test_pixels_are_read_exactly(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    save(Image.fromarray(pixels), tmp_path / "a.png")
    image = only_image(tmp_path)
    assert image.shape == (3, 20, 30)
    assert torch.equal(image.byte().permute(1, 2, 0), torch.from_numpy(pixels))


@pytest.mark.parametrize("suffix", folder.SUFFIXES)
def test_formats(suffix, tmp_path):
    save(Image.new("RGB", (8, 8), RED), tmp_path / f"a{suffix.upper()}")
    assert close(colour_at(only_image(tmp_path), 4, 4), RED)


def test_resize_and_centre_crop(tmp_path):
    image = Image.new("RGB", (300, 100), BLUE)
    image.paste(RED, (100, 0, 200, 100))
    save(image, tmp_path / "a.png")
    cropped = only_image(tmp_path)
    assert cropped.shape == (3, 64, 64)
    assert all(colour_at(cropped, 32, column) == RED for column in (2, 32, 61))
    assert only_image(tmp_path, resolution=20).shape == (3, 20, 20)


def test_size_that_all_images_share(tmp_path):
    for name in "ab":
        save(Image.new("RGB", (40, 24)), tmp_path / f"{name}.png")
    assert data.load(f"folder:{tmp_path}").images.shape == (2, 3, 24, 40)
    save(Image.new("RGB", (41, 24)), tmp_path / "c.png")
    assert data.load(f"folder:{tmp_path}").images.shape == (3, 3, 64, 64)


def test_exif_rotation(tmp_path):
    image = Image.new("RGB", (48, 32), RED)  # stored lying: red on the left, green on the right
    image.paste(GREEN, (24, 0, 48, 32))
    exif = Image.Exif()
    exif[folder.EXIF_ORIENTATION] = 6  # turn by 90 degrees clockwise to view
    save(image, tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    upright = only_image(tmp_path)
    assert upright.shape == (3, 48, 32)
    assert close(colour_at(upright, 4, 16), RED) and close(colour_at(upright, 44, 16), GREEN)


def test_large_jpeg_keeps_its_colours(tmp_path):
    image = Image.new("RGB", (3000, 2000), GREEN)
    save(image, tmp_path / "a.jpg")
    assert close(colour_at(only_image(tmp_path), 10, 10), GREEN)


def test_greyscale_and_one_bit(tmp_path):
    save(Image.new("L", (8, 8), 77), tmp_path / "grey" / "a.png")
    assert colour_at(only_image(tmp_path / "grey"), 1, 1) == (77, 77, 77)
    save(Image.new("1", (8, 8), 1), tmp_path / "bit" / "a.png")
    assert colour_at(only_image(tmp_path / "bit"), 1, 1) == WHITE


def test_sixteen_bits(tmp_path):
    levels = np.tile(np.linspace(0, 65535, 16).astype(np.uint16), (4, 1))
    save(Image.fromarray(levels), tmp_path / "a.png")
    image = only_image(tmp_path)
    expected = torch.linspace(0, 255, 16).expand(3, 4, 16)
    assert (image - expected).abs().max() <= 1


def test_transparency_lies_on_white(tmp_path):
    half = Image.new("RGBA", (8, 8), (*RED, 128))
    half.paste((0, 0, 0, 0), (0, 0, 4, 8))
    save(half, tmp_path / "rgba" / "a.png")
    image = only_image(tmp_path / "rgba")
    assert colour_at(image, 4, 0) == WHITE
    assert close(colour_at(image, 4, 7), (255, 127, 127), 1)
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([*BLUE, *GREEN])
    palette.paste(1, (0, 0, 4, 8))
    for suffix in ("png", "gif"):
        save(palette, tmp_path / suffix / f"a.{suffix}", transparency=0)
        image = only_image(tmp_path / suffix)
        assert colour_at(image, 4, 0) == GREEN and colour_at(image, 4, 7) == WHITE
    save(Image.new("LA", (8, 8), (0, 0)), tmp_path / "la" / "a.png")
    assert colour_at(only_image(tmp_path / "la"), 1, 1) == WHITE


def test_cmyk(tmp_path):
    save(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), tmp_path / "a.jpg", quality=95)
    assert close(colour_at(only_image(tmp_path), 8, 8), RED, 20)


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    save(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert colour_at(only_image(tmp_path), 4, 4) == RED


def test_one_pixel_and_thin_images(tmp_path):
    save(Image.new("RGB", (1, 1), RED), tmp_path / "a.png")
    save(Image.new("RGB", (1, 900), RED), tmp_path / "b.png")
    images = data.load(f"folder:{tmp_path}", resolution=16).images
    assert images.shape == (2, 3, 16, 16) and (images[:, 0] == 1).all() and images[:, 1:].max() == 0


def test_sub_folders_are_classes_that_take_turns(tmp_path):
    for label, count, colour in (("dog", 3, RED), ("cat", 5, BLUE), (".hidden", 2, WHITE)):
        for i in range(count):
            save(Image.new("RGB", (8, 8), colour), tmp_path / label / "deeper" / f"{i}.png")
    (tmp_path / "notes.txt").write_text("not an image by its name")
    images = data.load(f"folder:{tmp_path}")
    assert images.classes == ("cat", "dog") and images.name == tmp_path.name
    assert images.labels.tolist() == [0, 1, 0, 1, 0, 1, 0, 0]
    assert images.labels.dtype == torch.int64
    assert torch.equal(images.images[:, 2, 0, 0], (images.labels == 0).float())
    assert data.load(f"folder:{tmp_path}", size=4).labels.tolist() == [0, 1, 0, 1]


def test_loose_images_have_no_labels(tmp_path):
    save(Image.new("RGB", (8, 8)), tmp_path / "a.png")
    save(Image.new("RGB", (8, 8)), tmp_path / "sub" / "b.png")
    images = data.load(f"folder:{tmp_path}")
    assert len(images) == 2 and images.labels is None and images.classes == ()


def test_splits_of_a_folder(tmp_path):
    save(Image.new("RGB", (8, 8), RED), tmp_path / "train" / "a.png")
    with pytest.raises(ValueError, match='no sub-folders "train" and "test"') as info:
        data.load(f"folder:{tmp_path}", "test")
    assert one_sentence(info)
    save(Image.new("RGB", (8, 8), BLUE), tmp_path / "test" / "b.png")
    assert colour_at(only_image(tmp_path), 1, 1) == RED
    assert colour_at(only_image(tmp_path, split="test"), 1, 1) == BLUE


@pytest.mark.parametrize("missing", ["", "nowhere", "a file.png"])
def test_missing_folder(missing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(Image.new("RGB", (8, 8)), tmp_path / "a file.png")
    with pytest.raises(FileNotFoundError, match="There is no folder") as info:
        data.load(f"folder:{missing}")
    assert one_sentence(info)


def test_folder_without_images(tmp_path):
    with pytest.raises(ValueError, match="holds no images") as info:
        data.load(f"folder:{tmp_path}")
    assert one_sentence(info)
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(ValueError, match="holds no images"):
        data.load(f"folder:{tmp_path}")


def png_header(width: int, height: int) -> bytes:
    """A PNG file that promises this many pixels and holds hardly any."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.fixture
def broken_images(tmp_path) -> Path:
    """A folder of files that cannot be read, each in another way."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = save(Image.fromarray(noise), tmp_path / "truncated.jpg").read_bytes()
    (tmp_path / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a_text.jpg").write_text("these are words")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "large.png").write_bytes(png_header(11_000, 10_000))
    (tmp_path / "bomb.png").write_bytes(png_header(60_000, 60_000))
    (tmp_path / "hollow.png").write_bytes(png_header(8, 8))
    return tmp_path


def test_broken_images_are_left_out_and_named(broken_images, capsys, recwarn):
    save(Image.new("RGB", (32, 32), RED), broken_images / "good.png")
    assert colour_at(only_image(broken_images), 4, 4) == RED
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 and "1 images read, 6 left out: a_text.jpg (not an image" in lines[0]
    assert lines[0].endswith("and 4 more.") and not recwarn.list
    with pytest.raises(ValueError, match="has 1 readable images, fewer than the 2 wanted, 6 left"):
        data.load(f"folder:{broken_images}", size=2)


def test_only_broken_images(broken_images):
    with pytest.raises(ValueError, match="has 0 readable images.*6 left out: a_text") as info:
        data.load(f"folder:{broken_images}")
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("name", ["large.png", "bomb.png"])
def test_huge_images_are_refused_by_their_header(name, broken_images):
    with pytest.raises(ValueError, match="more than 100 megapixels"):
        folder.read_image(broken_images / name, (64, 64))


def test_formats_that_are_not_listed_are_not_tried(tmp_path):
    save(Image.new("RGB", (8, 8)), tmp_path / "a.png", format="TIFF")
    with pytest.raises(ValueError, match="not an image"):
        folder.read_image(tmp_path / "a.png", (8, 8))


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "bmp"])
def test_random_damage_is_read_or_reported(suffix, tmp_path):
    """Whatever the bytes, a load gives images in [0, 1] or one ValueError."""
    rng = random.Random(0)
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    path = save(Image.fromarray(noise), tmp_path / f"a.{suffix}")
    whole = path.read_bytes()
    refused = 0
    for _ in range(40):
        damaged = bytearray(whole)
        for _ in range(5):
            damaged[rng.randrange(len(whole))] = rng.randrange(256)
        path.write_bytes(damaged[: rng.randrange(len(whole) // 2, len(whole) + 1)])
        try:
            images = data.load(f"folder:{tmp_path}", resolution=8).images
            assert images.shape == (1, 3, 8, 8) and images.min() >= 0 and images.max() <= 1
        except ValueError as error:
            assert "1 left out" in str(error)
            refused += 1
    assert refused > 0


def test_sets_too_large_for_memory_are_refused(tmp_path):
    save(Image.new("RGB", (8, 8)), tmp_path / "a.png")
    with pytest.raises(ValueError, match="need more than 8 GiB; lower resolution") as info:
        data.load(f"folder:{tmp_path}", resolution=30_000)
    assert one_sentence(info)


# --- the whole package -------------------------------------------------------------------------
def unpickling(source: str) -> list[str]:
    """Every use in `source` of something that may unpickle, as the text of the expression."""
    banned = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            modules = []
        if banned & {module.partition(".")[0] for module in modules}:
            found.append(ast.unparse(node))
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        options = {word.arg: ast.unparse(word.value) for word in node.keywords}
        unsafe_load = called == "torch.load" and options.get("weights_only") != "True"
        unsafe_array = options.get("allow_pickle", "False") != "False"
        if unsafe_load or unsafe_array or called.endswith(("read_pickle", ".CIFAR10", ".CIFAR100")):
            found.append(ast.unparse(node))
    return found


def test_nothing_in_the_package_unpickles():
    modules = [file for place in course_utils.__path__ for file in Path(place).rglob("*.py")]
    assert Path(real.__file__) in modules
    assert {str(file): unpickling(file.read_text()) for file in modules} == {
        str(file): [] for file in modules
    }


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import load",
        "torch.load('a.pt')",
        "torch.load('a.pt', weights_only=False)",
        "np.load('a.npy', allow_pickle=True)",
        "datasets.CIFAR10('here')",
    ],
)
def test_the_search_for_unpickling_finds_it(source):
    assert unpickling(source) and not unpickling("torch.load('a.pt', weights_only=True)")


def test_a_set_can_be_walked_through_and_ends():
    images = torch.arange(3.0)[:, None, None, None].expand(3, 1, 2, 2)
    some = data.ImageSet("some", images, labels=torch.arange(3), captions=("a", "b", "c"))
    assert [one.labels.item() for one in some] == [0, 1, 2]
    assert some[np.int64(1)].captions == ("b",) and some[-1].captions == ("c",)
    with pytest.raises(IndexError):
        some[3]
