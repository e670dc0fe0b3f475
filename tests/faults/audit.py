"""The audit: after whatever happened, are the rows, the log and every reader of one mind?

An oracle of its own: plain SQL over the tables, every record of the log decoded, the column files
mapped, the house asked over HTTP. It uses no statement and no reader of the rooms.

    notebook ──► what was acknowledged is there once; nothing twice; nothing that was refused
    log ───────► folded by (collection, did, rkey): the same things, votes and tallies as the rows
    votes ─────► recounted: the tallies in the rows
    readers ───► caught up: found by search, told once, the columns as the rows are
"""

import sqlite3
from collections import Counter, defaultdict, namedtuple
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psycopg

from lichen.events import Event, decode_events
from lichen.forum.columns import POSTS, ColumnFile
from lichen.log import SegmentLog
from tests.faults.serving import Place, until
from tests.faults.townspeople import Fate, Notebook, Written

CAUGHT_UP_S_MAX = 20.0
# Everything of which each row is one record, by its collection.
KEPT_AS = {
    "lichen.forum.community": "community", "lichen.forum.post": "post",
    "lichen.forum.comment": "comment", "lichen.forum.vote": "vote",
    "lichen.forum.subscription": "subscription", "lichen.forum.moderator": "moderator",
}
KINDS = {"post": 0, "comment": 1}  # as the column `kind` of votes has them


@dataclass(frozen=True, slots=True)
class Logged:
    """One event with its place in the log."""

    seq: int
    time_us: int
    event: Event


async def audit(place: Place, notebook: Notebook) -> None:
    """Fail where anything acknowledged is missing, doubled, or known to some parts only."""
    await _caught_up(place)
    rows = Rows(place)
    try:
        log = records_of(place)
        _check_notebook(rows, notebook)
        _check_log(rows, log)
        _check_tallies(rows, log)
        _check_notifications(rows)
        _check_columns(rows, place.data / "columns" / "posts.columns")
        assert rows.ask("SELECT count(*) AS n FROM outbox")[0].n == 0
        await _check_search(place, notebook)
    finally:
        rows.close()


class Rows:
    """All rows, as one moment has them."""

    def __init__(self, place: Place) -> None:
        if place.database_url:
            self._connection: Any = psycopg.connect(place.database_url)
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return
        path = place.data / "lichen.sqlite"
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        self._connection.execute("BEGIN")
        damage = self.ask("PRAGMA integrity_check")
        assert damage[0].integrity_check == "ok", damage

    def ask(self, sql: str) -> list[Any]:
        """Return the rows of a query."""
        cursor = self._connection.execute(sql)
        row = namedtuple("Row", [column[0] for column in cursor.description])
        return [row._make(values) for values in cursor.fetchall()]

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()


def records_of(place: Place) -> list[Logged]:
    """Return everything that the log holds, every checksum verified."""
    log = SegmentLog.open_reader(place.data / "log")
    found: list[Logged] = []
    seq = log.first_seq or log.last_seq + 1
    while seq <= log.last_seq:
        batch = log.read(seq)
        events = decode_events(batch.lines()) if len(batch) else []
        found += map(Logged, batch.seqs.tolist(), batch.times_us.tolist(), events)
        seq = batch.next_seq
    return found


async def _caught_up(place: Place) -> None:
    """Wait until the house is ready and every reader has applied all that the log has."""
    async with aiohttp.ClientSession() as session:
        async def is_level() -> bool:
            async with session.get(f"{place.url}/ready") as answer:
                said = await answer.json()
            return bool(said["ready"]) and set(said["readers"].values()) == {said["last_seq"]}

        await until(is_level, within_s=CAUGHT_UP_S_MAX, what=lambda: "every reader to catch up")


def _check_notebook(rows: Rows, notebook: Notebook) -> None:
    """What was acknowledged is there once, what was refused is not, nothing is there twice."""
    names = {row.id: row.name for row in rows.ask("SELECT id, name FROM actor")}
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows.ask("SELECT id, name AS text, 0 AS above, 0 AS creator_id FROM actor"):
        found[row.text].append(row)
    for row in rows.ask("SELECT id, name AS text, community_id AS above, creator_id FROM post"):
        found[row.text.split()[0]].append(row)
    for row in rows.ask("SELECT id, content AS text, coalesce(parent_id, post_id) AS above, "
                        "creator_id FROM comment"):
        found[row.text.split()[0]].append(row)
    for one in notebook.written:
        there = found.pop(one.word, [])
        _check_written(one, there, names)
    strangers = [word for word in found if word.startswith(("person", "town", "post", "comment"))]
    assert not strangers, f"nobody wrote {strangers}"
    _check_votes(rows, notebook, {name: id_ for id_, name in names.items()})


def _check_written(one: Written, there: Sequence[Any], names: Mapping[int, str]) -> None:
    assert len(there) <= 1, f"{one.word} is there {len(there)} times"
    assert not (one.fate is Fate.KEPT and not there), f"{one.word} was acknowledged and is gone"
    assert not (one.fate is Fate.REFUSED and there), f"{one.word} was refused and is there"
    for row in there:
        assert one.fate is not Fate.KEPT or one.id in (0, row.id), one
        if one.parent is not None:
            assert (row.above, names[row.creator_id]) == (one.parent.id, one.by), one


def _check_votes(rows: Rows, notebook: Notebook, ids: Mapping[str, int]) -> None:
    """Every vote is what its voter was told last, or what they asked last without an answer."""
    cast = {(row.person_id, row.kind, row.subject_id): row.value
            for row in rows.ask("SELECT person_id, kind, subject_id, value FROM vote")}
    possible = {(one.by, one.kind, one.id): {1} for one in notebook.kept("post", "comment")}
    for (name, kind, subject_id), values in (possible | notebook.votes).items():
        value = cast.get((ids[name], KINDS[kind], subject_id), 0)
        assert value in values, f"{name} voted {values} on {kind} {subject_id}, there is {value}"


def _check_log(rows: Rows, log: Sequence[Logged]) -> None:
    """Each event is there once; each row's creation is; folded, the log names the rows."""
    twice = [id_ for id_, count in Counter(one.event.id for one in log).items() if count > 1]
    assert not twice, f"doubled events: {twice}"
    assert [one.seq for one in log] == sorted({one.seq for one in log})
    assert all(one.time_us < two.time_us for one, two in zip(log, log[1:], strict=False))
    since_us = log[0].time_us if log and log[0].seq > 1 else 0
    for collection, table in KEPT_AS.items():
        there = {row.tid: row.published_us
                 for row in rows.ask(f"SELECT tid, published_us FROM {table}")}
        mine = [one.event for one in log if one.event.collection == collection]
        _check_fold(mine, there, since_us=since_us, table=table)
    people = [one.event for one in log if one.event.collection == "lichen.actor.profile"]
    created = Counter(one.row for one in people if one.operation == "create")
    expected = {row.id for row in rows.ask("SELECT id, published_us FROM actor "
                                           "WHERE kind = 'Person'") if row.published_us >= since_us}
    assert set(created.values()) <= {1}, created
    assert expected <= set(created), f"without an event: {expected - set(created)}"


def _check_fold(
    events: Sequence[Event], there: Mapping[str, int], *, since_us: int, table: str
) -> None:
    """Folded by record key, events and rows name the same things; each was created once."""
    created = Counter(one.rkey for one in events if one.operation == "create")
    last = {one.rkey: one.operation for one in events}
    assert set(created.values()) <= {1}, f"{table}: created twice"
    alive = {rkey for rkey, operation in last.items() if operation != "delete"}
    recent = {tid for tid, published_us in there.items() if published_us >= since_us}
    assert alive <= set(there), f"{table}: in the log alone: {alive - set(there)}"
    assert recent <= alive, f"{table}: in the rows alone: {recent - alive}"
    if since_us == 0:
        assert set(there) <= set(created), f"{table}: never created: {set(there) - set(created)}"


def _check_tallies(rows: Rows, log: Sequence[Logged]) -> None:
    """The counts in the rows are what a recount finds, and what the log said last."""
    said: dict[tuple[str, str], dict[str, Any]] = {}
    for one in log:
        if one.event.collection == "lichen.forum.tally":
            said[one.event.did, one.event.rkey] = msgspec.json.decode(one.event.record)
    votes = Counter((row.kind, row.subject_id, row.value)
                    for row in rows.ask("SELECT kind, subject_id, value FROM vote"))
    dids = {row.id: row.did for row in rows.ask("SELECT id, did FROM actor")}
    comments = Counter(row.post_id for row in rows.ask("SELECT post_id FROM comment"))
    for kind in ("post", "comment"):
        more = "comments" if kind == "post" else "0 AS comments"
        for row in rows.ask(f"SELECT id, tid, creator_id, up, down, {more} FROM {kind}"):
            counted = {"up": votes[KINDS[kind], row.id, 1], "down": votes[KINDS[kind], row.id, -1]}
            if kind == "post":
                counted["comments"] = comments[row.id]
            assert {name: getattr(row, name) for name in counted} == counted, (kind, row)
            tally = said.get((dids[row.creator_id], row.tid))
            if tally is not None:
                assert {name: tally.get(name, 0) for name in counted} == counted, (kind, row)
    _check_community_tallies(rows, said, dids)


def _check_community_tallies(
    rows: Rows, said: Mapping[tuple[str, str], Mapping[str, Any]], dids: Mapping[int, str]
) -> None:
    posts, comments, subscribers = (
        Counter(row.id for row in rows.ask(f"SELECT community_id AS id FROM {table}"))
        for table in ("post", "comment", "subscription")
    )
    for row in rows.ask("SELECT id, tid, posts, comments, subscribers FROM community"):
        counted = {"posts": posts[row.id], "comments": comments[row.id],
                   "subscribers": subscribers[row.id]}
        assert {name: getattr(row, name) for name in counted} == counted, row
        tally = said.get((dids[row.id], row.tid))
        if tally is not None:
            assert {name: tally.get(name, 0) for name in counted} == counted, row


def _check_notifications(rows: Rows) -> None:
    """Who was answered or mentioned was told of it, once, and nobody else was."""
    people = {row.name: row.id for row in rows.ask("SELECT id, name FROM actor")}
    posts = {row.id: row.creator_id for row in rows.ask("SELECT id, creator_id FROM post")}
    comments = {row.id: row for row in rows.ask(
        "SELECT id, creator_id, post_id, parent_id, content FROM comment")}
    expected = Counter[tuple[int, int, str]]()
    for row in comments.values():
        answered = comments[row.parent_id].creator_id if row.parent_id else posts[row.post_id]
        told = {answered: "reply"}
        if " @" in row.content:
            name = row.content.partition(" @")[2].partition("@")[0]
            told.setdefault(people[name], "mention")
        told.pop(row.creator_id, None)
        expected.update((person, row.id, kind) for person, kind in told.items())
    found = Counter((row.recipient_id, row.comment_id, row.kind) for row in rows.ask(
        "SELECT recipient_id, comment_id, kind FROM notification"))
    assert found == expected, (found - expected, expected - found)


def _check_columns(rows: Rows, path: Path) -> None:
    """The columns that rank posts are as the rows are."""
    columns = ColumnFile(path, POSTS, writable=False)
    try:
        for row in rows.ask("SELECT id, up, down, comments, community_id, creator_id, published_us,"
                            " newest_comment_us, active_us FROM post"):
            names = {"up": row.up, "down": row.down, "comments": row.comments,
                     "community": row.community_id, "creator": row.creator_id,
                     "published_us": row.published_us,
                     "newest_comment_us": row.newest_comment_us, "active_us": row.active_us}
            assert {name: columns.value(row.id, name) for name in names} == names, row.id
    finally:
        columns.close()


async def _check_search(place: Place, notebook: Notebook) -> None:
    """What was written last of each kind is found."""
    async with aiohttp.ClientSession() as session:
        for kind in ("comment", "post"):
            for one in notebook.kept(kind)[-1:]:
                asked = {"q": one.word, "type_": f"{kind.capitalize()}s"}
                async with session.get(f"{place.url}/api/v3/search", params=asked) as answer:
                    said = await answer.json()
                assert [view[kind]["id"] for view in said[f"{kind}s"]] == [one.id], one
