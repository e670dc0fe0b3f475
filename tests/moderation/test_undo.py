"""The undo law: an act and its undo leave everything as it was."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from lichen.forum import PostDraft
from lichen.kit import Conflict, Forbidden, NotFound, Refused
from lichen.moderation import ActionQuery, BanOrder, Kind, Seat, Sweep, Why
from lichen.store import metadata

pytestmark = pytest.mark.anyio

# What people see; times of change and the log itself move on.
STATE = {
    "post": ("id", "deleted", "removed", "locked", "featured_community", "featured_local",
             "comments"),
    "comment": ("id", "deleted", "removed", "distinguished", "children"),
    "community": ("id", "hidden", "removed", "deleted", "posts", "comments", "subscribers"),
    "moderator": ("community_id", "person_id", "published_us"),
    "community_ban": ("community_id", "person_id", "expires_us", "reason"),
    "person_tally": ("person_id", "posts", "comments"),
    "actor": ("id", "banned", "ban_expires_us", "admin"),
}
VERBS = (
    "remove_post", "lock_post", "feature_post", "feature_local", "remove_comment",
    "distinguish_comment", "remove_community", "hide_community", "ban", "ban_for_a_day",
    "ban_with_words", "site_ban_with_words", "dismiss", "appoint", "transfer", "promote",
)


async def state_of(house) -> dict[str, list[tuple[object, ...]]]:
    def query(unit: Any) -> dict[str, list[tuple[object, ...]]]:
        found = {}
        for table, names in STATE.items():
            columns = metadata.tables[table].c
            rows = unit.fetch(sa.select(*(columns[name] for name in names)))
            found[table] = sorted(map(tuple, rows), key=repr)
        return found

    return await house.store.read(query)


class Stage:
    """Posts and comments of otto's, with everybody who may act on them."""

    def __init__(self, bench, house, clock, *, admin, mira, otto, second, community_id) -> None:
        self.bench, self.house, self.clock = bench, house, clock
        self.admin, self.mira, self.otto, self.second = admin, mira, otto, second
        self.community_id = community_id

    async def written(self) -> "Stage":
        """Write what the acts are about."""
        view = await self.house.write(
            "create_post", self.otto, self.community_id, PostDraft(name="Words of otto")
        )
        self.post_id = view.post.id
        comments = [
            await self.house.write("create_comment", author, self.post_id, content="Well.")
            for author in (self.otto, self.admin)
        ]
        self.comment_id, self.own_id = (one.comment.id for one in comments)
        return self

    async def act(self, verb: str, *, back: bool) -> None:
        """Do something, or its opposite, as an administrator."""
        on, admin, place = not back, self.admin, self.community_id
        soon = self.clock() + 86_400_000_000
        match verb:
            case "remove_post":
                await self._do(verb, self.post_id, removed=on)
            case "lock_post":
                await self._do(verb, self.post_id, locked=on)
            case "feature_post" | "feature_local":
                await self._do("feature_post", self.post_id, featured=on,
                               local=verb == "feature_local")
            case "remove_comment":
                await self._do(verb, self.comment_id, removed=on)
            case "distinguish_comment":
                await self._do(verb, self.own_id, distinguished=on)
            case "remove_community":
                await self._do(verb, place, removed=on)
            case "hide_community":
                await self._do(verb, place, hidden=on)
            case "ban" | "ban_for_a_day" | "ban_with_words":
                await self._do("ban", BanOrder(
                    self.otto.id, banned=on, community_id=place,
                    expires_us=soon if verb == "ban_for_a_day" and on else None,
                    sweep=Sweep(removed=on) if verb == "ban_with_words" else None,
                ))
            case "site_ban_with_words":
                await self._do("ban", BanOrder(self.otto.id, banned=on, sweep=Sweep(removed=on)))
            case "dismiss":
                await self._do("add_moderator", Seat(place, self.mira.id), added=not on)
            case "appoint":
                await self._do("add_moderator", Seat(place, self.otto.id), added=on)
            case "transfer":
                last = self.second if on else self.mira
                await self._do("transfer_community", Seat(place, last.id))
            case "promote":
                await self.bench.write("add_admin", admin, self.otto.id, added=on)

    async def _do(self, verb: str, *arguments: Any, **named: Any) -> None:
        await self.bench.write(verb, self.admin, *arguments, **named, why=Why("Because."))


@pytest.fixture
async def stage(bench, house, clock, admin, mira, otto, second, stones):
    return await Stage(
        bench, house, clock, admin=admin, mira=mira, otto=otto, second=second,
        community_id=stones.community.id,
    ).written()


async def newest(bench, viewer, **asked):
    ((first, *_),) = await bench.read("entries", viewer, ActionQuery(**asked))
    return first


@pytest.mark.parametrize("verb", VERBS)
async def test_an_act_and_its_undo_leave_everything_as_it_was(stage, verb):
    before = await state_of(stage.house)

    await stage.act(verb, back=False)
    changed = await state_of(stage.house)
    line = await newest(stage.bench, stage.admin)
    stage.clock.advance(seconds=1)
    await stage.bench.write("undo", stage.admin, line.action.id, reason="A slip.")

    assert changed != before
    assert await state_of(stage.house) == before
    undone = await newest(stage.bench, stage.admin)
    assert undone.action.kind == line.action.kind


@given(acts=st.lists(st.tuples(st.sampled_from(VERBS), st.booleans()), min_size=1, max_size=6))
@pytest.mark.slow
async def test_after_any_acts_the_last_is_undone_to_what_was_before_it(stage, acts):
    """Whatever was done before it: bans over bans, words that were removed already."""
    line, before = None, None
    for verb, back in acts:
        stage.clock.advance(seconds=1)
        state = await state_of(stage.house)
        (earlier,) = await stage.bench.read("entries", stage.admin, ActionQuery(limit=1))
        with suppress(Refused):  # in a community that was removed, of an administrator
            await stage.act(verb, back=back)
        (later,) = await stage.bench.read("entries", stage.admin, ActionQuery(limit=1))
        if [one.action.id for one in later] != [one.action.id for one in earlier]:
            line, before = later[0], state
    if line is None:
        return

    await stage.bench.write("undo", stage.admin, line.action.id)

    assert await state_of(stage.house) == before


async def test_an_undo_is_undone_again(stage):
    await stage.act("remove_post", back=False)
    removed = await state_of(stage.house)
    for _ in range(2):
        line = await newest(stage.bench, stage.admin)
        await stage.bench.write("undo", stage.admin, line.action.id)

    assert await state_of(stage.house) == removed


async def test_of_two_who_undo_the_second_is_refused(stage):
    await stage.act("lock_post", back=False)
    line = await newest(stage.bench, stage.admin)
    await stage.bench.write("undo", stage.mira, line.action.id)

    with pytest.raises(Conflict, match="couldnt_undo"):
        await stage.bench.write("undo", stage.second, line.action.id)


async def test_of_two_who_remove_at_once_the_first_is_in_the_log(stage):
    for viewer in (stage.mira, stage.second):
        view = await stage.bench.write("remove_post", viewer, stage.post_id, removed=True)
        assert view.post.removed

    (lines,) = await stage.bench.read(
        "entries", stage.admin, ActionQuery(kinds=(Kind.REMOVE_POST,))
    )
    assert [line.moderator.name for line in lines] == ["mira"]


async def test_a_ban_that_has_ended_is_not_undone(stage):
    """It ends while somebody looks at the log: there is nothing left to undo."""
    await stage.act("ban_for_a_day", back=False)
    line = await newest(stage.bench, stage.admin)
    assert line.can_undo

    stage.clock.advance(days=2)

    assert not (await newest(stage.bench, stage.admin)).can_undo
    with pytest.raises(Conflict, match="couldnt_undo"):
        await stage.bench.write("undo", stage.admin, line.action.id)
    await stage.house.write(
        "create_post", stage.otto, stage.community_id, PostDraft(name="Back again")
    )


async def test_a_ban_over_a_ban_is_undone_to_the_first(stage):
    await stage.act("ban_for_a_day", back=False)
    before = await state_of(stage.house)
    await stage.act("ban", back=False)
    line = await newest(stage.bench, stage.admin)

    await stage.bench.write("undo", stage.admin, line.action.id)

    assert await state_of(stage.house) == before


async def test_who_may_not_act_may_not_undo(stage):
    await stage.act("remove_post", back=False)
    line = await newest(stage.bench, stage.admin)

    with pytest.raises(Forbidden, match="not_a_moderator"):
        await stage.bench.write("undo", stage.otto, line.action.id)
    with pytest.raises(NotFound, match="couldnt_find_object"):
        await stage.bench.write("undo", stage.admin, 999_999)


async def test_a_purge_is_never_undone(stage):
    await stage.bench.write("purge_post", stage.admin, stage.post_id, reason="The law.")
    line = await newest(stage.bench, stage.admin)

    with pytest.raises(Conflict, match="couldnt_undo"):
        await stage.bench.write("undo", stage.admin, line.action.id)


async def test_the_person_is_told_what_was_done_and_why_but_not_by_whom(stage):
    await stage.bench.write("remove_post", stage.mira, stage.post_id, removed=True,
                            why=Why("Off topic."))

    (told,) = stage.bench.notices()
    assert told.did == stage.otto.actor.did
    assert b"Off topic." in bytes(told.record)
    assert stage.mira.actor.did.encode() not in bytes(told.record)


async def test_two_who_act_in_the_same_moment_make_one_line(stage):
    """On PostgreSQL the second waits for the first's lock, and then finds it done."""
    views = await asyncio.gather(*(
        stage.bench.write("remove_post", viewer, stage.post_id, removed=True)
        for viewer in (stage.mira, stage.second, stage.admin)
    ))
    (lines,) = await stage.bench.read("entries", stage.admin, ActionQuery())
    undone = await asyncio.gather(*(
        stage.bench.write("undo", viewer, lines[0].action.id)
        for viewer in (stage.mira, stage.second, stage.admin)
    ), return_exceptions=True)

    assert all(view.post.removed for view in views)
    assert [line.action.kind for line in lines].count(Kind.REMOVE_POST) == 1
    assert sum(isinstance(one, Conflict) for one in undone) == 2


@pytest.mark.parametrize("verb", ["remove_post", "lock_post"])
async def test_an_act_costs_two_round_trips_at_most(stage, verb):
    named = {"removed": True} if verb == "remove_post" else {"locked": True}
    act = getattr(stage.bench.moderation, verb)
    await stage.house.read("post_view", stage.mira, stage.post_id)

    cost = await stage.house.round_trips(
        lambda unit: act(unit, stage.mira, stage.post_id, **named), is_command=True
    )

    assert cost <= 2
