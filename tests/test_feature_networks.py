"""Networks by name: the shipped one, and torchvision's files fetched, checked and cut down."""

import dataclasses
import hashlib

import pytest
import torch

from course_utils.data import DownloadError
from course_utils.data.photographs import photograph
from course_utils.models import vgg
from course_utils.shipped import feature_networks
from course_utils.shipped.feature_networks import PUBLISHED, feature_network, published_weights
from course_utils.shipped.weights import WeightsRefused, weights_folder


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


def test_published_files_are_named_after_their_hash():
    assert PUBLISHED["vgg16"].checksum == "sha256:397923af"
    assert PUBLISHED["vgg19"].checksum == "sha256:dcbb9e9d"
    assert PUBLISHED["squeezenet1_1"].checksum == "sha256:b8a52dc0"


def test_addresses_are_torchvisions():
    from torchvision import models

    for name, source in PUBLISHED.items():
        assert source.url == models.get_model_weights(name).DEFAULT.url


def test_squeezenet_answers_as_torchvisions_does(publish, images, tmp_path, capsys):
    theirs = squeezenet()
    served = publish("squeezenet1_1", theirs.state_dict())
    net = feature_network("squeezenet1_1")
    x = theirs.features((images - net.mean) / net.spread)
    assert torch.allclose(net(images, ["fire9"])["fire9"], x, atol=1e-5)
    assert not any(weight.requires_grad for weight in net.parameters())
    assert kept(tmp_path) == ["squeezenet1_1_features.safetensors"]
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


def test_a_file_put_there_by_hand_needs_no_network(publish, tmp_path, capsys):
    served = publish("squeezenet1_1", squeezenet().state_dict())
    folder = tmp_path / "data" / "torchvision"
    folder.mkdir(parents=True)
    served.rename(folder / served.name)
    feature_network("squeezenet1_1")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("damage", ["missing", "other"])
def test_a_failed_download_says_in_one_sentence_what_to_do(damage, publish, tmp_path):
    served = publish("squeezenet1_1", {"features.0.weight": torch.zeros(1)})
    served.unlink() if damage == "missing" else served.write_bytes(b"other")
    with pytest.raises(DownloadError) as info:
        feature_network("squeezenet1_1")
    says = str(info.value)
    assert says.count(". ") == 0 and "by hand" in says and '"course_vgg"' in says
    assert kept(tmp_path) == []


def test_a_file_with_code_in_it_is_not_run(publish):
    publish("squeezenet1_1", squeezenet())  # a pickled object, and not a dictionary of tensors
    with pytest.raises(Exception, match="Weights only load failed"):
        feature_network("squeezenet1_1")


def test_damaged_kept_weights_are_refused(publish, tmp_path):
    publish("squeezenet1_1", squeezenet().state_dict())
    folder = tmp_path / "data" / "torchvision"
    published_weights("squeezenet1_1", folder)
    (folder / "squeezenet1_1_features.safetensors").write_bytes(b"no tensors")
    with pytest.raises(WeightsRefused, match="delete it, and it is downloaded again"):
        feature_network("squeezenet1_1")


def test_every_name_has_a_network():
    assert set(feature_networks.NAMES) == {"course_vgg", "random_filters", *PUBLISHED}
    for source in PUBLISHED.values():
        assert issubclass(type(source.build()), vgg.FeatureNetwork)
