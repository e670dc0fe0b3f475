"""The clients that people have, unmodified, against the real server."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from atproto_jetstream import AsyncJetstreamClient, JetstreamClient

from lichen.stream import Arrival, Kind
from tests.stream.serving import Served, did_of, events, serving, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

FOLDER = Path(__file__).parent
MODULES = FOLDER.parent / "clients" / "node_modules"
SCRIPT_WITHIN_S = 30
HISTORY = events(300)
# The SDK 0.0.73 ends at a #sync whose blocks are {"$bytes": …}, which is their form in JSON.
WITHOUT_SYNC = events(300, has_sync=False)


async def node(script: str, served: Served, count: int, **asked: str) -> list[dict[str, Any]]:
    """Run a script until it got so many events; what it asks for comes by name."""
    assert MODULES.is_dir(), "run `npm ci` in tests/clients, as make test does"
    words = [str(count), asked.get("collections", ""), asked.get("dids", ""), asked.get("cursor", "")]
    child = await asyncio.create_subprocess_exec(
        "node", str(FOLDER / script), served.ws, *words, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE)
    try:
        out, errors = await asyncio.wait_for(child.communicate(), SCRIPT_WITHIN_S)
    except TimeoutError:
        child.kill()
        out, errors = await child.communicate()
        pytest.fail(f"{script} got {out.count(b'cursor')} events of {count}: {errors.decode()}")
    assert child.returncode == 0, errors.decode()
    return [msgspec.json.decode(line) for line in out.splitlines()]


def on_v1(history: list[Arrival]) -> list[int]:
    return [seq for seq, one in enumerate(history, 1) if one.kind != Kind.SYNC]


async def test_skyware_gets_everything_and_what_it_filters(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.append(HISTORY)
        wanted = on_v1(HISTORY)
        by_collection = [seq for seq in wanted if HISTORY[seq - 1].kind != Kind.COMMIT
                         or HISTORY[seq - 1].collection.startswith("app.bsky.feed.")]
        by_did = [seq for seq in wanted if HISTORY[seq - 1].did in {did_of(1), did_of(2)}]

        everything = await node("skyware.mjs", served, len(wanted), cursor="1")
        some = await node("skyware.mjs", served, len(by_collection), cursor="1",
                          collections="app.bsky.feed.*")
        few = await node("skyware.mjs", served, len(by_did), cursor="1",
                         dids=f"{did_of(1)},{did_of(2)}")

    assert [one["cursor"] for one in everything] == wanted
    assert [one["cursor"] for one in some] == by_collection
    assert [one["cursor"] for one in few] == by_did


async def test_atcute_says_hello_and_gets_what_it_asked_for(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.append(HISTORY)
        first_us = str(served.store.sizes().oldest_us)
        wanted = on_v1(HISTORY)
        by_did = [seq for seq in wanted if HISTORY[seq - 1].did == did_of(1)]

        everything = await node("atcute.mjs", served, len(wanted), cursor=first_us)
        few = await node("atcute.mjs", served, len(by_did), cursor=first_us, dids=did_of(1))
        live = asyncio.create_task(node("atcute.mjs", served, 3))  # its cursor is now, in µs
        await until(lambda: served.server.counts.options_updates == 3)
        await served.append(events(3, has_sync=False))
        later = await live

    assert [one["cursor"] for one in everything[1:]] == wanted
    assert [one["cursor"] for one in few[1:]] == by_did
    assert [one["cursor"] for one in later[1:]] == [301, 302, 303]


async def test_atcute_comes_back_with_its_cursor_when_the_server_was_away(tmp_path: Path) -> None:
    """The connection ends in the middle; the client's own reconnect misses nothing."""
    async with serving(tmp_path) as served:
        await served.append(events(20, has_sync=False))
        first_us = str(served.store.sizes().oldest_us)
        reading = asyncio.create_task(node("atcute.mjs", served, 41, cursor=first_us))
        await until(lambda: any(one.events_sent == 20 for one in served.subscribers))
        for subscriber in served.subscribers:
            subscriber.shut_down()
        await served.append(events(20, has_sync=False))
        found = [one["cursor"] for one in await reading if "cursor" in one]

    # The cursor is inclusive, so that the last event comes twice.
    assert found == [*range(1, 21), *range(20, 41)]


@pytest.mark.parametrize("compress", [False, True])
async def test_the_atproto_client_gets_everything(tmp_path: Path, compress: bool) -> None:
    async with serving(tmp_path) as served:
        await served.append(WITHOUT_SYNC)
        found: list[Any] = []

        async def run(client: AsyncJetstreamClient, count: int) -> None:
            async def told(message: Any) -> None:
                found.append(message)
                if len(found) == count:
                    await client.stop()

            await asyncio.wait_for(client.start(told), 20)

        base = f"{served.ws}/xrpc"
        client = AsyncJetstreamClient(base_uri=base, params={"cursor": 1}, compress=compress)
        await run(client, len(WITHOUT_SYNC))
        assert [one.seq for one in found] == list(range(1, len(WITHOUT_SYNC) + 1))
        assert client.compressed == compress
        assert {type(one).__name__ for one in found} == {"Commit", "Identity", "Account"}

        found.clear()
        few = [did_of(number) for number in range(12)]
        expected = [seq for seq, one in enumerate(WITHOUT_SYNC, 1) if one.kind == Kind.COMMIT
                    and one.collection == "app.bsky.feed.post" and one.did in few]
        params = {"cursor": 1, "kinds": ["commit"], "collections": ["app.bsky.feed.post"],
                  "dids": few}
        await run(AsyncJetstreamClient(base_uri=base, params=params, compress=compress),
                  len(expected))
        assert [one.seq for one in found] == expected


async def test_the_blocking_atproto_client_works_too(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.append(WITHOUT_SYNC[:50])
        client = JetstreamClient(base_uri=f"{served.ws}/xrpc", params={"cursor": 1}, compress=True)
        found: list[int] = []

        def told(message: Any) -> None:
            found.append(message.seq)
            if len(found) == 50:
                client.stop()

        await asyncio.wait_for(asyncio.to_thread(client.start, told), 20)

    assert found == list(range(1, 51))
