"""Networks of the lectures, one file a family, one class a slide."""

from .autoencoders import Autoencoder, ConvolutionalAutoencoder, TiedAutoencoder
from .readers import FactorReader
from .restorer import Restorer
from .vae import ConvolutionalVAE, VariationalAutoencoder

__all__ = [
    "Autoencoder",
    "ConvolutionalAutoencoder",
    "ConvolutionalVAE",
    "FactorReader",
    "Restorer",
    "TiedAutoencoder",
    "VariationalAutoencoder",
]
