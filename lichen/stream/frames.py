"""Messages: the JSON of both wires, and the WebSocket frames around them.

The first wire's plain frame is what is stored. Everything else is derived from its bytes by cutting
and joining: no record is parsed for it.

    v1   {"did":D,"time_us":T,"cursor":S,"kind":"commit","commit":{…}}
    v2   {"$type":"message","payload":{"$type":"…#commit","seq":S,"did":D,"time":"…",…}}
"""

import re
import struct
from typing import Final

from lichen.kit.clock import isoformat
from lichen.stream.model import Kind

LEXICON: Final = "network.bsky.jetstream.subscribeEvents"
TEXT: Final = 0x81  # RFC 6455 §5.2: FIN, opcode 1
BINARY: Final = 0x82  # FIN, opcode 2

_KINDS: Final = {kind: kind.word.encode() for kind in Kind}
_V2_START: Final = {
    kind: b'{"$type":"message","payload":{"$type":"%b#%b","seq":' % (LEXICON.encode(), word)
    for kind, word in _KINDS.items()
}
_V1_HEAD: Final = re.compile(rb'\{"did":("[^"]+"),"time_us":(\d+),"cursor":(\d+),')


def frame_head(opcode: int, size: int) -> bytes:
    """Return the head of a WebSocket frame from a server, which masks nothing."""
    # RFC 6455 §5.2: 7 bits of length, or 126 and 16 bits, or 127 and 64 bits.
    if size < 126:
        return bytes((opcode, size))
    if size < 65_536:
        return struct.pack(">BBH", opcode, 126, size)
    return struct.pack(">BBQ", opcode, 127, size)


def framed(opcode: int, message: bytes) -> bytes:
    """Return a message in its WebSocket frame."""
    return frame_head(opcode, len(message)) + message


def payload_start(frame: bytes | memoryview) -> int:
    """Return where the message begins in one of our frames."""
    return {126: 4, 127: 10}.get(frame[1], 2)


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
    head = _V1_HEAD.match(plain)
    assert head is not None, "a stored message has its head"
    did, time_us, seq = head.groups()
    word = _KINDS[kind]
    # What follows the head: "kind":"commit","commit":{…}}, of which the braces stay.
    body = plain[head.end() + 2 * len(word) + 13 : -1]
    inner = body[1:] if kind == Kind.COMMIT else b'"%b":%b}' % (word, body)
    return b'%b%b,"did":%b,"time":"%b",%b}' % (
        _V2_START[kind], seq, did, isoformat(int(time_us)).encode(), inner)


def source_message(plain: bytes, seq: int) -> bytes:
    """Return a message as an event of Server-Sent Events, whose id is the sequence."""
    # HTML Standard §9.2.5: fields by line, an event ends with an empty line.
    return b"id: %d\ndata: %b\n\n" % (seq, plain)
