"""The check of the sizes with which a network is built."""

from ..session.arguments import as_whole


def check_sizes(**sizes: int) -> None:
    """Refuse a size that is not a whole number of at least 1.

    Args:
        sizes: name -> size.

    Raises:
        ValueError: naming the first size that cannot be used.
    """
    for name, size in sizes.items():
        if (as_whole(size) or 0) < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, but it is {size!r}.")
