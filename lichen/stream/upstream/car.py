"""CAR: the archive of blocks in a commit, walked with every block's CID recomputed.

    CAR v1   length │ header │ length │ CID │ block │ length │ CID │ block │ …

    length   unsigned LEB128 of what follows up to the next length
    header   DAG-CBOR {"roots": [CID, …], "version": 1}
    CID      01, 71 (DAG-CBOR) or 55 (raw), 12 20, then the SHA-256 of the block: 36 bytes

The walk is our own because it is the verification: a block that is not what its CID says is found
before anything decodes it. What no repository holds (CIDs of version 0, other hashes) is refused.
Source: the CAR v1 specification of IPLD; the AT Protocol's repository specification.
"""

from hashlib import sha256
from typing import Final

import libipld

from lichen.kit.errors import Refused
from lichen.stream.upstream.limits import BLOCKS_MAX

DAG_CBOR: Final = b"\x01\x71\x12\x20"
RAW: Final = b"\x01\x55\x12\x20"
CID_BYTES: Final = 36

Blocks = dict[bytes, bytes]


def verified_blocks(car: bytes) -> tuple[bytes, Blocks]:
    """Return the first root and every block by its CID; raises Refused, ValueError or IndexError.

    Cost: one SHA-256 a block, about a microsecond each.
    """
    length, at = _length(car, 0)
    header = libipld.decode_dag_cbor(car[at:at + length])
    if header["version"] != 1:
        raise Refused("bad_car", f"a CAR of version 1 was expected, {header['version']!r} came")
    root = header["roots"][0]
    at += length
    end = len(car)
    blocks: Blocks = {}
    while at < end:
        length = car[at]
        # Nearly every block has a length of two bytes; a call would take as long as its hash.
        if length >= 0x80 and (high := car[at + 1]) < 0x80:
            length += (high - 1) << 7
            at += 2
        else:
            length, at = _length(car, at)
        start = at + CID_BYTES
        cid = car[at:start]
        at += length
        block = car[start:at]
        if cid != DAG_CBOR + sha256(block).digest():
            _check_raw(cid, block)
        blocks[cid] = block
    # The last block may claim more than there is; its hash would hold for what is there.
    if at != end:
        raise Refused("bad_car", f"the last block ends {at - end} bytes beyond the CAR")
    if len(blocks) > BLOCKS_MAX:
        raise Refused("bad_car", f"at most {BLOCKS_MAX} blocks were expected, {len(blocks)} came")
    return root, blocks


def _check_raw(cid: bytes, block: bytes) -> None:
    """Pass a block of bytes that is no DAG-CBOR, if its CID is right."""
    if cid != RAW + sha256(block).digest():
        raise Refused("bad_cid", f"a block's CID begins {cid[:8].hex()}; its hash says otherwise")


def _length(car: bytes, at: int) -> tuple[int, int]:
    """Return the LEB128 number at a place, and where it ends; four bytes are enough for a frame."""
    value = 0
    for shift in (0, 7, 14, 21):
        byte = car[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise Refused("bad_car", "a length in the CAR is beyond 256 MiB")
