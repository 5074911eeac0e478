"""Two sets without pairs: drawn ones with hidden partners, two folders, the published archives.

Every archive is made here and served from this machine: no test needs a network.
"""

import hashlib
import io
import zipfile

import pytest
import torch
from PIL import Image

from course_utils.data import DownloadError, animals
from course_utils.data import unpaired as module
from course_utils.data.unpaired import Unpaired, unpaired
from tests.test_data import files_under, one_sentence, save, server  # noqa: F401 (a fixture)

# --- drawn -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x, y", [("horse", "zebra"), ("grey zebra", "horse"), ("zebra", "giraffe")]
)
def test_drawn_sets_and_their_hidden_partners(x, y):
    sets = unpaired(f"{x}:{y}", 40, test_size=12, seed=3, resolution=16)
    assert sets.names == (x, y)
    assert sets.x.shape == sets.y.shape == (40, 3, 16, 16)
    for images in (sets.test_x, sets.test_y, sets.partners_of_test_x, sets.partners_of_test_y):
        assert images.shape == (12, 3, 16, 16)
    for test, partners, masks in (
        (sets.test_x, sets.partners_of_test_x, sets.masks_of_test_x),
        (sets.test_y, sets.partners_of_test_y, sets.masks_of_test_y),
    ):
        assert masks.shape == (12, 1, 16, 16) and 0.1 < masks.mean() < 0.5
        assert ((test - partners).abs() * (masks == 0)).max() == 0
        assert (test - partners).abs().amax(dim=(1, 2, 3)).min() > 0.2


def test_no_training_image_has_its_partner_or_a_test_image_in_another_set():
    sets = [unpaired(size=300, test_size=100, seed=seed, resolution=16) for seed in (0, 1)]
    horses = [images for each in sets for images in (each.x, each.test_x, each.partners_of_test_y)]
    # The horses behind the training zebras are drawn here, because `unpaired` never shows them.
    horses += [animals.draw(300, seed=4 * seed + 1, resolution=16).images for seed in (0, 1)]
    everything = torch.cat(horses).flatten(1)
    distances = torch.cdist(everything, everything).fill_diagonal_(torch.inf)
    assert distances.min() > 0.1


def test_defaults_and_repetition():
    first, again = unpaired(size=50), unpaired("horse:zebra", 50)
    assert torch.equal(first.x, again.x) and torch.equal(first.test_y, again.test_y)
    assert first.x.shape == (50, 3, 32, 32) and len(first.test_x) == module.DRAWN_TEST_SIZE
    longer = unpaired(size=60)
    torch.testing.assert_close(longer.y[:50], first.y, rtol=0, atol=1e-5)


def test_sets_stay_on_the_device_asked_for():
    sets = unpaired(size=2, test_size=2, device="meta")
    tensors = [value for value in vars(sets).values() if isinstance(value, torch.Tensor)]
    assert len(tensors) == 8 and all(tensor.is_meta for tensor in tensors)


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"name": "horse:cow"}, "no sets 'horse:cow'; use two different kinds"),
        ({"name": "horse"}, "no sets 'horse'"),
        ({"name": "horse:zebra:giraffe"}, "There are no sets"),
        ({"name": None}, "There are no sets None"),
        ({"name": "zebra2horse"}, "or one of horse2zebra, apple2orange"),
        ({"name": "zebra:zebra"}, "Both sets are of the kind 'zebra'"),
        ({"size": 0}, "size is 0"),
        ({"test_size": 2.5}, "test_size is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": True}, "seed is True"),
        ({"resolution": 8}, "resolution must be from 16 to 128"),
        ({"resolution": "big"}, "resolution is 'big'"),
    ],
)
def test_arguments_that_cannot_be_used(arguments, says):
    with pytest.raises(ValueError, match=says) as info:
        unpaired(**arguments)
    assert one_sentence(info)


# --- two folders -------------------------------------------------------------------------------


def fill(folder, count, shade=0):
    """Images of one colour each: red tells the set, green the number."""
    for number in range(count):
        save(Image.new("RGB", (20, 20), (shade, number, 0)), folder / f"{number:03}.png")
    return folder


def numbers(images):
    return sorted((images[:, 1, 0, 0] * 255).round().int().tolist())


def test_two_folders_with_a_tenth_held_out(tmp_path):
    x, y = fill(tmp_path / "day", 30, 10), fill(tmp_path / "night", 25, 200)
    sets = unpaired(f"folders:{x},{y}", resolution=16)
    assert isinstance(sets, Unpaired) and sets.names == ("day", "night")
    assert (len(sets.x), len(sets.test_x), len(sets.y), len(sets.test_y)) == (27, 3, 22, 3)
    assert numbers(torch.cat([sets.x, sets.test_x])) == list(range(30))
    assert numbers(torch.cat([sets.y, sets.test_y])) == list(range(25))
    assert sets.x.shape[1:] == (3, 16, 16) and sets.y[:, 0].min() > 0.7 > 0.1 > sets.x[:, 0].max()
    assert sets.partners_of_test_x is sets.partners_of_test_y is sets.masks_of_test_x is None
    again = unpaired(f"folders:{x}, {y}", resolution=16)
    other = unpaired(f"folders:{x},{y}", resolution=16, seed=1)
    assert torch.equal(again.test_x, sets.test_x) and not torch.equal(other.test_x, sets.test_x)


@pytest.mark.parametrize("size", [1, 8, 9, 10, 18, 19])
def test_sizes_of_folders(size, tmp_path):
    x, y = fill(tmp_path / "day", 30), fill(tmp_path / "night", 25)
    sets = unpaired(f"folders:{x},{y}", size)
    assert len(sets.x) == len(sets.y) == size and len(sets.test_x) == -(-size // 9)
    sets = unpaired(f"folders:{x},{y}", size, test_size=4)
    assert len(sets.x) == len(sets.y) == size and len(sets.test_x) == len(sets.test_y) == 4
    assert not set(numbers(sets.x)) & set(numbers(sets.test_x))


def test_folders_with_their_own_test_images(tmp_path):
    for name in ("day", "night"):
        fill(tmp_path / name / "train", 6)
        fill(tmp_path / name / "test", 4, 100)
    sets = unpaired(f"folders:{tmp_path / 'day'},{tmp_path / 'night'}")
    assert [len(part) for part in (sets.x, sets.y, sets.test_x, sets.test_y)] == [6, 6, 4, 4]
    assert sets.x.shape[1:] == (3, 64, 64)
    assert sets.test_x[:, 0].min() > 0.3 and sets.x[:, 0].max() == 0


def test_paths_may_hold_commas_and_be_relative(tmp_path, monkeypatch):
    fill(tmp_path / "horses, brown" / "young, old", 3)
    fill(tmp_path / "zebras,all", 3)
    monkeypatch.chdir(tmp_path)
    sets = unpaired("folders:horses, brown/young, old,zebras,all")
    assert sets.names == ("young, old", "zebras,all")


@pytest.mark.parametrize("paths", ["{0}/nowhere,{0}", "{0},{0}/nowhere", "{0},", ",{0}", ","])
def test_folders_that_are_not_there(paths, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not name two folders") as info:
        unpaired("folders:" + paths.format(tmp_path))
    assert one_sentence(info)


def test_folders_that_are_too_small(tmp_path):
    x, y = fill(tmp_path / "day", 1), fill(tmp_path / "night", 9)
    with pytest.raises(ValueError, match="names one folder; write two") as info:
        unpaired(f"folders:{x}")
    assert one_sentence(info)
    with pytest.raises(ValueError, match="leave none to train on") as info:
        unpaired(f"folders:{x},{y}")
    assert one_sentence(info)
    with pytest.raises(ValueError, match="fewer than the 10 wanted"):
        unpaired(f"folders:{y},{y}", 8, test_size=2)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no images"):
        unpaired(f"folders:{y},{tmp_path / 'empty'}")


# --- the published sets ------------------------------------------------------------------------
COUNTS = {"trainA": 5, "trainB": 4, "testA": 3, "testB": 2}


def jpeg(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, shade, shade)).save(buffer, "JPEG")
    return buffer.getvalue()


def members(name: str) -> dict[str, bytes]:
    """The files of an archive in the layout of the published ones."""
    images = {
        f"{name}/{part}/n0238_{number}.jpg": jpeg(40 * position + number)
        for position, part in enumerate(module.PARTS)
        for number in range(COUNTS[part])
    }
    return {f"{name}/": b"", **images}


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def publish(monkeypatch, name: str, archive: bytes, addresses=()):
    """Let this be the published archive."""
    published = module._Archive(
        module.PUBLISHED[name].names, len(archive), hashlib.sha256(archive).hexdigest()
    )
    monkeypatch.setitem(module.PUBLISHED, name, published)
    monkeypatch.setattr(module, "ADDRESSES", addresses)


@pytest.fixture
def horse2zebra(server, monkeypatch):  # noqa: F811
    """A server of which the second address holds a small archive of the published layout."""
    archive = zipped(members("horse2zebra"))
    server.files["/new/horse2zebra.zip"] = archive
    publish(monkeypatch, "horse2zebra", archive, (f"{server.url}old/", f"{server.url}new/"))
    return server


def test_published_set_is_downloaded_once(horse2zebra, tmp_path):
    sets = unpaired("horse2zebra", root=tmp_path)
    assert sets.names == ("horse", "zebra") and sets.partners_of_test_x is None
    assert [len(part) for part in (sets.x, sets.y, sets.test_x, sets.test_y)] == [5, 4, 3, 2]
    assert sets.x.shape == (5, 3, 64, 64)
    levels = [(part.mean() * 255 / 40).round().int().item() for part in (sets.x, sets.y)]
    levels += [(part.mean() * 255 / 40).round().int().item() for part in (sets.test_x, sets.test_y)]
    assert levels == [0, 1, 2, 3]  # every part in its place
    assert horse2zebra.requests == ["/old/horse2zebra.zip", "/new/horse2zebra.zip"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    (tmp_path / "horse2zebra.zip").unlink()  # needed only until it is unpacked
    again = unpaired("horse2zebra", 2, test_size=1, root=tmp_path, resolution=16)
    assert again.x.shape == (2, 3, 16, 16) and again.test_y.shape == (1, 3, 16, 16)
    assert len(horse2zebra.requests) == 2


def test_archive_or_folder_put_there_by_hand(horse2zebra, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    (tmp_path / "horse2zebra.zip").write_bytes(horse2zebra.files["/new/horse2zebra.zip"])
    assert len(unpaired("horse2zebra").x) == 5
    for part, count in COUNTS.items():
        fill(tmp_path / "apple2orange" / part, count)
    assert len(unpaired("apple2orange").test_x) == 3
    assert horse2zebra.requests == []


def test_published_set_without_network(horse2zebra, tmp_path):
    horse2zebra.stop()
    with pytest.raises(DownloadError, match="no connection to 127") as info:
        unpaired("horse2zebra", root=tmp_path)
    assert one_sentence(info)
    for way_out in ('"horse:zebra"', "trainA, trainB, testA, testB", str(tmp_path), "COURSE_DATA"):
        assert way_out in str(info.value)
    assert files_under(tmp_path) == []


def test_another_archive_is_refused(horse2zebra, tmp_path):
    whole = horse2zebra.files["/new/horse2zebra.zip"]
    for other, says in ((whole[:-1] + b"x", "sent another file"), (whole * 2, "sent more than")):
        horse2zebra.files["/new/horse2zebra.zip"] = other
        with pytest.raises(DownloadError, match=says):
            unpaired("horse2zebra", root=tmp_path)
        assert files_under(tmp_path) == []


def test_hostile_archive_writes_only_images_in_their_places(tmp_path, monkeypatch):
    hostile = members("x") | {
        "../../evil.jpg": b"x", "/trainA.jpg": b"x", "../../trainA/../../evil.png": b"x",
        "../../trainA/up.jpg": jpeg(9), "/testB/root.jpg": jpeg(9), "trainA/run.sh": b"x",
        "trainA/.hidden.jpg": b"x", "__MACOSX/x/trainA/._n0238_0.jpg": b"x",
    }  # fmt: skip
    archive = zipped(hostile)
    publish(monkeypatch, "monet2photo", archive)
    root = tmp_path / "one" / "two"
    root.mkdir(parents=True)
    (root / "monet2photo.zip").write_bytes(archive)
    sets = unpaired("monet2photo", root=root)
    assert len(sets.x) == COUNTS["trainA"] + 1 and len(sets.test_y) == COUNTS["testB"] + 1
    expected = [
        f"one/two/monet2photo/{part}/n0238_{number}.jpg"
        for part, count in COUNTS.items()
        for number in range(count)
    ]
    expected += [f"one/two/monet2photo/{name}" for name in ("trainA/up.jpg", "testB/root.jpg")]
    assert files_under(tmp_path) == sorted([*expected, "one/two/monet2photo.zip"])


def test_archives_that_are_too_large_or_lack_a_part(tmp_path, monkeypatch):
    whole = members("horse2zebra")
    incomplete = {name: content for name, content in whole.items() if "/testA/" not in name}
    for files, says in ((incomplete, "lacks images of testA"), (whole, "more than the 0 GiB")):
        archive = zipped(files)
        publish(monkeypatch, "horse2zebra", archive)
        monkeypatch.setattr(module, "MAX_UNPACKED_BYTES", 1000)
        (tmp_path / "horse2zebra.zip").write_bytes(archive)
        with pytest.raises(ValueError, match=says) as info:
            unpaired("horse2zebra", root=tmp_path)
        assert one_sentence(info) and files_under(tmp_path) == ["horse2zebra.zip"]


def test_unpacking_that_was_cut_or_raced_is_finished(horse2zebra, tmp_path):
    """Parts that are there already stay as they are; the others are added."""
    fill(tmp_path / "horse2zebra" / "trainB", 7)
    sets = unpaired("horse2zebra", root=tmp_path)
    assert [len(part) for part in (sets.x, sets.y, sets.test_x, sets.test_y)] == [5, 7, 3, 2]


@pytest.mark.parametrize("name", module.PUBLISHED)
def test_published_archives_are_described_whole(name):
    published = module.PUBLISHED[name]
    assert len(published.names) == 2 and published.bytes > 50_000_000
    assert len(published.sha256) == 64 and int(published.sha256, 16)
