"""The wall between a plugin's process and the network.

    namespace   a network namespace of its own, without interfaces: nothing leads anywhere
    filter      a seccomp filter: the kernel makes no socket, and lets no other process be seized
    python      an audit hook: Python's own sockets are refused; foreign code walks around it

Namespace and filter are raised together where the kernel allows both, else the one that it allows,
else the hook, which stops carelessness and no intent. The namespace alone leaves Unix sockets in
the file system; the filter alone leaves whatever makes a socket by a call that is not on its list.
Neither keeps a plugin from files that its user may write, which other programs may read. What is
raised holds for whatever the plugin starts, and is never taken down.

namespaces(7), seccomp(2); the layout of a filter is that of linux/filter.h.
"""

import ctypes
import errno
import platform
import struct
import subprocess
import sys
from enum import StrEnum
from pathlib import Path

import lichen

PROBE_S_MAX = 10.0  # for a process that raises a wall and says which

_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000  # linux/sched.h
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 22, 38  # linux/prctl.h
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x2008_0522  # linux/capability.h
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
_NUMBER_AT, _MACHINE_AT = 0, 4  # in struct seccomp_data
_ALLOW, _REFUSE = 0x7FFF_0000, 0x0005_0000 | errno.EACCES
_X32 = 0x4000_0000  # asm/unistd.h: from here on the calls of another table of the same machine
# linux/audit.h, and by it: socket, io_uring_setup (which makes sockets too), and what seizes other
# processes: ptrace, process_vm_readv, process_vm_writev, pidfd_getfd.
_MACHINES = {
    "x86_64": (0xC000_003E, (41, 425, 101, 310, 311, 438)),
    "aarch64": (0xC000_00B7, (198, 425, 117, 270, 271, 438)),
}
_POINTER_BYTES = 8  # of the machines above; a program for 32 bits has another table


class Wall(StrEnum):
    """What keeps a plugin from the network, the strongest first."""

    BOTH = "a network namespace without interfaces, and a filter that lets it open no socket"
    NAMESPACE = "a network namespace without interfaces"
    FILTER = "a filter that lets it open no socket"
    PYTHON = "Python alone, which foreign code can walk around"
    NONE = "nothing"


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.c_char_p))


def raise_wall() -> Wall:
    """Keep this process and its children from the network for ever; say by what.

    For a process of one thread, before anything else of it is limited: whoever enters a user
    namespace is no longer told of its parent's death.
    """
    if sys.platform != "linux":
        return _raise_in_python()
    system = ctypes.CDLL(None, use_errno=True)
    is_apart = _enter_namespace(system)
    is_filtered = _filter(system)
    if is_apart and is_filtered:
        return Wall.BOTH
    if is_apart or is_filtered:
        return Wall.NAMESPACE if is_apart else Wall.FILTER
    return _raise_in_python()


def wall_here() -> Wall:
    """Return which wall this machine allows; raises it in a process made for that."""
    told = subprocess.run(
        [sys.executable, "-m", "lichen.plugins.walls"], capture_output=True, text=True, check=False,
        timeout=PROBE_S_MAX, env={"PYTHONPATH": str(Path(lichen.__file__).parents[1])},
    )
    name = told.stdout.strip()
    return Wall[name] if name in Wall.__members__ else Wall.NONE


def _enter_namespace(system: ctypes.CDLL) -> bool:
    """Enter a network namespace of one's own, with no right that comes with it."""
    if system.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        # Where people may make no user namespaces, root may still leave the network.
        return bool(system.unshare(_CLONE_NEWNET) == 0)
    # user_namespaces(7): whoever enters one has every capability in it; none is needed.
    nothing = (ctypes.c_uint32 * 6)()
    system.capset(ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), ctypes.byref(nothing))
    return True


def _filter(system: ctypes.CDLL) -> bool:
    """Let the kernel refuse what opens sockets, where the machine's table of calls is known."""
    known = _MACHINES.get(platform.machine())
    if known is None or struct.calcsize("P") != _POINTER_BYTES:
        return False
    lines = filter_lines(*known)
    program = _Program(len(lines), b"".join(lines))
    # seccomp(2): only who can gain no more privileges may be filtered by themselves.
    if system.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    answer = system.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)
    return bool(answer == 0)


def filter_lines(machine: int, refused: tuple[int, ...]) -> list[bytes]:
    """Return the lines of a filter: another machine's calls and the `refused` get EACCES.

    A jump counts the lines that it skips; the last two lines allow and refuse.
    """
    tests = [(_IF_AT_LEAST, _X32), *((_IF_EQUAL, number) for number in refused)]
    to_refusal = len(tests) + 1  # from the first test
    lines = [
        _line(_LOAD, _MACHINE_AT),
        _line(_IF_EQUAL, machine, otherwise=to_refusal + 1),
        _line(_LOAD, _NUMBER_AT),
    ]
    lines += [_line(code, value, then=to_refusal - place - 1)
              for place, (code, value) in enumerate(tests)]
    return [*lines, _line(_RETURN, _ALLOW), _line(_RETURN, _REFUSE)]


def _line(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)


def _raise_in_python() -> Wall:
    def refuse(event: str, _: tuple[object, ...]) -> None:
        if event.startswith("socket.") and event != "socket.gethostname":
            raise PermissionError(errno.EACCES, "A plugin is kept from the network.")

    sys.addaudithook(refuse)
    return Wall.PYTHON


if __name__ == "__main__":
    sys.stdout.write(raise_wall().name)
