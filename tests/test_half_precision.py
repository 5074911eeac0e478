"""Every network of the course runs forward and back in half precision, as on a graphics card.

There autocast runs convolutions and products in bf16 or fp16 and leaves the rest in float32, so
both kinds meet inside a network: where an operation takes one kind only, it fails on a card alone.
"""

import pytest
import torch

from course_utils import models

IMAGES = (torch.linspace(0, 1, 4 * 3 * 32 * 32).sin().abs().view(4, 3, 32, 32),)
DIGITS = (IMAGES[0][:, :1, :28, :28].contiguous(),)
# Normalized sixteen times over, images that are nearly alike would differ by rounding alone.
NOISE = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
CODES, CLASSES = torch.linspace(-2, 2, 4 * 32).view(4, 32), torch.eye(10)[:4]

NETWORKS = {  # name: the sizes that it is made with, its inputs
    "Autoencoder": ((8, (32,)), DIGITS),
    "TiedAutoencoder": ((8,), DIGITS),
    "ConvolutionalAutoencoder": ((16, 16, "stride", (3, 32, 32)), IMAGES),
    "VariationalAutoencoder": ((8,), DIGITS),
    "ConvolutionalVAE": ((8,), DIGITS),
    "TwoLayerVAE": ((8, 16), DIGITS),
    "Generator": ((), (CODES,)),
    "Discriminator": ((), IMAGES),
    "ConditionalGenerator": ((), (CODES, CLASSES)),
    "ConcatenationDiscriminator": ((), (*IMAGES, CLASSES)),
    "ProjectionDiscriminator": ((), (*IMAGES, CLASSES)),
    "AuxiliaryClassifierDiscriminator": ((), IMAGES),
    "CoupledGenerator": ((), (CODES,)),
    "CoupledDiscriminator": ((), (*IMAGES, *IMAGES)),
    "UNet": ((3, 3), IMAGES),
    "ResidualGenerator": ((), IMAGES),
    "PatchDiscriminator": ((), IMAGES),
    "Restorer": ((), IMAGES),
    "Stylizer": ((10,), (NOISE, CLASSES)),
    "PointDenoiser": ((), (CODES[:, :2], CODES[:, 2].abs())),
    "SmallUNet": ((3, 10), (*IMAGES, CODES[:, 0].abs() / 2, CLASSES)),
    "SmallConvNet": ((5,), IMAGES),
    "FaceAttributeRegressor": ((("smile", "age"),), IMAGES),
    "DenseNet": ((16,), IMAGES),
    "cifar_resnet": ((8,), IMAGES),
    "course_vgg": ((), IMAGES),
    "squeezenet1_1": ((), IMAGES),
    "EfficientNetLite0": ((), (NOISE, models.EfficientNetLite0.style_layers)),
}
PARTS = {  # of the networks above, or too large to train in a test, or not made of layers
    "AuxiliaryClassifier", "BasicBlock", "Bottleneck", "ConditionalInstanceNorm", "ConvolutionUnit",
    "ConvolutionalShortcut", "DenseLayer", "DropoutShortcut", "ExclusiveGate", "Fire",
    "InceptionBlock", "InceptionV3", "InvertedBlock", "ModulatedBlock", "NoShortcut",
    "ParallelBatchNorm", "ParallelLinear", "PreActivationBlock", "PreActivationBottleneck",
    "RandomFilters", "ResNet",
    "ResidualBlock", "ScaledShortcut", "Shortcut", "ShortcutGate", "SqueezeNet",
    "StyledConvolution", "Transition", "VGG", "ZeroPadding", "perceptrons", "resnet18", "resnet34",
    "resnet50", "resnet101", "resnet152", "vgg16", "vgg19",
}  # fmt: skip


def tensors(answer):
    """All tensors in what a network answers: one, several, or named ones."""
    if isinstance(answer, torch.Tensor):
        return [answer]
    parts = answer.values() if isinstance(answer, dict) else answer
    return [tensor for part in parts for tensor in tensors(part)]


@pytest.mark.parametrize("name", NETWORKS)
def test_forward_and_back(name):
    sizes, inputs = NETWORKS[name]
    answers = []
    for half in (False, True):
        torch.manual_seed(0)
        net = getattr(models, name)(*sizes)
        torch.manual_seed(1)  # some draw random numbers
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            answers.append(tensors(net(*inputs)))
    sum(tensor.float().square().mean() for tensor in answers[1]).backward()
    gradients = [weight.grad for weight in net.parameters() if weight.grad is not None]
    assert gradients and all(gradient.isfinite().all() for gradient in gradients)
    for exact, rounded in zip(*answers, strict=True):
        assert (rounded.float() - exact).abs().mean() < 0.2 * exact.abs().mean()


def test_no_network_is_forgotten():
    assert set(models.__all__) == set(NETWORKS) | PARTS
