"""Two domains without pairs: drawn ones with ground truth, two folders, the published archives.

Every archive is made here and served from this machine: no test needs a network.
"""

import io
import zipfile

import pytest
import torch
from PIL import Image

from course_utils.data import DownloadError, animals, registry
from course_utils.data import unpaired as module
from course_utils.data.unpaired import Unpaired, unpaired
from tests.test_data import change, files_under, one_sentence, save, server, sha256  # noqa: F401


def lengths(some: Unpaired) -> list[int]:
    return [len(part) for part in (some.x, some.y, some.test_x, some.test_y)]


# --- drawn -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "x, y", [("horse", "zebra"), ("grey zebra", "horse"), ("zebra", "giraffe")]
)
def test_drawn_domains_and_their_ground_truth(x, y):
    some = unpaired(f"{x}:{y}", 40, test_size=12, seed=3, resolution=16)
    assert some.domains == (x, y) and lengths(some) == [40, 40, 12, 12]
    assert some.x.shape == some.y.shape == (40, 3, 16, 16)
    for test, truth, masks in (
        (some.test_x, some.truth_of_test_x, some.masks_of_test_x),
        (some.test_y, some.truth_of_test_y, some.masks_of_test_y),
    ):
        assert test.shape == truth.shape == (12, 3, 16, 16)
        assert masks.shape == (12, 1, 16, 16) and 0.1 < masks.mean() < 0.5
        assert ((test - truth).abs() * (masks == 0)).max() == 0
        assert (test - truth).abs().amax(dim=(1, 2, 3)).min() > 0.2
    again = unpaired(f"{x}:{y}", 40, test_size=12, seed=3, resolution=16)
    assert torch.equal(some.x, again.x) and torch.equal(some.test_y, again.test_y)
    for seed, kind, images in zip(some.seeds, (x, y, x, y), vars(some).values()):
        assert torch.equal(animals.draw(len(images), kind, seed=seed, resolution=16).images, images)


def test_fixed_factors_of_both_domains_or_of_each():
    noon, evening = {"size": 0.7, "sky": 0.3}, {"size": 0.7, "sky": 1.0}
    some = unpaired(size=9, test_size=5, seed=2, fixed=(noon, evening))
    for name, kind, part, factors in (
        ("x", "horse", 0, noon),
        ("y", "zebra", 1, evening),
        ("truth_of_test_x", "zebra", 2, noon),
        ("truth_of_test_y", "horse", 3, evening),
    ):
        images = getattr(some, name)
        drawn = animals.draw(len(images), kind, seed=some.seeds[part], fixed=factors)
        assert torch.equal(images, drawn.images), name
    masks = [animals.mask(5, k, seed=some.seeds[3], fixed=evening) for k in ("horse", "zebra")]
    assert torch.equal(some.masks_of_test_y, torch.maximum(*masks))
    both = unpaired(size=9, test_size=5, seed=2, fixed=noon)
    assert torch.equal(both.x, some.x) and not torch.equal(both.y, some.y)
    twice = unpaired("horse:horse", 3, test_size=3, fixed=noon)  # one domain twice
    assert torch.equal(twice.truth_of_test_x, twice.test_x) and not torch.equal(twice.x, twice.y)


def test_no_training_image_has_its_ground_truth_or_a_test_image_in_another_set():
    sets = [unpaired(size=300, test_size=100, seed=seed, resolution=16) for seed in (0, 1)]
    horses = [images for each in sets for images in (each.x, each.test_x, each.truth_of_test_y)]
    # The horses behind the training zebras are drawn here, because `unpaired` never shows them.
    horses += [animals.draw(300, seed=each.seeds[1], resolution=16).images for each in sets]
    everything = torch.cat(horses).flatten(1)
    distances = torch.cdist(everything, everything).fill_diagonal_(torch.inf)
    assert distances.min() > 0.1


def test_defaults_and_device():
    first, longer = unpaired(size=50), unpaired("horse:zebra", 60)
    assert first.x.shape == (50, 3, 32, 32) and len(first.test_x) == 256
    torch.testing.assert_close(longer.y[:50], first.y, rtol=0, atol=1e-5)
    some = unpaired(size=2, test_size=2, device="meta", seed=2**60 - 1)
    tensors = [value for value in vars(some).values() if isinstance(value, torch.Tensor)]
    assert len(tensors) == 8 and all(tensor.is_meta for tensor in tensors)


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"name": "horse:cow"}, "no dataset 'horse:cow' without pairs; use two kinds of animal"),
        ({"name": "horse:zebra:giraffe"}, "no dataset"),
        ({"name": None}, "no dataset None"),
        ({"name": "mnist"}, "or one of horse2zebra, apple2orange"),
        ({"size": 0}, "size is 0"),
        ({"test_size": 2.5}, "test_size is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": True}, "seed is True"),
        ({"resolution": 8}, "resolution is 8; use a whole number from 16 to 128"),
        ({"resolution": "big"}, "resolution is 'big'"),
        ({"fixed": ({},)}, "fixed holds 1 entries; give one for X and one for Y"),
        ({"fixed": {"wings": 1.0}}, "There are no factors .'wings'"),
        ({"name": "horse2zebra", "fixed": {"sky": 1}}, "factors of horse2zebra are not known"),
    ],
)
def test_arguments_that_cannot_be_used(arguments, says):
    with pytest.raises(ValueError, match=says) as info:
        unpaired(**{"size": 2, "test_size": 2, **arguments})
    assert one_sentence(info)


# --- two folders -------------------------------------------------------------------------------
def fill(folder, count, shade=0):
    """Images of one colour each: red tells the domain, green the number."""
    for number in range(count):
        save(Image.new("RGB", (20, 20), (shade, number, 0)), folder / f"{number:03}.png")
    return folder


def numbers(images):
    return sorted((images[:, 1, 0, 0] * 255).round().int().tolist())


def test_two_folders_with_a_tenth_held_out(tmp_path):
    x, y = fill(tmp_path / "day", 30, 10), fill(tmp_path / "night", 25, 200)
    some = unpaired(f"folders:{x},{y}", resolution=16)
    assert isinstance(some, Unpaired) and some.domains == ("day", "night")
    assert lengths(some) == [27, 22, 3, 3]
    assert numbers(torch.cat([some.x, some.test_x])) == list(range(30))
    assert numbers(torch.cat([some.y, some.test_y])) == list(range(25))
    assert some.x.shape[1:] == (3, 16, 16) and some.y[:, 0].min() > 0.7 > 0.1 > some.x[:, 0].max()
    assert (
        some.truth_of_test_x is some.truth_of_test_y is some.masks_of_test_x is some.seeds is None
    )
    again = unpaired(f"folders:{x}, {y}", resolution=16)
    other = unpaired(f"folders:{x},{y}", resolution=16, seed=1)
    assert torch.equal(again.test_x, some.test_x) and not torch.equal(other.test_x, some.test_x)
    for size in (1, 9, 10, 19):
        some = unpaired(f"folders:{x},{y}", size)
        assert lengths(some) == [size, size, -(-size // 9), -(-size // 9)]
        some = unpaired(f"folders:{x},{y}", size, test_size=4)
        assert lengths(some) == [size, size, 4, 4]
        assert not set(numbers(some.x)) & set(numbers(some.test_x))


def test_folders_with_their_own_test_images(tmp_path):
    for name in ("day", "night"):
        fill(tmp_path / name / "train", 6)
        fill(tmp_path / name / "test", 4, 100)
    some = unpaired(f"folders:{tmp_path / 'day'},{tmp_path / 'night'}")
    assert lengths(some) == [6, 6, 4, 4] and some.x.shape[1:] == (3, 64, 64)
    assert some.test_x[:, 0].min() > 0.3 and some.x[:, 0].max() == 0


def test_paths_may_hold_commas_and_be_relative(tmp_path, monkeypatch):
    fill(tmp_path / "horses, brown" / "young, old", 3)
    fill(tmp_path / "zebras,all", 3)
    monkeypatch.chdir(tmp_path)
    some = unpaired("folders:horses, brown/young, old,zebras,all")
    assert some.domains == ("young, old", "zebras,all")


@pytest.mark.parametrize(
    "paths, options, error, says",
    [
        ("{0}/nowhere,{0}", {}, FileNotFoundError, "does not name two folders"),
        ("{0},", {}, FileNotFoundError, "does not name two folders"),
        (",", {}, FileNotFoundError, "does not name two folders"),
        ("{0}/one", {}, ValueError, "names one folder; write two"),
        ("{0}/one,{0}/nine", {}, ValueError, "leave none to train on"),
        ("{0}/nine,{0}/nine", {"size": 8, "test_size": 2}, ValueError, "fewer than the 10 wanted"),
        ("{0}/nine,{0}/none", {}, ValueError, "holds no images"),
    ],
)
def test_folders_that_cannot_be_used(paths, options, error, says, tmp_path):
    fill(tmp_path / "one", 1), fill(tmp_path / "nine", 9), (tmp_path / "none").mkdir()
    with pytest.raises(error, match=says) as info:
        unpaired("folders:" + paths.format(tmp_path), **options)
    assert one_sentence(info)


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


def publish(monkeypatch, name: str, contents: dict[str, bytes], addresses=()) -> bytes:
    """Let a zip file of these be the published archive; returns it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in contents.items():
            archive.writestr(member, content)
    whole, file = buffer.getvalue(), f"{name}.zip"
    urls = tuple(address + file for address in addresses)
    source = registry.Archive(file, sha256(whole), urls)
    change(monkeypatch, name, archive=source, download_bytes=len(whole))
    return whole


@pytest.fixture
def horse2zebra(server, monkeypatch):  # noqa: F811
    """A server of which the second address holds a small archive of the published layout."""
    addresses = f"{server.url}old/", f"{server.url}new/"
    archive = publish(monkeypatch, "horse2zebra", members("horse2zebra"), addresses)
    server.files["/new/horse2zebra.zip"] = archive
    return server


def test_published_set_is_downloaded_once(horse2zebra, tmp_path):
    some = unpaired("horse2zebra", root=tmp_path)
    assert some.domains == ("horse", "zebra") and some.truth_of_test_x is None
    assert lengths(some) == [5, 4, 3, 2] and some.x.shape == (5, 3, 64, 64)
    parts = (some.x, some.y, some.test_x, some.test_y)
    levels = [(part.mean() * 255 / 40).round().int().item() for part in parts]
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
    fill(tmp_path / "horse2zebra" / "trainB", 7)  # unpacking that was cut: this part stays
    assert lengths(unpaired("horse2zebra")) == [5, 7, 3, 2]
    for part, count in COUNTS.items():
        fill(tmp_path / "apple2orange" / part, count)
    assert len(unpaired("apple2orange").test_x) == 3
    assert horse2zebra.requests == []


def test_another_archive_or_no_network_is_one_sentence(horse2zebra, tmp_path):
    whole = horse2zebra.files["/new/horse2zebra.zip"]
    for other, says in (
        (whole[:-1] + b"x", "sent another file"),
        (whole * 2, "sent more than"),
        (None, "no connection to 127"),
    ):
        horse2zebra.files["/new/horse2zebra.zip"] = other
        if other is None:
            horse2zebra.stop()
        with pytest.raises(DownloadError, match=says) as info:
            unpaired("horse2zebra", root=tmp_path)
        assert one_sentence(info) and files_under(tmp_path) == []
    for way_out in ('"horse:zebra"', "trainA, trainB, testA, testB", str(tmp_path), "COURSE_DATA"):
        assert way_out in str(info.value)


def test_hostile_archive_writes_only_images_in_their_places(tmp_path, monkeypatch):
    hostile = members("x") | {
        "../../evil.jpg": b"x", "/trainA.jpg": b"x", "../../trainA/../../evil.png": b"x",
        "../../trainA/up.jpg": jpeg(9), "/testB/root.jpg": jpeg(9), "trainA/run.sh": b"x",
        "trainA/.hidden.jpg": b"x", "__MACOSX/x/trainA/._n0238_0.jpg": b"x",
    }  # fmt: skip
    root = tmp_path / "one" / "two"
    root.mkdir(parents=True)
    (root / "monet2photo.zip").write_bytes(publish(monkeypatch, "monet2photo", hostile))
    assert lengths(unpaired("monet2photo", root=root)) == [6, 4, 3, 3]
    expected = [f"{part}/n0238_{n}.jpg" for part, count in COUNTS.items() for n in range(count)]
    expected += ["trainA/up.jpg", "testB/root.jpg"]
    expected = [f"one/two/monet2photo/{name}" for name in expected] + ["one/two/monet2photo.zip"]
    assert files_under(tmp_path) == sorted(expected)


def test_archives_that_are_too_large_or_lack_a_part(tmp_path, monkeypatch):
    whole = members("horse2zebra")
    incomplete = {name: content for name, content in whole.items() if "/testA/" not in name}
    monkeypatch.setattr(module, "MAX_UNPACKED_BYTES", 1000)
    for files, says in ((incomplete, "lacks images of testA"), (whole, "more than the 0 GiB")):
        archive = publish(monkeypatch, "horse2zebra", files)
        (tmp_path / "horse2zebra.zip").write_bytes(archive)
        with pytest.raises(ValueError, match=says) as info:
            unpaired("horse2zebra", root=tmp_path)
        assert one_sentence(info) and files_under(tmp_path) == ["horse2zebra.zip"]
