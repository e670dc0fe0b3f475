"""Messages: the JSON of both wires, and the WebSocket frames around them.

The first wire's plain frame is what is stored. Everything else is derived from its bytes by cutting
and joining: no record is parsed for it.

    v1   {"did":D,"time_us":T,"cursor":S,"kind":"commit","commit":{…}}
    v2   {"$type":"message","payload":{"$type":"…#commit","seq":S,"did":D,"time":"…",…}}
"""

import struct
from functools import lru_cache
from typing import Final

from lichen.kit.clock import isoformat
from lichen.stream.model import Kind

LEXICON: Final = "network.bsky.jetstream.subscribeEvents"
TEXT: Final = 0x81  # RFC 6455 §5.2: FIN, opcode 1
BINARY: Final = 0x82  # FIN, opcode 2

_SHORT: Final = struct.Struct(">BBH")
_LONG: Final = struct.Struct(">BBQ")
_KINDS: Final = {kind: kind.word.encode() for kind in Kind}
_V2_START: Final = {
    kind: b'{"$type":"message","payload":{"$type":"%b#%b","seq":' % (LEXICON.encode(), word)
    for kind, word in _KINDS.items()
}
# What stands between the sequence and the body: "kind":"commit","commit":
_V1_BODY: Final = {kind: 13 + 2 * len(word) for kind, word in _KINDS.items()}


def frame_head(opcode: int, size: int) -> bytes:
    """Return the head of a WebSocket frame from a server, which masks nothing."""
    # RFC 6455 §5.2: 7 bits of length, or 126 and 16 bits, or 127 and 64 bits.
    if size < 126:
        return bytes((opcode, size))
    if size < 65_536:
        return _SHORT.pack(opcode, 126, size)
    return _LONG.pack(opcode, 127, size)


def framed(opcode: int, message: bytes) -> bytes:
    """Return a message in its WebSocket frame."""
    return frame_head(opcode, len(message)) + message


def payload_start(frame: bytes | memoryview) -> int:
    """Return where the message begins in one of our frames."""
    return 2 if frame[1] < 126 else 4 if frame[1] == 126 else 10


def message_in(frame: bytes | memoryview) -> bytes:
    """Return the message in one of our frames."""
    return bytes(frame[payload_start(frame):])


def v1_message(did: bytes, kind: Kind, body: bytes, *, seq: int, time_us: int) -> bytes:
    """Return an event as the first wire says it; `did` stands in its quotes."""
    word = _KINDS[kind]
    return b'{"did":%b,"time_us":%d,"cursor":%d,"kind":"%b","%b":%b}' % (
        did, time_us, seq, word, word, body)


def v2_message(plain: bytes, kind: Kind) -> bytes:
    """Return the event of a message of the first wire as the second wire says it."""
    # {"did":"…","time_us":…,"cursor":…,"kind":"commit","commit":{…}}, of which the braces stay;
    # no DID has a comma.
    did, time, seq, rest = plain.split(b",", 3)
    digits = time[10:].rjust(7, b"0")
    moment = b"%b.%bZ" % (_second(digits[:-6]), digits[-6:])
    if kind == Kind.COMMIT:
        return b"".join((_V2_START[kind], seq[9:], b',"did":', did[7:], b',"time":"', moment,
                         b'",', rest[_V1_BODY[kind] + 1 :]))
    return b'%b%b,"did":%b,"time":"%b","%b":%b}' % (
        _V2_START[kind], seq[9:], did[7:], moment, _KINDS[kind], rest[_V1_BODY[kind] :])


@lru_cache(maxsize=4_096)  # seconds; what is sent at once is of few of them
def _second(digits: bytes) -> bytes:
    return isoformat(int(digits) * 1_000_000)[:19].encode()


def v2_growth(kind: Kind) -> int:
    """Return by how much an event is longer on the second wire, if its time had no digits."""
    plain = v1_message(b'""', kind, b'{"":0}', seq=1, time_us=1)
    return len(v2_message(plain, kind)) - len(plain) + 1


def source_message(plain: bytes, seq: int) -> bytes:
    """Return a message as an event of Server-Sent Events, whose id is the sequence."""
    # HTML Standard §9.2.5: fields by line, an event ends with an empty line.
    return b"id: %d\ndata: %b\n\n" % (seq, plain)
