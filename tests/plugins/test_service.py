"""Switches, shelves, pages and what plugins are told: on both engines."""

import asyncio

import numpy as np
import pytest

from lichen.events import encode_event, event_of
from lichen.events.accounts import Profile
from lichen.events.forum import Comment, Post
from lichen.events.forum import Vote as VoteRecord
from lichen.events.plugins import Switch
from lichen.kit import Forbidden, NotFound, Unavailable
from lichen.log import Batch
from lichen.plugins import PageAsked, tables
from lichen.plugins.limits import SHELF_KEY_LENGTH_MAX, SHELF_KEYS_MAX, SHELF_VALUE_LENGTH_MAX
from lichen.plugins.reader import told_of
from lichen.store import checkpoint_of
from tests.plugins.conftest import ADMIN, MIRA

pytestmark = pytest.mark.anyio

TIME = "2023-11-14T22:13:20.000000Z"
DID = "did:web:lichen.example:u:mira"


def said(record, row, operation="create"):
    return event_of(record, id="3kabcdefghijk", did=DID, operation=operation, rkey="3kabcdefghijk",
                    row=row)


def batch(*events, first=1):
    lines = [encode_event(event) + b"\n" for event in events]
    return Batch(
        next_seq=first + len(lines), seqs=np.arange(first, first + len(lines), dtype=np.int64),
        times_us=np.zeros(len(lines), dtype=np.int64), body=b"".join(lines),
    )


def switched(*, on):
    return event_of(Switch(name="keeping", on=on, updated_at=TIME), id="3kabcdefghijk", did=DID,
                    operation="update", rkey="keeping")


async def show(room, path="", method="GET", person=None, **fields):
    return await room.plugins.show(
        "keeping", PageAsked(path=path, method=method, fields=fields, person=person)
    )


async def test_a_page_is_shown_to_whoever_looks(planted):
    room = await planted(keeping="keeping")

    assert "<p>a stranger: None</p>" == (await show(room)).html
    assert "<p>mira: None</p>" == (await show(room, person=MIRA)).html
    assert [("The shelf", "keeping"), ("Its back", "keeping/back")] == room.plugins.links()


async def test_a_page_that_is_not_there_is_refused(planted):
    room = await planted(keeping="keeping", judging="judging")

    for name, path in (("keeping", "nowhere"), ("judging", ""), ("unheard-of", "")):
        with pytest.raises(NotFound):
            await room.plugins.show(name, PageAsked(path=path))


async def test_what_is_put_on_the_shelf_is_kept(planted):
    room = await planted(keeping="keeping")

    await show(room, method="POST", key="colour", value="grün")

    assert "grün" in (await show(room)).html
    again = await planted(keeping="keeping")
    assert "grün" in (await show(again)).html
    await show(again, method="POST", drop="colour")
    assert "None" in (await show(again)).html


async def test_a_shelf_is_a_plugins_own(planted):
    room = await planted(keeping="keeping", other="keeping")

    await show(room, method="POST", key="colour", value="green")

    other = await room.plugins.show("other", PageAsked())
    assert "None" in other.html


@pytest.mark.parametrize(("key", "value", "said"), [
    ("", "x", "a key has 1 to"),
    ("k" * (SHELF_KEY_LENGTH_MAX + 1), "x", "a key has 1 to"),
    ("k", "v" * (SHELF_VALUE_LENGTH_MAX + 1), "a value has at most"),
    ("k\0", "v", "no NUL"),
])
async def test_a_shelf_has_bounds_that_a_plugin_hears_of(planted, key, value, said):
    room = await planted(keeping="keeping")

    answer = await show(room, method="POST", key=key, value=value)

    assert (400, True) == (answer.status, said in answer.html)


async def test_a_shelf_that_is_full_takes_no_new_key(planted, store):
    room = await planted(keeping="keeping")
    await store.write(lambda unit: unit.stage(tables.KEEP, *(
        {"plugin": "keeping", "key": f"k{number}", "value": ""} for number in range(SHELF_KEYS_MAX)
    )))

    refused = await show(room, method="POST", key="one more", value="x")
    changed = await show(room, method="POST", key="k1", value="x")

    assert f"at most {SHELF_KEYS_MAX} keys" in refused.html
    assert 200 == changed.status


async def test_administrators_switch_plugins_and_nobody_else(planted):
    room = await planted(on="", keeping="keeping")
    assert [False] == [one.on for one in room.plugins.standings()]

    with pytest.raises(Forbidden):
        await room.plugins.switch(MIRA, "keeping", on=True)
    with pytest.raises(NotFound):
        await room.plugins.switch(ADMIN, "unheard-of", on=True)
    on = await room.plugins.switch(ADMIN, "keeping", on=True)

    assert on.on
    assert ("after_create", "commands", "pages", "show_page") == on.hooks
    assert not (await room.plugins.switch(ADMIN, "keeping", on=False)).on
    again = await planted(keeping="keeping")  # the configuration says on, the rows say off
    assert ["An administrator switched it off."] == [
        one.why_off for one in again.plugins.standings()]


async def test_a_switch_by_the_command_line_is_followed(planted):
    """It writes a row and an event; the house that runs hears of it by the log."""
    room = await planted(on="", keeping="keeping")
    shell = await planted(on="", keeping="keeping")
    switches = room.readers[0]

    await shell.plugins.decide(None, "keeping", on=True)
    await switches.apply(batch(switched(on=True)))
    assert room.plugins.standings()[0].on

    await shell.plugins.decide(None, "keeping", on=False)
    await switches.apply(batch(switched(on=True), first=2))  # an old event changes nothing
    assert not room.plugins.standings()[0].on
    assert 2 == switches.position()


async def test_two_who_switch_at_once_start_it_once(planted):
    """The page and the reader of the log both did, and pluggy refused the second."""
    room = await planted(on="", keeping="keeping")

    await asyncio.gather(*(room.plugins.switch(ADMIN, "keeping", on=True) for _ in range(3)))

    assert room.plugins.standings()[0].on


async def test_plugins_are_told_what_happened_from_their_own_checkpoint(planted, store):
    room = await planted(keeping="keeping")
    reader = room.readers[1]
    post = Post(name="A lichen", community="did:web:lichen.example:c:stones", created_at=TIME)
    comment = Comment(post="at://x/y/z", content="So it is.", created_at=TIME)

    await reader.apply(batch(said(post, 4), said(comment, 5)))

    assert "post 4 A lichen" in (await show(room, key="told 1")).html
    assert "comment 5 So it is." in (await show(room, key="told 2")).html
    assert 2 == await store.read(lambda unit: checkpoint_of(unit, reader.name))
    # A batch that comes again, as after a failure, is passed over up to where it was told.
    await reader.apply(batch(said(comment, 9), said(comment, 9), said(comment, 6)))
    assert "comment 6" in (await show(room, key="last")).html
    assert "comment 5" in (await show(room, key="told 2")).html


async def test_a_plugin_that_is_off_misses_what_happens_and_holds_nobody_up(planted):
    room = await planted(on="", keeping="keeping")

    await room.readers[1].apply(batch(said(Comment(post="at://x", content="x", created_at=TIME), 5)))

    assert 1 == room.readers[1].position()


async def test_a_plugin_goes_on_where_it_was_and_a_new_one_begins_now(planted, store, ground):
    first = await planted(keeping="keeping")
    await first.readers[1].apply(
        batch(said(Comment(post="at://x", content="x", created_at=TIME), 5), first=1))

    again = await planted(keeping="keeping")

    assert 1 == again.readers[1].position()


@pytest.mark.parametrize(("event", "told"), [
    (said(VoteRecord(subject="at://x", value=-1, created_at=TIME), 3), ("after_vote", "vote", 3, -1)),
    (said(VoteRecord(subject="at://x", value=-1, created_at=TIME), 3, "delete"), ("after_vote", "vote", 3, 0)),
    (said(Profile(name="mira", created_at=TIME), 8), ("after_registration", "person", 8, 0)),
])
def test_votes_and_registrations_are_told(event, told):
    found = told_of(1, event)

    assert found is not None
    assert told == (found[0], found[1].kind, found[1].id, found[1].value)


def test_a_person_from_elsewhere_is_met_and_not_registered():
    assert told_of(1, said(Profile(name="a", created_at=TIME, also_known_as="https://a.b/c"), 8)) \
        is None


async def test_a_page_that_fails_says_that_the_world_is_wrong(planted, monkeypatch):
    room = await planted(keeping="keeping")
    monkeypatch.setattr("lichen.plugins.judges.PAGE_MS_MAX", 0)

    with pytest.raises(Unavailable):
        await show(room)
