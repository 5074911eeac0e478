"""The networks of the lectures, one file per family.

Open `autoencoders` and `vae` for lessons 02 and 03, `perceptrons`, `dcgan` and `conditional` for
the GANs of 04 and 05, `coupled`, `translation` and `image_pool` for image-to-image translation,
`restorer` for denoising and inpainting, `stylizer` for feed-forward style transfer, `diffusion` for
diffusion and flow matching, `resnet`, `densenet`, `inception`, `vgg` and `efficientnet` for the
classifiers, and `evaluation` for the networks that measure generated images.
"""

from .autoencoders import Autoencoder, ConvolutionalAutoencoder, TiedAutoencoder
from .conditional import (
    AuxiliaryClassifierDiscriminator,
    ConcatenationDiscriminator,
    ConditionalGenerator,
    ProjectionDiscriminator,
)
from .coupled import CoupledDiscriminator, CoupledGenerator
from .dcgan import Discriminator, Generator
from .densenet import DenseLayer, DenseNet, Transition
from .diffusion import ModulatedBlock, PointDenoiser, SmallUNet
from .efficientnet import EfficientNetLite0, InvertedBlock
from .evaluation import FaceAttributeRegressor, SmallConvNet
from .inception import (
    AuxiliaryClassifier,
    ConvolutionUnit,
    InceptionBlock,
    InceptionV3,
)
from .perceptrons import ParallelBatchNorm, ParallelLinear, perceptrons
from .resnet import (
    BasicBlock,
    Bottleneck,
    ConvolutionalShortcut,
    DropoutShortcut,
    ExclusiveGate,
    NoShortcut,
    PreActivationBlock,
    PreActivationBottleneck,
    ResidualBlock,
    ResNet,
    ScaledShortcut,
    Shortcut,
    ShortcutGate,
    ZeroPadding,
    cifar_resnet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
)
from .restorer import Restorer
from .stylizer import ConditionalInstanceNorm, StyledConvolution, Stylizer
from .translation import PatchDiscriminator, ResidualGenerator, UNet
from .vae import ConvolutionalVAE, TwoLayerVAE, VariationalAutoencoder
from .vgg import (
    VGG,
    Fire,
    RandomFilters,
    SqueezeNet,
    course_vgg,
    squeezenet1_1,
    vgg16,
    vgg19,
)

__all__ = [
    "Autoencoder",
    "AuxiliaryClassifier",
    "AuxiliaryClassifierDiscriminator",
    "BasicBlock",
    "Bottleneck",
    "ConcatenationDiscriminator",
    "ConditionalGenerator",
    "ConditionalInstanceNorm",
    "ConvolutionUnit",
    "ConvolutionalAutoencoder",
    "ConvolutionalShortcut",
    "ConvolutionalVAE",
    "CoupledDiscriminator",
    "CoupledGenerator",
    "DenseLayer",
    "DenseNet",
    "Discriminator",
    "DropoutShortcut",
    "EfficientNetLite0",
    "ExclusiveGate",
    "FaceAttributeRegressor",
    "Fire",
    "Generator",
    "InceptionBlock",
    "InceptionV3",
    "InvertedBlock",
    "ModulatedBlock",
    "NoShortcut",
    "ParallelBatchNorm",
    "ParallelLinear",
    "PatchDiscriminator",
    "PointDenoiser",
    "PreActivationBlock",
    "PreActivationBottleneck",
    "ProjectionDiscriminator",
    "RandomFilters",
    "ResNet",
    "ResidualBlock",
    "ResidualGenerator",
    "Restorer",
    "ScaledShortcut",
    "Shortcut",
    "ShortcutGate",
    "SmallConvNet",
    "SmallUNet",
    "SqueezeNet",
    "StyledConvolution",
    "Stylizer",
    "TiedAutoencoder",
    "Transition",
    "TwoLayerVAE",
    "UNet",
    "VGG",
    "VariationalAutoencoder",
    "ZeroPadding",
    "cifar_resnet",
    "course_vgg",
    "perceptrons",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "squeezenet1_1",
    "vgg16",
    "vgg19",
]
