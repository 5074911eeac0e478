"""Places where files cannot be written, made for a test: a read-only disk, and a full one.

Permissions do not stop root, whom containers have, so root gets real mounts. What cannot be made
on a machine skips the test and says so.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
FILE_LIMIT = 1000  # bytes of a file on a disk that is full, where no disk can be mounted


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """Within the block, nothing in `folder` can be written or removed, by nobody."""
    if IS_ROOT:
        with _mounted("--bind", folder, folder):
            _mount("-o", "remount,ro,bind", folder)
            yield folder
        return
    if os.name == "nt":
        pytest.skip("A folder cannot be made read-only on Windows by permissions.")
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    modes = [each.stat().st_mode for each in folders]
    for each in folders:
        each.chmod(0o555)
    try:
        yield folder
    finally:
        for each, mode in zip(folders, modes):
            each.chmod(mode)


@contextmanager
def small_disk(folder: Path, size: str = "1m") -> Iterator[Path]:
    """A disk of its own at `folder`, which `fill` fills. Only root can make one."""
    if not IS_ROOT:
        pytest.skip("Only root can mount a disk that is to be full.")
    folder.mkdir(exist_ok=True)
    with _mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder):
        yield folder


def fill(folder: Path) -> None:
    """Leave no byte on the disk that `folder` is on: for `small_disk` only."""
    with open(folder / "filling", "wb", buffering=0) as file:
        for amount in (1 << 20, 1 << 12, 1):
            while True:
                try:
                    file.write(bytes(amount))
                except OSError:
                    break


@contextmanager
def small_files() -> Iterator[None]:
    """Within the block, this process can write no file longer than FILE_LIMIT: nearly a full disk.

    A disk that still takes a little, and everybody can have it.
    """
    resource = pytest.importorskip("resource", reason="Windows knows no limit on files.")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def _mounted(*arguments) -> Iterator[None]:
    _mount(*arguments)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(arguments[-1])], check=True)


def _mount(*arguments) -> None:
    try:
        command = ["mount", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
    except FileNotFoundError:
        pytest.skip("There is no mount here to make a read-only or a full disk with.")
    if done.returncode:
        pytest.skip(f"This machine lets root mount nothing ({done.stderr.strip()}).")
