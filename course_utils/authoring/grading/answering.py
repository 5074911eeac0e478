"""The program in which answers run: it has neither checks nor solutions, and gives back numbers.

With the argument `fork` it loads PyTorch once and forks a process for each answer (Linux); with
`alone` it is such a process itself (other systems). It is copied, with `encoding`
and `confining`, beside a copy of the course that has no checks, and imports nothing else of the
grader. Nothing in here is secret, and nothing that it sends is believed.
"""

from __future__ import annotations

import importlib
import json
import linecache
import os
import random
import select
import signal
import socket
import sys
import traceback

import numpy as np
import torch

from . import confining, encoding

COLLECT = 0.02  # seconds between two looks at a process, where the system cannot tell of its end
NOTEBOOK = "__main__"  # what a notebook's code is called
ATTRIBUTES = "_attributes_handed_over"


def main() -> None:
    """Answer until there is nobody who asks; started as `rooms` does it."""
    torch.set_num_threads(1)
    if sys.argv[1] == "fork":
        _load_what_answers_use()
        _fork_for_each(socket.socket(fileno=int(sys.argv[2])))
    else:
        given, back = os.dup(0), os.dup(1)
        _silence()
        job, _ = encoding.read_frame(_reader(given))
        _serve(job, given, back, alone=False)


def _load_what_answers_use() -> None:
    """What many answers need once, and would load again in each process."""
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # loads for a second or more
    for room in ("losses", "metrics", "models"):
        importlib.import_module(f"course_utils.{room}")


def _silence() -> None:
    """What an answer prints, and reads, goes nowhere."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


# A process that forks


def _fork_for_each(control: socket.socket) -> None:
    confining.end_with_parent()
    allowed = None  # whether there are worlds here, as the first job shows
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 2**16, 2)
        if not message:
            return
        job = json.loads(message)
        if allowed is None and job["world"]:
            allowed = _world_is_allowed(job)
        job["world"] = job["world"] and allowed
        if os.fork() == 0:
            control.close()
            _watch(job, *descriptors)
        for each in descriptors:
            os.close(each)
        _reap()


def _world_is_allowed(job: dict) -> bool:
    """Try it in a process of its own: half a world cannot be left again."""
    trial = os.fork()
    if trial == 0:
        try:
            confining.own_world(job["hidden"], job["work"])
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(trial, 0)[1] == 0


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _watch(job: dict, channel: int, leash: int) -> None:
    """Start an answering process, end it when the leash is let go, and tell how it ended."""
    status = 1
    try:
        os.setsid()
        confining.end_with_parent()
        alone = job["world"]
        if alone:
            confining.own_world(job["hidden"], job["work"])
        else:
            confining.adopt_orphans()
        inner = os.fork()
        if inner == 0:
            os.close(leash)
            confining.end_with_parent()
            if alone:
                confining.fresh_process_table()
            os.setsid()
            _silence()
            _serve(job, channel, channel, alone)
            os._exit(0)
        os.close(channel)
        ended = _wait(inner, leash)
        _end_descendants()
        told = {"world": alone, "exit": os.waitstatus_to_exitcode(ended)}
        os.write(leash, json.dumps(told).encode())
        status = 0
    except BaseException as error:
        os.write(leash, json.dumps({"world": False, "error": repr(error)}).encode())
    finally:
        os._exit(status)


def _wait(inner: int, leash: int) -> int:
    """The status of a process, which is killed when the other end of the leash is closed."""
    try:
        ends = os.pidfd_open(inner)
    except (AttributeError, OSError):
        ends = None
    while True:
        watched = [leash] if ends is None else [leash, ends]
        ready, _, _ = select.select(watched, [], [], COLLECT if ends is None else None)
        if leash in ready:
            os.kill(inner, signal.SIGKILL)
            return os.waitpid(inner, 0)[1]
        done, status = os.waitpid(inner, os.WNOHANG)
        if done:
            return status


def _end_descendants() -> None:
    """Kill what an answering process has left behind; in a world of its own there is nothing."""
    for _ in range(1000):
        try:
            with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
                left = [int(each) for each in file.read().split()]
        except OSError:
            return
        if not left:
            return
        for each in left:
            try:
                os.kill(each, signal.SIGKILL)
                os.waitpid(each, 0)
            except (ProcessLookupError, ChildProcessError):
                pass


# A process that answers


def _serve(job: dict, given: int, back: int, alone: bool) -> None:
    os.chdir(job["work"])
    os.environ.update(HOME=job["work"], TMPDIR=job["work"], **job["environment"])
    limits = confining.limit(job["memory"], job["seconds"], alone)
    if alone:
        confining.give_up_rights()
    tried: list[str] = []
    confining.watch_python(job["work"], job["hidden"], tried)
    answering = _Answering(tried)
    read, number = _reader(given), None
    _send(back, encoding.Encoder(), {"ready": True, "world": alone, "limits": limits})
    while True:
        try:
            message, body = encoding.read_frame(read)
        except EOFError:
            return
        number, encoder = message.get("id"), encoding.Encoder()
        try:
            reply = getattr(answering, f"do_{message['do']}")(message, body, encoder)
        except BaseException as error:  # an exit ends nothing but the answer
            encoder, reply = encoding.Encoder(), {"error": _told(error)}
        answering.put_back()
        _send(back, encoder, {"id": number, "tried": list(tried), **reply})


def _reader(descriptor: int):
    def read(count: int) -> bytes:
        parts = []
        while count:
            part = os.read(descriptor, min(count, 2**20))
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    return read


def _send(descriptor: int, encoder: encoding.Encoder, message: dict) -> None:
    piece = memoryview(encoder.frame(message))
    while piece:
        piece = piece[os.write(descriptor, piece) :]


def _told(error: BaseException) -> dict:
    """The kind of an error and its message, as Python writes them."""
    traceback.clear_frames(error.__traceback__)  # perhaps they hold all the memory there is
    kind = type(error)
    module = getattr(kind, "__module__", "builtins")
    name = kind.__name__ if module in ("builtins", NOTEBOOK) else f"{module}.{kind.__qualname__}"
    try:
        lines = traceback.format_exception_only(kind, error)
        text = "".join(lines).strip()
    except Exception:
        text = name
    return {"kind": encoding.clear(name, 80), "text": encoding.clear(text)}


class _Answering:
    """A student's code, its answer, and the ways back of what it has returned."""

    def __init__(self, tried: list[str]):
        self.tried = tried
        self.scope = {"__name__": NOTEBOOK, "display": lambda *given, **named: None}
        self.answer = None
        self.ways: dict[str, tuple[list, list]] = {}

    def put_back(self) -> None:
        """The settings that an answer may have changed for those after it."""
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        torch.set_default_device(None)
        sys.setrecursionlimit(1000)

    def do_prepare(self, message: dict, body: bytes, encoder) -> dict:
        """Run the code that an answer needs, and the expression that gives the answer."""
        random.seed(message["seed"])
        np.random.seed(message["seed"] % 2**32)
        torch.manual_seed(message["seed"])
        failed = []
        for number, (place, source) in enumerate(message["code"]):
            name = f"{place} ({number})"
            linecache.cache[name] = (len(source), None, source.splitlines(True), name)
            try:
                exec(compile(source, name, "exec"), self.scope)
            except BaseException as error:
                failed.append({"place": place, **_told(error)})
        reply = {"failed": failed[:5]}
        try:
            self.answer = eval(message["answer"], self.scope)
        except BaseException as error:
            return {**reply, "error": _told(error)}
        kind = type(self.answer).__name__
        return {**reply, "callable": callable(self.answer), "kind": kind[:80]}

    def do_call(self, message: dict, body: bytes, encoder) -> dict:
        """Call the answer, and tell what it returned and what became of its arguments."""
        decoder = _Given(body)
        given = [decoder.value(tree) for tree in message["given"]]
        torch.set_grad_enabled(message["grad"])
        found = self.answer(*given)
        torch.set_grad_enabled(True)
        reply = {"found": encoder.tree(found)}
        outputs = encoder.outputs[:]
        reply["after"] = [_after(part, encoder) for part in given]
        if outputs:
            self.ways[message["id"]] = (decoder.leaves, outputs)
        return reply

    def do_slope(self, message: dict, body: bytes, encoder) -> dict:
        """The gradients of what a call returned to what it was given."""
        leaves, outputs = self.ways[message["call"]]
        decoder = encoding.Decoder(body)
        chosen = [outputs[number] for number in message["of"]]
        slopes = torch.autograd.grad(
            chosen,
            leaves,
            [decoder.value(tree) for tree in message["slopes"]],
            allow_unused=True,
            retain_graph=True,
        )
        return {"slopes": [encoder.tree(None if s is None else s.detach()) for s in slopes]}


def _after(part, encoder) -> dict | None:
    """What became of an argument: its tree, with the attributes of an object of the check's."""
    if hasattr(part, ATTRIBUTES):
        told = {}
        for name in getattr(part, ATTRIBUTES):
            value = getattr(part, name, None)
            grad = getattr(value, "grad", None) if _is_leaf(value) else None
            told[name] = [encoder.tree(value), encoder.tree(grad)]
        return {"t": "object", "v": told}
    return encoder.tree(part) if isinstance(part, (torch.Tensor, list)) else None


def _is_leaf(value) -> bool:
    return isinstance(value, torch.Tensor) and value.is_leaf


class _Given(encoding.Decoder):
    """Arguments: some need a gradient, and some are objects of the check, such as a network."""

    def __init__(self, body: bytes):
        super().__init__(body, self._needing)
        self.leaves: list[torch.Tensor] = []

    def _needing(self, tensor: torch.Tensor, tree: dict) -> torch.Tensor:
        """A tensor that needs a gradient; an argument is not a leaf, as in the notebook's check."""
        if "needs" not in tree:
            return tensor
        leaf = torch.nn.Parameter(tensor) if tree["needs"] == "parameter" else tensor
        self.leaves.append(leaf.requires_grad_())
        return leaf.clone() if tree["needs"] == "copy" else leaf

    def _value(self, tree: dict, depth: int):
        if tree["t"] != "object":
            return super()._value(tree, depth)
        scope = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "Tensor": torch.Tensor}
        name = f"class {tree['class']}"
        exec(compile("from __future__ import annotations\n" + tree["source"], name, "exec"), scope)
        kind = scope[tree["class"]]
        made = kind.__new__(kind)
        if isinstance(made, torch.nn.Module):
            torch.nn.Module.__init__(made)
        for attribute, part in tree["v"].items():
            setattr(made, attribute, self.value(part, depth - 1))
        object.__setattr__(made, ATTRIBUTES, list(tree["v"]))
        return made
