"""How fast a backlog of activities is applied where the database is far away.

    python -m bench.ingest [--url postgresql://postgres@127.0.0.1:5432/postgres] [--count 10000]

A house's rooms over a PostgreSQL behind a proxy that delays each direction by 25 ms; the log holds
what two peers sent: votes, comments, and a mixture of everything. Round trips are the store's own
count, which tests/store holds against the socket; the relay and the other readers do not run.
"""

import argparse
import asyncio
import json
import os
import random
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from bench.results import record
from bench.serving import scratch
from bench.trips import database
from lichen.accounts import Accounts, ActorDraft, ActorKind
from lichen.accounts.passwords import Passwords
from lichen.accounts.room import build as build_accounts
from lichen.drill.distance import distant
from lichen.federation.actors import actor_in
from lichen.federation.applying import Applying
from lichen.federation.decisions import Below
from lichen.federation.ingest import Ingest
from lichen.federation.model import Accepts
from lichen.forum import Forum, NewCommunity
from lichen.forum.room import build as build_forum
from lichen.kit.config import Config, Identity
from lichen.kit.ground import Ground, ground_of
from lichen.log import SegmentLog
from lichen.messages.room import build as build_messages
from lichen.moderation.room import build as build_moderation
from lichen.store import Store, open_store
from lichen.store.migrating import migrate
from lichen.web import Addresses

DELAY_MS = 25.0  # each way: 50 ms a round trip
URL = "postgresql://postgres@127.0.0.1:5432/postgres"
PEOPLE, POSTS, COMMUNITIES = 2_000, 200, 10
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
PEER = "https://peer.example"

Json = dict[str, Any]


class Backlog:
    """Makes activities as a Lemmy sends them: announced by communities of one peer."""

    def __init__(self) -> None:
        self.chance = random.Random(7)
        self.number = 0
        self.posts: list[tuple[str, str]] = []
        self.comments: list[tuple[str, str]] = []

    def person(self) -> str:
        """Return somebody of the peer's."""
        return f"{PEER}/u/person{self.chance.randrange(PEOPLE)}"

    def activity(self, kind: str, community: str, object: Any, actor: str = "") -> Json:
        """Return an activity, announced by a community."""
        self.number += 1
        actor = actor or self.person()
        inner = {
            "id": f"{PEER}/activities/{kind.lower()}/{self.number}", "type": kind, "actor": actor,
            "to": [PUBLIC], "cc": [community], "audience": community, "object": object,
        }
        return {
            "@context": ["https://join-lemmy.org/context.json",
                         "https://www.w3.org/ns/activitystreams"],
            "id": f"{PEER}/activities/announce/{self.number}", "type": "Announce",
            "actor": community, "to": [PUBLIC], "cc": [f"{community}/followers"], "object": inner,
        }

    def post(self) -> Json:
        """Return a new post somewhere."""
        community = f"{PEER}/c/place{self.chance.randrange(COMMUNITIES)}"
        actor, id = self.person(), f"{PEER}/post/{self.number + 1}"
        self.posts.append((id, community))
        return self.activity("Create", community, {
            "type": "Page", "id": id, "attributedTo": actor, "to": [community, PUBLIC],
            "name": f"A stone, number {self.number}", "content": "<p>Look at it.</p>",
            "source": {"content": "Look at it.", "mediaType": "text/markdown"},
            "published": "2023-11-01T12:00:00Z", "audience": community,
        }, actor)

    def comment(self) -> Json:
        """Return an answer to one of the newest posts or comments."""
        below = self.comments if self.comments and self.chance.random() < 0.4 else self.posts
        answered, community = self.chance.choice(below[-500:])
        actor, id = self.person(), f"{PEER}/comment/{self.number + 1}"
        self.comments.append((id, community))
        return self.activity("Create", community, {
            "type": "Note", "id": id, "attributedTo": actor, "to": [PUBLIC],
            "inReplyTo": answered, "content": "<p>I have seen one like it, by the sea.</p>",
            "source": {"content": "I have seen one like it, by the sea.",
                       "mediaType": "text/markdown"},
            "published": "2023-11-01T13:00:00Z",
        }, actor)

    def vote(self) -> Json:
        """Return a vote on one of the newest posts or comments."""
        among = self.comments if self.comments and self.chance.random() < 0.5 else self.posts
        subject, community = self.chance.choice(among[-1_000:])
        kind = "Dislike" if self.chance.random() < 0.1 else "Like"
        return self.activity(kind, community, subject)

    def mixed(self) -> Json:
        """Return what a day is made of: votes mostly, some comments, few posts and removals."""
        roll = self.chance.random()
        if roll < 0.70:
            return self.vote()
        if roll < 0.93:
            return self.comment()
        if roll < 0.97:
            return self.post()
        subject, community = self.chance.choice(self.comments or self.posts)
        if roll < 0.998:
            return self.activity("Delete", community, subject, f"{PEER}/u/person1")
        return self.activity("Lock", community, self.chance.choice(self.posts)[0])


class Rooms:
    """The rooms that ingest speaks to."""

    def __init__(self, ground: Ground, store: Store, accounts: Accounts, forum: Forum) -> None:
        addresses = Addresses(ground.config.public_url)
        messages = build_messages(ground, accounts=accounts, addresses=addresses,
                                  allowance=accounts.newcomers)
        moderation = build_moderation(ground, forum=forum, accounts=accounts, addresses=addresses)
        self.store, self.accounts, self.forum = store, accounts, forum
        self.ingest = Ingest(store, Applying(Below(
            accounts=accounts, forum=forum, messages=messages, moderation=moderation,
            accepts=lambda _authority: Accepts(), read_actor=actor_in,
            own_authority="lichen.example",
        ), ground.tids), position=0)

    async def meet(self) -> None:
        """Have the peer's people and communities known."""
        people = [_draft(ActorKind.PERSON, f"person{number}", "u") for number in range(PEOPLE)]
        places = [NewCommunity(actor=_draft(ActorKind.COMMUNITY, f"place{number}", "c"))
                  for number in range(COMMUNITIES)]
        await self.store.write(lambda unit: self.forum.create_communities(unit, places))
        for start in range(0, PEOPLE, 500):
            some = people[start:start + 500]
            await self.store.write(lambda unit, some=some: self.accounts.create_actors(unit, some))


def _draft(kind: ActorKind, name: str, path: str) -> ActorDraft:
    ap_id = f"{PEER}/{path}/{name}"
    return ActorDraft(kind=kind, name=name, domain="peer.example", ap_id=ap_id,
                      inbox=f"{ap_id}/inbox")


async def main(url: str, count: int) -> None:
    """Measure, print and keep the figures."""
    figures: dict[str, object] = {"load": round(os.getloadavg()[0], 1), "count": count}
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 5432
    with database(url) as name, scratch() as folder:
        migrate(f"postgresql://postgres@{host}:{port}/{name}", folder=folder)
        async with distant(host, port, delay_ms=DELAY_MS) as distance:
            figures |= await _measured(
                f"postgresql://postgres@127.0.0.1:{distance.port}/{name}", folder, count)
    record("ingest", figures)


async def _measured(url: str, folder: Path, count: int) -> dict[str, object]:
    ground = ground_of(Config(identity=Identity(public_url="https://lichen.example")))
    store = open_store(url, folder=folder, clock=ground.clock)
    addresses = Addresses(ground.config.public_url)
    accounts = await build_accounts(ground, store, addresses=addresses, log_seq=0,
                                    passwords=Passwords(memory_kib=64))
    room = await build_forum(ground, store, accounts=accounts, addresses=addresses, folder=folder,
                             log_first_seq=0, log_last_seq=0)
    rooms = Rooms(ground, store, accounts, room.forum)
    await rooms.meet()
    log = SegmentLog.open(folder / "inbox", clock=ground.clock)
    backlog, figures = Backlog(), {}
    print(f"ingest, PostgreSQL, 50 ms a round trip, {os.cpu_count()} cores")
    await _applied(rooms, log, [backlog.post() for _ in range(POSTS)])
    for kind, make, number in (("votes", backlog.vote, count), ("comments", backlog.comment,
                               count // 2), ("mixed", backlog.mixed, count)):
        activities, working = [make() for _ in range(number)], time.process_time()
        seconds, trips = await _applied(rooms, log, activities)
        working = time.process_time() - working
        figures |= {f"{kind}_per_s": round(number / seconds),
                    f"{kind}_cpu_us": round(working / number * 1e6),
                    f"{kind}_trips": round(trips / number, 4)}
        print(f"  {kind:9} {number / seconds:8.0f} a second   {trips / number:.4f} round trips "
              f"and {figures[f'{kind}_cpu_us']} µs of this process each", flush=True)
    print(f"  {dict(rooms.ingest.outcomes)}")
    for kind, make in (("vote", backlog.vote), ("comment", backlog.comment)):
        runs = [await _applied(rooms, log, [make()]) for _ in range(8)]
        figures |= {f"one_{kind}_ms": round(min(run[0] for run in runs) * 1_000, 1),
                    f"one_{kind}_trips": min(run[1] for run in runs)}
        print(f"  one {kind:7} {figures[f'one_{kind}_ms']:6} ms "
              f"{figures[f'one_{kind}_trips']} round trips", flush=True)
    await log.close()
    await room.rank_reader.close()
    await accounts.close()
    await store.close()
    return figures


async def _applied(
    rooms: Rooms, log: SegmentLog, activities: list[Json]
) -> tuple[float, int]:
    """Have a backlog in the log applied, and return how long it took and its round trips."""
    first = log.last_seq + 1
    lines = [json.dumps({"peer": "peer.example", "receivedUs": 1, "activity": one}).encode()
             for one in activities]
    for start in range(0, len(lines), 2_000):
        await log.append(lines[start:start + 2_000])
    before, started = rooms.store.round_trips_apart, time.perf_counter()
    position = first
    while position <= log.last_seq:
        batch = await asyncio.to_thread(log.read, position)
        await rooms.ingest.apply(batch)
        position = batch.next_seq
    seconds = time.perf_counter() - started
    return seconds, rooms.store.round_trips_apart - before


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.ingest")
    parser.add_argument("--url", default=URL, help="a PostgreSQL where databases may be created")
    parser.add_argument("--count", type=int, default=10_000, help="activities of each kind")
    arguments = parser.parse_args()
    uvloop.run(main(arguments.url, arguments.count))
