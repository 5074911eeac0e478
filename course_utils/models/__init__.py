"""Networks of the lectures, one file a family, one class a slide."""

from .readers import FactorReader
from .vae import ConvolutionalVAE, VariationalAutoencoder

__all__ = ["ConvolutionalVAE", "FactorReader", "VariationalAutoencoder"]
