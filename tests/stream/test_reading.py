"""The commands for people that read a stream: what they print is what was sent, exactly."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lichen.cli import main
from lichen.kit import Refused
from lichen.stream import EVERYTHING, Arrival, Filter, Form, Store, pull
from lichen.stream.client.replaying import resume_file
from lichen.stream.client.showing import line_of
from tests.stream.serving import events, serving, until

pytestmark = pytest.mark.anyio

EVENTS = 900


async def lichen(*words: str) -> Result:
    """Run a command on a thread, as it blocks."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["stream", *words])


def kept(store: Store, wanted: Filter = EVERYTHING) -> list[bytes]:
    """Return the messages of the first wire, cut by other code than the client's."""
    found, seq = b"", 0
    while (pulled := pull(store, seq, wanted, Form())).next_seq > seq:
        found, seq = found + bytes(pulled.data), pulled.next_seq
    return re.findall(rb'\{"did":"did:plc:[a-z2-7]{24}","time_us":.*?\}(?=\x81|$)', found)


async def test_a_replay_writes_every_event_once_and_in_order(tmp_path):
    async with serving(tmp_path) as served:
        await served.append(events(EVENTS, has_sync=False))
        out = tmp_path / "events.jsonl"

        shown = await lichen("replay", served.v1, "--out", str(out))

        assert shown.exit_code == 0, shown.output
        assert out.read_bytes().splitlines() == kept(served.store)
        assert f"{len(kept(served.store)):,} events" in shown.output


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0, 1, 700, 30_001])
async def test_a_replay_that_was_cut_off_goes_on_where_its_file_ends(tmp_path, cut):
    """Killed in the middle of a line, too: the torn line is written anew."""
    async with serving(tmp_path) as served:
        await served.append(events(EVENTS, has_sync=False))
        out = tmp_path / "events.jsonl"
        whole = b"\n".join(kept(served.store)) + b"\n"
        out.write_bytes(whole[:cut])

        shown = await lichen("replay", served.v1, "--out", str(out))

        assert shown.exit_code == 0, shown.output
        assert out.read_bytes() == whole


async def test_a_replay_compressed_on_the_way_writes_the_same(tmp_path):
    async with serving(tmp_path) as served:
        await served.append(events(EVENTS, has_sync=False))
        out = tmp_path / "events.jsonl"

        shown = await lichen("replay", served.v1, "--compress", "--out", str(out))

        assert shown.exit_code == 0, shown.output
        assert out.read_bytes().splitlines() == kept(served.store)


async def test_a_replay_never_mixes_a_cursor_with_a_file_that_has_its_own(tmp_path):
    out = tmp_path / "events.jsonl"
    out.write_bytes(b'{"did":"did:plc:x","time_us":5,"cursor":77}\n')

    shown = await lichen("replay", "localhost:1", "--out", str(out), "--cursor", "3")

    assert shown.exit_code == 2
    assert "goes on behind 77" in shown.output


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "letter.txt"
    out.write_bytes(b"Dear Ada,\nall is well.\n")

    with pytest.raises(Refused, match="holds no events"):
        resume_file(out)

    assert out.read_bytes() == b"Dear Ada,\nall is well.\n"


@pytest.mark.parametrize("words", [[], ["--fast"], ["--compress"], ["--compress", "--fast"]],
                         ids=" ".join)
async def test_counting_up_to_the_tip_counts_each_event_once(tmp_path, words):
    async with serving(tmp_path) as served:
        await served.append(events(EVENTS, has_sync=False))

        shown = await lichen("count", served.v1, "--cursor", "1", *words)

        expected = kept(served.store)
        assert shown.exit_code == 0, shown.output
        assert f"{len(expected):,} events in" in shown.output
        if "--fast" not in words:
            likes = sum(b'"collection":"app.bsky.feed.like"' in one for one in expected)
            assert re.search(rf"^ +{likes:,} .*app\.bsky\.feed\.like$", shown.output, re.MULTILINE)


def is_german_post(one: Arrival) -> bool:
    return one.collection == "app.bsky.feed.post" and "de" in one.langs


async def test_what_is_wanted_by_options_is_what_comes(tmp_path):
    wanted = Filter(collections=frozenset(("app.bsky.feed.post",)), langs=frozenset(("de",)))
    async with serving(tmp_path) as served:
        await served.append(events(EVENTS, has_sync=False))
        await served.append([one for one in events(EVENTS, seed=2) if is_german_post(one)][:1])

        shown = await lichen("count", served.v1, "--cursor", "1", "--collection",
                             "app.bsky.feed.post", "--lang", "de")

        expected = len(kept(served.store, wanted))
        assert 0 < expected < EVENTS // 2
        assert f"{expected:,} events in" in shown.output


async def test_tailing_prints_what_happens_and_the_end(tmp_path):
    async with serving(tmp_path) as served:
        await served.append(events(20, has_sync=False))
        tailing = asyncio.create_task(lichen("tail", served.v1, "--cursor", "1", "--json"))
        await until(lambda: len(served.subscribers) == 1)
        await until(lambda: served.server.counts.events_sent == 20)
        served.subscribers[0].shut_down()

        shown = await tailing

        assert shown.exit_code == 1
        assert "closed the stream with code 1001" in shown.stderr
        assert [one.encode() for one in shown.stdout.splitlines()] == kept(served.store)


def test_an_event_is_one_line_that_no_stranger_can_break() -> None:
    """Texts are of strangers: a terminal must not obey what stands in them."""
    text = "\x1b[2Jbuy\nthis\r " + "x" * 500
    event = json.dumps({"did": "did:plc:a", "time_us": 1_700_000_000_000_000, "kind": "commit",
                        "commit": {"operation": "create", "collection": "app.bsky.feed.post",
                                   "rkey": "3k\x07", "record": {"text": text}}})

    line = line_of(event.encode())

    assert line.isprintable()
    assert line.startswith("22:13:20.000 create app.bsky.feed.post")
    assert len(line) < 250


@pytest.mark.parametrize("said", [b"", b"no json", b"[1]", b'{"kind":5}', b'{"kind":"commit"}',
                                  b'{"kind":"commit","commit":{"record":7}}'], ids=repr)
def test_what_is_no_event_is_shown_and_ends_nothing(said: bytes) -> None:
    assert line_of(said).isprintable()


async def test_the_sizes_are_told_with_what_an_event_takes(tmp_path):
    async with serving(tmp_path) as served:
        await served.append(events(EVENTS, has_sync=False))

        shown = await lichen("sizes", served.v1, "--rate", "100", "--retention", "1h")

        sizes = served.store.sizes()
        assert shown.exit_code == 0, shown.output
        assert f"{sizes.events:,} events of" in shown.output
        assert f"{sizes.plain_bytes / sizes.events:,.0f} bytes an event" in shown.output
        assert "(8,640,000 events)" in shown.output


@pytest.mark.parametrize("word", ["tail", "count", "replay", "loadtest", "sizes"])
async def test_a_server_that_is_away_is_one_line(word):
    shown = await lichen(word, "127.0.0.1:1")

    assert shown.exit_code == 1
    assert len(shown.stderr.splitlines()) == 1
    assert "127.0.0.1:1" in shown.stderr


async def test_a_wish_that_the_server_refuses_is_told_in_its_words(tmp_path):
    async with serving(tmp_path) as served:
        shown = await lichen("tail", served.v1, "--collection", "no star*")

        assert shown.exit_code == 1
        assert "answered 400 Bad Request: wantedCollections holds NSIDs" in shown.stderr


@pytest.mark.slow
async def test_a_crowd_is_told_that_nothing_was_lost(tmp_path):
    async with serving(tmp_path) as served:
        await served.append(events(EVENTS, has_sync=False))
        testing = asyncio.create_task(lichen(
            "loadtest", served.v1, "--subscribers", "30", "--everything", "3", "--for", "1.5"))
        await until(lambda: len(served.subscribers) == 30)
        for part in range(10):
            await served.append(events(50, seed=100 + part, has_sync=False))

        shown = await testing

        assert shown.exit_code == 0, shown.output
        assert "30 subscribers got" in shown.output
        assert "lost 0, doubled 0, turned 0, hung up 0." in shown.output
        assert re.search(r"everything +1,500 events", shown.output)


