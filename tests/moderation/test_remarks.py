"""Notes and strikes: kept by moderators, a strike told to whom it is about, and appealed against."""

import msgspec
import pytest

from lichen.events.moderation import Notice
from lichen.kit import Conflict, Forbidden, NotFound, Refused
from lichen.moderation import (
    LOGGED,
    ActionQuery,
    AppealState,
    ItemKind,
    Kind,
    QueueQuery,
    RemarkDraft,
    RemarkKind,
    Why,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def place(stones) -> int:
    return stones.community.id


async def kept(bench, viewer, person) -> list[str]:
    return [view.remark.text for view in await bench.read("remarks", viewer, person.id)]


async def told(bench, person) -> list[tuple[Kind, bool, str | None]]:
    lines = await bench.read("actions_about", person)
    return [(one.action.kind, one.action.done, one.action.reason) for one in lines]


async def test_a_strike_is_told_to_the_person_and_a_note_is_not(bench, mira, otto, place):
    await bench.write("remark", mira, RemarkDraft(otto.id, "Loud.", RemarkKind.NOTE, place))
    await bench.write("remark", mira, RemarkDraft(otto.id, "Spam.", RemarkKind.STRIKE, place))
    (notice,) = [msgspec.json.decode(one.record, type=Notice) for one in bench.notices()]

    assert (notice.kind, notice.done, notice.reason) == ("strike", True, "Spam.")
    assert notice.expires_at is not None
    assert await told(bench, otto) == [(Kind.STRIKE, True, "Spam.")]
    assert await kept(bench, mira, otto) == ["Spam.", "Loud."]


async def test_a_strike_is_in_no_log_that_others_read(bench, admin, mira, otto, second, place):
    await bench.write("remark", mira, RemarkDraft(otto.id, "Spam.", RemarkKind.STRIKE, place))

    for viewer in (None, admin, mira, second):
        for query in (ActionQuery(community_id=place), ActionQuery(person_id=otto.id),
                      ActionQuery(kinds=tuple(Kind)), ActionQuery(kinds=(Kind.STRIKE,))):
            (lines,) = await bench.read("entries", viewer, query)
            assert [line for line in lines if line.action.kind is Kind.STRIKE] == []
    assert Kind.STRIKE not in LOGGED
    public = [event for event in bench.house.events
              if event.collection == "lichen.moderation.action"]
    assert all(b"Spam" not in event.record for event in public)


async def test_an_upheld_appeal_takes_the_strike_away(bench, mira, otto, second, place):
    await bench.write("remark", mira, RemarkDraft(otto.id, "Spam.", RemarkKind.STRIKE, place))
    (line,) = await bench.read("actions_about", otto)
    appeal = await bench.write("appeal", otto.actor, line.action.id, "It was a joke.")
    (waiting,) = (await bench.read("queue", second, QueueQuery(kind=ItemKind.APPEAL))).items
    with pytest.raises(Forbidden, match="appeal_by_same_moderator"):
        await bench.write("decide_appeal", mira, appeal.id, upheld=True)

    decided = await bench.write("decide_appeal", second, appeal.id, upheld=True, answer="Ha.")

    assert (waiting.action.reason, waiting.history.strikes) == ("Spam.", 1)
    assert decided.state is AppealState.UPHELD
    assert await kept(bench, mira, otto) == []
    assert await told(bench, otto) == [(Kind.STRIKE, False, "Ha."), (Kind.STRIKE, True, "Spam.")]


async def test_what_was_taken_back_is_told_and_no_longer_appealed(bench, mira, otto, place):
    strike = await bench.write(
        "remark", mira, RemarkDraft(otto.id, "Spam.", RemarkKind.STRIKE, place))
    await bench.write("drop_remark", mira, strike.id, why=Why("My mistake."))
    undone, line = await bench.read("actions_about", otto)

    assert (undone.action.done, undone.action.reason) == (False, "My mistake.")
    assert line.action.undone_by == undone.action.id
    with pytest.raises(Conflict, match="couldnt_appeal"):
        await bench.write("appeal", otto.actor, line.action.id, "Why?")
    for again in (line, undone):  # a strike that is gone is written anew, not undone into being
        with pytest.raises(Conflict, match="couldnt_undo"):
            await bench.write("undo", mira, again.action.id)
    with pytest.raises(NotFound):
        await bench.write("drop_remark", mira, strike.id)


async def test_remarks_are_read_where_one_moderates_and_by_administrators_all(
    bench, house, admin, mira, otto, second, place
):
    from lichen.forum import CommunityDraft

    elsewhere = await house.sign_up("elsewhere")
    await house.write("create_community", elsewhere, "moss", CommunityDraft(title="Moss"))
    note = await bench.write("remark", mira, RemarkDraft(otto.id, "Loud.", RemarkKind.NOTE, place))
    await bench.write("remark", admin, RemarkDraft(otto.id, "Bot?", RemarkKind.NOTE))

    assert await kept(bench, second, otto) == ["Loud."]
    assert await kept(bench, elsewhere, otto) == []
    assert await kept(bench, admin, otto) == ["Bot?", "Loud."]
    with pytest.raises(Forbidden, match="not_a_mod_or_admin"):
        await bench.read("remarks", otto, otto.id)
    for person in (elsewhere, otto):
        with pytest.raises(Forbidden):
            await bench.write("remark", person, RemarkDraft(
                second.id, "x", RemarkKind.NOTE, place))
        with pytest.raises(Forbidden):
            await bench.write("drop_remark", person, note.id)
    with pytest.raises(Forbidden, match="not_an_admin"):
        await bench.write("remark", mira, RemarkDraft(otto.id, "x", RemarkKind.STRIKE))


async def test_nobody_remarks_about_itself_or_reads_what_is_kept_about_it(
    bench, mira, second, place
):
    strike = await bench.write(
        "remark", mira, RemarkDraft(second.id, "Sleeps.", RemarkKind.STRIKE, place))

    assert await kept(bench, second, second) == []
    with pytest.raises(Refused, match="cant_remark_yourself"):
        await bench.write("remark", second, RemarkDraft(second.id, "x", RemarkKind.NOTE, place))
    with pytest.raises(Forbidden, match="cant_remark_yourself"):
        await bench.write("drop_remark", second, strike.id)


async def test_what_is_kept_costs_the_same_whatever_its_length(bench, house, mira, otto, place):
    costs = []
    for _ in range(2):
        await bench.write("remark", mira, RemarkDraft(otto.id, "Loud.", RemarkKind.NOTE, place))
        await bench.read("remarks", mira, otto.id)
        costs.append(await house.round_trips(
            lambda unit: bench.moderation.remarks(unit, mira, otto.id)))

    assert costs[0] == costs[1] <= 4
