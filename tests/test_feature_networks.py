"""Networks by name: the shipped one, and torchvision's files fetched, checked and cut down."""

import dataclasses
import functools
import hashlib
import signal
import socket
import subprocess
import sys

import pytest
import torch

from course_utils.data import DownloadError, download
from course_utils.data.photographs import photograph
from course_utils.models import vgg
from course_utils.shipped import feature_networks
from course_utils.shipped.cards import Refused
from course_utils.shipped.feature_networks import PUBLISHED, feature_network, published_weights
from course_utils.shipped.weights import weights_folder


@pytest.fixture
def images():
    return torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """`publish(name, state)`: a state dictionary becomes the file that torchvision serves."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    served = tmp_path / "served"
    served.mkdir()

    def publish(name, state):
        torch.save(state, served / "file")
        digest = hashlib.sha256((served / "file").read_bytes()).hexdigest()
        file = f"{name}-{digest[:8]}.pth"
        (served / "file").rename(served / file)
        source = dataclasses.replace(PUBLISHED[name], url=f"{served.as_uri()}/{file}")
        monkeypatch.setitem(feature_networks.PUBLISHED, name, source)
        return served / file

    return publish


def squeezenet():
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    return squeezenet1_1()


def kept(tmp_path):
    return sorted(path.name for path in (tmp_path / "data" / "torchvision").iterdir())


def test_a_network_is_here_once_its_convolutions_are_kept(tmp_path, publish):
    assert feature_networks.is_here("course_vgg") and feature_networks.is_here("random_filters")
    assert not feature_networks.is_here("vgg19") and not feature_networks.is_here("squeezenet1_1")
    publish("squeezenet1_1", squeezenet().state_dict())
    feature_network("squeezenet1_1")
    assert feature_networks.is_here("squeezenet1_1")
    with pytest.raises(ValueError, match="no network 'vgg'"):
        feature_networks.is_here("vgg")


@pytest.mark.parametrize("name", ["course_vgg", "random_filters"])
def test_networks_that_need_no_download_are_frozen(name, images):
    net = feature_network(name)
    assert not net.training and not any(weight.requires_grad for weight in net.parameters())
    layers = {net.content_layer, *net.style_layers}
    assert set(net(images, layers)) == layers <= set(net.layers)


def test_the_shipped_network_is_small_and_its_layers_speak_equally_loud():
    assert (weights_folder() / "course_vgg.safetensors").stat().st_size <= 4e6
    found = feature_network("course_vgg")(photograph("cat", 96))
    means = {layer: activations.mean().item() for layer, activations in found.items()}
    assert all(0.5 < mean < 2 for mean in means.values()), means


def test_an_unknown_network_lists_the_names():
    with pytest.raises(ValueError, match="no network 'resnet'; choose one of course_vgg, random"):
        feature_network("resnet")


def test_addresses_are_torchvisions_and_end_with_the_hash():
    from torchvision import models

    for name, source in PUBLISHED.items():
        assert source.url == models.get_model_weights(name).DEFAULT.url
        assert issubclass(type(source.build()), vgg.FeatureNetwork)
    assert PUBLISHED["vgg16"].checksum == "sha256:397923af"


def test_squeezenet_answers_as_torchvisions_does(publish, images, tmp_path, capsys):
    theirs = squeezenet()
    served = publish("squeezenet1_1", theirs.state_dict())
    net = feature_network("squeezenet1_1")
    x = theirs.features((images - net.mean) / net.spread)
    assert torch.allclose(net(images, ["fire9"])["fire9"], x, atol=1e-5)
    assert not any(weight.requires_grad for weight in net.parameters())
    features = "squeezenet1_1_features.safetensors"
    assert kept(tmp_path) == [features, f"{features}.sha256"]
    served.unlink()  # a second time nothing is downloaded
    feature_network("squeezenet1_1")
    assert capsys.readouterr().out.count("Downloading") == 1


def test_vgg16_answers_as_torchvisions_does_and_drops_the_classifier(publish, tmp_path):
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(0)
    theirs = make_layers(cfgs["D"])
    state = {f"features.{key}": value for key, value in theirs.state_dict().items()}
    publish("vgg16", state | {"classifier.0.weight": torch.zeros(1000, 1000)})
    net = feature_network("vgg16")
    images = torch.rand(1, 3, 32, 32)
    x = (images - net.mean) / net.spread
    found = net(images)
    for position, module in enumerate(theirs[:30]):
        x = module(x)
        if position in net._positions.values():
            layer = net.layers[list(net._positions.values()).index(position)]
            assert torch.allclose(found[layer], x, atol=1e-5), layer
    size = (tmp_path / "data" / "torchvision" / "vgg16_features.safetensors").stat().st_size
    assert size < 4 * sum(weight.numel() for weight in theirs.parameters()) + 10_000


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def test_a_file_put_there_by_hand_needs_no_network_unless_it_is_damaged(publish, tmp_path, capsys):
    served = publish("squeezenet1_1", squeezenet().state_dict())
    folder, whole = tmp_path / "data" / "torchvision", served.read_bytes()
    folder.mkdir(parents=True)
    (folder / served.name).write_bytes(whole)
    right = published_weights("squeezenet1_1", folder)
    assert capsys.readouterr().out == ""
    (folder / "squeezenet1_1_features.safetensors").unlink()
    (folder / served.name).write_bytes(flipped(whole))  # torch.hub alone would read it
    again = published_weights("squeezenet1_1", folder)
    assert "Downloading" in capsys.readouterr().out
    assert all(torch.equal(right[key], again[key]) for key in right)


@pytest.mark.parametrize("case", ["missing", "other", "silent"])
def test_a_failed_download_says_in_one_sentence_what_to_do(case, publish, tmp_path, monkeypatch):
    served = publish("squeezenet1_1", {"features.0.weight": torch.zeros(1)})
    served.unlink() if case == "missing" else served.write_bytes(b"other")
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        if case == "silent":
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/{served.name}"
            source = dataclasses.replace(PUBLISHED["squeezenet1_1"], url=url)
            monkeypatch.setitem(PUBLISHED, "squeezenet1_1", source)
            hurry = functools.partial(download.impatient, 0.2)
            monkeypatch.setattr(feature_networks, "impatient", hurry)
        with pytest.raises(DownloadError) as info:
            feature_network("squeezenet1_1")
    says = str(info.value)
    assert says.count(". ") == 0 and "by hand" in says and '"course_vgg"' in says
    assert kept(tmp_path) == [] and socket.getdefaulttimeout() is None


def test_a_process_killed_while_it_downloads_leaves_nothing_under_the_final_name(tmp_path):
    program = """
import email.message, io, os, signal, sys, torch
from pathlib import Path
from course_utils.shipped import feature_networks

class Answer(io.BytesIO):
    info = staticmethod(email.message.Message)
    def read(self, size):
        if self.tell():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(4)

torch.hub.urlopen = lambda request: Answer(b"half of it")
feature_networks.published_weights("vgg16", Path(sys.argv[1]))
"""
    killed = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (part,) = tmp_path.iterdir()
    assert part.name.startswith("vgg16-397923af.pth.") and part.suffix == ".partial"


def test_a_file_with_code_in_it_is_not_run(publish):
    publish("squeezenet1_1", squeezenet())  # a pickled object, and not a dictionary of tensors
    with pytest.raises(Exception, match="Weights only load failed"):
        feature_network("squeezenet1_1")


@pytest.mark.parametrize("damage", [flipped, lambda whole: b"no tensors"])
def test_damaged_kept_weights_are_refused(damage, publish, tmp_path):
    publish("squeezenet1_1", squeezenet().state_dict())
    folder = tmp_path / "data" / "torchvision"
    published_weights("squeezenet1_1", folder)
    features = folder / "squeezenet1_1_features.safetensors"
    features.write_bytes(damage(features.read_bytes()))
    with pytest.raises(Refused, match="SHA-256.*delete it, and it is downloaded again"):
        feature_network("squeezenet1_1")
    features.with_name(f"{features.name}.sha256").unlink()  # kept before there were checksums
    features.write_bytes(b"no tensors")
    with pytest.raises(Refused, match="is damaged; delete it"):
        feature_network("squeezenet1_1")
