"""Arrivals, histories and filters by Hypothesis; dictionaries that cost nothing to make."""

import json
from collections.abc import Sequence

import zstandard
from hypothesis import strategies as st

from lichen.stream import Arrival, Filter, Form, Kind, Operation, Wire

DIDS = [f"did:plc:{name}" for name in ("ann", "bob", "cat", "dan")] + ["did:web:e.example%3A80:u:e"]
COLLECTIONS = ["app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feedback.post",
               "lichen.forum.post", ""]
PREFIXES = ["app.bsky.feed.", "app.", "lichen.forum.", "nobody."]
LANGS = ["en", "de", "pl", "ja"]


class TwoDictionaries:
    """A stored dictionary and another one, of raw content."""

    ids = (41, 42)
    current = 42
    stored = 41

    def bytes_of(self, number: int) -> bytes:
        return b'{"did":"did:plc:","time_us":1,"kind":"commit","commit":' * (number - 39)

    def compressor(self, number: int) -> zstandard.ZstdCompressor:
        return zstandard.ZstdCompressor(level=1, dict_data=self._dictionary(number))

    def new_compressor(self, number: int) -> zstandard.ZstdCompressor:
        return self.compressor(number)

    def decompressor(self, number: int) -> zstandard.ZstdDecompressor:
        return zstandard.ZstdDecompressor(dict_data=self._dictionary(number))

    def _dictionary(self, number: int) -> zstandard.ZstdCompressionDict:
        return zstandard.ZstdCompressionDict(self.bytes_of(number),
                                             dict_type=zstandard.DICT_TYPE_RAWCONTENT)


FORMS = [Form(), Form(dictionary=41), Form(dictionary=42), Form(Wire.V2), Form(Wire.V2, 41),
         Form(Wire.V2, 42), Form(is_framed=False), Form(Wire.V2, is_framed=False)]


def post(text: str, *, did: str = DIDS[0], collection: str = COLLECTIONS[0],
         operation: Operation = Operation.CREATE, is_root: bool = True,
         mentions: Sequence[str] = (), langs: Sequence[str] = (), seq: int = 0,
         time_us: int = 0) -> Arrival:
    """Return a commit whose body says what its fields say."""
    record = {"text": text, "langs": list(langs), "facets": list(mentions)}
    commit: dict[str, object] = {"rev": "3k", "operation": operation.word,
                                 "collection": collection, "rkey": "3l"}
    if operation != Operation.DELETE:
        commit |= {"record": record, "cid": "bafy"}
    body = json.dumps(commit, separators=(",", ":"), ensure_ascii=False).encode()
    is_there = operation != Operation.DELETE
    return Arrival(did, body, Kind.COMMIT, operation, collection, is_root=is_root,
                   mentions=tuple(mentions) if is_there else (),
                   langs=tuple(langs) if is_there else (), seq=seq, time_us=time_us)


def other(kind: Kind, did: str) -> Arrival:
    """Return an event that is no commit."""
    return Arrival(did, b'{"active":true,"seq":7,"did":"%b"}' % did.encode(), kind)


def actors() -> st.SearchStrategy[str]:
    return st.sampled_from(DIDS)


@st.composite
def arrivals(draw: st.DrawFn) -> Arrival:
    kind = draw(st.sampled_from([Kind.COMMIT] * 5 + [Kind.IDENTITY, Kind.ACCOUNT, Kind.SYNC]))
    did = draw(actors())
    if kind != Kind.COMMIT:
        return other(kind, did)
    return post(
        draw(st.sampled_from(["", "x" * 60, "żółw 🐢", "y" * 300])), did=did,
        collection=draw(st.sampled_from(COLLECTIONS)), is_root=draw(st.booleans()),
        operation=draw(st.sampled_from([Operation.CREATE, Operation.UPDATE, Operation.DELETE])),
        # Who mentions himself would be found under a hash that is shared.
        mentions=draw(st.lists(actors().filter(lambda one: one != did), max_size=2, unique=True)),
        langs=draw(st.lists(st.sampled_from(LANGS), max_size=2, unique=True)))


def filters() -> st.SearchStrategy[Filter]:
    def some(values: Sequence[object], *, at_most: int = 2) -> st.SearchStrategy[frozenset[object]]:
        few = st.frozensets(st.sampled_from(values), max_size=at_most)
        return st.one_of(st.just(frozenset()), few)

    narrow = st.builds(
        Filter, kinds=some(list(Kind), at_most=3), collections=some(COLLECTIONS[:-1]),
        prefixes=some(PREFIXES).map(lambda found: tuple(sorted(found))),
        dids=some([*DIDS, "did:plc:nobody"]), roots_only=st.booleans(), mentions=some(DIDS),
        langs=some(LANGS), message_bytes_max=st.sampled_from([0, 0, 180, 260, 400]))
    # Narrow filters match little: most are of one part.
    one_part = st.one_of(
        st.just(Filter()),
        some(list(Kind)).map(lambda found: Filter(kinds=found)),
        some(COLLECTIONS[:-1]).map(lambda found: Filter(collections=found)),
        st.sampled_from(PREFIXES).map(lambda found: Filter(prefixes=(found,))),
        some(DIDS).map(lambda found: Filter(dids=found)),
        some(DIDS).map(lambda found: Filter(mentions=found)),
        some(LANGS).map(lambda found: Filter(langs=found)),
        st.just(Filter(roots_only=True)),
        st.sampled_from([1, 200, 300, 400]).map(lambda size: Filter(message_bytes_max=size)))
    return st.one_of(one_part, narrow)
