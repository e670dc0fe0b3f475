"""Cutting received bytes at the borders of WebSocket frames, by numpy where there are many.

A server's frame is not masked (RFC 6455 §5.1), so its header is two, four or ten bytes:

    0x81 len JSON            text, below 126 bytes
    0x81 126 hi lo JSON      text, below 64 kB       0x82 the same, binary: a zstd frame
    0x81 127 <8 bytes> JSON  text, longer

Counting is exact. `tally` guesses where frames begin (after `}` for text, before zstd's magic
number for binary), all at once by numpy, and then checks that each guess begins where the frame
before it ends, also all at once: 0.12 µs an event of 500 bytes. Where a check fails (a ping in
between, a frame of another shape, a text that looks like a border) the same bytes are walked header
by header: 0.25 µs an event. `frames` always walks, for whoever wants the messages themselves.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

CONTINUATION: Final = 0x0  # RFC 6455 §5.2: the opcodes
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
FIN: Final = 0x80
RESERVED: Final = 0x70
MASKED: Final = 0x80
LENGTH_16: Final = 126  # what stands for "two bytes of length follow"
LENGTH_64: Final = 127
LONG_HEADER_BYTES: Final = 4

_KNOWN = ((CONTINUATION, TEXT, BINARY), (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
_GUESSED_BYTES_MIN = 65_536  # below this numpy's calls cost more than walking
_BRACE_TEXT = 0x817D  # `}` and the first byte of a text frame, as a little-endian number
_MAGIC = 0xB528, 0x2F, 0xFD  # RFC 8878 §3.1.1: Magic_Number, as a number and two bytes


class Frame(NamedTuple):
    """One whole frame in a buffer: its payload is `buffer[start:stop]`."""

    opcode: int
    is_last: bool  # of its message
    start: int
    stop: int


class Tally(NamedTuple):
    """What stands in a buffer: whole messages, control frames, and where the rest begins."""

    messages: int
    end: int  # the first byte of the frame that is not whole yet
    last: tuple[int, int] = (0, 0)  # where the payload of the last message stands; nothing: 0, 0
    controls: tuple[Frame, ...] = ()


class FrameError(ValueError):
    """What came is no frame that a server may send; its text says why."""


def frames(buffer: bytearray, used: int, start: int = 0) -> Iterator[Frame]:
    """Walk the whole frames in `buffer[start:used]`; a frame that is not whole ends it.

    Raises FrameError.
    """
    while start + 2 <= used:
        first, length = buffer[start], buffer[start + 1]
        if first & RESERVED or length & MASKED or first & 0xF not in _KNOWN[first >> 7]:
            raise _wrong(first, length)
        payload = start + (4 if length == LENGTH_16 else 10 if length == LENGTH_64 else 2)
        if payload > used:
            return
        if length >= LENGTH_16:
            length = int.from_bytes(buffer[start + 2:payload], "big")
        start = payload + length
        if start > used:
            return
        yield Frame(first & 0xF, bool(first & FIN), payload, start)


def _wrong(first: int, length: int) -> FrameError:
    if first & RESERVED:
        # RFC 6455 §5.2: RSV bits are 0 unless an extension was negotiated; we offer none.
        return FrameError(f"A frame begins with 0x{first:02x}: compressed, though nothing was "
                          "negotiated.")
    if length & MASKED:
        # RFC 6455 §5.1: a client closes the connection when a frame is masked.
        return FrameError(f"A frame has the length byte 0x{length:02x}: servers must not mask.")
    # RFC 6455 §5.2: other opcodes are reserved; §5.5: control frames are not cut into several.
    return FrameError(f"A frame begins with 0x{first:02x}, which RFC 6455 does not know.")


def tally(buffer: bytearray, used: int) -> Tally:
    """Count the whole messages in `buffer[:used]`, which begins with a frame. Raises FrameError."""
    if used >= _GUESSED_BYTES_MIN:
        begins = _text_borders(buffer, used) if buffer[0] & 0xF == TEXT else _magics(buffer, used)
        found = _checked(buffer, used, begins)
        if found is not None:
            return found
    return _walked(buffer, used)


def _walked(buffer: bytearray, used: int) -> Tally:
    """Count by walking: the loop of `frames` once more, without a value for each frame."""
    count, start, last = 0, 0, (0, 0)
    while start + LONG_HEADER_BYTES <= used:
        first, length = buffer[start], buffer[start + 1]
        payload = start + 2
        if length == LENGTH_16:
            payload = start + 4
            length = buffer[start + 2] << 8 | buffer[start + 3]
        elif length > LENGTH_16:
            break
        end = payload + length
        if end > used or first & 0x7F > BINARY:  # nothing reserved, and no control frame
            break
        count += first >> 7
        last = payload, end
        start = end
    return _with_rest(buffer, used, start, Tally(count, start, last))


def _with_rest(buffer: bytearray, used: int, start: int, found: Tally) -> Tally:
    """Add what `frames` finds from `start` on: control frames, long ones, the last ones."""
    rest = list(frames(buffer, used, start))
    messages = [frame for frame in rest if frame.opcode < CLOSE]
    return Tally(
        found.messages + sum(frame.is_last for frame in messages),
        rest[-1].stop if rest else start,
        messages[-1][2:] if messages else found.last,
        tuple(frame for frame in rest if frame.opcode >= CLOSE))


def _text_borders(buffer: bytearray, used: int) -> NDArray[np.int64]:
    """Return where frames may begin: 0x81 after `}` is no UTF-8, so only a length can look so."""
    even = np.frombuffer(buffer, "<u2", used // 2)
    odd = np.frombuffer(buffer, "<u2", (used - 1) // 2, 1)
    return _merged((even, 1), (odd, 2), wanted=_BRACE_TEXT)


def _magics(buffer: bytearray, used: int) -> NDArray[np.int64]:
    """Return where frames may begin whose payload begins with zstd's magic number."""
    even = np.frombuffer(buffer, "<u2", used // 2)
    odd = np.frombuffer(buffer, "<u2", (used - 1) // 2, 1)
    payloads = _merged((even, 0), (odd, 1), wanted=_MAGIC[0])[1:]
    payloads = payloads[(payloads > 4) & (payloads + 4 <= used)]
    octets = np.frombuffer(buffer, np.uint8, used)
    payloads = payloads[(octets[payloads + 2] == _MAGIC[1]) & (octets[payloads + 3] == _MAGIC[2])]
    is_long = (octets[payloads - 4] == FIN | BINARY) & (octets[payloads - 3] == LENGTH_16)
    begins = payloads - np.where(is_long, 4, 2)
    begins = begins[begins > 0]  # the first one is known
    return np.concatenate((np.zeros(1, np.int64), begins))


def _merged(*parts: tuple[NDArray[np.unsignedinteger], int], wanted: int) -> NDArray[np.int64]:
    """Return 0 and every place with the wanted number, in order, of views at several offsets."""
    found = [np.zeros(1, np.int64)]
    for view, offset in parts:
        found.append(np.flatnonzero(view == wanted) * view.itemsize + offset)
    places = np.concatenate(found)
    places.sort()
    return places


def _checked(buffer: bytearray, used: int, begins: NDArray[np.int64]) -> Tally | None:
    """Return the tally when each guessed frame begins where the one before it ends, else None."""
    if begins[-1] + 10 > used:  # the last header may be cut off: leave it for the next time
        begins = begins[:-1]
    if len(begins) < 2:
        return None
    octets = np.frombuffer(buffer, np.uint8, used)
    lengths = octets[begins + 1].astype(np.int64)
    is_long = lengths == LENGTH_16
    extended = (octets[begins + 2].astype(np.int64) << 8) | octets[begins + 3]
    ends = begins + np.where(is_long, 4 + extended, 2 + lengths)
    firsts = octets[begins]
    is_chain = bool((ends[:-1] == begins[1:]).all() and (lengths <= LENGTH_16).all()
                    and (firsts == firsts[0]).all())
    if not is_chain or firsts[0] not in (FIN | TEXT, FIN | BINARY):
        return None
    # After the last guess stands what was not guessed: a frame that is not whole, a ping, or both.
    before = int(begins[-2]) + (4 if is_long[-2] else 2), int(begins[-1])
    start = int(begins[-1])
    return _with_rest(buffer, used, start, Tally(len(begins) - 1, start, before))
