"""Events with the shapes, the sizes and the shares of the real network, from a seed.

`made(seed)` gives commits without end, as records; `arrivals(seed, count)` gives what the stream
takes, with identity and account events among them.

Realistic: the collections and their shares (likes are half), creations, updates and deletions, the
keys and their order (DAG-CBOR's: shorter first), the shapes of every identifier, the share of posts
with answers, links, tags, mentions, pictures, cards, quotes and films, the languages, the lengths
of texts, and how unequally people act and are liked. Digests, DIDs and TIDs are random: no
compressor finds more in them than in real ones. Held against what is published: mean JSON of 500
to 550 bytes (here 537), zstd alone 1.45 times (1.46), blocks of 3,000 events 3.4 times (3.67).

Not realistic: texts are words without grammar (`bench/vocabulary.py`), so phrases that a real
network repeats (news, spam, bots) are missing, which makes it harder to compress; addresses and
clients are less various than real ones, and lexicons that nobody here knows are missing, which
makes it easier. Deletions name records of any age, not those that were created here.
"""

from bisect import bisect
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate, islice
from typing import Any, Final, NamedTuple, cast

import libipld
import msgspec

from bench import shapes
from bench.network import Json, Network
from lichen.kit.clock import isoformat
from lichen.stream.model import Arrival, Kind, Operation

PEOPLE: Final = 50_000
ACCOUNT_SHARE, IDENTITY_SHARE = 0.004, 0.006  # of all events: what is no commit
SELF: Final = "self"


class Made(NamedTuple):
    """One commit of one record; the record is empty where it was deleted.

    `record` has the order of DAG-CBOR, and `{"$link": …}` for CIDs.
    """

    did: str
    collection: str
    rkey: str
    operation: Operation
    record: Json
    rev: str


class Share(NamedTuple):
    """How much of all commits falls on a collection, and which part of it updates and deletes."""

    collection: str
    weight: float
    shape: Callable[[Network], Json]
    updates: float = 0.0
    deletes: float = 0.0
    is_self: bool = False


def _share(collection: str, weight: float, shape: Callable[[str, Network], Json], *,
           updates: float = 0.0, deletes: float = 0.0) -> Share:
    return Share(collection, weight, partial(shape, collection), updates, deletes)


ATPROTO: Final = (
    Share("app.bsky.feed.like", 50.0, shapes.like, deletes=0.045),
    Share("app.bsky.feed.post", 11.8, shapes.post, updates=0.002, deletes=0.10),
    _share("app.bsky.graph.follow", 12.0, shapes.to_somebody, deletes=0.19),
    Share("app.bsky.feed.repost", 10.0, shapes.repost, deletes=0.07),
    _share("app.bsky.graph.block", 4.0, shapes.to_somebody, deletes=0.12),
    Share("app.bsky.graph.listitem", 3.0, shapes.listitem, deletes=0.15),
    Share("app.bsky.actor.profile", 1.8, shapes.profile, updates=0.85, is_self=True),
    _share("app.bsky.feed.threadgate", 0.8, shapes.gate, updates=0.05, deletes=0.05),
    _share("app.bsky.feed.postgate", 0.5, shapes.gate, updates=0.05, deletes=0.05),
    Share("fm.teal.alpha.feed.play", 1.5, shapes.played),
    Share("chat.bsky.actor.declaration", 0.3, shapes.declaration, updates=0.4, is_self=True),
    _share("app.bsky.graph.list", 0.2, shapes.named, updates=0.3, deletes=0.2),
    Share("app.bsky.graph.listblock", 0.1, shapes.listblock, deletes=0.2),
    _share("app.bsky.graph.starterpack", 0.1, shapes.named, updates=0.5, deletes=0.1),
    _share("app.bsky.feed.generator", 0.1, shapes.named, updates=0.6, deletes=0.1),
    Share("sh.tangled.feed.star", 0.1, shapes.starred, deletes=0.1),
    Share("com.whtwnd.blog.entry", 0.02, shapes.essay, updates=0.3, deletes=0.1),
)

LICHEN: Final = (
    Share("lichen.forum.tally", 60.0, shapes.forum_tally, updates=0.9),
    Share("lichen.forum.comment", 28.0, shapes.forum_comment, updates=0.05, deletes=0.03),
    Share("lichen.forum.post", 9.0, shapes.forum_post, updates=0.1, deletes=0.03),
    Share("lichen.actor.profile", 2.5, shapes.house_profile, updates=0.5, is_self=True),
    Share("lichen.forum.community", 0.5, shapes.forum_community, updates=0.5),
)


class _Drawing:
    """One of two tables of shares, and how a commit is drawn from it."""

    def __init__(self, shares: tuple[Share, ...], net: Network, *, is_house: bool) -> None:
        self._shares, self._net, self._is_house = shares, net, is_house
        self._sums = list(accumulate(share.weight for share in shares))

    def draw(self) -> Made:
        net, share = self._net, self._shares[
            bisect(self._sums, self._net.chance.random() * self._sums[-1])]
        did = shapes.house_did(net) if self._is_house else net.did()
        rev = net.tid()
        kind = net.chance.random()
        if kind < share.deletes:
            return Made(did, share.collection, net.some_tid(), Operation.DELETE, {}, rev)
        is_update = kind < share.deletes + share.updates
        rkey = net.tid(int(net.chance.random() * 4_000))
        rkey = SELF if share.is_self else net.some_tid() if is_update else rkey
        record = share.shape(net)
        if not self._is_house:
            # What travels in frames comes out in the order in which DAG-CBOR keeps it.
            record = cast(Json, libipld.decode_dag_cbor(libipld.encode_dag_cbor(record)))
        operation = Operation.UPDATE if is_update else Operation.CREATE
        return Made(did, share.collection, rkey, operation, record, rev)


def made(seed: int, *, people: int = PEOPLE, lichen: float = 0.0) -> Iterator[Made]:
    """Yield commits without end; `lichen` is the share of them that a Lichen wrote."""
    yield from _commits(Network(seed, people), lichen)


def _commits(net: Network, lichen: float) -> Iterator[Made]:
    network = _Drawing(ATPROTO, net, is_house=False)
    house = _Drawing(LICHEN, net, is_house=True)
    while True:
        net.tick()
        yield (house if net.chance.random() < lichen else network).draw()


def arrivals(seed: int, count: int, *, people: int = PEOPLE, lichen: float = 0.0,
             later_us: int = 0) -> Iterator[Arrival]:
    """Yield so many events as the stream takes them, without sequences; about 20,000 a second.

    `later_us` moves the whole network, whose time begins on some second of one day.
    """
    net = Network(seed, people)
    net.now_us += later_us
    yield from islice(_everything(net, lichen), count)


def _everything(net: Network, lichen: float) -> Iterator[Arrival]:
    commits, upstream_seq = _commits(net, lichen), 20_000_000_000 + net.chance.randrange(10**9)
    while True:
        upstream_seq += 1 + int(net.chance.random() * 4)
        kind = net.chance.random()
        if kind < ACCOUNT_SHARE:
            yield _account(net, upstream_seq)
        elif kind < ACCOUNT_SHARE + IDENTITY_SHARE:
            yield _identity(net, upstream_seq)
        else:
            yield arrival_of(next(commits), net.cid())


def arrival_of(commit: Made, cid: str) -> Arrival:
    """Return a commit as the stream takes it; `cid` is the record's."""
    body: Json = {"rev": commit.rev, "operation": commit.operation.word,
                  "collection": commit.collection, "rkey": commit.rkey}
    if commit.operation is not Operation.DELETE:
        body |= {"record": commit.record, "cid": cid}
    record = commit.record
    features = [feature for facet in record.get("facets", ()) for feature in facet["features"]]
    return Arrival(
        commit.did, msgspec.json.encode(body), Kind.COMMIT, commit.operation, commit.collection,
        is_root=commit.collection in _POSTS and bool(record) and "reply" not in record,
        mentions=tuple(feature["did"] for feature in features if "did" in feature),
        langs=tuple(record.get("langs", ())))


_POSTS: Final = ("app.bsky.feed.post", "lichen.forum.post")


def _identity(net: Network, seq: int) -> Arrival:
    did = net.anybody()
    return Arrival(did, _encoded(did=did, handle=net.handle(), seq=seq, time=_time(net)),
                   Kind.IDENTITY)


def _account(net: Network, seq: int) -> Arrival:
    did = net.anybody()
    gone: Json = {"status": net.chance.choice(("deactivated", "deleted", "takendown"))}
    is_active = net.chance.random() < 0.6
    return Arrival(did, _encoded(active=is_active, did=did, seq=seq, time=_time(net),
                                 **({} if is_active else gone)), Kind.ACCOUNT)


def _time(net: Network) -> str:
    return isoformat(net.now_us)[:23] + "Z"


def _encoded(**body: Any) -> bytes:
    return msgspec.json.encode(body)
