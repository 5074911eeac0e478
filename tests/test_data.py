"""Loading datasets: what the registry says of them, real ones from files, folders, downloads.

Every file is made here and every server runs on this machine: no test needs a network.
"""

import ast
import dataclasses
import gzip
import hashlib
import importlib
import io
import random
import socket
import struct
import subprocess
import sys
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
from course_utils import data, doctor
from course_utils.data import DownloadError, download, image_files, real, registry
from course_utils.session import lab as session


def one_sentence(info) -> bool:
    """Whether the message is one line that ends as a sentence and holds no second one."""
    message = str(info.value)
    return "\n" not in message and message.endswith(".") and ". " not in message


def files_under(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def change(monkeypatch, name: str, **what) -> None:
    """Let the registry say something else of a dataset."""
    dataset = dataclasses.replace(registry.DATASETS[name], **what)
    monkeypatch.setitem(registry.DATASETS, name, dataset)


# --- the registry ------------------------------------------------------------------------------
def test_the_readme_has_the_tables_of_the_registry():
    readme = (Path(__file__).parents[1] / "data" / "README.md").read_text(encoding="utf-8")
    written = [registry.table(without_pairs=without_pairs) for without_pairs in (False, True)]
    assert all(table in readme for table in written), (
        "put what `python -m course_utils.data.registry` prints into data/README.md"
    )


def test_one_call_makes_a_dataset_known_everywhere(monkeypatch, tmp_path):
    seeds = []

    def stripes(size, *, seed, fixed, device):
        seeds.append(seed)
        return data.ImageSet("stripes", torch.zeros(size, 1, 4, 4, device=device))

    monkeypatch.setattr(registry, "DATASETS", dict(registry.DATASETS))
    described = {"name": "stripes", "shows": "lines", "source": "me", "terms": "CC0"}
    sizes = {"train": 30, "test": 20}
    mine = registry.Dataset(
        **described, how=registry.DRAWN, loader=stripes, shape=(1, 4, 4), sizes=sizes
    )
    registry.register(mine)
    assert (
        len(data.load("stripes", seed=5)) == 30 and len(data.load("stripes", "test", seed=5)) == 20
    )
    # torch's CPU generator looks at 32 bits of a seed only; the test seeds must fit.
    assert seeds == [5, 5 + 2**31 - 1] and 2**31 - 2 + data.TEST_SEED_OFFSET < 2**32
    assert "| `stripes` | lines |" in registry.table(without_pairs=False)
    assert "stripes" in [finding.subject for finding in doctor.data(tmp_path)]
    with pytest.raises(ValueError, match="did you mean 'stripes'.*faces, mnist.*, stripes"):
        data.load("strips")
    with pytest.raises(ValueError, match="'stripes' already"):
        registry.register(mine)


def test_what_is_registered_is_there():
    from torchvision import datasets

    for dataset in registry.DATASETS.values():
        module, function = dataset.loader.split(".")
        module = importlib.import_module(f"course_utils.data.{module}")
        assert callable(getattr(module, function)), dataset.name
        assert dataset.how != registry.DOWNLOADED or dataset.download_bytes > 10_000_000
        if archive := dataset.archive:
            assert len(archive.checksum) == 7 + 64 and archive.urls and dataset.folder
    for name in ("mnist", "fashion_mnist"):
        dataset = registry.find(name)
        source = getattr(datasets, dataset.folder.split("/")[0])
        assert {f"{n}.gz" for n in sum(dataset.files.values(), ())} == dict(source.resources).keys()
    assert dataset.classes == tuple(source.classes)


def test_doctor_says_which_files_are_there(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    names = "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte.gz"
    write_all(dict.fromkeys(names, b""), raw)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"")
    found = {finding.subject: finding for finding in doctor.data(tmp_path)}
    assert found["mnist"].state == f"{raw} lacks t10k-labels-idx1-ubyte"
    assert found["fashion_mnist"].state == f"not in {tmp_path}"
    assert 'unpaired("horse2zebra") downloads it' in found["horse2zebra"].remedy
    assert not any(found[name].remedy for name in ("cifar10", "faces", "photographs"))


# --- arguments ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name, arguments, says",
    [
        ("minst", {}, "no dataset 'minst' .did you mean 'mnist'.*handwriting, faces, mnist"),
        ("folder", {}, "no dataset 'folder'"),
        (None, {}, "no dataset None"),
        (["mnist"], {}, "no dataset .'mnist'"),
        ("horse2zebra", {}, "two domains and no pairs; load it by unpaired"),
        ("faces", {"split": "validation"}, "split is 'validation'"),
        ("faces", {"size": 0}, "size is 0"),
        ("faces", {"size": 2.5}, "size is 2.5"),
        ("faces", {"size": True}, "size is True"),
        ("faces", {"resolution": "big"}, "resolution is 'big'"),
        ("handwriting", {"resolution": 64}, "28 x 28 pixels only"),
        ("faces", {"seed": -1}, "seed is -1"),
        ("faces", {"seed": None}, "seed is None"),
        ("faces", {"seed": 2**31 - 1}, "seed is 2147483647"),
        ("mnist", {"fixed": {"slant": 0}}, "the factors of mnist are not known"),
        ("photographs", {"split": "test"}, "photographs has no test images"),
        ("photographs", {"size": 7}, "photographs has 6 train images, not 7"),
    ],
)
def test_arguments_that_cannot_be_used(name, arguments, says):
    with pytest.raises(ValueError, match=says) as info:
        data.load(name, **arguments)
    assert one_sentence(info)


@pytest.mark.parametrize("name", ["handwriting", "faces"])
def test_drawn_sets(name):
    train, again = data.load(name, size=20), data.load(name, size=20)
    assert len(train) == 20 and train.images.dtype == torch.float32
    assert train.images.shape[1:] == registry.find(name).shape
    assert 0 <= train.images.min() < train.images.max() <= 1
    assert torch.equal(train.images, again.images)
    # Test images are others than the training images of this seed and of its neighbours.
    test = data.load(name, "test", 20).images.flatten(1)
    for seed in (0, 1):
        others = data.load(name, size=200, seed=seed).images.flatten(1)
        assert torch.cdist(test, others).min() > 0.1


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
def idx_files(monkeypatch):
    """The four files of an MNIST-like set of 12 and 5 images, by name; for MNIST the right ones."""
    values = np.random.default_rng(0)
    made = {}
    for split, count in (("train", 12), ("t10k", 5)):
        made[f"{split}-images-idx3-ubyte"] = idx(values.integers(0, 256, (count, 28, 28)))
        made[f"{split}-labels-idx1-ubyte"] = idx(np.arange(count) % 10)
    change(monkeypatch, "mnist", checksums={name: sha256(made[name]) for name in made})
    return made


def write_all(contents: dict[str, bytes], into: Path) -> Path:
    into.mkdir(parents=True)
    for name, content in contents.items():
        (into / name).write_bytes(content)
    return into


@pytest.mark.parametrize("name, place", [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
def test_idx_sets(name, place, idx_files, tmp_path, monkeypatch):
    write_all(idx_files, tmp_path / place / "raw")
    monkeypatch.setitem(sys.modules, "torchvision", None)  # not needed for files that are there
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    train = data.load(name)
    assert train.images.shape == (12, 1, 28, 28) and train.images.dtype == torch.float32
    assert train.labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert train.labels.dtype == torch.int64
    stored = idx_files["train-images-idx3-ubyte"][16:]
    assert (train.images * 255).round().byte().numpy().tobytes() == stored
    assert train.classes[9] == {"mnist": "9", "fashion_mnist": "Ankle boot"}[name]
    assert len(data.load(name, "test", root=tmp_path)) == 5
    assert torch.equal(data.load(name, "train", 3).images, train.images[:3])
    with pytest.raises(ValueError, match="12 train images, not 13; lower size"):
        data.load(name, "train", 13)


@pytest.mark.parametrize(
    "damage, says",
    [
        (lambda whole: whole[:-2], "is damaged .[0-9,]* bytes instead of [0-9,]*.;"),
        (lambda whole: whole + b"more", "is damaged"),
        (lambda whole: b"", "is not an IDX file"),
        (lambda whole: b"<html>404 not found</html>", "is not an IDX file"),
        (lambda whole: bytes(len(whole)), "is not an IDX file"),
        (lambda whole: idx(np.full((11, 28, 28), 7)), "are not those of fashion_mnist"),
        (lambda whole: idx(np.arange(12)), "are not those of fashion_mnist"),
        (lambda whole: whole[:18] + bytes([whole[18] ^ 1]) + whole[19:], None),
    ],
)
@pytest.mark.parametrize("kind", ["images-idx3", "labels-idx1"])
def test_damage_is_noticed(kind, damage, says, idx_files, tmp_path):
    """A changed byte by the checksum of MNIST; most damage without one, too."""
    for name, place in (("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")):
        raw = write_all(idx_files, tmp_path / place / "raw")
        broken = raw / f"train-{kind}-ubyte"
        broken.write_bytes(damage(broken.read_bytes()))
        expected = "is damaged or another file .SHA-256" if name == "mnist" else says
        if expected is None:
            continue
        with pytest.raises(ValueError, match=expected) as info:
            data.load(name, root=tmp_path)
        assert one_sentence(info) and str(raw) in str(info.value) and "delete" in str(info.value)
        assert len(data.load(name, "test", root=tmp_path)) == 5  # the other split still loads


def test_the_real_mnist():
    if not (session.data_folder() / "MNIST" / "raw" / "t10k-images-idx3-ubyte").is_file():
        pytest.skip("The real MNIST is not here; set COURSE_DATA to a folder that has it.")
    assert data.load("mnist", "test").labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert data.load("mnist").images.shape == (60_000, 1, 28, 28)


# --- downloads ---------------------------------------------------------------------------------
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, path = self.server, self.path
        server.requests.append(path)
        if path not in server.files:
            return self.send_error(404)
        body = server.files[path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if path in server.truncated else body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """Serves `files` (path -> bytes); the paths in `truncated` break off half way."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.truncated, self.requests = {}, set(), []
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    yield server
    server.stop()


BODY = bytes(range(256)) * 64


def fetch(urls, path, **options):
    return download.fetch(urls, path, sha256(BODY), instead="do something else", **options)


def test_fetch_tries_the_mirrors_in_order_and_once(server, tmp_path):
    server.files |= {"/cut/a.bin": BODY, "/good/a.bin": BODY}
    server.truncated.add("/cut/a.bin")
    urls = [server.url + part + "/a.bin" for part in ("none", "cut", "good", "spare")]
    path = tmp_path / "deep" / "a.bin"
    assert fetch(urls, path) == path
    assert server.requests == ["/none/a.bin", "/cut/a.bin", "/good/a.bin"]
    assert path.read_bytes() == BODY and files_under(tmp_path) == ["deep/a.bin"]
    fetch(urls, path)
    assert len(server.requests) == 3, "a good file was downloaded again"


@pytest.mark.parametrize("old", [None, b"an older file"])
@pytest.mark.parametrize(
    "case, says",
    [
        ("missing", "127.0.0.1:[0-9]+ answered 404"),
        ("truncated", "sent only 8,192 of 16,384 bytes"),
        ("other", "sent another file .hash [0-9a-f]{64} instead of [0-9a-f]{64}"),
        ("endless", "sent more than the 20,000 bytes allowed"),
        ("stopped", "could not be fetched: no connection to 127"),
        ("silent", "timed out"),
    ],
)
def test_failed_fetch_leaves_everything_as_it_was(case, says, old, server, tmp_path):
    server.files |= {"/truncated": BODY, "/other": b"x" * len(BODY), "/endless": BODY * 2}
    server.truncated.add("/truncated")
    url, path = server.url + case, tmp_path / "a.bin"
    if old:
        path.write_bytes(old)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        if case == "stopped":
            server.stop()
        if case == "silent":
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.bin"
        with pytest.raises(DownloadError, match=says) as info:
            fetch([url], path, limit=20_000, timeout=0.3)
    assert one_sentence(info) and str(info.value).endswith("; do something else.")
    assert files_under(tmp_path) == (["a.bin"] if old else [])
    assert not old or path.read_bytes() == old
    if old:
        with pytest.raises(DownloadError, match="cannot be read or written") as info:
            fetch([url], path / "in a file" / "a.bin")
        assert one_sentence(info)


@pytest.mark.parametrize("end", ["raise KeyboardInterrupt", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_what_ends_in_the_middle_leaves_what_was_there(end, tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    program = f"""
import os, signal, sys
from pathlib import Path
from course_utils.session.files import replacing

with replacing(Path(sys.argv[1])) as file:
    file.write(b"half of it")
    {end}
"""
    ended = subprocess.run([sys.executable, "-c", program, tmp_path / "a"], capture_output=True)
    assert ended.returncode != 0 and (tmp_path / "a").read_bytes() == b"old"
    *parts, name = files_under(tmp_path)
    assert name == "a" and len(parts) == ("SIGKILL" in end)
    assert all(part.startswith(".a.") and part.endswith(".part") for part in parts)


def serve_idx(server, contents, monkeypatch, source: str = "MNIST") -> None:
    """Let `server` be the only mirror of a dataset of torchvision, serving these compressed."""
    from torchvision import datasets

    archives = {f"{name}.gz": gzip.compress(content) for name, content in contents.items()}
    resources = [(name, hashlib.md5(content).hexdigest()) for name, content in archives.items()]
    monkeypatch.setattr(getattr(datasets, source), "mirrors", [server.url])
    monkeypatch.setattr(getattr(datasets, source), "resources", resources)
    server.files = {f"/{name}": content for name, content in archives.items()}


def test_fashion_mnist_is_downloaded_once_and_later_damage_is_noticed(
    server, idx_files, tmp_path, monkeypatch
):
    serve_idx(server, idx_files, monkeypatch, "FashionMNIST")
    first = data.load("fashion_mnist", "test", root=tmp_path)
    assert len(first) == 5 and len(server.requests) == 2, "one split needs two files"
    again = data.load("fashion_mnist", "test", root=tmp_path)
    assert torch.equal(first.images, again.images) and len(server.requests) == 2
    images = tmp_path / "FashionMNIST" / "raw" / "t10k-images-idx3-ubyte"
    noted = images.with_name(f"{images.name}.sha256").read_text(encoding="utf-8").split()
    assert noted == [hashlib.sha256(images.read_bytes()).hexdigest(), images.name]
    images.write_bytes(images.read_bytes()[:-1] + b"\x00")
    with pytest.raises(ValueError, match="is damaged or another file .SHA-256") as info:
        data.load("fashion_mnist", "test", root=tmp_path)
    assert one_sentence(info)
    images.unlink()  # as it says; the archive is still there
    again = data.load("fashion_mnist", "test", root=tmp_path)
    assert torch.equal(first.images, again.images) and len(server.requests) == 2


def test_mnist_without_network(server, idx_files, tmp_path, monkeypatch):
    serve_idx(server, idx_files, monkeypatch)
    by_hand = {name.strip("/"): content for name, content in server.files.items()}
    server.stop()
    with pytest.raises(DownloadError) as info:
        data.load("mnist", root=tmp_path)
    message, raw = str(info.value), tmp_path / "MNIST" / "raw"
    assert one_sentence(info) and "no connection" in message
    for way_out in ('data.load("handwriting")', str(raw), "COURSE_DATA"):
        assert way_out in message
    assert files_under(tmp_path) == []
    raw.rmdir()
    write_all(by_hand, raw)  # the archives, put there by hand
    assert len(data.load("mnist", root=tmp_path)) == 12


# --- CIFAR-10 ----------------------------------------------------------------------------------
CIFAR10 = registry.find("cifar10")
CIFAR10_FILES = sum(CIFAR10.files.values(), ())


@pytest.fixture
def cifar10_files(monkeypatch):
    """The contents of the six binary batches, four images each, by name."""
    monkeypatch.setattr(real, "CIFAR10_IMAGES_A_FILE", 4)
    values = np.random.default_rng(0)
    made = {}
    for name in CIFAR10_FILES:
        records = values.integers(0, 256, (4, 3073), dtype=np.uint8)
        records[:, 0] = values.integers(0, 10, 4)
        made[name] = records.tobytes()
    return made


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
    source = registry.Archive("c.tar.gz", sha256(archive), (server.url + "c.tar.gz",))
    change(monkeypatch, "cifar10", archive=source)


def test_cifar10(cifar10_files, server, tmp_path, monkeypatch):
    serve_cifar10(server, tar_gz({"readme.html": b"nothing else"}), monkeypatch)
    with pytest.raises(ValueError, match="lacks test_batch.bin; delete it"):
        data.load("cifar10", "test", root=tmp_path)
    (tmp_path / "c.tar.gz").unlink()
    archive = tar_gz({f"{CIFAR10.folder}/{name}": body for name, body in cifar10_files.items()})
    serve_cifar10(server, archive, monkeypatch)
    train = data.load("cifar10", root=tmp_path)
    first = np.frombuffer(cifar10_files["data_batch_1.bin"], np.uint8)[:3073]
    assert train.images.shape == (20, 3, 32, 32) and train.labels[0] == first[0]
    red = torch.from_numpy(first[1 : 1 + 1024].copy()).view(32, 32) / 255
    assert torch.equal(train.images[0, 0], red)
    assert train.classes[3] == "cat" and len(train.classes) == 10
    assert len(data.load("cifar10", "test", root=tmp_path)) == 4
    assert data.load("cifar10", size=2, resolution=32, root=tmp_path).images.shape[0] == 2
    assert server.requests == 2 * ["/c.tar.gz"]
    batch = tmp_path / CIFAR10.folder / "test_batch.bin"
    whole = batch.read_bytes()
    for damaged, says in (
        (whole[:-1], "is damaged .12,291 bytes instead of 12,292"),
        (whole[:-1] + b"\x00", "is damaged or another file .SHA-256"),
        (b"\xff" + whole[1:], "a label is 255"),
    ):
        batch.write_bytes(damaged)
        if "label" in says:  # without its checksum
            batch.with_name(f"{batch.name}.sha256").unlink()
        with pytest.raises(ValueError, match=says) as info:
            data.load("cifar10", "test", root=tmp_path)
        assert one_sentence(info)


def test_hostile_archive_writes_only_what_is_expected(cifar10_files, tmp_path):
    archive = tmp_path / "c.tar.gz"
    batch = cifar10_files["test_batch.bin"]
    members = {"../../evil.txt": b"x", "/evil": b"x", "a/extra.bin": b"x"}
    members |= {"a/data_batch_1.bin": batch * 2, "../../test_batch.bin": batch}
    archive.write_bytes(tar_gz(members))
    download.extract(archive, tmp_path / "one" / "two", CIFAR10_FILES, limit=len(batch))
    expected = ["c.tar.gz", "one/two/test_batch.bin", "one/two/test_batch.bin.sha256"]
    assert files_under(tmp_path) == expected


# --- folders of images -----------------------------------------------------------------------
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)


def save(image: Image.Image, path: Path, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def only_image(path: Path, **options) -> torch.Tensor:
    """The single image of a folder, in steps of 0 to 255."""
    images = data.load(f"folder:{path}", **options).images
    assert images.dtype == torch.float32 and len(images) == 1
    return (images[0] * 255).round()


def is_at(image: torch.Tensor, row: int, column: int, colour, tolerance=0) -> bool:
    return all(abs(int(a) - b) <= tolerance for a, b in zip(image[:, row, column], colour))


def test_pixels_are_read_exactly(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    save(Image.fromarray(pixels), tmp_path / "a.png")
    image = only_image(tmp_path)
    assert image.shape == (3, 20, 30)
    assert torch.equal(image.byte().permute(1, 2, 0), torch.from_numpy(pixels))


FRAMES = {"save_all": True, "append_images": [Image.new("RGB", (8, 8), BLUE)]}


@pytest.mark.parametrize(
    "image, suffix, options, colour",
    [(Image.new("RGB", (8, 8), RED), suffix.upper(), {}, RED) for suffix in image_files.SUFFIXES]
    + [
        (Image.new("RGB", (3000, 2000), GREEN), ".jpg", {}, GREEN),
        (Image.new("CMYK", (16, 16), (0, 255, 255, 0)), ".jpg", {"quality": 95}, RED),
        (Image.new("RGB", (8, 8), RED), ".gif", FRAMES, RED),  # the first frame counts
        (Image.new("L", (8, 8), 77), ".png", {}, (77, 77, 77)),
        (Image.new("1", (8, 8), 1), ".png", {}, WHITE),
        (Image.new("LA", (8, 8), (0, 0)), ".png", {}, WHITE),
        (Image.new("RGBA", (8, 8), (0, 0, 0, 0)), ".png", {}, WHITE),
        (Image.new("RGBA", (8, 8), (*RED, 128)), ".png", {}, (255, 127, 127)),
        (Image.new("P", (8, 8), 0), ".png", {"transparency": 0}, WHITE),
        (Image.new("P", (8, 8), 0), ".gif", {"transparency": 0}, WHITE),
        (Image.fromarray(np.full((8, 8), 45_000, np.uint16)), ".png", {}, (175, 175, 175)),
    ],
)
def test_formats_modes_and_transparency(image, suffix, options, colour, tmp_path):
    save(image, tmp_path / f"a{suffix}", **options)
    exact = suffix == ".png"
    assert is_at(only_image(tmp_path), 1, 1, colour, 1 if exact else 20)


def test_sizes(tmp_path):
    image = Image.new("RGB", (300, 100), BLUE)
    image.paste(RED, (100, 0, 200, 100))
    save(image, tmp_path / "wide" / "a.png")
    cropped = only_image(tmp_path / "wide")
    assert cropped.shape == (3, 64, 64)
    assert all(is_at(cropped, 32, column, RED) for column in (2, 32, 61))
    assert only_image(tmp_path / "wide", resolution=20).shape == (3, 20, 20)
    for name in "ab":  # a size that all share is kept
        save(Image.new("RGB", (40, 24)), tmp_path / "same" / f"{name}.png")
    assert data.load(f"folder:{tmp_path / 'same'}").images.shape == (2, 3, 24, 40)
    save(Image.new("RGB", (1, 900)), tmp_path / "same" / "c.png")
    assert data.load(f"folder:{tmp_path / 'same'}").images.shape == (3, 3, 64, 64)
    save(Image.new("RGB", (1, 1), RED), tmp_path / "one" / "a.png")
    large = only_image(tmp_path / "one", resolution=16)
    assert (large[0] == 255).all() and large[1:].max() == 0


def test_exif_rotation(tmp_path):
    image = Image.new("RGB", (48, 32), RED)  # stored lying: red on the left, green on the right
    image.paste(GREEN, (24, 0, 48, 32))
    exif = Image.Exif()
    exif[image_files.EXIF_ORIENTATION] = 6  # turn by 90 degrees clockwise to view
    save(image, tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    upright = only_image(tmp_path)
    assert upright.shape == (3, 48, 32)
    assert is_at(upright, 4, 16, RED, 12) and is_at(upright, 44, 16, GREEN, 12)


def test_sub_folders_are_classes_that_take_turns(tmp_path):
    for label, count, colour in (("dog", 3, RED), ("cat", 5, BLUE), (".hidden", 2, WHITE)):
        for i in range(count):
            save(Image.new("RGB", (8, 8), colour), tmp_path / label / "deeper" / f"{i}.png")
    (tmp_path / "notes.txt").write_text("not an image by its name", encoding="utf-8")
    images = data.load(f"folder:{tmp_path}")
    assert images.classes == ("cat", "dog") and images.name == tmp_path.name
    assert images.labels.tolist() == [0, 1, 0, 1, 0, 1, 0, 0]
    assert images.labels.dtype == torch.int64
    assert torch.equal(images.images[:, 2, 0, 0], (images.labels == 0).float())
    assert data.load(f"folder:{tmp_path}", size=4).labels.tolist() == [0, 1, 0, 1]
    save(Image.new("RGB", (8, 8)), tmp_path / "loose.png")  # then there are no classes
    images = data.load(f"folder:{tmp_path}")
    assert len(images) == 9 and images.labels is None and images.classes == ()


def test_splits_of_a_folder(tmp_path):
    for split, colour in (("train", RED), ("test", BLUE)):
        save(Image.new("RGB", (8, 8), colour), tmp_path / split / "a.png")
        assert is_at(only_image(tmp_path, split=split), 1, 1, colour)


@pytest.mark.parametrize(
    "name, options, error, says",
    [
        ("", {}, FileNotFoundError, "There is no folder"),
        ("nowhere", {}, FileNotFoundError, "There is no folder"),
        ("images/a.png", {}, FileNotFoundError, "There is no folder"),
        ("notes", {}, ValueError, "holds no images"),
        ("images", {"split": "test"}, ValueError, 'no sub-folders "train" and "test"'),
        ("images", {"resolution": 30_000}, ValueError, "need more than 8 GiB; lower resolution"),
    ],
)
def test_folders_that_cannot_be_read(name, options, error, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(Image.new("RGB", (8, 8)), tmp_path / "images" / "a.png")
    write_all({"notes.txt": b"words"}, tmp_path / "notes")
    with pytest.raises(error, match=says) as info:
        data.load(f"folder:{name}", **options)
    assert one_sentence(info)


def png_header(width: int, height: int) -> bytes:
    """A PNG file that promises this many pixels and holds hardly any."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_broken_images_are_left_out_and_named(tmp_path, capsys, recwarn):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = save(Image.fromarray(noise), tmp_path / "noise.jpg").read_bytes()
    save(Image.new("RGB", (8, 8)), tmp_path / "tiff.png", format="TIFF")  # a format not asked for
    broken = {
        "truncated.jpg": whole[: len(whole) // 2],
        "a_text.jpg": b"these are words",
        "empty.png": b"",
        "large.png": png_header(11_000, 10_000),
        "bomb.png": png_header(60_000, 60_000),
        "hollow.png": png_header(8, 8),
        "tiff.png": (tmp_path / "tiff.png").read_bytes(),
    }
    place = write_all(broken, tmp_path / "broken")
    for name, most in (("large.png", 108), ("bomb.png", 178)):
        with pytest.raises(ValueError, match=f"more than {most} megapixels"):
            image_files.read_image(place / name, (64, 64))
    with pytest.raises(ValueError, match="has 0 readable images.*7 left out: a_text") as info:
        data.load(f"folder:{place}")
    assert "\n" not in str(info.value)
    save(Image.new("RGB", (32, 32), RED), place / "good.png")
    assert is_at(only_image(place), 4, 4, RED)
    (line,) = capsys.readouterr().out.splitlines()
    assert "1 images read, 7 left out: a_text.jpg (not an image" in line
    assert line.endswith("and 5 more.") and not recwarn.list
    with pytest.raises(ValueError, match="has 1 readable images, fewer than the 2 wanted, 7 left"):
        data.load(f"folder:{place}", size=2)


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "bmp"])
def test_random_damage_is_read_or_reported(suffix, tmp_path):
    """Whatever the bytes, a load gives images in [0, 1] or one ValueError."""
    rng, values = random.Random(0), np.random.default_rng(0)
    noise = Image.fromarray(values.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    path = save(noise, tmp_path / f"a.{suffix}")
    whole, reported = path.read_bytes(), 0
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
            reported += 1
    assert reported > 0


# --- the whole package -------------------------------------------------------------------------
def unpickling(source: str) -> list[str]:
    """Every use in `source` of something that may unpickle, as the text of the expression."""
    banned = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    found = []
    for node in ast.walk(ast.parse(source)):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        if banned & {module.partition(".")[0] for module in modules}:
            found.append(ast.unparse(node))
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        options = {word.arg: ast.unparse(word.value) for word in node.keywords}
        loads = called == "torch.load" or called.endswith("load_state_dict_from_url")
        unsafe_load = loads and options.get("weights_only") != "True"
        unsafe_array = options.get("allow_pickle", "False") != "False"
        if unsafe_load or unsafe_array or called.endswith(("read_pickle", ".CIFAR10", ".CIFAR100")):
            found.append(ast.unparse(node))
    return found


def test_nothing_in_the_package_unpickles():
    modules = [file for place in course_utils.__path__ for file in Path(place).rglob("*.py")]
    assert Path(real.__file__) in modules
    found = {str(file): unpickling(file.read_text(encoding="utf-8")) for file in modules}
    assert not any(found.values()), found
    for source in (
        "import pickle",
        "from pickle import load",
        "torch.load('a.pt')",
        "torch.load('a.pt', weights_only=False)",
        "torch.hub.load_state_dict_from_url('a')",
        "np.load('a.npy', allow_pickle=True)",
        "datasets.CIFAR10('here')",
    ):
        assert unpickling(source), source
    assert not unpickling("torch.load('a.pt', weights_only=True)")


def test_importing_data_imports_no_loader():
    heavy = "torchvision", "sklearn", "skimage", "PIL", "course_utils.data.handwriting"
    program = f"import sys, course_utils.data; print([n for n in {heavy} if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8")
    assert out.stdout.strip() == "[]", out.stderr


def test_a_set_can_be_walked_through_and_ends():
    images = torch.arange(3.0)[:, None, None, None].expand(3, 1, 2, 2)
    some = data.ImageSet("some", images, labels=torch.arange(3), captions=("a", "b", "c"))
    assert [one.labels.item() for one in some] == [0, 1, 2]
    assert some[np.int64(1)].captions == ("b",) and some[-1].captions == ("c",)
    with pytest.raises(IndexError):
        some[3]
