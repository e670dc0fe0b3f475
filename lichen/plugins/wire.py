"""What the house and a plugin's process say to each other: frames over two pipes.

    house ──▶ Call(hook, arguments) ──▶ plugin
    house ◀── Wish(get, key) ◀───────── plugin     any number of times
    house ──▶ Granted(value) ─────────▶ plugin
    house ◀── Answer(result) ◀───────── plugin     or Failed(what, where)

The plugin's first frame is its Hello. A frame is four bytes of length and MessagePack.
"""

import struct
from typing import Literal

import msgspec

from lichen.plugins.model import HookOffer, PageLink

LENGTH = struct.Struct(">I")
NETWORK = "network"  # the last word to a process that may use it


class Frame(msgspec.Struct, frozen=True, tag=True):
    """The base of all frames."""


class Call(Frame, frozen=True):
    """A hook to run; each argument by its name, encoded."""

    hook: str
    arguments: dict[str, msgspec.Raw]


class Granted(Frame, frozen=True):
    """The answer to a wish; `error` says what was wrong with it."""

    value: str | None = None
    error: str = ""


class Hello(Frame, frozen=True):
    """What the plugin implements, and the name of the wall between it and the network."""

    hooks: tuple[HookOffer, ...] = ()
    pages: tuple[PageLink, ...] = ()
    wall: str = "NONE"


class Answer(Frame, frozen=True):
    """What the hook returned, encoded."""

    result: msgspec.Raw


class Failed(Frame, frozen=True):
    """The hook raised: the type of the error and the lines of code, never its text."""

    what: str
    where: tuple[str, ...] = ()


class Wish(Frame, frozen=True):
    """A use of the shelf."""

    verb: Literal["get", "put", "drop"]
    key: str
    value: str = ""


ToPlugin = Call | Granted
FromPlugin = Hello | Answer | Failed | Wish

encode = msgspec.msgpack.Encoder().encode
decode_to_plugin = msgspec.msgpack.Decoder(ToPlugin).decode
decode_from_plugin = msgspec.msgpack.Decoder(FromPlugin).decode


def framed(frame: Frame) -> bytes:
    """Return a frame with its length before it."""
    body = encode(frame)
    return LENGTH.pack(len(body)) + body
