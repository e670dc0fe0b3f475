"""Proposals: made by members, supported, answered by moderators, passed up and back."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lichen.forum import CommunityRuling
from lichen.kit import Conflict, Forbidden, NotFound, Refused
from lichen.moderation import (
    BanOrder,
    ItemKind,
    ItemState,
    ProposalDraft,
    ProposalListing,
    ProposalOrder,
    ProposalQuery,
    ProposalState,
    QueueQuery,
    StepRole,
    Support,
)
from lichen.moderation.limits import (
    PROPOSAL_STEPS_MAX,
    PROPOSAL_TEXT_LENGTH_MAX,
    PROPOSALS_OPEN_MAX,
    SUPPORTS_TO_QUEUE,
)
from lichen.moderation.proposal import can_come_to

pytestmark = pytest.mark.anyio

DRAFT = ProposalDraft("A rule against lamps", "They are *sold* here.")
S = ProposalState


@pytest.fixture
async def proposal(bench, otto, stones):
    """What otto proposes in mira's community."""
    return await bench.write("propose", otto, stones.community.id, DRAFT)


@pytest.fixture
async def crowd(house):
    """Enough people for the moderators to look."""
    return [await house.sign_up(f"member{number}") for number in range(SUPPORTS_TO_QUEUE)]


def answered(bench, viewer, proposal, state=S.ACCEPTED, reason="So be it."):
    return bench.write("answer_proposal", viewer, proposal.id, state, reason=reason)


async def queued(bench, viewer, state=ItemState.OPEN):
    query = QueueQuery(kind=ItemKind.PROPOSAL, state=state)
    return (await bench.read("queue", viewer, query)).items


async def test_enough_support_puts_it_before_the_moderators_once(bench, mira, proposal, crowd):
    for member in crowd[:-1]:
        await bench.write("support_proposal", member, proposal.id, on=True)
    early = await queued(bench, mira)
    for on in (True, False, True):
        await bench.write("support_proposal", crowd[-1], proposal.id, on=on)

    (waiting,) = await queued(bench, mira)

    assert early == ()
    assert (waiting.item.severity, waiting.person.name) == (1, "otto")
    assert (waiting.proposal.title, waiting.proposal.supports) == (DRAFT.title, SUPPORTS_TO_QUEUE)
    assert waiting.community.community.actor.name == "stones"


async def test_every_step_is_kept_with_its_reason_and_the_support_it_had(
    bench, admin, mira, otto, proposal, crowd, clock
):
    await bench.write("pass_up_proposal", mira, proposal.id, reason="Not ours to say.")
    up = await queued(bench, admin, ItemState.ESCALATED)
    await bench.write("support_proposal", crowd[0], proposal.id, on=True)
    clock.advance(seconds=1)
    await bench.write("hand_back_proposal", admin, proposal.id, reason="It is yours.")
    back = await queued(bench, mira)
    await answered(bench, mira, proposal, S.DECLINED, "Lamps are fine.")

    view = await bench.read("proposal", otto, proposal.id)

    assert [len(up), len(back), len(await queued(bench, mira))] == [1, 1, 0]
    assert [(one.step.state, one.step.role, one.step.reason, one.step.supports)
            for one in view.steps] == [
        (S.PASSED_UP, StepRole.MODERATOR, "Not ours to say.", 0),
        (S.OPEN, StepRole.ADMINISTRATOR, "It is yours.", 1),
        (S.DECLINED, StepRole.MODERATOR, "Lamps are fine.", 1),
    ]
    assert [one.person for one in view.steps] == [None] * 3, "as in the log, names are hidden"
    seen = await bench.read("proposal", mira, proposal.id)
    assert [one.person.name for one in seen.steps] == ["mira", "ada", "mira"]
    reason = bench.moderation.why_proposal(view)
    assert (reason.rule, reason.terms[0].note) == ("proposal: declined", "Lamps are fine.")
    assert reason.decided_by == "a moderator"


async def test_the_author_hears_of_each_step_of_others(bench, mira, otto, admin, proposal):
    await bench.write("pass_up_proposal", mira, proposal.id, reason="Not ours to say.")
    await answered(bench, admin, proposal)

    told = [msgspec.json.decode(event.record) for event in bench.notices()]

    assert {event.row for event in bench.notices()} == {otto.id}
    assert [(one["kind"], one["reason"], one["proposal"]) for one in told] == [
        ("passUpProposal", "Not ours to say.", proposal.id),
        ("acceptProposal", "So be it.", proposal.id),
    ]


async def test_of_two_who_decide_the_second_is_refused(bench, mira, second, proposal):
    outcomes = await asyncio.gather(
        answered(bench, mira, proposal, S.ACCEPTED),
        answered(bench, second, proposal, S.DECLINED, "No."), return_exceptions=True,
    )
    view = await bench.read("proposal", mira, proposal.id)

    refused = [one for one in outcomes if isinstance(one, Conflict)]
    assert [one.code for one in refused] == ["already_decided"]
    assert len(view.steps) == 1
    for move in ("pass_up_proposal", "hand_back_proposal"):
        with pytest.raises(Refused):
            await bench.write(move, mira, proposal.id, reason="Late.")


async def test_of_two_who_support_at_once_both_count(bench, proposal, crowd):
    await asyncio.gather(*(
        bench.write("support_proposal", member, proposal.id, on=True)
        for member in [*crowd, *crowd]
    ))

    assert (await bench.read("proposal", None, proposal.id)).proposal.supports == len(crowd)


async def test_what_was_passed_up_is_answered_by_administrators(
    bench, admin, mira, second, proposal
):
    await bench.write("pass_up_proposal", mira, proposal.id, reason="Not ours to say.")
    with pytest.raises(Conflict, match="couldnt_move_proposal"):
        await bench.write("pass_up_proposal", second, proposal.id, reason="Nor ours.")
    for viewer in (mira, second):
        with pytest.raises(Forbidden, match="not_an_admin"):
            await answered(bench, viewer, proposal)
    with pytest.raises(Forbidden, match="not_an_admin"):
        await bench.read("passed_up_proposals", mira)

    (waiting,) = await bench.read("passed_up_proposals", admin)
    await answered(bench, admin, proposal)

    assert waiting.proposal.id == proposal.id
    assert await bench.read("passed_up_proposals", admin) == []


async def test_nobody_answers_their_own_where_somebody_else_can(bench, house, mira, stones):
    own = await bench.write("propose", mira, stones.community.id, DRAFT)
    alone = (await bench.read("proposal", mira, own.id)).rights
    sven = await house.sign_up("sven")
    await house.write("add_moderator", mira, stones.community.id, sven.id, added=True)
    with pytest.raises(Forbidden, match="proposal_by_judge"):
        await answered(bench, mira, own)
    beside = (await bench.read("proposal", mira, own.id)).rights

    await house.write("add_moderator", mira, stones.community.id, sven.id, added=False)
    await answered(bench, mira, own)

    assert (alone.answer, beside.answer, beside.pass_up) == (True, False, True)


async def test_only_its_author_withdraws_it_and_supports_no_own(bench, mira, otto, proposal):
    with pytest.raises(Forbidden, match="own_proposal"):
        await bench.write("support_proposal", otto, proposal.id, on=True)
    with pytest.raises(Forbidden, match="not_your_proposal"):
        await bench.write("withdraw_proposal", mira, proposal.id)

    await bench.write("withdraw_proposal", otto, proposal.id)

    (step,) = (await bench.read("proposal", None, proposal.id)).steps
    assert (step.step.role, step.person.name) == (StepRole.AUTHOR, "otto")
    for deed in ((answered(bench, mira, proposal)),
                 bench.write("withdraw_proposal", otto, proposal.id),
                 bench.write("support_proposal", mira, proposal.id, on=True)):
        with pytest.raises(Conflict, match="already_decided"):
            await deed


async def test_who_may_not_write_there_neither_proposes_nor_supports(
    bench, house, mira, otto, stones, proposal
):
    out = await house.sign_up("out")
    await bench.write("ban", mira, BanOrder(out.id, banned=True, community_id=stones.community.id))

    for deed in (bench.write("propose", out, stones.community.id, DRAFT),
                 bench.write("support_proposal", out, proposal.id, on=True)):
        with pytest.raises(Forbidden, match="banned_from_community"):
            await deed
    for deed in (answered(bench, otto, proposal), answered(bench, out, proposal)):
        with pytest.raises(Forbidden, match="not_a_moderator"):
            await deed
    assert (await bench.read("proposal", out, proposal.id)).rights.support is False


async def test_lengths_reasons_and_the_number_of_open_ones_are_bounded(
    bench, mira, otto, stones, proposal
):
    place = stones.community.id
    for draft, code in (
        (ProposalDraft("No", "text"), "invalid_proposal_title"),
        (ProposalDraft("x" * 201, "text"), "invalid_proposal_title"),
        (ProposalDraft("A title", " \n"), "invalid_proposal_text"),
        (ProposalDraft("A title", "x" * (PROPOSAL_TEXT_LENGTH_MAX + 1)), "invalid_proposal_text"),
    ):
        with pytest.raises(Refused, match=code):
            await bench.write("propose", otto, place, draft)
    for reason, code in ((" ", "proposal_reason_required"), ("x" * 2_001, "invalid_body_field")):
        with pytest.raises(Refused, match=code):
            await answered(bench, mira, proposal, reason=reason)
    with pytest.raises(Refused, match="invalid_answer"):
        await answered(bench, mira, proposal, S.WITHDRAWN)
    for _ in range(PROPOSALS_OPEN_MAX - 1):
        await bench.write("propose", otto, place, DRAFT)
    with pytest.raises(Refused, match="too_many_proposals"):
        await bench.write("propose", otto, place, DRAFT)

    await bench.write("withdraw_proposal", otto, proposal.id)

    assert (await bench.write("propose", otto, place, DRAFT)).state is S.OPEN


async def test_it_does_not_go_up_and_back_for_ever(bench, admin, proposal):
    for _ in range(PROPOSAL_STEPS_MAX // 2):
        await bench.write("pass_up_proposal", admin, proposal.id, reason="Up.")
        await bench.write("hand_back_proposal", admin, proposal.id, reason="Back.")

    with pytest.raises(Conflict, match="too_many_steps"):
        await bench.write("pass_up_proposal", admin, proposal.id, reason="Up.")
    assert (await answered(bench, admin, proposal)).state is S.ACCEPTED


async def test_words_that_were_removed_are_for_who_wrote_and_who_moderates(
    bench, house, mira, otto, proposal
):
    await answered(bench, mira, proposal, S.REMOVED, "Rude.")

    titles = [(await bench.read("proposal", viewer, proposal.id)).proposal.title
              for viewer in (mira, otto, None)]

    assert titles == [DRAFT.title, DRAFT.title, ""]
    assert house.events[-2].operation == "delete", "outsiders forget it"


async def test_in_a_removed_community_it_waits_out_of_sight(
    bench, house, admin, mira, otto, proposal, stones, crowd
):
    await house.write(
        "rule_community", admin, stones.community.id, CommunityRuling(removed=True)
    )
    for viewer in (None, crowd[0]):
        with pytest.raises(NotFound, match="couldnt_find_proposal"):
            await bench.read("proposal", viewer, proposal.id)
    with pytest.raises(Refused, match="deleted"):
        await bench.write("support_proposal", crowd[0], proposal.id, on=True)
    with pytest.raises(NotFound, match="couldnt_find_community"):
        await bench.write("propose", otto, stones.community.id, DRAFT)

    assert (await bench.read("proposal", otto, proposal.id)).rights.withdraw
    assert (await answered(bench, mira, proposal)).state is S.ACCEPTED


async def test_what_was_made_by_somebody_who_left_is_still_answered(
    bench, house, mira, otto, proposal
):
    await house.accounts.delete_account(otto, "correct horse battery", delete_content=False)
    before = len(bench.notices())

    await answered(bench, mira, proposal)

    assert (await bench.read("proposal", mira, proposal.id)).creator.deleted
    assert len(bench.notices()) == before, "nobody is there to be told"


async def test_lists_are_by_state_and_order_and_in_pages(bench, mira, otto, stones, crowd):
    place = stones.community.id
    made = [await bench.write("propose", who, place, ProposalDraft(f"Number {number}", "Text."))
            for number, who in enumerate([otto, otto, otto, mira])]
    await bench.write("support_proposal", crowd[0], made[1].id, on=True)
    await answered(bench, mira, made[2])

    async def titles(viewer=None, **asked):
        found = await bench.read("proposals", viewer, ProposalQuery(place, **asked))
        return [(view.proposal.title[-1], view.supported) for view in found]

    assert await titles(crowd[0]) == [("1", True), ("3", False), ("0", False)]
    assert await titles(order=ProposalOrder.NEW, limit=2) == [("3", False), ("1", False)]
    assert await titles(order=ProposalOrder.NEW, limit=2, page=2) == [("0", False)]
    assert await titles(listing=ProposalListing.ANSWERED) == [("2", False)]
    with pytest.raises(Refused, match="invalid_page"):
        await titles(limit=51)


@pytest.mark.parametrize("people", [1, SUPPORTS_TO_QUEUE])
async def test_the_cost_does_not_grow_with_supporters(bench, house, mira, proposal, crowd, people):
    room = bench.moderation
    batch = [Support(one.id, proposal.id) for one in crowd[:people]]
    cost = [
        await house.round_trips(lambda unit: room.support_proposals(unit, batch), is_command=True),
        await house.round_trips(lambda unit: room.proposal(unit, mira, proposal.id)),
        await house.round_trips(lambda unit: room.answer_proposal(
            unit, mira, proposal.id, S.ACCEPTED, reason="Yes."), is_command=True),
        await house.round_trips(lambda unit: room.tell_supporters(unit, proposal.id),
                                is_command=True),
    ]

    assert all(one <= most for one, most in zip(cost, (4, 5, 6, 4), strict=True)), cost


async def test_the_queue_is_no_way_around_the_reason(bench, admin, mira, proposal, crowd):
    await bench.write("support_proposals", [Support(one.id, proposal.id) for one in crowd])
    (waiting,) = await queued(bench, mira)
    with pytest.raises(Refused, match="couldnt_dismiss"):
        await bench.write("dismiss", mira, waiting.id)
    with pytest.raises(Refused, match="proposal_reason_required"):
        await bench.write("escalate", mira, waiting.id)

    await bench.write("escalate", mira, waiting.id, reason="Not ours to say.")

    view = await bench.read("proposal", admin, proposal.id)
    assert view.proposal.state is S.PASSED_UP


async def test_a_purged_community_takes_its_proposals_along(
    bench, house, admin, stones, proposal, crowd
):
    await bench.write("support_proposals", [Support(one.id, proposal.id) for one in crowd])
    with pytest.raises(Forbidden, match="not_an_admin"):
        await bench.write("purge_community", crowd[0], stones.community.id)

    await bench.write("purge_community", admin, stones.community.id)

    assert await bench.read("proposals_by_id", admin, [proposal.id]) == {}
    assert await queued(bench, admin) == ()
    assert DRAFT.title.encode() not in bench.written().splitlines()[-1]


async def test_what_is_erased_has_no_words_and_no_supporters(bench, mira, otto, proposal, crowd):
    voices = [Support(one.id, proposal.id) for one in crowd]
    await bench.write("support_proposals", voices)
    other = await bench.write("propose", mira, proposal.community_id, DRAFT)
    await bench.write("support_proposal", crowd[0], other.id, on=True)
    await bench.write("forget_person", crowd[0].id)
    for _ in range(2):
        await bench.write("erase_proposals", [proposal.id])

    gone = (await bench.read("proposals_by_id", mira, [proposal.id]))[proposal.id].proposal
    left = (await bench.read("proposals_by_id", mira, [other.id]))[other.id].proposal

    assert (gone.title, gone.text, gone.state) == ("", "", S.WITHDRAWN)
    assert (left.title, left.supports) == (DRAFT.title, 0)
    assert await bench.read("supports_of", crowd[1].id, after_id=0, limit=9) == []
    assert await queued(bench, mira) == ()
    assert await bench.read("proposals_speaking_among", {proposal.id, other.id}) == {other.id}


@settings(max_examples=8, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(casts=st.lists(st.tuples(st.integers(0, SUPPORTS_TO_QUEUE - 1), st.booleans()), max_size=12))
async def test_the_count_is_that_of_the_people_whoever_changed_their_mind(
    bench: Any, proposal: Any, crowd: Any, casts: list[tuple[int, bool]]
) -> None:
    await bench.write("support_proposals", [
        Support(crowd[at].id, proposal.id, on) for at, on in casts
    ])
    rows = [await bench.read("supports_of", one.id, after_id=0, limit=9) for one in crowd]

    counted = (await bench.read("proposal", None, proposal.id)).proposal.supports

    assert counted == sum(map(len, rows))


def test_what_is_final_stays_but_for_its_words():
    final = [one for one in S if one not in (S.OPEN, S.PASSED_UP)]

    ways = {
        (before, after) for before in final for after in S
        if can_come_to(msgspec.structs.replace(_any(), state=before), after)
    }

    assert ways == {(one, S.REMOVED) for one in final if one is not S.REMOVED}


def _any():
    from lichen.moderation import Proposal

    return Proposal(1, "3k", 1, 1, "t", "t", S.OPEN, 0, None, 1, None)
