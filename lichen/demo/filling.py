"""Filling: a plan becomes rows, log, search and notifications, in chunks, with a progress bar.

People and communities go through their rooms' own commands. What there are millions of is written
as the rooms would have written it, rows by the rooms' statements and events by their records, but
without asking back: the plan already knows every count. Readers are brought to the log's end by
filling what they keep, so that the house serves at once.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import click
import numpy as np

from lichen.accounts import Accounts, ActorKind
from lichen.accounts.model import AccountDraft, ActorDraft
from lichen.accounts.passwords import Passwords
from lichen.accounts.room import build as build_accounts
from lichen.demo.plan import SIZES, Plan, draw
from lichen.demo.words import Voice, community_of, person_name
from lichen.demo.writing import Writing
from lichen.erasing import note_swept
from lichen.forum import Following, NewCommunity
from lichen.forum.room import build as build_forum
from lichen.kit import Refused
from lichen.kit.config import Config
from lichen.kit.ground import Ground, ground_of
from lichen.log import SegmentLog
from lichen.log.limits import APPEND_RECORDS_MAX
from lichen.notifications import tables as notification_tables
from lichen.search import Search
from lichen.search.room import build as build_search
from lichen.store import Relay, Store, Unit, advance_checkpoint, open_store
from lichen.store.migrating import EMPTY, migrate, version_of
from lichen.web import Addresses

DEMO_PASSWORD = "lichen demo"  # everybody's; never fill a folder that strangers can reach
ACTORS_CHUNK = 500  # actors created or indexed by one command
CHUNK = 10_000  # things written in one transaction and one append

T = TypeVar("T")


def fill(config: Config, *, size: str, seed: int) -> None:
    """Fill the empty folder of a configuration; raises Refused where it is not empty."""
    folder = config.server.data
    url = config.database.url.reveal()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if version_of(url, folder=folder) != EMPTY:
        raise Refused(
            "folder_not_empty",
            f"{folder} already holds a house; the demo fills an empty folder: choose another.",
        )
    asyncio.run(_fill(config, size=size, seed=seed))
    click.echo(f'Filled {folder}. Log in as "{person_name(0)}", password "{DEMO_PASSWORD}".')


async def _fill(config: Config, *, size: str, seed: int) -> None:
    ground = ground_of(config)
    generator = np.random.Generator(np.random.PCG64(seed))
    plan = draw(SIZES[size], generator, now_us=ground.clock())
    folder, url = config.server.data, config.database.url.reveal()
    log = SegmentLog.open(folder / "log", clock=ground.clock)
    migrate(url, folder=folder)
    store = open_store(url, folder=folder, clock=ground.clock)
    addresses = Addresses(config.public_url)
    passwords = Passwords()
    accounts = await build_accounts(
        ground, store, addresses=addresses, log_seq=0, passwords=passwords
    )
    site = _Site(ground, store, log, accounts, addresses, folder, passwords)
    try:
        await _Filling(site, plan, Voice(generator)).run()
    finally:
        await accounts.close()
        await store.close()
        await log.close()


@dataclass(frozen=True, slots=True)
class _Site:
    """Where the plan is written to."""

    ground: Ground
    store: Store
    log: SegmentLog
    accounts: Accounts
    addresses: Addresses
    folder: Path
    passwords: Passwords


class _Filling:
    def __init__(self, site: _Site, plan: Plan, voice: Voice) -> None:
        self.site = site
        self.plan = plan
        self.voice = voice
        self.store = site.store
        self.relay = Relay(site.store, append=site.log.append, read_back=lambda _count: b"",
                           wait_applied=_nobody_waits)
        site.store.settle = None

    async def run(self) -> None:
        """Write everything, in the order in which things refer to each other."""
        await self._people_and_communities()
        site, size, voice = self.site, self.plan.size, self.voice
        writing = Writing(
            self.plan, self.people, self.communities, addresses=site.addresses,
            tids=site.ground.tids,
        )
        search = await build_search(site.ground, self.store, forum=self.forum,
                                    accounts=site.accounts)

        def posts(unit: Unit, span: range) -> list[bytes]:
            homes = self.plan.post_community[span.start:span.stop].tolist()
            titles = [voice.title(home) for home in homes]
            lines = writing.posts(unit, span, titles, voice.texts(homes, [at % 6 for at in span]))
            search.reader.index(unit, writing.post_documents(span))
            return lines

        def comments(unit: Unit, span: range) -> list[bytes]:
            posts_of = self.plan.comment_post[span.start:span.stop]
            homes = self.plan.post_community[posts_of].tolist()
            lines = writing.comments(unit, span, voice.texts(homes, [1 + at % 4 for at in span]))
            search.reader.index(unit, writing.comment_documents(span))
            unit.stage(notification_tables.KEEP, *writing.notifications(span))
            return lines

        await self._write("posts", size.posts, posts)
        await self._write("comments", size.comments, comments)
        await self._write("votes", len(self.plan.vote_person), writing.votes)
        await self._write("tallies", size.posts + size.comments, writing.tallies)
        for chunk in _chunks(writing.presences(), 20_000):
            await self.store.write(partial(writing.stage_presences, found=chunk))
        await self._write("totals", 1, writing.totals)
        await self._bring_readers_to_the_end(search)

    async def _people_and_communities(self) -> None:
        """Create the actors by their rooms' own commands."""
        size, site = self.plan.size, self.site
        password_hash = await site.passwords.hash(DEMO_PASSWORD)
        first_us = int(self.plan.post_us[0])
        drafts = [
            AccountDraft(
                actor=ActorDraft(
                    kind=ActorKind.PERSON, name=person_name(at), admin=at == 0,
                    published_us=first_us - (size.people - at) * 1_000_000,
                ),
                password_hash=password_hash,
            )
            for at in range(size.people)
        ]
        self.people = []
        for chunk in _chunks(drafts, ACTORS_CHUNK):
            created = await self.store.write(
                partial(site.accounts.create_accounts, drafts=chunk)
            )
            self.people += [account.actor for account in created]
        talk = await build_forum(
            site.ground, self.store, accounts=site.accounts, addresses=site.addresses,
            folder=site.folder / "demo", log_first_seq=0, log_last_seq=0,
        )
        self.forum = talk.forum
        await self._communities(first_us)
        await talk.rank_reader.close()
        for path in (site.folder / "demo").iterdir():
            path.unlink()
        (site.folder / "demo").rmdir()
        await self.relay.catch_up()

    async def _communities(self, first_us: int) -> None:
        size = self.plan.size
        new = []
        for at in range(size.communities):
            name, title, topic = community_of(at)
            actor = ActorDraft(
                kind=ActorKind.COMMUNITY, name=name, display_name=title, summary=topic.about,
                published_us=first_us - (size.communities - at) * 1_000_000,
            )
            new.append(NewCommunity(actor=actor, creator_id=self.people[self.plan.founder(at)].id))
        self.communities = []
        for chunk in _chunks(new, ACTORS_CHUNK):
            self.communities += await self.store.write(
                partial(self.forum.create_communities, new=chunk)
            )
        followings = [
            Following(person_id=self.people[person].id, community_id=self.communities[at].id)
            for person, at in self.plan.followings()
        ]
        with click.progressbar(length=len(followings), label="subscriptions") as bar:
            for part in _chunks(followings, ACTORS_CHUNK * 8):
                await self.store.write(partial(self.forum.follow_communities, followings=part))
                bar.update(len(part))

    async def _write(
        self, label: str, count: int, write: Callable[..., list[bytes]]
    ) -> None:
        """Write `count` things in chunks: rows in one transaction, events in one append."""
        with click.progressbar(length=count, label=label) as bar:
            for start in range(0, count, CHUNK):
                span = range(start, min(count, start + CHUNK))
                lines = await self.store.write(partial(write, span=span))
                for part in _chunks(lines, APPEND_RECORDS_MAX):
                    await self.site.log.append(part)
                bar.update(len(span))

    async def _bring_readers_to_the_end(self, search: Search) -> None:
        """Index the actors, set the checkpoints, build the columns: the house serves at once."""
        site = self.site
        end = site.log.last_seq

        def checkpoints(unit: Unit) -> None:
            advance_checkpoint(unit, "search", end)
            advance_checkpoint(unit, "notifications", end)
            note_swept(unit)  # nothing here was ever taken away

        for people in _chunks([one.id for one in self.people], ACTORS_CHUNK):
            await self.store.write(partial(search.reader.index_people, ids=people))
        for communities in _chunks([one.id for one in self.communities], ACTORS_CHUNK):
            await self.store.write(partial(search.reader.index_communities, ids=communities))
        await self.store.write(checkpoints)
        talk = await build_forum(
            site.ground, self.store, accounts=site.accounts, addresses=site.addresses,
            folder=site.folder / "columns", log_first_seq=site.log.first_seq, log_last_seq=end,
        )
        await talk.rank_reader.close()


async def _nobody_waits(_seq: int) -> None:
    """Stand in for the readers: nothing follows the log while it is filled."""


def _chunks(things: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]
