"""Frames of a relay with real shapes, from a seed: what `com.atproto.sync.subscribeRepos` sends.

A commit's frame holds a header, a body and a CAR with the commit block, the nodes of the tree on
the way to what was written, and the records: about ten blocks and 5 kB, as on the network. Every
CID is that of its block, and each node links to the next; only signatures are random bytes.

`every_kind` makes a record for each collection that people use, and some that nobody knows;
`frames` makes a stream of them, or wraps whatever records it is given.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from random import Random
from typing import Any, Final, NamedTuple, Protocol

import libipld

from lichen.kit.clock import isoformat
from lichen.kit.ids import encode_tid
from lichen.stream.model import Operation

START_US: Final = 1_786_000_000_000_000
NODES: Final = (5, 10)  # of the tree, from the root down to what was written
ENTRIES: Final = (1, 7)  # of one node
ACCOUNT_SHARE, IDENTITY_SHARE, SYNC_SHARE = 0.004, 0.006, 0.001
WORDS: Final = (
    "lichen", "grows", "slowly", "on", "bare", "rock", "where", "nothing", "else", "would", "stay;",
    "rain,", "wind", "and", "cold", "are", "its", "weather", "–", "naïve", "古い", "тихо", "🌱",
    '"quoted"', "\\", "two", "that", "live", "as", "one.", "",
)


class Commit(Protocol):
    """What one commit writes: records in the JSON model, `{"$link": …}` for CIDs."""

    did: str
    collection: str
    rkey: str
    operation: Operation
    record: dict[str, Any]
    rev: str


class Write(NamedTuple):
    """One operation of a commit; the record is in DAG-CBOR's model, CIDs as bytes."""

    operation: Operation
    collection: str
    rkey: str
    record: dict[str, Any] | None = None


class Framed(NamedTuple):
    """A frame, and what is in it."""

    seq: int
    kind: str
    did: str
    rev: str
    writes: tuple[Write, ...]
    frame: bytes


def cid_of(block: bytes, *, codec: int = 0x71) -> bytes:
    """Return the CID of a block: CIDv1, SHA-256."""
    return bytes((1, codec, 0x12, 0x20)) + sha256(block).digest()


def car_of(root: bytes, blocks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a CAR of blocks given with their CIDs."""
    header = libipld.encode_dag_cbor({"roots": [root], "version": 1})
    parts = [_length(len(header)), header]
    for cid, block in blocks:
        parts += [_length(len(cid) + len(block)), cid, block]
    return b"".join(parts)


def message(kind: str, body: dict[str, Any]) -> bytes:
    """Return a frame of a kind, `#commit` and so on."""
    return libipld.encode_dag_cbor({"t": kind, "op": 1}) + libipld.encode_dag_cbor(body)


def error_frame(name: str, text: str = "") -> bytes:
    """Return the frame with which a relay ends."""
    return libipld.encode_dag_cbor({"op": -1}) + libipld.encode_dag_cbor(
        {"error": name, "message": text})


class Relay:
    """Makes frames: each with the next sequence and a later time."""

    def __init__(self, seed: int, *, first_seq: int = 1, start_us: int = START_US,
                 step_us: int = 1_000) -> None:
        self.chance = Random(seed)
        self.seq = first_seq - 1
        self.now_us = start_us
        self._step_us = step_us

    def commit(self, did: str, rev: str, writes: Sequence[Write]) -> Framed:
        """Return a commit of some writes."""
        made = [(one, libipld.encode_dag_cbor(one.record) if one.record else b"")
                for one in writes]
        ops = [{"cid": cid_of(block) if block else None, "path": f"{one.collection}/{one.rkey}",
                "action": one.operation.word} for one, block in made]
        root, blocks = self._blocks(did, rev, made)
        body = {
            "ops": ops, "rev": rev, "repo": did, "blobs": [], "blocks": car_of(root, blocks),
            "commit": root, "rebase": False, "since": self.tid(), "tooBig": False,
            "prevData": self._some_cid(), **self._next(),
        }
        return Framed(self.seq, "commit", did, rev, tuple(writes), message("#commit", body))

    def identity(self, did: str, handle: str = "") -> Framed:
        """Return news of an identity."""
        body = {"did": did, **({"handle": handle} if handle else {}), **self._next()}
        return Framed(self.seq, "identity", did, "", (), message("#identity", body))

    def account(self, did: str, status: str = "") -> Framed:
        """Return the state of an account; no status is active."""
        body = {"did": did, "active": not status, **({"status": status} if status else {}),
                **self._next()}
        return Framed(self.seq, "account", did, "", (), message("#account", body))

    def sync(self, did: str, rev: str) -> Framed:
        """Return a repository that begins anew."""
        commit = self._commit_block(did, rev, self._some_cid())
        body = {"did": did, "rev": rev, "blocks": car_of(cid_of(commit),
                                                         [(cid_of(commit), commit)])}
        return Framed(self.seq + 1, "sync", did, rev, (), message("#sync", body | self._next()))

    def tid(self) -> str:
        """Return a TID of about now."""
        return encode_tid(self.now_us + self.chance.randrange(1_000), self.chance.randrange(1_024))

    def did(self) -> str:
        """Return somebody: one of a few thousand."""
        who = Random(self.chance.randrange(5_000))
        return "did:plc:" + "".join(who.choices("234567abcdefghijklmnopqrstuvwxyz", k=24))

    def _next(self) -> dict[str, Any]:
        self.seq += 1
        self.now_us += self._step_us
        return {"seq": self.seq, "time": isoformat(self.now_us)[:23] + "Z"}

    def _blocks(self, did: str, rev: str,
                made: list[tuple[Write, bytes]]) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """Return the root and the blocks of a commit, in the order in which relays send them."""
        records = [(cid_of(block), block) for _, block in made if block]
        nodes: list[tuple[bytes, bytes]] = []
        below: bytes | None = None
        for depth in range(self.chance.randint(*NODES)):
            values = [cid for cid, _ in records] if depth == 0 else []
            node = libipld.encode_dag_cbor(self._node(values, below))
            below = cid_of(node)
            nodes.append((below, node))
        assert below is not None
        commit = self._commit_block(did, rev, below)
        root = cid_of(commit)
        return root, [(root, commit), *reversed(nodes), *records]

    def _node(self, values: list[bytes], below: bytes | None) -> dict[str, Any]:
        values = values + [self._some_cid() for _ in range(self.chance.randint(*ENTRIES))]
        trees = [self._some_cid() if self.chance.random() < 0.4 else None for _ in values]
        trees[-1] = below
        return {"e": [{"k": self.tid().encode() if number else b"app.bsky.feed.like/" +
                       self.tid().encode(), "p": 19 if number else 0, "t": tree, "v": value}
                      for number, (value, tree) in enumerate(zip(values, trees, strict=True))],
                "l": self._some_cid() if self.chance.random() < 0.5 else None}

    def _commit_block(self, did: str, rev: str, tree: bytes) -> bytes:
        block: bytes = libipld.encode_dag_cbor(
            {"did": did, "rev": rev, "sig": self.chance.randbytes(64), "data": tree,
             "prev": None, "version": 3})
        return block

    def _some_cid(self) -> bytes:
        return bytes((1, 0x71, 0x12, 0x20)) + self.chance.randbytes(32)


def every_kind(relay: Relay) -> list[Write]:
    """Return a record for each collection that people use, and of some unknown ones."""
    chance = relay.chance
    create, now = Operation.CREATE, isoformat(relay.now_us)[:23] + "Z"
    blob = {"$type": "blob", "ref": b"\x01\x55\x12\x20" + chance.randbytes(32),
            "mimeType": "image/jpeg", "size": 123_456}
    of = {"uri": f"at://{relay.did()}/app.bsky.feed.post/{relay.tid()}",
          "cid": libipld.encode_cid(relay._some_cid())}
    gate = {"post": of["uri"], "createdAt": now}
    mention = {"index": {"byteStart": 0, "byteEnd": 6}, "features": [
        {"$type": "app.bsky.richtext.facet#mention", "did": relay.did()}]}
    records: list[dict[str, Any]] = [
        {"$type": "app.bsky.feed.post", "text": text_of(chance, 30), "createdAt": now,
         "langs": ["en", "de"], "facets": [mention]},
        {"$type": "app.bsky.feed.post", "text": text_of(chance, 12), "createdAt": now,
         "langs": ["ja"], "reply": {"root": of, "parent": of},
         "embed": {"$type": "app.bsky.embed.images", "images": [
             {"alt": text_of(chance, 9), "image": blob,
              "aspectRatio": {"width": 1_600, "height": 900}}]}},
        {"$type": "app.bsky.feed.like", "subject": of, "createdAt": now},
        {"$type": "app.bsky.feed.repost", "subject": of, "createdAt": now},
        {"$type": "app.bsky.feed.threadgate", **gate, "allow": [
            {"$type": "app.bsky.feed.threadgate#mentionRule"}], "hiddenReplies": []},
        {"$type": "app.bsky.feed.postgate", **gate, "embeddingRules": [
            {"$type": "app.bsky.feed.postgate#disableRule"}]},
        {"$type": "app.bsky.graph.follow", "subject": relay.did(), "createdAt": now},
        {"$type": "app.bsky.graph.block", "subject": relay.did(), "createdAt": now},
        {"$type": "app.bsky.graph.list", "purpose": "app.bsky.graph.defs#modlist",
         "name": "rocks", "description": text_of(chance, 8), "createdAt": now, "avatar": blob},
        {"$type": "app.bsky.graph.listitem", "subject": relay.did(), "createdAt": now,
         "list": f"at://{relay.did()}/app.bsky.graph.list/{relay.tid()}"},
        {"$type": "app.bsky.actor.profile", "displayName": "Líchen 🌱", "createdAt": now,
         "description": text_of(chance, 20) + "\n\u2028\x07", "avatar": blob, "banner": blob},
        {"$type": "chat.bsky.actor.declaration", "allowIncoming": "following"},
        {"$type": "fyi.unravel.frontpage.post", "title": text_of(chance, 5),
         "url": "https://example.org/?a=1&b=2", "createdAt": now},
        {"$type": "com.whtwnd.blog.entry", "title": "Rock", "theme": "github-light",
         "content": text_of(chance, 400), "visibility": "public", "createdAt": now},
        {"$type": "example.unknown.sealed", "sealed": chance.randbytes(33), "empty": b"",
         "links": [relay._some_cid(), None, True, -5, 1 << 53, 0.25], "deep": {"a": [[{}]]}},
        {"$type": "example.unknown.plain", "": "an empty key", "ключ": ["a", ["b"]], "n": 0},
    ]
    return [Write(create, record["$type"],
                  "self" if record["$type"].endswith(("profile", "declaration")) else relay.tid(),
                  record) for record in records]


def text_of(chance: Random, words: int) -> str:
    """Return so many words, in no order."""
    return " ".join(chance.choices(WORDS, k=words))


def frames(seed: int, *, commits: Iterable[Commit] | None = None,
           first_seq: int = 1) -> Iterator[Framed]:
    """Yield frames without end: of the commits given, or of this module's own records."""
    relay = Relay(seed, first_seq=first_seq)
    given = _own(relay) if commits is None else _wrapped(commits)
    while True:
        kind = relay.chance.random()
        if kind < ACCOUNT_SHARE:
            yield relay.account(relay.did(), relay.chance.choice(("", "deleted", "takendown")))
        elif kind < ACCOUNT_SHARE + IDENTITY_SHARE:
            yield relay.identity(relay.did(), relay.chance.choice(("", "moss.example")))
        elif kind < ACCOUNT_SHARE + IDENTITY_SHARE + SYNC_SHARE:
            yield relay.sync(relay.did(), relay.tid())
        else:
            yield relay.commit(*next(given))


def _own(relay: Relay) -> Iterator[tuple[str, str, list[Write]]]:
    """Yield commits: a like in two, now and then one of several operations, a tenth deletes."""
    chance = relay.chance
    while True:
        kinds = every_kind(relay)
        for _ in range(len(kinds)):
            some = chance.choices(kinds, k=chance.choice((1,) * 30 + (2, 3)))
            some = [kinds[2]] if chance.random() < 0.5 else some
            writes = [Write(Operation.DELETE, one.collection, relay.tid())
                      if chance.random() < 0.1 else one._replace(rkey=relay.tid())
                      for one in some]
            yield relay.did(), relay.tid(), writes


def _wrapped(commits: Iterable[Commit]) -> Iterator[tuple[str, str, list[Write]]]:
    for one in commits:
        yield one.did, one.rev, [
            Write(one.operation, one.collection, one.rkey, _linked(one.record))]


def _linked(value: Any) -> Any:
    """Return a value of the JSON model in DAG-CBOR's: CIDs as bytes."""
    if isinstance(value, dict):
        if value.keys() == {"$link"}:
            return libipld.decode_multibase(value["$link"])[1]
        return {key: _linked(one) for key, one in value.items()}
    return [_linked(one) for one in value] if isinstance(value, list) else value


def _length(number: int) -> bytes:
    """Return a number as unsigned LEB128."""
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)
