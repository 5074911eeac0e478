"""Every network of the course runs forward and back in half precision, as on a graphics card.

There autocast runs convolutions and products in bf16 or fp16 and leaves the rest in float32, so
both kinds meet inside a network: where an operation takes one kind only, it fails on a card alone.
"""

import inspect

import pytest
import torch
from torch import nn

from course_utils import models

IMAGES = (torch.linspace(0, 1, 4 * 3 * 32 * 32).sin().abs().view(4, 3, 32, 32),)
DIGITS = (IMAGES[0][:, :1, :28, :28].contiguous(),)
CODES, CLASSES = torch.linspace(-2, 2, 4 * 32).view(4, 32), torch.eye(10)[:4]

NETWORKS = {
    "Autoencoder": (lambda: models.Autoencoder(8, (32,)), DIGITS),
    "TiedAutoencoder": (lambda: models.TiedAutoencoder(8), DIGITS),
    "ConvolutionalAutoencoder": (
        lambda: models.ConvolutionalAutoencoder(shape=(3, 32, 32)),
        IMAGES,
    ),
    "VariationalAutoencoder": (lambda: models.VariationalAutoencoder(8), DIGITS),
    "ConvolutionalVAE": (lambda: models.ConvolutionalVAE(8), DIGITS),
    "Generator": (models.Generator, (CODES,)),
    "Discriminator": (models.Discriminator, IMAGES),
    "ConditionalGenerator": (models.ConditionalGenerator, (CODES, CLASSES)),
    "ConditionalDiscriminator": (models.ConditionalDiscriminator, (*IMAGES, CLASSES)),
    "UNet": (lambda: models.UNet(3, 3), IMAGES),
    "ResidualGenerator": (models.ResidualGenerator, IMAGES),
    "PatchDiscriminator": (models.PatchDiscriminator, IMAGES),
    "Restorer": (models.Restorer, IMAGES),
    "SmallConvNet": (lambda: models.SmallConvNet(5), IMAGES),
    "FaceAttributeRegressor": (lambda: models.FaceAttributeRegressor(("smile", "age")), IMAGES),
    "DenseNet": (lambda: models.DenseNet(layers=16), IMAGES),
    "cifar_resnet": (lambda: models.cifar_resnet(8), IMAGES),
    "course_vgg": (models.course_vgg, IMAGES),
    "SqueezeNet": (models.squeezenet1_1, IMAGES),
}
PARTS = {  # of the networks above, or too large to train in a test, or not made of layers
    "AuxiliaryClassifier", "BasicBlock", "Bottleneck", "ConvolutionUnit", "ConvolutionalShortcut",
    "DenseLayer", "DropoutShortcut", "ExclusiveGate", "Fire", "InceptionBlock", "InceptionV3",
    "NoShortcut", "ParallelBatchNorm", "ParallelLinear", "PreActivationBlock",
    "PreActivationBottleneck", "RandomFilters", "ResNet", "ResidualBlock", "ScaledShortcut",
    "Shortcut", "ShortcutGate", "Transition", "VGG", "ZeroPadding", "perceptrons", "resnet18",
    "resnet34", "resnet50", "squeezenet1_1", "vgg16", "vgg19",
}  # fmt: skip


def tensors(answer):
    """All tensors in what a network answers: one, several, or named ones."""
    if isinstance(answer, torch.Tensor):
        return [answer]
    parts = answer.values() if isinstance(answer, dict) else answer
    return [tensor for part in parts for tensor in tensors(part)]


def answers(name, half):
    torch.manual_seed(0)
    make, given = NETWORKS[name]
    net = make()
    torch.manual_seed(1)  # some draw random numbers
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        found = tensors(net(*given))
    loss = sum(tensor.float().square().mean() for tensor in found)
    loss.backward()
    grads = [weight.grad for weight in net.parameters() if weight.grad is not None]
    return [tensor.detach().float() for tensor in found], grads


@pytest.mark.parametrize("name", NETWORKS)
def test_forward_and_back(name):
    (whole, _), (half, gradients) = answers(name, half=False), answers(name, half=True)
    assert gradients and all(gradient.isfinite().all() for gradient in gradients)
    for exact, rounded in zip(whole, half, strict=True):
        assert (rounded - exact).abs().mean() < 0.2 * exact.abs().mean()


def test_no_network_is_forgotten():
    assert set(models.__all__) == set(NETWORKS) | PARTS
    assert all(
        inspect.isroutine(make) or issubclass(make, nn.Module) for make, _ in NETWORKS.values()
    )
