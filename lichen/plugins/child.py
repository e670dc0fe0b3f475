"""A plugin's own process: `python -m lichen.plugins.child <module:object> <bytes> [network]`.

Before it loads a line of the plugin, it raises the wall before the network, unless the last word is
`network`, and sets its limits; then it says what the plugin implements, and answers one call after
the other until its pipe ends. It knows no secret of the house: it gets no variable of the
environment but the path of modules, and no file descriptor but the two pipes.
"""

import ctypes
import importlib
import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from traceback import extract_tb
from typing import Any, BinaryIO, get_type_hints

import msgspec
import pluggy

from lichen.plugins.limits import OPEN_FILES_MAX, PAGES_MAX, WISHES_MAX
from lichen.plugins.model import HookOffer, PageLink, PageShown, Verdict
from lichen.plugins.specifications import BEFORE, HOOKS, HOUSE, Specifications, fresh_plugins
from lichen.plugins.walls import Wall, raise_wall
from lichen.plugins.wire import (
    LENGTH,
    NETWORK,
    Answer,
    Call,
    Failed,
    Frame,
    Granted,
    Hello,
    Wish,
    decode_to_plugin,
    encode,
    framed,
)

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(words: list[str]) -> None:
    """Serve the plugin named by the first word until the house closes the pipe."""
    pipes = _take_pipes()
    wall = Wall.NONE if words[2:] == [NETWORK] else raise_wall()
    _limit(int(words[1]))
    try:
        plugin = load(words[0])
        register = register_of(plugin)
        hello = hello_of(register, wall)
    # The outermost frame of a process that runs code of others: whatever it is, it is reported.
    except Exception as error:
        pipes.send(failure(error))
        return
    pipes.send(hello)
    while (call := pipes.receive()) is not None:
        assert isinstance(call, Call), "the house grants nothing unasked"
        pipes.send(answer(register, call, pipes))


def load(value: str) -> object:
    """Return what an entry point's value names: a module, or an object in one."""
    module, _, attribute = value.partition(":")
    found: object = importlib.import_module(module)
    for name in filter(None, attribute.split(".")):
        found = getattr(found, name)
    return found


def register_of(plugin: object) -> pluggy.PluginManager:
    """Return a register with this plugin alone; raises where it implements what is no hook."""
    register = fresh_plugins()
    register.register(plugin)
    register.check_pending()
    for name in HOUSE:
        if getattr(register.hook, name).get_hookimpls():
            raise TypeError(f"{name}: a hook of the house's own checks")
    for name in HOOKS:
        found = getattr(register.hook, name).get_hookimpls()
        if any(one.wrapper or one.hookwrapper for one in found):
            raise TypeError(f"{name}: wrappers would wait for other plugins")
    return register


def hello_of(register: pluggy.PluginManager, wall: Wall) -> Hello:
    """Return what the plugin of a register implements."""
    hooks = tuple(
        HookOffer(name=name, tryfirst=one.tryfirst, trylast=one.trylast)
        for name in HOOKS for one in getattr(register.hook, name).get_hookimpls()
    )
    pages = [page for several in register.hook.pages() for page in several]
    return Hello(hooks, msgspec.convert(pages[:PAGES_MAX], tuple[PageLink, ...]), wall.name)


class Pipes:
    """The two ends towards the house."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    def send(self, frame: Frame) -> None:
        """Send a frame."""
        self._outgoing.write(framed(frame))
        self._outgoing.flush()

    def receive(self) -> Call | Granted | None:
        """Return the next frame, None where the house has closed the pipe."""
        head = self._incoming.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return None
        body = self._incoming.read(LENGTH.unpack(head)[0])
        frame: Call | Granted = decode_to_plugin(body)
        return frame


class DistantShelf:
    """The shelf as a plugin sees it: each use asks the house."""

    def __init__(self, pipes: Pipes) -> None:
        self._pipes = pipes
        self._wishes = 0

    def get(self, key: str) -> str | None:
        """Return what is kept under a key, None where nothing is."""
        return self._ask(Wish("get", key))

    def put(self, key: str, value: str) -> None:
        """Keep a text under a key."""
        self._ask(Wish("put", key, value))

    def drop(self, key: str) -> None:
        """Keep nothing under a key."""
        self._ask(Wish("drop", key))

    def _ask(self, wish: Wish) -> str | None:
        self._wishes += 1
        if self._wishes > WISHES_MAX:
            raise ValueError(f"one call uses the shelf at most {WISHES_MAX} times")
        self._pipes.send(wish)
        granted = self._pipes.receive()
        if not isinstance(granted, Granted):
            raise SystemExit  # the house has gone
        if granted.error:
            raise ValueError(granted.error)
        return granted.value


def answer(register: pluggy.PluginManager, call: Call, pipes: Pipes) -> Answer | Failed:
    """Run a hook and return its result, or how it failed."""
    try:
        return Answer(msgspec.Raw(encode(_run(register, call, pipes))))
    # The outermost loop of a process that runs code of others: whatever it is, it is reported.
    except Exception as error:
        return failure(error)


def failure(error: BaseException) -> Failed:
    """Return the type of an error and the last lines of code that it came through."""
    frames = extract_tb(error.__traceback__)[-4:]
    places = tuple(f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames)
    return Failed(type(error).__name__, places)


def _run(register: pluggy.PluginManager, call: Call, pipes: Pipes) -> Verdict | PageShown | None:
    (implementation,) = getattr(register.hook, call.hook).get_hookimpls()
    known = arguments_of(call.hook)
    given: dict[str, Any] = {
        name: msgspec.msgpack.decode(raw, type=known[name])
        for name, raw in call.arguments.items()
    }
    if "shelf" in known:
        given["shelf"] = DistantShelf(pipes)
    result: Any = implementation.function(*(given[name] for name in implementation.argnames))
    wanted: Any = Verdict if call.hook in BEFORE else PageShown
    if result is not None and not isinstance(result, wanted):
        raise TypeError(f"{call.hook} returned {type(result).__name__}")
    verdict: Verdict | PageShown | None = result
    return verdict


def arguments_of(hook: str) -> Mapping[str, Any]:
    """Return the arguments of a hook with their types."""
    hints = get_type_hints(getattr(Specifications, hook))
    return {name: hint for name, hint in hints.items() if name != "return"}


def _take_pipes() -> Pipes:
    """Return the pipes, and let whatever the plugin reads or prints go nowhere."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    os.close(nowhere)
    return Pipes(incoming, outgoing)


def _limit(memory_bytes_max: int) -> None:
    """Bound this process, and let it end with its parent."""
    # prctl(2): the house may be killed while a plugin computes and reads no pipe.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes_max),
        (resource.RLIMIT_NOFILE, OPEN_FILES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main(sys.argv[1:])
