"""Events for the archive's tests, and a store of sealed blocks made by hand."""

import hashlib
from collections.abc import Callable, Iterable, Sequence

import libipld
import msgspec
import numpy as np
import zstandard

from lichen.stream.block import Block, part_of
from lichen.stream.encoding import Encoder, Place
from lichen.stream.engine import BlockPlace, Found
from lichen.stream.model import Arrival, Kind, Operation
from tests.conftest import START_US

DIDS = [f"did:plc:{letter * 24}" for letter in "abcdefghij"]
POST, LIKE = "app.bsky.feed.post", "app.bsky.feed.like"
LINK = "bafkreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje"
_OPERATIONS = (Operation.CREATE, Operation.UPDATE, Operation.DELETE)


def record_cid(record: bytes) -> str:
    """Return the CID of a record as DAG-CBOR."""
    return str(libipld.encode_cid(bytes((1, 0x71, 0x12, 32)) + hashlib.sha256(record).digest()))


def commit(number: int, *, did: str = "", collection: str = "", rkey: str = "") -> Arrival:
    """Return the commit with a number: a third each creates, updates and deletes."""
    operation = _OPERATIONS[number % 3]
    collection = collection or (LIKE, POST)[number % 2]
    body: dict[str, object] = {
        "rev": f"3l{number:011d}", "operation": operation.word, "collection": collection,
        "rkey": rkey or f"3k{number:011d}",
    }
    if operation is not Operation.DELETE:
        record = {"$type": collection, "text": f"Number {number} – é, 日本", "reply": number % 5 == 0}
        # In the JSON as it is streamed, and as the record holds it.
        link = libipld.decode_multibase(LINK)[1]
        streamed = {**record, "embed": {"ref": {"$link": LINK}, "raw": {"$bytes": "AAEC/w"}}}
        held = {**record, "embed": {"ref": link, "raw": b"\x00\x01\x02\xff"}}
        body |= {"record": streamed, "cid": record_cid(libipld.encode_dag_cbor(held))}
    return Arrival(did or DIDS[number % len(DIDS)], msgspec.json.encode(body),
                   operation=operation, collection=collection)


def marker(kind: Kind, number: int, *, did: str = "") -> Arrival:
    """Return an identity, account or sync event with a number."""
    did = did or DIDS[number % len(DIDS)]
    body: dict[str, object] = {"did": did, "seq": number, "time": "2026-01-02T03:04:05.000Z"}
    match kind:
        case Kind.IDENTITY:
            body["handle"] = "ann.example.org"
        case Kind.ACCOUNT:
            body |= {"active": False, "status": "deleted"}
        case Kind.SYNC:
            body |= {"rev": "3l22222222222", "blocks": {"$bytes": "AAEC"}}
    return Arrival(did, msgspec.json.encode(body), kind)


def mixed(count: int) -> list[Arrival]:
    """Return so many events of every kind."""
    kinds = (Kind.IDENTITY, Kind.ACCOUNT, Kind.SYNC)
    return [marker(kinds[number // 10 % 3], number) if number % 10 == 9 else commit(number)
            for number in range(count)]


class SealedBlocks:
    """What the archive asks of a store, over blocks made by hand."""

    def __init__(self, first_seq: int = 1) -> None:
        self.first_seq = first_seq
        self.erasures_done = 0
        self.all: list[Block] = []

    def add(self, arrivals: Sequence[Arrival], *, is_sealed: bool = True) -> Block:
        """Add the events as one block behind the last one."""
        last_seq = self.all[-1].last_seq if self.all else self.first_seq - 1
        encoder = Encoder(lambda: START_US, dictionary=0,
                          compressor=zstandard.ZstdCompressor(level=1))
        record = encoder.record(arrivals, Place(last_seq, START_US + last_seq), position=1)
        self.all.append(Block(record, is_sealed=is_sealed))
        return self.all[-1]

    def erase(self, seqs: Iterable[int]) -> None:
        """Take events out of the blocks; their spans stay."""
        gone = set(seqs)
        for number, block in enumerate(self.all):
            rows = [row for row in range(block.events) if block.seq_of(row) not in gone]
            kept = part_of(block, np.array(rows, np.intp), position=1,
                           span=(block.first_seq, block.last_seq))
            self.all[number] = Block(kept, is_sealed=block.is_sealed)

    def blocks(self) -> list[BlockPlace]:
        """Return all blocks, oldest first."""
        return [BlockPlace(one.first_seq, one.last_seq, one.events, len(one.plain), len(one.packed),
                           one.base_time_us, "file" * one.is_sealed) for one in self.all]

    def subscribe_bell(self, ring: Callable[[], None]) -> Callable[[], None]:
        """Nothing rings here."""
        return lambda: None

    def find(self, seq: int) -> Found | None:
        """Return the block that holds a sequence, or the next one after it."""
        return next((Found(one) for one in self.all if seq <= one.last_seq), None)
