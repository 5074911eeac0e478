"""Where a notebook runs: device, precision, seed, budget and folders, decided once.

Everything is chosen in `start` and carried in one frozen object, the `Lab`; no other module
keeps such choices of its own. Environment variables override them, so that the same notebook
runs in class, in full and in tests:

    COURSE_BUDGET, COURSE_SEED, COURSE_DEVICE, COURSE_PRECISION: see `settings`, which checks them
    COURSE_DATA      folder of downloaded data sets; checked there, too
    COURSE_RUNS      folder of checkpoints of training runs; the same
    COURSE_PUBLISH   1: a full run writes the weights that ship
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch

from .. import __version__
from . import files, processes, settings
from .arguments import file_name, whole
from .records import say


@dataclass(frozen=True)
class Lab:
    """The choices of one session.

    Attributes:
        name: the notebook's name; checkpoints of its runs lie in a folder of that name.
        seed: the seed that Python, NumPy and torch were given.
        budget: "classroom" (seconds on a CPU) or "full" (minutes on a GPU).
        device: where tensors and networks live.
        precision: "float32", "bf16" or "fp16": what `fit` computes in.
        data_folder: where downloaded data sets lie.
        runs_folder: where `fit` keeps checkpoints.
        publish: whether a full run replaces the weights that ship with the course.
    """

    name: str
    seed: int
    budget: str
    device: torch.device
    precision: str
    data_folder: Path
    runs_folder: Path
    publish: bool = False

    def pick(self, *, classroom, full):
        """The value for the budget of this session."""
        return full if self.budget == "full" else classroom


def start(name: str, seed: int = 0) -> Lab:
    """Decide device, precision, seed, budget and folders; seed everything; print one line.

    Where the folder of checkpoints cannot be written, a second line says what to set.

    Where a launcher started several processes, they meet here, and the device of each is printed
    on a line of its own.

    Args:
        name: the notebook's name, for example "03_vae_latent_space".
        seed: used unless COURSE_SEED is set; a whole number from 0, below 2**31 - 1.

    Raises:
        ValueError: an argument or an environment variable holds something that cannot be used, or
            the processes were started with different settings.
        ProcessesLost: the other processes did not come.

    Example:
        >>> lab = start("03_vae_latent_space", seed=1)
        course_utils ...
        >>> lab.seed, lab.pick(classroom=5, full=50)
        (1, 5)
    """
    name, seed = file_name(name, "name"), whole(seed, "seed", least=0, most=2**31 - 2)
    device = choose_device()
    lab = Lab(
        name=name,
        seed=settings.seed(seed),
        budget=settings.budget(),
        device=device,
        precision=settings.precision() or choose_precision(device),
        data_folder=data_folder(),
        runs_folder=runs_folder() / name,
        publish=os.environ.get("COURSE_PUBLISH") == "1",
    )
    seed_everything(lab.seed)
    # NumPy 2.1 asks once for its smallest numbers, and complains where they count as 0 already.
    numpy.finfo(numpy.float32), numpy.finfo(numpy.float64)
    # Numbers below 1e-38 count as 0. Adam's averages fade into them wherever a pixel is always
    # black, and a processor is slow with them: a tenth of the time on real digits.
    torch.set_flush_denormal(True)
    if device.type == "cuda":
        # Matrix products of float32 numbers may round to TF32: several times faster, and
        # the rounding is far below the noise of training.
        torch.set_float32_matmul_precision("high")
        if device.index is not None:
            torch.cuda.set_device(device)  # whose random numbers a checkpoint keeps
    say(describe(lab), session=described(lab))
    if processes.is_first() and (obstacle := files.obstacle(lab.runs_folder)):
        print(
            f"Training will not be saved: {lab.runs_folder} cannot be written ({obstacle}); "
            f"{files.way_out('COURSE_RUNS')}, and start again."
        )
    if processes.count() > 1:
        kind = f"{lab.precision} on {device.type}"
        processes.check_alike("settings", f"{name}, {lab.budget} budget, seed {lab.seed}, {kind}")
        own = {"process": processes.name(), "device": describe_device(device)}
        for each in processes.all_gather_objects(own):
            say(f"{each['process']} · {each['device']}", **each)
    return lab


def choose_device() -> torch.device:
    """The best device here: cuda, else mps, else cpu; COURSE_DEVICE overrides it.

    Of several processes on a machine, each has a GPU of its own.
    """
    wanted = settings.device()
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available() and processes.count() == 1,  # it cannot share
        "cpu": True,
    }
    if wanted is None:
        wanted = next(kind for kind, there in present.items() if there)
    if not present[wanted.split(":")[0]]:
        usable = ", ".join(kind for kind, there in present.items() if there)
        raise ValueError(f"COURSE_DEVICE is {wanted!r}; this machine has: {usable}.")
    if processes.count() > 1 and wanted.startswith("cuda"):
        wanted = f"cuda:{own_gpu(wanted, torch.cuda.device_count())}"
    return torch.device(wanted)


def own_gpu(wanted: str, gpus: int) -> int:
    """The number of the GPU that this one of several processes computes on, from 0.

    Args:
        wanted: "cuda".
        gpus: how many this machine has.

    Raises:
        ValueError: `wanted` names one GPU for all processes, or there are too few.
    """
    if wanted != "cuda":
        raise ValueError(
            f"COURSE_DEVICE is {wanted!r} for every process, and two cannot share a GPU; "
            "set it to cuda, and each takes its own."
        )
    if processes.local_rank() >= gpus:
        raise ValueError(
            f"There is no GPU left for {processes.name()}: this machine has {gpus}. Start one "
            "process a GPU, or set COURSE_DEVICE=cpu."
        )
    return processes.local_rank()


def choose_precision(device: torch.device) -> str:
    """bf16 where a CUDA card computes in it, fp16 on older cards, float32 elsewhere."""
    if device.type != "cuda":
        return "float32"
    # Turing cards (Colab's T4) report bf16 as supported but only emulate it, slowly.
    return "bf16" if torch.cuda.get_device_capability(device)[0] >= 8 else "fp16"


def seed_everything(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch (all devices)."""
    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def course_folder() -> Path:
    """The clone this package lies in, or, installed alone, that of the current folder or that."""
    here = Path.cwd()
    for folder in (Path(__file__).resolve().parents[2], here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "pyproject.toml").is_file():
            return folder
    return here


def data_folder() -> Path:
    """Where downloaded data sets lie: COURSE_DATA, else data/downloads of the course.

    Example:
        >>> data_folder().is_absolute()
        True
    """
    return settings.folder("COURSE_DATA") or course_folder() / "data" / "downloads"


def runs_folder() -> Path:
    """Where training runs keep their checkpoints: COURSE_RUNS, else runs of the course."""
    return settings.folder("COURSE_RUNS") or course_folder() / "runs"


def described(lab: Lab) -> dict[str, str | int]:
    """What `start` records: versions, the device in words, precision, budget and seed."""
    return {
        "course_utils": __version__,
        "torch": str(torch.__version__),
        "device": describe_device(lab.device),
        "precision": lab.precision,
        "budget": lab.budget,
        "seed": lab.seed,
    }


def describe(lab: Lab) -> str:
    """The one line that `start` prints."""
    return (
        "course_utils {course_utils} · torch {torch} · {device} · {precision} · {budget} budget · "
        "seed {seed}"
    ).format(**described(lab))


def describe_device(device: torch.device) -> str:
    """What a device is, in words; a GPU that was chosen by its number has it."""
    if device.type == "cuda":
        number = "" if device.index is None else f" ({device})"
        return torch.cuda.get_device_name(device) + number
    if device.type == "mps":
        return "Apple GPU (mps)"
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"
