"""Networks of the lectures, one file a family, one class a slide."""

from .vae import ConvolutionalVAE, VariationalAutoencoder
from .readers import FactorReader

__all__ = ["ConvolutionalVAE", "FactorReader", "VariationalAutoencoder"]
