"""Fetch and unpack files so that one under its final name is always whole and the right one.

What is unpacked gets its SHA-256 in a file beside it, `NAME.sha256` (as `sha256sum -c` reads it),
so that later damage to it is noticed when it is read.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import socket
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from ..session.files import obstacle, remove_parts, replacing, way_out

CHUNK_BYTES = 1 << 20
TIMEOUT = 15.0  # seconds to wait for a server that says nothing
LONGEST = 3600.0  # seconds that a download may take in all, or one that drips would never end
ABANDONED = 60.0  # seconds after which nobody writes a part any more


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
    longest: float = LONGEST,
    limit: int = 1 << 30,
) -> Path:
    """Make sure that `path` holds the file with this checksum; return `path`.

    A file that is there and right is used without asking the network. Otherwise the mirrors
    are tried in order. What killed downloads of it have left is cleared away.

    Args:
        urls: addresses of the same file.
        checksum: "md5:..." or "sha256:..." and the hexadecimal digits of the whole file's hash,
            or as many of its first ones as are known.
        instead: what the reader can do if this fails, the end of a sentence after "; ".
        timeout: seconds to wait for a server that says nothing.
        longest: seconds that one mirror may take in all.
        limit: bytes after which a download is given up.

    Raises:
        DownloadError: no mirror delivered the file, or it could not be written.
    """
    path = Path(path)
    failures = []
    try:
        if has_checksum(path, checksum):
            return path
        trouble = obstacle(path.parent)  # a full disk takes the first bytes of a download
        for url in () if trouble else urls:
            path.parent.mkdir(parents=True, exist_ok=True)
            remove_parts(path, ABANDONED)
            try:
                with replacing(path) as file:
                    pieces = _chunks(url, _opener(longest), timeout)
                    _receive(url, pieces, file, checksum, limit=limit)
                remove_parts(path, 0)  # whoever else fetches it now finds it here
                return path
            except _MirrorFailed as failure:
                failures.append(str(failure))
    except OSError as error:
        if has_checksum(path, checksum):  # another process was faster, and cleared away our part
            return path
        trouble = error.strerror
    if trouble:
        way = way_out("COURSE_DATA")
        failures = [f"{path.parent} cannot be read or written ({trouble}; {way})"]
    raise DownloadError(f"{path.name} could not be fetched: {', and '.join(failures)}; {instead}.")


def _receive(
    url: str, pieces: Iterable[bytes], file: BinaryIO, checksum: str, *, limit: int
) -> None:
    """Write the pieces that `url` serves to `file`, or raise _MirrorFailed."""
    host = urlsplit(url).netloc
    print(f"Downloading {url}")
    digest = _new_hash(checksum)
    received = 0
    for chunk in pieces:
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


def _chunks(url: str, opener: urllib.request.OpenerDirector, timeout: float) -> Iterator[bytes]:
    """The body at `url` piece by piece; every failure of the network is a _MirrorFailed."""
    host = urlsplit(url).netloc
    request = urllib.request.Request(url, headers={"User-Agent": "course_utils"})
    received = 0
    try:
        with opener.open(request, timeout=timeout) as response:
            promised = int(response.headers.get("Content-Length", 0))
            while chunk := response.read(CHUNK_BYTES):
                received += len(chunk)
                yield chunk
    except _TooSlow as error:
        raise _MirrorFailed(
            f"{host} was too slow ({error}; a browser may fetch {url} better)"
        ) from error
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


class _TooSlow(Exception):
    """A download has taken longer than it may."""


class _Punctual(io.RawIOBase):
    """What arrives from a server, until the time is over.

    A socket's own timeout begins anew with every byte, in the headers too.
    """

    def __init__(self, arriving: io.RawIOBase, longest: float, deadline: float):
        self.arriving, self.longest, self.deadline = arriving, longest, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int | None:
        if time.monotonic() > self.deadline:
            raise _TooSlow(f"not done within {self.longest:g} seconds")
        return self.arriving.readinto(buffer)

    def close(self) -> None:
        self.arriving.close()
        super().close()


def _opener(longest: float) -> urllib.request.OpenerDirector:
    """Opens addresses of http and https and nothing else, for so many seconds in all."""
    deadline = time.monotonic() + longest

    class Response(http.client.HTTPResponse):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            punctual = _Punctual(self.fp.detach(), longest, deadline)
            self.fp = io.BufferedReader(punctual)

    def connection(kind, *arguments, **options):
        made = kind(*arguments, **options)
        made.response_class = Response
        return made

    class Http(urllib.request.HTTPHandler):
        def do_open(self, kind, request, **options):
            return super().do_open(partial(connection, kind), request, **options)

    class Https(urllib.request.HTTPSHandler):
        def do_open(self, kind, request, **options):
            return super().do_open(partial(connection, kind), request, **options)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,  # refuses ftp, file and data
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        _OnlyToHttps,
        Http,
        Https,
    ):
        opener.add_handler(handler())
    return opener


class _OnlyToHttps(urllib.request.HTTPRedirectHandler):
    """Follows a mirror to another place only where nobody on the way can put in another file."""

    def redirect_request(self, request, answer, code, message, headers, address):
        if urlsplit(address).scheme != "https":
            raise urllib.error.URLError(f"it sends on to {address}, which is not https")
        return super().redirect_request(request, answer, code, message, headers, address)


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
    """Write the rest of `source` to `path`, whole or not at all, with its checksum beside it.

    Raises:
        DownloadError: it cannot be written.
    """
    digest = hashlib.sha256()
    remove_parts(path, ABANDONED)
    try:
        with replacing(path) as target:
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
            # Before `path` has its name: no file is without the checksum that was written for it.
            with replacing(_checksum_file(path)) as note:
                note.write(f"{digest.hexdigest()}  {path.name}\n".encode())
    except OSError as error:
        if error.filename is None:  # what is wrong is the source, such as a damaged archive
            raise
        way = way_out("COURSE_DATA")
        raise DownloadError(f"{path} cannot be written ({error.strerror}); {way}.") from error


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
