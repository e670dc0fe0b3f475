"""What passes from a server to its standby: parcels, one after the other.

    parcel    kind, 4 bytes │ size, 4 │ xxh3_64, 8 │ content

    STAT      {"first_seq": …, "sent_seq": …, "next_seq": …, "position": …}    a heartbeat
    RECO      a record, as it stands in a journal or a segment (layout.py)
    ERAS      [17, 21, …]    sequences that are no more

A parcel is taken whole or not at all. Whatever is not one ends the connection, and the standby asks
again from what it holds: nothing it stored depends on where a shipment broke off.
"""

import struct
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

from lichen.kit import Unavailable
from lichen.stream.limits import SHIP_PARCEL_BYTES_MAX

STATE: Final = b"STAT"
RECORD: Final = b"RECO"
ERASED: Final = b"ERAS"

_HEAD: Final = struct.Struct("<4sIQ")


class Standing(msgspec.Struct, frozen=True):
    """Where a server stands, and a shipment.

    Everything it holds below `sent_seq` was sent; `position` is how far the source was read for
    that, 0 while there is more to come.
    """

    first_seq: int
    sent_seq: int
    next_seq: int
    position: int


class Parcel(NamedTuple):
    """One piece of a shipment."""

    kind: bytes
    content: bytes

    def tobytes(self) -> bytes:
        """Return the parcel as it is sent."""
        head = _HEAD.pack(self.kind, len(self.content), xxh3_64_intdigest(self.content))
        return head + self.content


def state_parcel(standing: Standing) -> Parcel:
    """Return a parcel that says where a server stands."""
    return Parcel(STATE, msgspec.json.encode(standing))


def erased_parcel(seqs: list[int]) -> Parcel:
    """Return a parcel that names what was erased."""
    return Parcel(ERASED, msgspec.json.encode(seqs))


async def read_parcel(read_exactly: Callable[[int], Awaitable[bytes]]) -> Parcel:
    """Read the next parcel; raises Unavailable for what is none, and what `read_exactly` raises."""
    kind, size, checksum = _HEAD.unpack(await read_exactly(_HEAD.size))
    if kind not in (STATE, RECORD, ERASED) or size > SHIP_PARCEL_BYTES_MAX:
        raise Unavailable(f"Expected a parcel of the stream, got {kind!r} of {size} bytes; is that "
                          "a Lichen of this version?")
    content = await read_exactly(size)
    if xxh3_64_intdigest(content) != checksum:
        raise Unavailable("A parcel was damaged on its way.")
    return Parcel(kind, content)
