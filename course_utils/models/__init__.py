"""Networks of the lectures, one file a family, one class a slide."""

from .autoencoders import Autoencoder, ConvolutionalAutoencoder, TiedAutoencoder
from .conditional import ConditionalDiscriminator, ConditionalGenerator
from .dcgan import Discriminator, Generator
from .densenet import DenseLayer, DenseNet, Transition
from .inception import AuxiliaryClassifier, ConvolutionUnit, InceptionBlock, InceptionV3
from .perceptrons import ParallelBatchNorm, ParallelLinear, perceptrons
from .readers import FaceReader, FactorReader
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
)
from .restorer import Restorer
from .translation import PatchDiscriminator, UNet
from .vae import ConvolutionalVAE, VariationalAutoencoder

__all__ = [
    "Autoencoder",
    "AuxiliaryClassifier",
    "BasicBlock",
    "Bottleneck",
    "ConditionalDiscriminator",
    "ConditionalGenerator",
    "ConvolutionUnit",
    "ConvolutionalAutoencoder",
    "ConvolutionalShortcut",
    "ConvolutionalVAE",
    "DenseLayer",
    "DenseNet",
    "Discriminator",
    "DropoutShortcut",
    "ExclusiveGate",
    "FaceReader",
    "FactorReader",
    "Generator",
    "InceptionBlock",
    "InceptionV3",
    "NoShortcut",
    "ParallelBatchNorm",
    "ParallelLinear",
    "PatchDiscriminator",
    "PreActivationBlock",
    "PreActivationBottleneck",
    "ResNet",
    "ResidualBlock",
    "Restorer",
    "ScaledShortcut",
    "Shortcut",
    "ShortcutGate",
    "TiedAutoencoder",
    "Transition",
    "UNet",
    "VariationalAutoencoder",
    "ZeroPadding",
    "cifar_resnet",
    "perceptrons",
    "resnet18",
    "resnet34",
    "resnet50",
]
