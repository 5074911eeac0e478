"""Sliders and players: thin layers over pure functions from a state to a picture."""

from .explorer import Explorer, explore

__all__ = ["Explorer", "explore"]
