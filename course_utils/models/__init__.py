"""Networks of the lectures, one file a family, one class a slide."""

from .autoencoders import Autoencoder, ConvolutionalAutoencoder, TiedAutoencoder
from .dcgan import Discriminator, Generator
from .perceptrons import ParallelBatchNorm, ParallelLinear, perceptrons
from .readers import FactorReader
from .restorer import Restorer
from .vae import ConvolutionalVAE, VariationalAutoencoder

__all__ = [
    "Autoencoder",
    "ConvolutionalAutoencoder",
    "ConvolutionalVAE",
    "Discriminator",
    "FactorReader",
    "Generator",
    "ParallelBatchNorm",
    "ParallelLinear",
    "Restorer",
    "TiedAutoencoder",
    "VariationalAutoencoder",
    "perceptrons",
]
