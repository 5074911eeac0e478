"""Trained weights that ship with the course: a safetensors file and a card each.

They are made by running the notebook itself, `python -m course_utils run 03 --budget full
--publish`, so there is no second training script to keep in step.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from ..session import processes
from ..session.files import replacing
from ..session.lab import Lab, course_folder


class WeightsRefused(Exception):
    """A weights file that does not fit or is damaged; the message says what to do."""


def weights_folder() -> Path:
    """Where the weights that ship lie."""
    return course_folder() / "data" / "weights"


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
        WeightsRefused: the file is missing, damaged, or of another architecture.
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
    card = {
        "architecture": architecture(net),
        **card,
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    path = folder / f"{name}.safetensors"
    with replacing(path) as file:
        file.write(content)
    with replacing(path.with_suffix(".json")) as file:
        file.write((json.dumps(card, indent=2) + "\n").encode())
    return path


def load(name: str, net: nn.Module, folder: Path | None = None) -> dict:
    """Fill `net` from a weights file and return its card.

    Raises:
        WeightsRefused: the file is missing, damaged, or of another architecture.
    """
    from safetensors.torch import load as from_bytes

    path = (folder or weights_folder()) / f"{name}.safetensors"
    if not path.exists() or not path.with_suffix(".json").exists():
        raise WeightsRefused(
            f"No shipped weights called {name} in {path.parent.name}/; fetch the course again, "
            "or train them with COURSE_BUDGET=full."
        )
    try:
        card = json.loads(path.with_suffix(".json").read_text())
        checksum, shapes = card["sha256"], card["architecture"]
    except (ValueError, KeyError) as error:
        raise WeightsRefused(f"{path.stem}.json is damaged; fetch it again.") from error
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != checksum:
        raise WeightsRefused(
            f"{path.name} is damaged (its checksum differs from its card); fetch it again."
        )
    if shapes != architecture(net):
        raise WeightsRefused(
            f"{path.name} holds another architecture than this network; build it as its card "
            f"says, or train it with COURSE_BUDGET=full."
        )
    net.load_state_dict({key: value for key, value in from_bytes(content).items()})
    return card


def architecture(net: nn.Module) -> dict:
    """The class, the number of parameters and the shape of every tensor of a network."""
    return {
        "class": type(net).__name__,
        "parameters": sum(p.numel() for p in net.parameters()),
        "shapes": {key: list(value.shape) for key, value in net.state_dict().items()},
    }


def _compact(value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu().contiguous()
    if not value.is_floating_point():
        return value
    if not value.half().isfinite().all():
        raise ValueError("A weight is too large for half precision, or not a number.")
    return value.half()
