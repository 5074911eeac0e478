"""Fetch and unpack files so that one under its final name is always whole and the right one.

What is unpacked gets its SHA-256 in a file beside it, `NAME.sha256` (as `sha256sum -c` reads it),
so that later damage to it is noticed when it is read.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import socket
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from ..session.files import replacing

CHUNK_BYTES = 1 << 20
TIMEOUT = 15.0  # seconds to wait for a server that says nothing


class DownloadError(RuntimeError):
    """A file could not be fetched; the message says why and what to do instead."""


class _MirrorFailed(Exception):
    """One mirror did not deliver; the message says why, as part of a sentence."""


def fetch(
    urls: Iterable[str],
    path: Path,
    checksum: str,
    *,
    instead: str,
    timeout: float = TIMEOUT,
    limit: int = 1 << 30,
) -> Path:
    """Make sure that `path` holds the file with this checksum; return `path`.

    A file that is there and right is used without asking the network. Otherwise the mirrors
    are tried in order.

    Args:
        urls: addresses of the same file.
        checksum: "md5:..." or "sha256:..." and the hexadecimal digits of the whole file's hash,
            or as many of its first ones as are known.
        instead: what the reader can do if this fails, the end of a sentence after "; ".
        timeout: seconds to wait for a server that says nothing.
        limit: bytes after which a download is given up.

    Raises:
        DownloadError: no mirror delivered the file, or it could not be written.
    """
    path = Path(path)
    failures = []
    try:
        if has_checksum(path, checksum):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            try:
                with replacing(path) as file:
                    _receive(url, file, checksum, timeout=timeout, limit=limit)
                return path
            except _MirrorFailed as failure:
                failures.append(str(failure))
    except OSError as error:
        failures = [f"{path.parent} cannot be read or written ({error.strerror})"]
    raise DownloadError(f"{path.name} could not be fetched: {', and '.join(failures)}; {instead}.")


def _receive(url: str, file: BinaryIO, checksum: str, *, timeout: float, limit: int) -> None:
    """Write what `url` serves to `file`, or raise _MirrorFailed."""
    host = urlsplit(url).netloc
    print(f"Downloading {url}")
    digest = _new_hash(checksum)
    received = 0
    for chunk in _chunks(url, host, timeout):
        received += len(chunk)
        if received > limit:
            raise _MirrorFailed(f"{host} sent more than the {limit:,} bytes allowed")
        digest.update(chunk)
        file.write(chunk)
    expected = checksum.partition(":")[2]
    if not digest.hexdigest().startswith(expected):
        raise _MirrorFailed(
            f"{host} sent another file (hash {digest.hexdigest()} instead of {expected})"
        )


def _chunks(url: str, host: str, timeout: float) -> Iterator[bytes]:
    """The body at `url` piece by piece; every failure of the network is a _MirrorFailed."""
    request = urllib.request.Request(url, headers={"User-Agent": "course_utils"})
    received = 0
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            promised = int(response.headers.get("Content-Length", 0))
            while chunk := response.read(CHUNK_BYTES):
                received += len(chunk)
                yield chunk
    except urllib.error.HTTPError as error:
        raise _MirrorFailed(f"{host} answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _MirrorFailed(f"no connection to {host} ({error.reason})") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _MirrorFailed(
            f"the connection to {host} broke off after {received:,} bytes ({error})"
        ) from error
    # http.client does not complain when a server hangs up before the promised length.
    if received < promised:
        raise _MirrorFailed(f"{host} sent only {received:,} of {promised:,} bytes")


def has_checksum(path: Path, checksum: str) -> bool:
    """Whether a file lies at `path` and has this checksum, in the form that `fetch` takes."""
    if not path.is_file():
        return False
    digest = _new_hash(checksum)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return f"{digest.name}:{digest.hexdigest()}".startswith(checksum)


@contextmanager
def impatient(timeout: float = TIMEOUT) -> Iterator[None]:
    """Within the block, libraries that set no limit of their own wait for no server longer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def gunzip(archive: Path, path: Path) -> None:
    """Unpack a .gz file to `path`, whole or not at all, with its checksum beside it."""
    with gzip.open(archive) as source:
        write_checked(source, path)


def extract(archive: Path, folder: Path, names: Iterable[str], *, limit: int) -> None:
    """Unpack the plain files called `names` from a .tar.gz into `folder`, each as `gunzip` does.

    Only the last part of a member's name counts and nothing else is written, so an archive
    cannot place a file anywhere else. Members over `limit` bytes are left out.
    """
    wanted = set(names)
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            name = member.name.rpartition("/")[2]
            if name in wanted and member.isreg() and member.size <= limit:
                write_checked(tar.extractfile(member), folder / name)


def write_checked(source: BinaryIO, path: Path) -> None:
    """Write the rest of `source` to `path`, whole or not at all, with its checksum beside it."""
    digest = hashlib.sha256()
    with replacing(path) as target:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
        # Before `path` has its name: no file is without the checksum that was written for it.
        with replacing(_checksum_file(path)) as note:
            note.write(f"{digest.hexdigest()}  {path.name}\n".encode())


def damage(path: Path, content, checksum: str | None = None) -> str | None:
    """What is wrong with `content`, the bytes of the file at `path`, or None.

    Args:
        content: bytes, or an array of them.
        checksum: "sha256:..." where it is known; otherwise that beside the file is taken, and
            where there is none, any content is right.

    Returns: the end of a sentence that begins with the path.
    """
    if checksum is None and _checksum_file(path).is_file():
        checksum = f"sha256:{_checksum_file(path).read_text(encoding='utf-8', errors='replace')}"
    if checksum is None:
        return None
    expected = checksum.removeprefix("sha256:").partition(" ")[0]
    found = hashlib.sha256(content).hexdigest()
    if found == expected:
        return None
    return f"is damaged or another file (SHA-256 {found[:8]}… instead of {expected[:8]}…)"


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _new_hash(checksum: str):
    return hashlib.new(checksum.partition(":")[0], usedforsecurity=False)
