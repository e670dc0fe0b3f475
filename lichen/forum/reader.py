"""The reader that keeps the rank columns: it follows posts, communities, tallies and profiles.

    tally                  ──────────────────────────────► counts and times of one post
    post, community        ──► the rows they have now ───► everything about them
    deletions, profiles    ──────────────────────────────► flags

Rows are committed before their event is in the log, so rows read for an event are never older
than it; and everything written is absolute. So it changes nothing whether an event comes once or
twice, or whether it comes at all when the rows were read after it.

A reader of the *files* kind: the checkpoint is in the columns' files. A file that is missing, of
another format, or of another log's future is built from rows.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from lichen.accounts import Accounts, Actor
from lichen.events import Event, accounts, collection_of, decode_events, forum
from lichen.forum import rank_rows as rows
from lichen.forum.columns import ACTORS, POSTS, ActorFlag, ColumnFile, FormatDiffers, PostFlag
from lichen.forum.ledger import COMMUNITY, HELD, POST, TALLY
from lichen.kit import Clock, from_isoformat
from lichen.kit.crash_points import crash_point
from lichen.log import Batch
from lichen.store import Row, Statement, Store, Unit

FLUSH_EVENTS_MAX = 20_000  # applied again after a crash, in less than a second
FLUSH_AGE_US_MAX = 5_000_000  # between two checkpoints under load: each waits for the disk
BUILD_ROWS_MAX = 10_000  # rows read at once when the columns are built

_PROFILE = collection_of(accounts.Profile)
_OF_A_POST = f"/{POST}/"


class RankReader:
    """Keeps `posts` and `actors`, the two column files, as the log says."""

    name = "ranks"
    serves_pages = True

    def __init__(
        self, store: Store, accounts: Accounts, *, posts: ColumnFile, actors: ColumnFile,
        clock: Clock,
    ) -> None:
        self.posts = posts
        self.actors = actors
        self._store = store
        self._accounts = accounts
        self._clock = clock
        self._position = min(posts.checkpoint, actors.checkpoint)
        self._unflushed = 0
        self._flushed_us = clock()

    @classmethod
    async def open(
        cls, folder: Path, *, store: Store, accounts: Accounts, clock: Clock, first_seq: int,
        last_seq: int,
    ) -> "RankReader":
        """Open the files in a folder; build them from rows where the log cannot bring them up.

        `first_seq` and `last_seq` are the bounds of the log, taken before anything is read.
        """
        try:
            posts, actors = (
                ColumnFile(folder / name, layout, writable=True)
                for name, layout in (("posts.columns", POSTS), ("actors.columns", ACTORS))
            )
        except FormatDiffers:
            return await cls._build(folder, store, accounts, clock=clock, last_seq=last_seq)
        reader = cls(store, accounts, posts=posts, actors=actors, clock=clock)
        if first_seq - 1 <= reader.position() <= last_seq and (reader.position() or not last_seq):
            return reader
        reader._close_files()
        return await cls._build(folder, store, accounts, clock=clock, last_seq=last_seq)

    def position(self) -> int:
        """Return the sequence of the last event applied; the files may be behind by some."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Apply a batch of the log; one round trip where posts or communities were written."""
        await self.follow(decode_events(batch.lines()))
        self._position = batch.next_seq - 1
        self._unflushed += len(batch)
        late = self._clock() - self._flushed_us > FLUSH_AGE_US_MAX
        if late or self._unflushed > FLUSH_EVENTS_MAX:
            await self.flush()

    async def follow(self, events: Iterable[Event]) -> None:
        """Write what the events say, idempotently."""
        posts: set[int] = set()
        communities: set[int] = set()
        for event in events:
            if event.collection == TALLY:
                self._tally(event)
            elif event.collection == _PROFILE:
                self._profile(event)
            elif event.collection == POST or _is_held_post(event):
                posts.add(event.row)
            elif event.collection == COMMUNITY:
                communities.add(event.row)
        if posts or communities:
            await self._store.read(
                lambda unit: self._read(unit, posts, communities), apart=True
            )

    async def flush(self) -> None:
        """Bring the columns to the disk, then their checkpoint."""
        position, self._unflushed, self._flushed_us = self._position, 0, self._clock()
        await asyncio.to_thread(self._flush, position)

    async def close(self) -> None:
        """Flush and close the files."""
        await self.flush()
        self._close_files()

    @classmethod
    async def _build(
        cls, folder: Path, store: Store, accounts: Accounts, *, clock: Clock, last_seq: int
    ) -> "RankReader":
        """Build the files from the rows, which are at `last_seq` of the log or newer."""
        posts = ColumnFile.create(folder / "posts.columns", POSTS)
        actors = ColumnFile.create(folder / "actors.columns", ACTORS)
        reader = cls(store, accounts, posts=posts, actors=actors, clock=clock)
        crash_point("columns.during_build")
        await reader._walk(rows.COMMUNITIES_AFTER, reader._write_communities)
        await reader._walk(rows.POSTS_AFTER, reader._write_all_posts)
        reader._position = last_seq
        await reader.flush()
        return reader

    async def _walk(
        self, statement: Statement, write: Callable[[Unit, list[Row]], None]
    ) -> None:
        """Read everything there is in pages, by id."""
        after = 0

        def page(unit: Unit) -> int | None:
            found = unit.fetch(statement, after=after, limit=BUILD_ROWS_MAX)
            if found:
                write(unit, found)
            return int(found[-1].id) if found else None

        while (last := await self._store.read(page, apart=True)) is not None:
            after = last

    def _write_communities(self, unit: Unit, found: list[Row]) -> None:
        self._write_actors(found, self._accounts.actors(unit, [row.id for row in found]))

    def _write_all_posts(self, unit: Unit, found: list[Row]) -> None:
        unknown = {
            row.creator_id for row in found if not self.actors.value(row.creator_id, "flags")
        }
        if unknown:
            self._write_actors([], self._accounts.actors(unit, unknown))
        self._write_posts(found)

    def _read(self, unit: Unit, posts: set[int], communities: set[int]) -> None:
        """Write posts and communities as their rows are; one round trip."""
        asked = {
            "post_ids": sorted(posts), "community_ids": sorted(communities),
            "now_us": unit.clock_us,
        }
        found, around, people = unit.fetch_all(
            (rows.POSTS, {"post_ids": asked["post_ids"]}),
            (rows.COMMUNITIES, asked),
            (rows.ACTORS, asked),
        )
        # Actors first: a post that can be seen has its community's flags.
        self._write_actors(around, self._accounts.actors_from(people))
        self._write_posts(found)
        self._bury(posts - {row.id for row in found}, communities - {row.id for row in around})

    def _bury(self, posts: set[int], communities: set[int]) -> None:
        """Mark as gone what has no row any more; it was purged."""
        for column, flag, ids in (
            (self.posts, PostFlag.GONE, posts), (self.actors, ActorFlag.GONE, communities)
        ):
            for row in sorted(ids):
                if flags := column.value(row, "flags"):
                    column.write(row, {"flags": int(flags | flag)})

    def _write_posts(self, found: list[Row]) -> None:
        if not found:
            return
        self.posts.write_rows([row.id for row in found], {
            "published_us": [row.published_us for row in found],
            "newest_comment_us": [row.newest_comment_us for row in found],
            "active_us": [row.active_us for row in found],
            "up": [row.up for row in found],
            "down": [row.down for row in found],
            "comments": [row.comments for row in found],
            "community": [row.community_id for row in found],
            "creator": [row.creator_id for row in found],
            "language": [row.language_id for row in found],
            # Last: a post is there once it has its flags.
            "flags": [_flags_of_post(row) for row in found],
        })

    def _write_actors(self, communities: list[Row], actors: dict[int, Actor]) -> None:
        if not actors:
            return
        of_communities = {row.id: _flags_of_community(row) for row in communities}
        found = sorted(actors.items())
        self.actors.write_rows([id_ for id_, _ in found], {
            "instance": [actor.instance_id for _, actor in found],
            "flags": [of_communities.get(id_, _flags_of_person(actor)) for id_, actor in found],
        })

    def _tally(self, event: Event) -> None:
        tally = msgspec.json.decode(event.record, type=forum.Tally)
        if _OF_A_POST not in tally.subject or not self.posts.value(event.row, "flags"):
            return  # a post that is not there yet comes with its tallies
        values = {"up": tally.up, "down": tally.down}
        if tally.comments is not None:
            values["comments"] = tally.comments
        if tally.newest_comment_at is not None:
            values["newest_comment_us"] = from_isoformat(tally.newest_comment_at)
        if tally.active_at is not None:
            values["active_us"] = from_isoformat(tally.active_at)
        self.posts.write(event.row, values)

    def _profile(self, event: Event) -> None:
        flags = self.actors.value(event.row, "flags")
        if not flags or event.operation == "delete":
            return  # who never wrote is of no interest yet
        profile = msgspec.json.decode(event.record, type=accounts.Profile)
        bot = ActorFlag.BOT if profile.bot else ActorFlag(0)
        self.actors.write(event.row, {"flags": int(flags & ~ActorFlag.BOT | bot)})

    def _flush(self, position: int) -> None:
        self.posts.flush(position)
        self.actors.flush(position)

    def _close_files(self) -> None:
        self.posts.close()
        self.actors.close()


def _is_held_post(event: Event) -> bool:
    # Of a post that comes out of the queue its own record tells.
    if event.collection != HELD or event.operation == "delete":
        return False
    return _OF_A_POST in msgspec.json.decode(event.record, type=forum.Held).subject


def _flags_of_post(row: Row) -> int:
    flags = PostFlag.EXISTS
    for is_set, flag in (
        (row.deleted or row.removed or row.held, PostFlag.GONE), (row.nsfw, PostFlag.NSFW),
        (row.featured_community, PostFlag.FEATURED_COMMUNITY),
        (row.featured_local, PostFlag.FEATURED_LOCAL),
    ):
        if is_set:
            flags |= flag
    return int(flags)


def _flags_of_community(row: Row) -> int:
    flags = ActorFlag.EXISTS
    for is_set, flag in (
        (row.local, ActorFlag.LOCAL), (row.nsfw, ActorFlag.NSFW), (row.hidden, ActorFlag.HIDDEN),
        (row.deleted or row.removed, ActorFlag.GONE),
    ):
        if is_set:
            flags |= flag
    return int(flags)


def _flags_of_person(actor: Actor) -> int:
    return int(ActorFlag.EXISTS | ActorFlag.BOT if actor.bot else ActorFlag.EXISTS)
