"""Trained weights that ship with the course: a safetensors file and a card each.

They are made by running the notebook itself, `python -m course_utils run 03 --budget full
--publish`, so there is no second training script to keep in step.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from ..session import processes
from ..session.files import replacing
from ..session.filling import misfit
from ..session.lab import Lab
from .cards import Refused, bytes_of, card_of, hold_against, look_for, read_json, shipped_folder


def weights_folder() -> Path:
    """Where the weights that ship lie."""
    return shipped_folder("weights")


def shipped_weights(
    name: str,
    net: nn.Module,
    lab: Lab,
    train: Callable[[nn.Module], dict] | None = None,
) -> dict:
    """Load the shipped weights into `net`; in the full budget, train them instead.

    Args:
        name: the file's name without ending, for example "digits_beta_1".
        net: the network they belong to; filled in place, moved to the lab's device, in
            evaluation mode.
        lab: the session. In the full budget `train` is called, and with `lab.publish` the
            result replaces the file that ships.
        train: `train(net) -> {measure: number}`, which trains the network and says how good
            it became; the figures go on the card.

    Returns:
        the measures on the card.

    Raises:
        Refused: the file is missing, damaged, or of another architecture.

    Example:
        >>> from course_utils import models, start
        >>> classifier = models.SmallConvNet(outputs=10, width=12, shape=(1, 32, 32))
        >>> measures = shipped_weights("digits_classifier", classifier, start("example"))
        course_utils ...
        >>> classifier.training
        False
    """
    net.to(lab.device)
    if lab.budget == "full" and train is not None:
        measures = train(net)
        net.eval()
        if lab.publish and processes.is_first():
            rounded = {measure: round(value, 3) for measure, value in measures.items()}
            save(name, net, {"measures": rounded, "seed": lab.seed, "budget": lab.budget})
        return processes.broadcast_object(measures)  # all go on when the file is there
    card = load(name, net)
    net.eval()
    return card["measures"]


def save(name: str, net: nn.Module, card: dict, folder: Path | None = None) -> Path:
    """Write the weights in half precision, half the size of the network, and their card."""
    from safetensors.torch import save as to_bytes

    folder = folder or weights_folder()
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {key: _compact(value) for key, value in net.state_dict().items()}
    content = to_bytes(tensors)
    card = card_of(content, architecture=architecture(net), bytes=len(content), **card)
    path = folder / f"{name}.safetensors"
    with replacing(path) as file:
        file.write(content)
    with replacing(path.with_suffix(".json")) as file:
        file.write((json.dumps(card, indent=2) + "\n").encode())
    return path


def load(name: str, net: nn.Module, folder: Path | None = None) -> dict:
    """Fill `net` from a weights file and return its card.

    Raises:
        Refused: the file is missing, damaged, or of another architecture; the network is as it
            was.
    """
    path = (folder or weights_folder()) / f"{name}.safetensors"
    card_file = path.with_suffix(".json")
    look_for(path, card_file, what=f"weights called {name}", instead="train them")
    card = read_json(card_file, "sha256", "architecture", "measures")
    content = bytes_of(path)
    hold_against(card, content, path)
    if card["architecture"] != architecture(net):
        raise Refused(
            f"{path.name} holds another architecture than this network; build it as its card "
            f"says, or train it with COURSE_BUDGET=full."
        )
    tensors = _tensors(content, path)
    if wrong := misfit(net, tensors):
        raise Refused(f"{path.name} is not what its card says ({wrong}); fetch it again.")
    net.load_state_dict(tensors)
    return card


def architecture(net: nn.Module) -> dict:
    """The class, the number of parameters and the shape of every tensor of a network."""
    return {
        "class": type(net).__name__,
        "parameters": sum(p.numel() for p in net.parameters()),
        "shapes": {key: list(value.shape) for key, value in net.state_dict().items()},
    }


def _tensors(content: bytes, path: Path) -> dict[str, torch.Tensor]:
    """What a weights file holds: finite numbers alone."""
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    try:
        tensors = from_bytes(content)
    except SafetensorError as error:
        raise Refused(f"{path.name} is no file of weights ({error}); fetch it again.") from error
    for key, value in tensors.items():
        if not value.isfinite().all():
            raise Refused(f"{path.name} holds numbers that are none ({key}); fetch it again.")
    return tensors


def _compact(value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu().contiguous()
    if not value.is_floating_point():
        return value
    if not value.half().isfinite().all():
        raise ValueError("A weight is too large for half precision, or not a number.")
    return value.half()
