"""Autoencoders: the layers of the slides, shapes and ranges, and unpooling with its switches."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import models

RESIZES = models.ConvolutionalAutoencoder.RESIZES


def convolutional(resize, shape=(1, 8, 8), channels=4, **options):
    return models.ConvolutionalAutoencoder(channels, 4, resize, shape, **options)


torch.manual_seed(0)
NETS = [
    net
    for shape in [(1, 28, 28), (3, 16, 24)]
    for net in [
        models.Autoencoder(5, shape=shape),
        models.Autoencoder(5, (9, 7), shape, normalise=True, code_activation=nn.Sigmoid),
        models.TiedAutoencoder(5, shape),
        *(convolutional(resize, shape) for resize in RESIZES),
    ]
]
NAMES = [f"{type(n).__name__}-{getattr(n, 'resize', '')}-{n.shape[0]}" for n in NETS]


@pytest.mark.parametrize("net", NETS, ids=NAMES)
def test_calling_is_encoding_and_decoding_and_decode_is_its_sigmoid(net):
    net, x = net.eval(), torch.rand(3, *net.shape)
    h = net.encode(x)
    if getattr(net, "resize", "") == "switches":
        code, switches = net.encode_with_switches(x)
        assert torch.equal(code, h)
        logits, image = net.decoder(h, switches), net.decode(h, switches)
    else:
        logits, image = net.decoder(h), net.decode(h)
    assert h.shape == (3, net.code) and logits.shape == x.shape
    assert torch.equal(net(x), logits) and torch.equal(image, logits.sigmoid())


@pytest.mark.parametrize("net", NETS, ids=NAMES)
def test_a_gradient_reaches_every_parameter(net):
    net = net.train()
    for parameter in net.parameters():
        parameter.grad = None
    (net(torch.rand(6, *net.shape)).square().sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    assert all(p.grad.any() for name, p in net.named_parameters() if "weight" in name)


def test_an_autoencoder_is_the_layers_it_is_said_to_be():
    torch.manual_seed(0)
    net = models.Autoencoder(2, (6, 4), (1, 3, 3), nn.Tanh, nn.Sigmoid)
    x = torch.rand(5, 1, 3, 3)
    down = [layer for layer in net.encoder if isinstance(layer, nn.Linear)]
    up = [layer for layer in net.decoder if isinstance(layer, nn.Linear)]
    assert [tuple(layer.weight.shape) for layer in down] == [(6, 9), (4, 6), (2, 4)]
    assert [tuple(layer.weight.shape) for layer in up] == [(4, 2), (6, 4), (9, 6)]
    h = down[2](down[1](down[0](x.flatten(1)).tanh()).tanh()).sigmoid()
    assert torch.allclose(net.encode(x), h)
    logits = up[2](up[1](up[0](h).tanh()).tanh()).view(5, 1, 3, 3)
    assert torch.allclose(net(x), logits, atol=1e-6)
    paper = models.Autoencoder(30, (1000, 500, 250))  # Hinton and Salakhutdinov 2006
    assert sum(p.numel() for p in paper.parameters()) == 2_837_314


def test_hidden_layers_are_normalised_and_neither_the_code_nor_the_image():
    net = models.Autoencoder(2, (6, 4), (1, 3, 3), normalise=True)
    kinds = [[type(layer).__name__ for layer in half] for half in (net.encoder, net.decoder)]
    one = ["Linear", "BatchNorm1d", "SiLU"]
    assert kinds[0] == ["Flatten", *one, *one, "Linear", "Identity"]
    assert kinds[1] == [*one, *one, "Linear", "Unflatten"]


def test_tied_weights_are_one_matrix_used_both_ways():
    net = models.TiedAutoencoder(3, (1, 2, 2))
    assert sorted(name for name, _ in net.named_parameters()) == ["bias_h", "bias_x", "weight"]
    nn.init.normal_(net.bias_x)
    x = torch.rand(5, 1, 2, 2)
    h = (x.flatten(1) @ net.weight.T + net.bias_h).sigmoid()
    assert torch.allclose(net.encode(x), h)
    assert torch.allclose(net(x).flatten(1), h @ net.weight + net.bias_x, atol=1e-6)


# Lecture 3's table: max-pooling that remembers, and unpooling

FOUR_BY_FOUR = [
    [0.1, 0.5, 1.2, -0.7],
    [0.8, -0.2, -0.5, 0.3],
    [0.4, 0.9, -0.1, -0.2],
    [-0.6, 0.1, 0.5, 0.3],
]
POOLED = [[0.8, 1.2], [0.9, 0.5]]
PLACES = [[4, 2], [9, 14]]  # of the crosses on the slide, counted row by row from 0
FROM_DECODER = [[1.3, 0.5], [0.4, 0.1]]
UNPOOLED = [[0, 0, 0.5, 0], [1.3, 0, 0, 0], [0, 0.4, 0, 0], [0, 0, 0.1, 0]]


class Spy(nn.Module):
    """Passes its first channels on, and keeps what it was given."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        self.seen = x
        return x[:, : self.channels]


def test_the_switches_network_handles_the_table_as_lecture_3_does(monkeypatch):
    """With layers that pass on what they get, the network is pooling, unpooling, and no more."""
    net = convolutional("switches", shape=(1, 4, 4), channels=1)
    net.down, net.up = nn.ModuleList([Spy(1), Spy(1)]), nn.ModuleList([Spy(1), Spy(1)])
    net.to_code, net.from_code = Spy(1), Spy(1)
    monkeypatch.setattr(F, "silu", lambda x: x)
    x = torch.tensor([[FOUR_BY_FOUR]])
    h, switches = net.encode_with_switches(x)
    assert torch.equal(net.down[1].seen, torch.tensor([[POOLED]]))  # what the first pooling left
    assert h.tolist() == torch.tensor([[1.2]]).tolist()
    assert switches[0].tolist() == [[PLACES]] and switches[1].tolist() == [[[[1]]]]
    # The last unpooling puts the decoder's values where the first pooling found the maxima.
    monkeypatch.setattr(net.up[0], "forward", lambda x: torch.tensor([[FROM_DECODER]]))
    assert net.decoder(h, switches).tolist() == torch.tensor([[UNPOOLED]]).tolist()


@pytest.mark.parametrize(("resize", "count"), [("stride", 0), ("pool", 2)])
def test_the_others_tell_their_switches_and_need_none(resize, count):
    net = convolutional(resize)
    h, switches = net.encode_with_switches(torch.rand(2, 1, 8, 8))
    assert len(switches) == count and torch.equal(net.decode(h), net.decode(h, switches))


def test_upsampling_by_nearest_neighbour_repeats_every_number():
    net = convolutional("pool", shape=(1, 16, 16))
    net.up[0] = Spy(4)
    net.decoder(torch.randn(1, net.code))
    x = net.up[0].seen
    assert x.shape[-2:] == (8, 8)
    assert torch.equal(x, x[:, :, ::2, ::2].repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_transposed_convolutions_stamp_evenly():
    """A filter of 4 at stride 2: every pixel away from the border gets as many stamps."""
    for layer in convolutional("stride").up:
        probe = nn.ConvTranspose2d(1, 1, layer.kernel_size, layer.stride, layer.padding, bias=False)
        nn.init.ones_(probe.weight)
        with torch.no_grad():
            stamps = probe(torch.ones(1, 1, 6, 6))[..., 2:-2, 2:-2]
        assert (stamps == 4).all()


@pytest.mark.parametrize("resize", RESIZES)
def test_the_code_of_a_convolutional_one_is_a_grid(resize):
    net = models.ConvolutionalAutoencoder(16, 8, resize, (1, 16, 16), code_activation=nn.Sigmoid)
    assert net.grid == (16, 4, 4) and net.code == 256
    h = net.encode(torch.rand(2, 1, 16, 16))
    assert h.shape == (2, 256) and h.min() > 0 and h.max() < 1


def test_a_local_change_stays_local_in_a_convolutional_code():
    net = convolutional("stride", shape=(1, 32, 32))
    x = torch.rand(1, 1, 32, 32)
    changed = x.clone()
    changed[..., :4, :4] += 1
    difference = (net.encode(changed) - net.encode(x)).view(4, 8, 8).abs().amax(0)
    assert difference[:2, :2].any() and not difference[3:].any() and not difference[:, 3:].any()


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda: models.Autoencoder(0), "whole number of at least 1; this is 0"),
        (lambda: models.Autoencoder(2.5), "this is 2.5"),
        (lambda: models.Autoencoder(True), "this is True"),
        (lambda: models.TiedAutoencoder(-1), "this is -1"),
        (lambda: models.ConvolutionalAutoencoder(0), "this is 0"),
        (lambda: models.ConvolutionalAutoencoder(shape=(1, 25, 28)), "25×28 .* multiple of 4"),
        (lambda: models.ConvolutionalAutoencoder(shape=(1, 28, 30)), "28×30 .* multiple of 4"),
        (lambda: models.ConvolutionalAutoencoder(resize="mean"), "'mean'; use one of stride, pool"),
        (lambda: convolutional("switches").decode(torch.rand(2, 16)), "maxima .*with_switches"),
    ],
)
def test_what_cannot_be_is_refused_and_says_what_to_do(make, advice):
    with pytest.raises(ValueError, match=advice):
        make()


@pytest.mark.parametrize("resize", RESIZES)
def test_logits_can_be_any_number_so_that_an_image_can_be_black(resize):
    net = convolutional(resize)
    with torch.no_grad():
        net.up[-1].bias.fill_(-20)
        assert net(torch.rand(2, 1, 8, 8)).max() < -15
