"""Train a small VAE, be killed at random moments, resume, and compare with a run left alone.

Run as a program: `python tests/killed_run.py FOLDER KILLS`. Prints one line of JSON. Each
sitting is a child process that is ended by SIGKILL, so nothing is said good-bye to.
"""

import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy
import torch

from course_utils import fit, losses, models
from course_utils.session.lab import Lab, seed_everything
from course_utils.training import cosine

EPOCHS, IMAGES, BATCH = 30, 2048, 32
SAVE_EVERY = 0.01  # seconds; so that many kills fall into the writing of a checkpoint
STARTED = "started"  # a file that says that a sitting has begun to train


def sitting(folder: Path) -> dict:
    """Train, or go on training, to the end; returns hashes of all that came out."""
    seed_everything(0)
    lab = Lab("killed", 0, "classroom", torch.device("cpu"), "float32", folder, folder)
    images = torch.rand(IMAGES, 1, 8, 8)
    vae = models.VariationalAutoencoder(2, hidden=32, shape=(1, 8, 8))

    def vae_step(x, nets, opts):
        (folder / STARTED).touch()
        logits, mu, logvar = nets.vae(x)
        kl = losses.gaussian_kl(mu, logvar).mean()
        loss = losses.binary_cross_entropy(logits, x).mean() + kl
        opts.vae.minimise(loss)
        # All generators take part, so that each must be restored.
        noise = random.random() + numpy.random.rand() + torch.rand(()).item()
        return {"loss": loss, "kl": kl, "noise": noise}

    run = fit(
        vae_step, images, {"vae": vae}, lab, epochs=EPOCHS, batch_size=BATCH, schedule=cosine,
        save="vae", save_every=SAVE_EVERY, watch=lambda nets: nets.vae.encode(images[:3])[0],
        watch_at=(0, 100, 500, EPOCHS * IMAGES // BATCH),
    )  # fmt: skip
    parts = {
        "weights": torch.cat([value.flatten() for value in vae.state_dict().values()]),
        "history": torch.stack(list(run.history.values())),
        "snapshots": torch.stack([seen for _, seen in run.snapshots]),
        "generator": torch.get_rng_state(),
    }
    return {
        key: hashlib.sha256(value.numpy().tobytes()).hexdigest() for key, value in parts.items()
    }


def in_a_child(folder: Path, kill_after: float | None) -> dict | None:
    """A sitting in a process of its own; None where it was killed first."""
    reading, writing = os.pipe()
    (folder / STARTED).unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        sys.stdout = open(folder / "log.txt", "a", encoding="utf-8")  # noqa: SIM115
        answer = json.dumps(sitting(folder)).encode()
        sys.stdout.flush()
        os.write(writing, answer)
        os._exit(0)
    os.close(writing)
    if kill_after is not None:
        while not (folder / STARTED).exists() and not _ended(child):
            time.sleep(0.001)
        time.sleep(kill_after)
        if not _ended(child):
            os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, encoding="utf-8") as pipe:  # ends when the child has
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer) if answer else None


def _ended(child: int) -> bool:
    """Whether a child has ended; it is left for `waitpid` to collect."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def main() -> None:
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)  # a process with running threads must not be forked
    (folder / "whole").mkdir(parents=True)
    (folder / "cut").mkdir()
    began = time.perf_counter()
    whole = in_a_child(folder / "whole", None)
    seconds = time.perf_counter() - began
    moments = random.Random(seed)
    # Sittings of random length, together not enough to finish.
    answers = [
        in_a_child(folder / "cut", moments.uniform(0, 1.0) * seconds / kills) for _ in range(kills)
    ]
    cut = in_a_child(folder / "cut", None)
    log = (folder / "cut" / "log.txt").read_text(encoding="utf-8").splitlines()
    print(json.dumps({"whole": whole, "cut": cut, "killed": answers.count(None), "log": log}))


if __name__ == "__main__":
    main()
