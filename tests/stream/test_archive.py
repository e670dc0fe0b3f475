"""The archive's calls, over blocks made by hand."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from atproto_jetstream.archive import decode_block
from atproto_jetstream.archive.downloader import iter_block_frames
from hypothesis import given
from hypothesis import strategies as st

from lichen.kit import NotFound, Refused, Unavailable
from lichen.stream import Kind
from lichen.stream.archive import jss
from lichen.stream.archive.routes import ArchiveRoutes
from lichen.stream.archive.shelf import Archive, Built, build
from lichen.stream.archive.snapshots import Wanted, plan
from lichen.stream.block import Block
from lichen.stream.serving.http import Request, Response
from tests.stream.archive_events import (
    DIDS,
    LIKE,
    POST,
    SealedBlocks,
    commit,
    marker,
    mixed,
)

pytestmark = pytest.mark.anyio
PREFIX = "/xrpc/network.bsky.jetstream."


class Client:
    """Calls the archive's routes as the server does."""

    def __init__(self, archive: Archive) -> None:
        self.routes = ArchiveRoutes({"": archive}).routes()

    async def get(self, name: str, *query: tuple[str, str], method: str = "GET",
                  **headers: str) -> Response:
        named = tuple((key.replace("_", "-"), value) for key, value in headers.items())
        return await self.routes[f"GET {PREFIX}{name}"](
            Request(method, PREFIX + name, query, named))

    async def plan(self, body: bytes) -> dict:
        answer = await self.routes[f"POST {PREFIX}planSnapshot"](
            Request("POST", PREFIX + "planSnapshot", body=body))
        return msgspec.json.decode(answer.body)


def header(answer: Response, name: str) -> str | None:
    return next((value for key, value in answer.headers if key.lower() == name), None)


@pytest.fixture(scope="module")
def history() -> list[Block]:
    """Three sealed blocks, of 5,000, 30 and 8,192 events, and one that grows."""
    store = SealedBlocks(first_seq=11)
    for count in (5_000, 30, 8_192):
        store.add(mixed(count))
    store.add(mixed(7), is_sealed=False)
    return store.all


@pytest.fixture
def blocks(history: list[Block]) -> SealedBlocks:
    store = SealedBlocks(first_seq=11)
    store.all += history
    return store


@pytest.fixture
async def archive(blocks: SealedBlocks, tmp_path: Path) -> Archive:
    archive = Archive(blocks, tmp_path / "archive")
    await archive.start()
    return archive


@pytest.fixture
def client(archive: Archive) -> Client:
    return Client(archive)


async def whole(client: Client, name: str) -> bytes:
    return (await client.get("getSegment", ("name", name))).body


def seqs_in(frame: bytes) -> list[int]:
    return [row.seq for row in decode_block(frame)]


async def test_the_list_names_every_sealed_block_as_the_lexicon_does(client, blocks):
    answer = await client.get("listSegments")

    segments = msgspec.json.decode(answer.body)["segments"]

    assert [one["name"] for one in segments] == [
        "seg_000000000b.jss", "seg_0000001393.jss", "seg_00000013b1.jss"]
    content = await whole(client, "seg_0000001393.jss")
    assert segments[1] == {
        "name": "seg_0000001393.jss", "index": 5_011, "sizeBytes": len(content),
        "checksum": f"{jss.decode_header(content).checksum:016x}", "eventCount": 30,
        "minSeq": 5_011, "maxSeq": 5_040,
        "minWitnessedAt": 1_700_000_000_000_000 + 5_011,
        "maxWitnessedAt": 1_700_000_000_000_000 + 5_040}


async def test_pages_of_the_list_name_each_segment_once(client):
    names, cursor = [], ""
    while cursor is not None:
        answer = await client.get("listSegments", ("limit", "2"), ("cursor", cursor))
        page = msgspec.json.decode(answer.body)
        names += [one["index"] for one in page["segments"]]
        cursor = page.get("cursor")

    assert names == [11, 5_011, 5_041]


async def test_a_segment_holds_its_blocks_and_get_block_gives_each(client):
    content = await whole(client, "seg_00000013b1.jss")

    frames = list(iter_block_frames(content))
    answers = [await client.get("getBlock", ("segment", "seg_00000013b1.jss"), ("blockIndex", str(number)))
               for number in range(2)]

    assert [answer.body for answer in answers] == frames
    assert seqs_in(frames[0]) + seqs_in(frames[1]) == list(range(5_041, 13_233))


async def test_a_download_in_parts_is_the_whole_also_when_it_fell_off_the_shelf(blocks, tmp_path):
    archive = Archive(blocks, tmp_path, shelf_bytes_max=1)
    client = Client(archive)
    content = await whole(client, "seg_000000000b.jss")
    etag = header(await client.get("getSegment", ("name", "seg_000000000b.jss"), method="HEAD"), "etag")

    parts = []
    for start in range(0, len(content), 9_999):
        await whole(client, "seg_0000001393.jss")  # takes its place on the shelf
        answer = await client.get("getSegment", ("name", "seg_000000000b.jss"),
                                  range=f"bytes={start}-{start + 9_998}", if_range=etag)
        assert answer.status == 206
        parts.append(answer.body)

    assert b"".join(parts) == content
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("headers, status, said, part", [
    ({}, 200, None, (0, 0)),
    ({"range": "bytes=0-0"}, 206, "bytes 0-0/{n}", (0, 1)),
    ({"range": "bytes=5-"}, 206, "bytes 5-{last}/{n}", (5, 0)),
    ({"range": "bytes=-5"}, 206, "bytes {tail}-{last}/{n}", (-5, 0)),
    ({"range": "bytes=-999999999"}, 206, "bytes 0-{last}/{n}", (0, 0)),
    ({"range": "bytes=5-999999999"}, 206, "bytes 5-{last}/{n}", (5, 0)),
    ({"range": "bytes=999999999-"}, 416, "bytes */{n}", None),
    ({"range": "bytes=-0"}, 416, "bytes */{n}", None),
    ({"range": "bytes=7-5"}, 200, None, (0, 0)),
    ({"range": "bytes=-"}, 200, None, (0, 0)),
    ({"range": "bytes=0-1,5-6"}, 200, None, (0, 0)),
    ({"range": "lines=0-1"}, 200, None, (0, 0)),
    ({"range": "bytes=0-0", "if_range": "ETAG"}, 206, "bytes 0-0/{n}", (0, 1)),
    ({"range": "bytes=0-0", "if_range": '"another"'}, 200, None, (0, 0)),
    ({"range": "bytes=0-0", "if_range": "W/ETAG"}, 200, None, (0, 0)),
    ({"if_none_match": '"x", W/ETAG'}, 304, None, None),
    ({"if_none_match": "*", "range": "bytes=0-0"}, 304, None, None),
    ({"if_none_match": '"x"'}, 200, None, (0, 0)),
    ({"if_match": '"x"'}, 412, None, None),
    ({"if_match": "W/ETAG"}, 412, None, None),
    ({"if_match": "ETAG, *"}, 200, None, (0, 0)),
])
async def test_ranges_and_conditions_are_those_of_http(client, headers, status, said, part):
    name = "seg_0000001393.jss"
    content = await whole(client, name)
    etag = f'"{jss.decode_header(content).checksum_text}"'
    headers = {key: value.replace("ETAG", etag) for key, value in headers.items()}

    got = await client.get("getSegment", ("name", name), **headers)
    head = await client.get("getSegment", ("name", name), method="HEAD", **headers)

    size = len(content)
    wanted = content[part[0] : part[1] or size] if part else b""
    assert (got.status, got.body) == (status, wanted)
    assert header(got, "etag") == etag and header(got, "cache-control") == "public, no-cache"
    assert header(got, "content-range") == (said and said.format(n=size, last=size - 1, tail=size - 5))
    assert (head.status, head.headers, head.body) == (status, got.headers, b"")
    assert status not in (200, 206) or head.length == len(wanted)


@pytest.mark.parametrize("name, query, code", [
    ("getSegment", [("name", "seg_00000000ff.jss")], "segment_not_found"),
    ("getSegment", [("name", "seg_0000003391.jss")], "segment_not_found"),  # it still grows
    ("getSegment", [("name", "../seg_000000000b.jss")], "invalid_request"),
    ("getSegment", [], "invalid_request"),
    ("getBlock", [("segment", "seg_000000000b.jss"), ("blockIndex", "2")], "block_not_found"),
    ("getBlock", [("segment", "seg_000000000b.jss"), ("blockIndex", "-1")], "invalid_request"),
    ("getBlock", [("segment", "seg_000000000b.jss"), ("blockIndex", "one")], "invalid_request"),
    ("getBlock", [("segment", "seg_000000000b.jss")], "invalid_request"),
    ("listSegments", [("limit", "0")], "invalid_request"),
    ("listSegments", [("cursor", "x")], "invalid_request"),
])
async def test_what_is_not_there_or_not_said_well_is_refused_by_name(client, name, query, code):
    with pytest.raises(Refused) as refusal:
        await client.get(name, *query)

    assert refusal.value.code == code
    assert refusal.value.status == (404 if code.endswith("not_found") else 400)


@pytest.mark.parametrize("body", [
    b"[]", b"{", b'{"afterSeq":"1"}', b'{"afterSeq":-1}', b'{"afterSeq":5,"beforeSeq":5}',
    b'{"kinds":["post"]}', b'{"dids":["ann"]}', b'{"collections":["app.bsky.fo*"]}',
    b'{"collections":["app.bsky.feed.post"],"kinds":["account"]}',
    msgspec.json.encode({"dids": [f"did:plc:{one}" for one in range(10_001)]}),
    msgspec.json.encode({"collections": [f"a.b.c{one}" for one in range(101)]}),
])
async def test_a_plan_that_cannot_be_is_refused(client, body):
    with pytest.raises(Refused) as refusal:
        await client.plan(body)

    assert refusal.value.status == 400


async def test_a_plan_names_whole_segments_or_the_blocks_that_match(blocks, archive, client):
    blocks.all[1:] = []
    blocks.add([commit(1, collection=LIKE)] * 4_096 + [commit(1, collection=POST)] * 4_096)

    plan_of_all = await client.plan(b"{}")
    plan_of_posts = await client.plan(b'{"collections":["app.bsky.feed.post"],"kinds":["commit"]}')

    assert [(one["name"], one["mode"], one.get("blocks")) for one in plan_of_posts["segments"]] == [
        ("seg_000000000b.jss", "segment", None),
        ("seg_0000001393.jss", "blocks", [{"first": 1, "last": 1}])]
    assert [one["mode"] for one in plan_of_all["segments"]] == ["segment", "segment"]
    assert plan_of_all["sealedTipSeq"] == plan_of_all["plannedThroughSeq"] == 5_010 + 8_192
    assert plan_of_all["segments"][1] == {
        "name": "seg_0000001393.jss", "index": 5_011, "mode": "segment", "minSeq": 5_011,
        "maxSeq": 13_202, "checksum": archive.known(5_011).header.checksum_text}
    assert plan_of_all["stats"] == {
        "segmentsExamined": 2, "segmentsMatched": 2, "blocksMatched": 4, "entries": 2}


async def test_pages_of_a_plan_go_on_where_the_last_one_ended(archive, blocks):
    for _ in range(3):
        blocks.add(mixed(3))
    blocks.all[3:4] = []

    pages, after_seq = [], 0
    while not pages or pages[-1].planned_through_seq < pages[0].sealed_tip_seq:
        pages.append(await plan(archive, Wanted(after_seq=after_seq), builds_max=2))
        assert pages[-1].planned_through_seq > after_seq
        after_seq = pages[-1].planned_through_seq

    indexes = [one.index for page in pages for one in page.segments]
    assert indexes == [one.first_seq for one in blocks.all]
    assert [len(page.segments) for page in pages] == [2, 2, 2]
    entries = await plan(archive, Wanted(), entries_max=1)
    assert (len(entries.segments), entries.planned_through_seq) == (1, 5_010)


async def test_what_a_filter_leaves_out_is_not_built(archive, blocks, client):
    blocks.add([marker(Kind.ACCOUNT, 1, did="did:plc:rare")])
    blocks.all[3:4] = []

    page = await client.plan(b'{"dids":["did:plc:rare"]}')

    assert [one["minSeq"] for one in page["segments"]] == [13_240]
    assert archive.built == 1


async def test_where_nothing_is_sealed_the_plan_ends_below_the_floor(tmp_path):
    store = SealedBlocks(first_seq=500)
    store.add(mixed(5), is_sealed=False)
    client = Client(Archive(store, tmp_path))

    page = await client.plan(b"{}")

    assert (page["segments"], page["sealedTipSeq"], page["plannedThroughSeq"]) == ([], 499, 499)


async def test_an_erased_event_is_gone_from_segment_plan_and_shelf(archive, blocks, client, tmp_path):
    name = "seg_000000000b.jss"
    before = await whole(client, name)
    etag = header(await client.get("getSegment", ("name", name)), "etag")

    blocks.erase([11, 4_000])
    await archive.sweep()

    assert list((tmp_path / "archive").iterdir()) == []
    answer = await client.get("getSegment", ("name", name), range="bytes=100-", if_range=etag)
    assert answer.status == 200, "the rest of the old one would not fit to what was sent of it"
    seqs = [seq for frame in iter_block_frames(answer.body) for seq in seqs_in(frame)]
    assert seqs == [seq for seq in range(11, 5_011) if seq not in (11, 4_000)]
    assert header(answer, "etag") != etag and answer.body != before


async def test_an_erasure_that_nobody_told_of_is_never_served(archive, blocks, client):
    await whole(client, "seg_000000000b.jss")

    blocks.erase(range(12, 5_011))

    frame, = iter_block_frames(await whole(client, "seg_000000000b.jss"))
    assert seqs_in(frame) == [11]


async def test_an_erasure_while_it_is_built_leaves_nothing_on_the_shelf(
        archive, blocks, client, tmp_path, monkeypatch):
    def build_and_erase(block: Block) -> Built:
        built = build(block)
        blocks.erase([5_011])
        return built

    monkeypatch.setattr("lichen.stream.archive.shelf.build", build_and_erase)

    with pytest.raises(Unavailable, match="changed while it was built"):
        await whole(client, "seg_0000001393.jss")

    assert list((tmp_path / "archive").iterdir()) == []


async def test_a_segment_that_lost_all_its_events_is_not_named(archive, blocks, client):
    blocks.erase(range(11, 5_011))

    page = msgspec.json.decode((await client.get("listSegments")).body)

    assert [one["index"] for one in page["segments"]] == [5_011, 5_041]
    with pytest.raises(NotFound):
        await whole(client, "seg_000000000b.jss")


async def test_many_who_ask_at_once_have_it_built_once(archive, client):
    answers = await asyncio.gather(*(whole(client, "seg_000000000b.jss") for _ in range(20)))

    assert len(set(answers)) == 1
    assert archive.built == 1


async def test_a_new_start_empties_the_shelf(archive, blocks, client, tmp_path):
    await whole(client, "seg_000000000b.jss")

    await Archive(blocks, tmp_path / "archive").start()

    assert list((tmp_path / "archive").iterdir()) == []


NAMES = (LIKE, POST, "app.bsky.graph.follow", "com.example.feed.post")


@st.composite
def histories(draw: st.DrawFn) -> list:
    """A few events of few actors and collections."""
    def one(number: int):
        did = draw(st.sampled_from(DIDS[:4]))
        if draw(st.integers(0, 3)) == 0:
            kind = draw(st.sampled_from((Kind.IDENTITY, Kind.ACCOUNT, Kind.SYNC)))
            return marker(kind, number, did=did)
        return commit(number, did=did, collection=draw(st.sampled_from(NAMES)))
    return [one(number) for number in range(draw(st.integers(1, 12)))]


@given(st.lists(histories(), min_size=1, max_size=5),
       st.sets(st.sampled_from(("commit", "identity", "account", "sync"))),
       st.sets(st.sampled_from(DIDS[:4])),
       st.sets(st.sampled_from((*NAMES, "app.bsky.*", "com.example.*"))),
       st.integers(0, 40), st.integers(1, 40), st.integers(1, 3))
@pytest.mark.slow
def test_a_plan_misses_nothing_that_is_wanted(tmp_path_factory, histories, kinds, dids, collections,
                                              after_seq, more, builds_max):
    store = SealedBlocks()
    for history in histories:
        store.add(history)
    if collections and kinds:
        kinds = kinds | {"commit"}
    wanted = Wanted(after_seq, after_seq + more, sorted(kinds), sorted(dids), sorted(collections))

    planned = asyncio.run(planned_seqs(Archive(store, tmp_path_factory.mktemp("a")), wanted, builds_max))

    arrivals = [arrival for history in histories for arrival in history]
    model = {seq for seq, arrival in enumerate(arrivals, 1)
             if after_seq < seq <= after_seq + more
             and (not kinds or arrival.kind.word in kinds)
             and (not dids or arrival.did in dids)
             and (not collections or arrival.kind != Kind.COMMIT or any(
                 arrival.collection == one or one.endswith("*") and arrival.collection.startswith(one[:-2])
                 for one in collections))}
    assert model <= set().union(*planned)
    assert all(seqs & model for seqs in planned), "and names nothing in vain"


async def planned_seqs(archive: Archive, wanted: Wanted,
                       builds_max: int) -> list[set[int]]:
    """Return the sequences in each segment of a plan, over all of its pages."""
    await archive.start()
    seqs: list[set[int]] = []
    while True:
        page = await plan(archive, wanted, builds_max=builds_max)
        for segment in page.segments:
            entry = await archive.entry(segment.index)
            frames = list(iter_block_frames(await archive.read(entry, 0, entry.size)))
            numbers = ([number for one in segment.blocks for number in range(one.first, one.last + 1)]
                       if segment.blocks is not None else range(len(frames)))
            seqs.append({seq for number in numbers for seq in seqs_in(frames[number])})
        if page.planned_through_seq >= page.sealed_tip_seq:
            return seqs
        wanted.after_seq = page.planned_through_seq
