"""What an answering process may do: limits for every system, namespaces of its own on Linux.

Python code alone is held by `watch_python` (an audit hook, on every system): no other programs, no
network, no files outside the folder it works in. Code that goes around Python, as by ctypes, is
held where the kernel allows it: `own_world` gives the process no network, a file system that
cannot be written and has no checks in it, and a table of processes that ends with it. This file
stands alone, as `encoding` does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

NEW_USER, NEW_MOUNTS, NEW_NETWORK = 0x10000000, 0x00020000, 0x40000000
NEW_PROCESSES, NEW_MESSAGES = 0x20000000, 0x08000000
READ_ONLY, NO_SUID, NO_DEVICES = 1, 2, 4
RECURSIVE, PRIVATE = 0x4000, 0x40000
SET_DEATH_SIGNAL, SET_NO_NEW_RIGHTS, DROP_BOUNDING, SET_REAPER = 1, 38, 24, 36
MOUNT_SETATTR = 442  # a system call without a function in the C library; one number everywhere
AT_RECURSIVE, HERE = 0x8000, -100
WORK_BYTES = 64 * 2**20  # of the folder a process works in
FILE_BYTES = 32 * 2**20
FILES, PROCESSES = 128, 16
REFUSED = {  # what Python tells of -> what it is called
    "subprocess.Popen": "start a program",
    "os.system": "start a program",
    "os.exec": "start a program",
    "os.posix_spawn": "start a program",
    "os.spawn": "start a program",
    "os.startfile": "start a program",
    "os.fork": "start a process",
    "os.forkpty": "start a process",
    "os.kill": "send a signal",
    "os.killpg": "send a signal",
    "socket.connect": "use the network",
    "socket.bind": "use the network",
    "socket.sendto": "use the network",
    "socket.sendmsg": "use the network",
    "socket.getaddrinfo": "use the network",
    "socket.gethostbyname": "use the network",
}
CHANGES = {
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link",
    "os.symlink", "os.truncate", "os.utime", "shutil.rmtree", "shutil.move",
}  # fmt: skip


class _Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user")]


def _libc():
    return ctypes.CDLL(None, use_errno=True)


def _demand(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def own_world(hidden: list[str], work: str) -> None:
    """Give this process, and those it starts, a world without network, checks and other processes.

    The next process that it starts is the first of its table: when that ends, all end.

    Args:
        hidden: folders that are empty from now on.
        work: a folder that becomes an empty one in memory, the only one that can be written.

    Raises:
        OSError: the system does not allow it; the process is then as it was, or of no use.
    """
    libc, user, group = _libc(), os.getuid(), os.getgid()
    _demand(libc.unshare(NEW_USER | NEW_MOUNTS | NEW_NETWORK | NEW_PROCESSES | NEW_MESSAGES))
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(line)

    def mount(kind: bytes, place: str, flags: int, options: bytes | None = None) -> None:
        flags_ = ctypes.c_ulong(flags)
        _demand(libc.mount(kind, os.fsencode(place), kind, flags_, options))

    mount(b"none", "/", RECURSIVE | PRIVATE)
    for folder in hidden:
        mount(b"tmpfs", folder, READ_ONLY | NO_SUID | NO_DEVICES, b"size=4k")
    attributes = _Attributes(READ_ONLY | NO_SUID, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    everything = ctypes.c_int(AT_RECURSIVE)
    _demand(
        libc.syscall(
            MOUNT_SETATTR, ctypes.c_int(HERE), b"/", everything, ctypes.byref(attributes), size
        )
    )
    mount(b"tmpfs", work, NO_SUID | NO_DEVICES, b"mode=700,size=%d" % WORK_BYTES)


def fresh_process_table() -> None:
    """Show the first process of a new table its own processes in /proc, where that is allowed."""
    _libc().mount(b"proc", b"/proc", b"proc", ctypes.c_ulong(NO_SUID | READ_ONLY), None)


def give_up_rights() -> None:
    """Drop every capability for good, in this process and all that it starts."""
    libc = _libc()
    for right in range(64):
        libc.prctl(DROP_BOUNDING, right, 0, 0, 0)
    libc.prctl(SET_NO_NEW_RIGHTS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)())


def end_with_parent() -> None:
    """On Linux: be killed when the process that started this one ends."""
    if sys.platform == "linux":
        _libc().prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """On Linux: become the parent of whatever this process's descendants leave behind."""
    if sys.platform == "linux":
        _libc().prctl(SET_REAPER, 1, 0, 0, 0)


def limit(memory: int, seconds: int, alone: bool) -> dict[str, bool]:
    """Limit memory, processor time, files and, in a world of its own, processes.

    Args:
        memory: bytes beyond what the process has now.
        seconds: of processor time.
        alone: whether processes are counted for this world alone.

    Returns: which limit is set.
    """
    try:
        import resource
    except ImportError:  # Windows
        return {}
    wanted = {
        "RLIMIT_CPU": seconds,
        "RLIMIT_FSIZE": FILE_BYTES,
        "RLIMIT_NOFILE": FILES,
        "RLIMIT_CORE": 0,
    }
    if sys.platform == "linux":
        wanted["RLIMIT_DATA"] = _data_now() + memory
    if alone:
        wanted["RLIMIT_NPROC"] = PROCESSES
    done = {}
    for name, most in wanted.items():
        kind = getattr(resource, name)
        _, highest = resource.getrlimit(kind)
        if highest != resource.RLIM_INFINITY:
            most = min(most, highest)
        try:
            resource.setrlimit(kind, (most, most))
            done[name] = True
        except (OSError, ValueError):
            done[name] = False
    return done


def _data_now() -> int:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        lines = dict(line.split(":", 1) for line in file if ":" in line)
    return 1024 * int(lines["VmData"].split()[0])


def watch_python(work: str, hidden: list[str], tried: list[str]) -> None:
    """Refuse what no answer needs, as far as Python itself is asked for it. There is no way back.

    Args:
        work: the one folder that may be written.
        hidden: folders of which nothing may be read.
        tried: gets what was refused, for a person to read.
    """
    inside = os.path.realpath(work) + os.sep
    unseen = tuple(os.path.realpath(folder) + os.sep for folder in hidden)

    def refuse(what: str):
        if len(tried) < 5 and what not in tried:
            tried.append(what)
        raise PermissionError(f"an answer may not {what}")

    def path_of(given) -> str | None:
        if not isinstance(given, (str, bytes, os.PathLike)):
            return None
        return os.path.realpath(os.fsdecode(given))

    def hook(event: str, given: tuple) -> None:
        if event in REFUSED:
            refuse(REFUSED[event])
        if event == "open" and (path := path_of(given[0])):
            _, mode, flags = (*given, None, None)[:3]
            writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (
                isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            )
            if writes and not path.startswith(inside) and path != os.devnull:
                refuse("write outside its own folder")
            if path.startswith(unseen):
                refuse("read the course's checks")
        elif event in ("os.listdir", "os.scandir") and (path := path_of(given[0])):
            if (path + os.sep).startswith(unseen):
                refuse("read the course's checks")
        elif event in CHANGES and (path := path_of(given[0])) and not path.startswith(inside):
            refuse("change files outside its own folder")

    sys.addaudithook(hook)
