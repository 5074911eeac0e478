"""Where answers run: processes with a copy of the course that has no checks, asked from outside.

A `Room` is what one grading process needs: on Linux a process that forks an answering process in
a fraction of a second, elsewhere a new Python for each. A `Visitor` is one answering process;
whatever happens in it, asking it ends in time, with numbers or with a `Gone`.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import queue
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import torch
from torch import Tensor

import course_utils

from ..notebooks import ROOT
from . import encoding

PROGRAM = ("__init__.py", "answering.py", "confining.py", "encoding.py")
START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from asked import answering; "
    "answering.main()"
)
# Of this process's variables; others may be secrets, and an error's message tells them.
KEPT_VARIABLES = {
    "PATH", "LANG", "LANGUAGE", "TZ", "HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT",
    "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "TMPDIR", "USERPROFILE", "VIRTUAL_ENV",
}  # fmt: skip
PATIENCE = 120.0  # seconds for a process to be there, on a machine with much else to do
CHECKS_ARE_ELSEWHERE = '''"""The checks are elsewhere: here, every check does nothing."""

import importlib.abc
import importlib.machinery
import sys


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.startswith(__name__ + "."):
            return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        def nothing(name):
            if name.startswith("__"):
                raise AttributeError(name)
            return lambda *given, **named: None

        module.__getattr__ = nothing


sys.meta_path.insert(0, _Finder())


def progress(*given):
    """Nothing is checked here."""
'''


class Gone(Exception):
    """An answering process that is no more: what to say of the answer, and a name for it."""

    def __init__(self, words: str, mistake: str):
        super().__init__(words)
        self.words, self.mistake = words, mistake


class Limits:
    """What an answer may use: seconds for one exercise, and bytes of memory."""

    def __init__(self, seconds: float = 15.0, memory: int = 2**30):
        self.seconds, self.memory = seconds, memory


class Room:
    """Answering processes for one grading process; a context manager.

    Args:
        place: a folder for the copy of the course; `furnish` has made it.
        hidden: folders that an answer must not see, besides the course's own.
        limits: what one exercise may use.
        forks: whether one process forks the others; by default on Linux.
        world: whether each gets a world of its own where the system allows it.
    """

    def __init__(
        self,
        place: Path,
        hidden: list[Path] = (),
        limits: Limits | None = None,
        forks: bool = sys.platform == "linux",
        world: bool = True,
    ):
        self.place, self.limits, self.forks, self.world = place, limits or Limits(), forks, world
        self.hidden = _outermost([*course_secrets(), *hidden])
        self._forker: subprocess.Popen | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End the process that forks."""
        if self._control:
            self._control.close()
        if self._forker:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._forker.wait(10)
            self._forker.kill()
            self._forker.wait()
        self._forker = self._control = None

    def visitor(self) -> Visitor:
        """A new answering process.

        Raises:
            Gone: none could be started, which is not the answer's fault.
        """
        work = Path(tempfile.mkdtemp(prefix="work-", dir=self.place))
        job = {
            "work": str(work),
            "hidden": self.hidden,
            "memory": self.limits.memory,
            "seconds": int(4 * self.limits.seconds) + 30,  # of processor time, behind the clock
            "world": self.world,
            "environment": {"COURSE_RUNS": str(work / "runs")},
        }
        try:
            return self._forked(job, work) if self.forks else self._alone(job, work)
        except OSError as error:
            shutil.rmtree(work, ignore_errors=True)
            raise Gone(f"no process could be started for it ({error}).", "not started") from error

    def _command(self, *arguments: str) -> list[str]:
        path = [str(self.place / "program"), str(self.place / "course")]
        path += [each for each in sys.path if each and not _has_checks(Path(each))]
        return [sys.executable, "-I", "-c", START, json.dumps(path), *arguments]

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name.upper() in KEPT_VARIABLES or name.startswith("LC_")
        }
        data = os.environ.get("COURSE_DATA")
        return kept | {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "MPLBACKEND": "Agg",
            "COURSE_DEVICE": "cpu",
            "COURSE_PROGRESS": "off",
            **({"COURSE_DATA": data} if data else {}),
        }

    def _fork_one(self, job: dict, channel: socket.socket, leash: socket.socket) -> None:
        for attempt in (1, 2):
            if self._forker is None or self._forker.poll() is not None:
                self.close()
                self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                self._forker = subprocess.Popen(
                    self._command("fork", str(theirs.fileno())),
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=self._environment(),
                    cwd=self.place,
                    start_new_session=True,
                )
                theirs.close()
            try:
                both = [channel.fileno(), leash.fileno()]
                socket.send_fds(self._control, [json.dumps(job).encode()], both)
                return
            except OSError:
                if attempt == 2:
                    raise
                self.close()

    def _forked(self, job: dict, work: Path) -> Visitor:
        ours, theirs = socket.socketpair()
        leash, their_leash = socket.socketpair()
        try:
            self._fork_one(job, theirs, their_leash)
        except OSError:
            ours.close(), leash.close()
            raise
        finally:
            theirs.close(), their_leash.close()
        return Visitor(ours.makefile("rb"), ours.makefile("wb"), _Leash(leash, ours), work, self)

    def _alone(self, job: dict, work: Path) -> Visitor:
        more = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            if sys.platform == "win32"
            else {"start_new_session": True}
        )
        process = subprocess.Popen(
            self._command("alone"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment(),
            cwd=self.place,
            **more,
        )
        process.stdin.write(encoding.Encoder().frame(job))
        process.stdin.flush()
        return Visitor(process.stdout, process.stdin, _Group(process), work, self)


class _Leash:
    """Ends an answering process by the process that watches it."""

    def __init__(self, leash: socket.socket, channel: socket.socket):
        self.leash, self.channel = leash, channel

    def end(self) -> dict:
        """Kill it and everything that it has started; what is known of its end."""
        with contextlib.suppress(OSError):
            self.leash.shutdown(socket.SHUT_WR)
        self.leash.settimeout(PATIENCE)
        told = b""
        with contextlib.suppress(OSError):
            while part := self.leash.recv(4096):
                told += part
        self.leash.close()
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_RDWR)
        self.channel.close()
        try:
            return json.loads(told)
        except ValueError:
            return {}


class _Group:
    """Ends an answering process with its group, or on Windows with its tree."""

    def __init__(self, process: subprocess.Popen):
        self.process = process

    def end(self) -> dict:
        """Kill it and everything in its group; what is known of its end."""
        status = self.process.poll()
        if sys.platform == "win32":
            tree = ["taskkill", "/T", "/F", "/PID", str(self.process.pid)]
            subprocess.run(tree, capture_output=True, check=False)
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                stream.close()
        return {"exit": status if status is not None else -signal.SIGTERM, "world": False}


class Visitor:
    """One answering process; a context manager, at whose end nothing of it is left."""

    def __init__(self, reads, writes, end, work: Path, room: Room):
        self._end, self._work, self.limits = end, work, room.limits
        self._asked: queue.Queue = queue.Queue()
        self._told: queue.Queue = queue.Queue()
        self._thread = threading.Thread(target=self._talk, args=(reads, writes), daemon=True)
        self._thread.start()
        self.gone: Gone | None = None
        self.enforced: dict = {}
        self.tried: list[str] = []
        self.left = PATIENCE  # seconds for which this process is still waited for
        self._listen_to_start()

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> dict:
        """End the process; what is known of its end."""
        self._asked.put(None)
        ended = self._end.end() if self._end else {}
        self._end = None
        self._thread.join(10)
        shutil.rmtree(self._work, ignore_errors=True)
        return ended

    def start_clock(self) -> None:
        """From now on the seconds of one exercise are counted, those of waiting for it alone."""
        self.left = self.limits.seconds

    def ask(self, what: str, encoder: encoding.Encoder, **message) -> tuple[dict, bytes]:
        """What the process tells, with its numbers.

        Raises:
            Gone: it did not tell in time, or came to its end, or told what no process should.
        """
        if self.gone:
            raise self.gone
        number = secrets.token_hex(12)
        message = {"do": what, "id": number, **message}
        self._asked.put(encoder.frame(message))
        reply, body = self._hear()
        if reply.get("id") != number:
            self._leave("it writes into the channel between the two processes.", "cheating")
        tried = reply.get("tried", [])
        if isinstance(tried, list):
            self.tried = [encoding.clear(each, 100) for each in tried[:5]]
        return reply, body

    def _listen_to_start(self) -> None:
        try:
            reply, _ = self._hear(late="its process was not there in time.")
        except Gone as gone:
            words = gone.words or "its process has come to an end."
            raise Gone(f"it could not be asked: {words}", "not started") from gone
        self.enforced = reply if reply.get("ready") is True else {}

    def _hear(self, late: str = "") -> tuple[dict, bytes]:
        started = time.monotonic()
        try:
            heard = self._told.get(timeout=max(0.05, self.left))
            self.left -= time.monotonic() - started
        except queue.Empty:
            seconds = f"{self.limits.seconds:g}"
            self._leave(
                late
                or f"it does not come to an end within {seconds} seconds; does a loop never end?",
                "not started" if late else "no end in time",
            )
        if isinstance(heard, encoding.BadMessage):
            self._leave(f"its process sends {heard}.", "cheating")
        if heard is None:
            self._leave("", "")
        return heard

    def _leave(self, words: str, mistake: str) -> None:
        ended = self.close()
        if not words:
            words, mistake = _how_it_ended(ended, self.limits)
        self.gone = Gone(words, mistake)
        raise self.gone

    def _talk(self, reads, writes) -> None:
        def read(count: int) -> bytes:
            piece = reads.read(count) if count else b""
            if len(piece) < count:
                raise EOFError
            return piece

        with contextlib.suppress(OSError, ValueError):
            try:
                self._told.put(encoding.read_frame(read))
                while (frame := self._asked.get()) is not None:
                    writes.write(frame)
                    writes.flush()
                    self._told.put(encoding.read_frame(read))
            except encoding.BadMessage as error:
                self._told.put(error)
            except (EOFError, OSError):
                self._told.put(None)
        for stream in (reads, writes):
            with contextlib.suppress(OSError, ValueError):
                stream.close()


def _how_it_ended(ended: dict, limits: Limits) -> tuple[str, str]:
    status = ended.get("exit", 0)
    if ended.get("error"):
        return f"no process could be started for it ({ended['error'][:200]}).", "not started"
    if status == -getattr(signal, "SIGXCPU", 24):
        return "it takes too much processor time; does a loop never end?", "no end in time"
    if status == -getattr(signal, "SIGKILL", 9):
        return "its process was killed, as by a system that runs out of memory.", "killed"
    if status < 0:
        return f"it brings Python itself down (signal {-status}).", "ends Python"
    return "it ends Python while it is asked.", "ends Python"


def furnish(place: Path) -> None:
    """Copy the course without its checks, and the program that answers, into a folder."""
    package = Path(course_utils.__file__).parent
    unwanted = shutil.ignore_patterns("exercises", "authoring", "__pycache__", "*.part")
    shutil.copytree(package, place / "course" / "course_utils", ignore=unwanted)
    stub = place / "course" / "course_utils" / "exercises"
    stub.mkdir()
    (stub / "__init__.py").write_text(CHECKS_ARE_ELSEWHERE, encoding="utf-8")
    with contextlib.suppress(OSError, NotImplementedError):  # Windows keeps links to itself
        (place / "course" / "data").symlink_to(package.parent / "data")
    program = place / "program" / "asked"
    program.mkdir(parents=True)
    for name in PROGRAM:
        shutil.copy(Path(__file__).with_name(name), program / name)


def course_secrets() -> list[Path]:
    """Folders of the course that have checks, or solutions, in them."""
    package = Path(course_utils.__file__).parent
    inside = [ROOT / name for name in ("notebooks", "tests", "build", ".git", "runs", "site")]
    packages = {package, *(Path(each) / "course_utils" for each in sys.path if each)}
    rooms = [each / name for each in sorted(packages) for name in ("exercises", "authoring")]
    return [*rooms, *inside]


def _outermost(folders: list[Path]) -> list[str]:
    """The folders that are there, without those that lie in another of them."""
    there = {path.resolve() for path in folders if path.is_dir()}
    return sorted(str(path) for path in there if not there & set(path.parents))


def _has_checks(folder: Path) -> bool:
    """Whether Python would find the whole course in a folder of its path, and nothing else."""
    return (folder / "course_utils" / "exercises").is_dir() and folder.resolve() == ROOT


def enforced_here(told: dict) -> str:
    """A sentence on what holds an answering process on this machine, from what one has told."""
    limits = told.get("limits", {})
    names = {
        "RLIMIT_DATA": "memory",
        "RLIMIT_CPU": "processor time",
        "RLIMIT_FSIZE": "the size of files",
        "RLIMIT_NOFILE": "open files",
        "RLIMIT_NPROC": "the number of processes",
    }
    held = [words for name, words in names.items() if limits.get(name) is True]
    sentence = f"Limited by the system here: time, {', '.join(held)}." if held else (
        "Limited here: time alone."
    )  # fmt: skip
    if told.get("world") is True:
        return sentence + (
            " Each answer had a world of its own: no network, no other processes, the file system "
            "without the checks and not to be written."
        )
    return sentence + (
        " A world of its own was not to be had: network, files and other programs were refused to "
        "Python code only. Grade submissions of people you do not trust in a container."
    )


# What is asked


class _WayBack(torch.autograd.Function):
    """Values of another process, whose gradients are computed there."""

    @staticmethod
    def forward(context, answer, call, count, values, *leaves):
        context.answer, context.call = answer, call
        context.numbers = [number for number, _ in values]
        context.leaves = leaves
        return tuple(value.clone() for _, value in values)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context, *slopes):
        found = context.answer.slopes(context.call, context.numbers, slopes, context.leaves)
        return (None, None, None, None, *found)


class Answer:
    """Stands for a student's function in a check: called, it asks the answering process.

    Attributes:
        gone: why asking came to an end, where it did.
        unsendable: which argument could not be handed to another process, where one could not.
    """

    def __init__(self, visitor: Visitor):
        self.visitor = visitor
        self.gone: Gone | None = None
        self.unsendable = ""

    def __call__(self, *given):
        try:
            return self._call(given)
        except Gone as gone:
            self.gone = gone
            raise
        except encoding.Unsendable as error:
            self.unsendable = str(error)
            raise

    def _call(self, given: tuple):
        encoder, leaves = encoding.Encoder(), []
        trees = [_tree_of(part, encoder, leaves) for part in given]
        reply, body = self.visitor.ask("call", encoder, given=trees, grad=torch.is_grad_enabled())
        _raise(reply)
        outputs: dict[int, Tensor] = {}

        def keep(tensor: Tensor, tree: dict) -> Tensor:
            if type(tree.get("grad")) is int and tensor.is_floating_point():
                outputs[tree["grad"]] = tensor
            return tensor

        try:
            found = encoding.Decoder(body, keep).value(reply.get("found"))
            if outputs and leaves:
                ways = list(outputs.items())
                made = _WayBack.apply(self, reply["id"], len(leaves), ways, *leaves)
                with_way = {id(value): new for (_, value), new in zip(ways, made)}
                found = _exchanged(found, with_way)
            elif outputs:
                for tensor in outputs.values():
                    tensor.requires_grad_()
            after = reply.get("after")
            if not isinstance(after, list) or len(after) != len(given):
                raise encoding.BadMessage("a message without its arguments")
            for part, tree in zip(given, after):
                _take_over(part, tree, body)
        except encoding.BadMessage as error:
            self.visitor.gone = Gone(f"its process sends {error}.", "cheating")
            raise self.visitor.gone from error
        return found

    def slopes(self, call: str, numbers: list[int], slopes: tuple, leaves: tuple) -> list:
        """The gradients to the leaves of a call, None where none reaches one."""
        try:
            encoder = encoding.Encoder()
            trees = [encoder.tree(slope.detach()) for slope in slopes]
            reply, body = self.visitor.ask("slope", encoder, call=call, of=numbers, slopes=trees)
            _raise(reply)
            told = reply.get("slopes")
            if not isinstance(told, list) or len(told) != len(leaves):
                raise Gone("its process sends gradients that are none.", "cheating")
            decoder = encoding.Decoder(body)
            try:
                found = [decoder.value(tree) for tree in told]
            except encoding.BadMessage as error:
                raise Gone(f"its process sends {error}.", "cheating") from error
            for slope, leaf in zip(found, leaves):
                if slope is not None and (
                    not isinstance(slope, Tensor) or slope.shape != leaf.shape
                ):
                    raise Gone("its process sends gradients that are none.", "cheating")
            return [
                slope if slope is None else slope.to(leaf) for slope, leaf in zip(found, leaves)
            ]
        except Gone as gone:
            self.gone = gone
            raise


def _tree_of(part, encoder: encoding.Encoder, leaves: list, kind: str = "copy") -> dict:
    """The tree of an argument; objects of the check's own classes go over as code and numbers."""
    if isinstance(part, Tensor):
        tree = encoder.tree(part.detach())
        if part.requires_grad:
            tree["needs"] = kind
            leaves.append(part)
        return tree
    if isinstance(part, (list, tuple)):
        parts = [_tree_of(each, encoder, leaves) for each in part]
        return {"t": "list" if isinstance(part, list) else "tuple", "v": parts}
    if part is None or isinstance(part, (bool, int, float)):
        return encoder.tree(part)
    cls = type(part)
    if not cls.__module__.startswith("course_utils.") or getattr(part, "_modules", None):
        raise encoding.Unsendable(f"an argument is {cls.__name__}")
    values = {name: value for name, value in vars(part).items() if not name.startswith("_")}
    parameters = dict(getattr(part, "_parameters", {}))
    values.pop("training", None)
    trees = {name: _tree_of(value, encoder, leaves, "leaf") for name, value in values.items()}
    for name, value in parameters.items():
        trees[name] = _tree_of(value, encoder, leaves, "parameter")
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError) as error:
        raise encoding.Unsendable(f"an argument is {cls.__name__}") from error
    return {"t": "object", "class": cls.__name__, "source": source, "v": trees}


def _take_over(part, tree, body: bytes) -> None:
    """Change an argument as the answer has changed its copy, so that a check can see it."""
    if not isinstance(tree, dict):
        return
    needs: dict[int, bool] = {}

    def note(tensor: Tensor, told: dict) -> Tensor:
        needs[id(tensor)] = "grad" in told
        return tensor

    decoder = encoding.Decoder(body, note)
    if tree.get("t") == "object":
        values = tree.get("v")
        if not isinstance(values, dict) or set(values) - set(dir(part)):
            raise encoding.BadMessage("an object that is none")
        for name, pair in values.items():
            if not isinstance(pair, list) or len(pair) != 2:
                raise encoding.BadMessage("an object that is none")
            value, grad = (decoder.value(each) for each in pair)
            mine = getattr(part, name)
            if isinstance(mine, Tensor):
                _change(mine, value, needs)
                mine.grad = grad if isinstance(grad, Tensor) and grad.shape == mine.shape else None
            else:
                setattr(part, name, value)
    elif isinstance(part, Tensor):
        _change(part, decoder.value(tree), needs)
    elif isinstance(part, list):
        now = decoder.value(tree)
        same = isinstance(now, list) and len(now) == len(part)
        if same and all(isinstance(each, Tensor) for each in (*part, *now)):
            for old, new in zip(part, now):
                _change(old, new, needs)
        elif isinstance(now, list):
            part[:] = now


def _change(tensor: Tensor, now, needs: dict[int, bool]) -> None:
    if not isinstance(now, Tensor):
        return
    if now.shape != tensor.shape or now.dtype != tensor.dtype:
        tensor.data = now
    elif not ((now == tensor.detach()) | (now.isnan() & tensor.detach().isnan())).all():
        tensor.data.copy_(now)
    wanted = needs.get(id(now), False)
    if tensor.is_leaf and tensor.requires_grad != wanted and tensor.is_floating_point():
        tensor.requires_grad_(wanted)


def _exchanged(found, others: dict[int, Tensor]):
    if isinstance(found, (list, tuple)):
        return type(found)(_exchanged(each, others) for each in found)
    return others.get(id(found), found)


def _raise(reply: dict) -> None:
    """Raise, here, what the answer raised there: an error of the same name and message."""
    error = reply.get("error")
    if error is None:
        return
    kind = error.get("kind") if isinstance(error, dict) else None
    text = error.get("text") if isinstance(error, dict) else None
    raise told_error(encoding.clear(kind or "Error", 80), encoding.clear(text or ""))


def told_error(kind: str, text: str) -> Exception:
    """An exception that Python tells as `text`, which begins with `kind`."""
    message = text.removeprefix(kind).removeprefix(":").strip()
    made = type(kind, (Exception,), {"__module__": "builtins", "__qualname__": kind})
    return made(message)
