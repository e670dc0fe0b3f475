"""How long the server takes for a page of the moderation queue with thousands of things waiting.

    python -m bench.moderation [items]

A house on SQLite in this process, its queue filled with reported posts; the page is the query with
contents, contexts and histories, and then the whole answer as HTML, without a network.
"""

import asyncio
import re
import statistics
import sys
import time
from pathlib import Path

import httpx

from bench.results import record
from bench.serving import scratch
from lichen.accounts import Viewer
from lichen.forum import CommunityDraft, NewPost, PostDraft
from lichen.house import House
from lichen.kit.config import Config
from lichen.moderation import ItemKind, QueueItem, QueueQuery
from lichen.store import Unit

ITEMS = 5_000  # issue 3: "moderation queue page with 5,000 waiting items"
BATCH = 1_000  # written by one command
ROUNDS = 100
WANTED_MS = 30.0
PASSWORD = "three odd words"


async def main(items: int) -> None:
    """Fill, measure, print and keep the figures."""
    with scratch() as folder:
        house = await House.open(Config.load(words={
            "server.data": folder, "server.profile": "testbed",
        }))
        try:
            figures = await _measured(house, items)
        finally:
            await house.close()
    print(f"queue, {items} waiting, SQLite: "
          + ", ".join(f"{name} {value}" for name, value in figures.items())
          + f" (wanted: under {WANTED_MS:.0f} ms)")
    record(Path(__file__).stem, {"items": items, **figures})


async def _measured(house: House, items: int) -> dict[str, object]:
    accounts = house.rooms.accounts
    login = await accounts.register("mira", PASSWORD, address="192.0.2.7", agent="bench")
    assert login.token is not None
    viewer = await accounts.viewer(login.token)
    assert viewer is not None
    await _fill(house, viewer, items)
    query_ms, page_ms, sizes = [], [], []
    transport = httpx.ASGITransport(app=house.application)
    cookies = {"lichen_session": login.token}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://lichen.bench", cookies=cookies
    ) as client:
        for _ in range(ROUNDS):
            started = time.perf_counter()
            await house.store.read(
                lambda unit: house.rooms.moderation.queue(unit, viewer, QueueQuery())
            )
            query_ms.append((time.perf_counter() - started) * 1_000)
            started = time.perf_counter()
            answer = await client.get("/moderation")
            page_ms.append((time.perf_counter() - started) * 1_000)
            sizes.append(len(re.findall("<article", answer.text)))
    assert set(sizes) == {20}, set(sizes)
    return {
        "queue_query_p50_ms": round(statistics.median(query_ms), 1),
        "queue_page_p50_ms": round(statistics.median(page_ms), 1),
        "queue_page_p95_ms": round(sorted(page_ms)[int(0.95 * len(page_ms))], 1),
    }


async def _fill(house: House, viewer: Viewer, items: int) -> None:
    """Write posts and put each into the queue."""
    forum, moderation = house.rooms.forum, house.rooms.moderation
    place = (await house.store.write(lambda unit: forum.create_community(
        unit, viewer, "stones", CommunityDraft(title="Stones")
    ))).community.id
    for first in range(0, items, BATCH):
        count = min(BATCH, items - first)

        def command(unit: Unit, first: int = first, count: int = count) -> None:
            posts = forum.create_posts(unit, [
                NewPost(viewer.id, place, PostDraft(
                    name=f"Post number {first + at}", body="Words. " * 20
                )) for at in range(count)
            ])
            for post in posts:
                moderation.wait(unit, QueueItem(
                    kind=ItemKind.REPORT, subject_kind="post", subject_id=post.id,
                    community_id=place, person_id=viewer.id, since_us=unit.clock_us,
                    evidence="An advertisement.",
                ))

        await house.store.write(command)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ITEMS))
