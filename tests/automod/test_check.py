"""What rules do with what is written: every action, in whose name, and with which Reason."""

import msgspec
import pytest

from lichen.automod import SITE, Action, Mode, RuleDraft
from lichen.events import decode_events, encode_event
from lichen.events.visibility import VISIBILITY, Visibility
from lichen.forum import HeldQuery, PostDraft, SubjectKind
from lichen.kit import Forbidden, NotFound

pytestmark = pytest.mark.anyio
CASINO = "contains(text, 'casino')"


async def write(house, viewer, post, content):
    return await house.write("create_comment", viewer, post.post.id, content=content)


async def test_a_report_is_published_and_waits_with_its_reason(house, mira, otto, stones, post):
    rule = await house.rule(mira, stones, f"{CASINO} and author_age_days < 2", Action.REPORT,
                            name="New and gambling")

    view = await write(house, otto, post, "Come to my casino!")

    (hit,) = await house.hits(mira, owner_id=stones)
    assert not view.comment.held
    assert (hit.rule_id, hit.done, hit.waiting) == (rule.id, Action.REPORT, True)
    assert hit.reason.rule == "New and gambling"
    assert {term.name for term in hit.reason.terms} >= {CASINO, "author_age_days", "text"}
    assert hit.reason.change == "the community's moderators"


async def test_what_is_held_is_approved_and_public_once(house, mira, otto, stones, post):
    await house.rule(mira, stones, CASINO)
    view = await write(house, otto, post, "Come to my casino!")
    house.told()

    queue = await house.read("held_queue", mira, HeldQuery())
    for _ in range(2):
        await house.write("approve_held", mira, SubjectKind.COMMENT, view.comment.id)

    assert [one.comment.id for one in queue] == [view.comment.id]
    assert house.told().count("create forum.comment") == 1
    assert (await house.read("comment_view", None, view.comment.id)).comment.content


async def test_what_a_rule_removes_was_never_public(house, mira, otto, stones, post):
    await house.rule(mira, stones, CASINO, Action.REMOVE)
    house.told()

    view = await write(house, otto, post, "Come to my casino!")

    assert "create forum.comment" not in house.told()
    seen = await house.read("comment_view", mira, view.comment.id)
    assert (seen.comment.removed, seen.comment.held) == (True, False)
    (hit,) = await house.hits(mira, owner_id=stones)
    assert (hit.done, hit.waiting) == (Action.REMOVE, False)


async def test_a_ban_removes_and_lasts_its_days(house, mira, otto, stones, post, clock):
    await house.rule(mira, stones, CASINO, Action.BAN, ban_days=3)

    await write(house, otto, post, "Come to my casino!")

    with pytest.raises(Forbidden):
        await write(house, otto, post, "Hello?")
    clock.advance(days=3.1)
    await write(house, otto, post, "Hello again.")


async def test_a_rule_of_the_site_bans_from_the_site(house, head, otto, stones, post):
    await house.rule(head, SITE, CASINO, Action.BAN)

    await write(house, otto, post, "Come to my casino!")

    assert (await house.read("person", None, name="otto")).person.banned


async def test_posts_and_edits_are_looked_at_too(house, mira, otto, stones, post):
    await house.rule(mira, stones, CASINO)
    await house.rule(mira, stones, "is_edit and links > 0", Action.REPORT)

    created = await house.write("create_post", otto, stones, PostDraft(name="A casino for you"))
    innocent = await write(house, otto, post, "Nothing to see.")
    edited = await house.write("edit_comment", otto, innocent.comment.id, content="The casino!")
    linked = await house.write("edit_post", mira, post.post.id, PostDraft(url="https://a.example/"))

    assert (created.post.held, edited.comment.held, linked.post.held) == (True, True, False)
    assert len(await house.hits(mira, owner_id=stones)) == 3


async def test_the_strongest_action_wins_and_every_rule_keeps_its_hit(
    house, mira, otto, stones, post
):
    await house.rule(mira, stones, CASINO, Action.REPORT)
    await house.rule(mira, stones, "words < 100", Action.HOLD)

    view = await write(house, otto, post, "Casino.")

    assert view.comment.held
    assert {hit.done for hit in await house.hits(mira, owner_id=stones)} == {
        Action.REPORT, Action.HOLD}


async def test_a_rule_that_is_tried_notes_and_does_nothing(house, mira, otto, stones, post):
    await house.rule(mira, stones, CASINO, Action.BAN, Mode.TRYING)
    await house.rule(mira, stones, CASINO, Action.BAN, Mode.OFF)

    view = await write(house, otto, post, "Casino.")

    (hit,) = await house.hits(mira, owner_id=stones)
    assert not view.comment.held
    assert (hit.mode, hit.done, hit.waiting) == (Mode.TRYING, None, False)


async def test_moderators_are_reported_and_never_removed_or_banned(house, mira, stones, post):
    await house.rule(mira, stones, CASINO, Action.BAN)

    view = await write(house, mira, post, "Casino.")

    (hit,) = await house.hits(mira, owner_id=stones)
    assert not view.comment.held
    assert (hit.done, hit.waiting) == (Action.REPORT, True)


async def test_a_rule_acts_in_the_name_of_who_switched_it_on(house, head, mira, otto, stones, post):
    """Who no longer moderates removes nothing through a rule; what it hits is held instead."""
    nora = await house.sign_up("nora")
    await house.write("add_moderator", mira, stones, nora.id, added=True)
    await house.rule(nora, stones, CASINO, Action.REMOVE)
    await house.write("add_moderator", mira, stones, nora.id, added=False)

    view = await write(house, otto, post, "Casino.")

    seen = await house.read("comment_view", mira, view.comment.id)
    (hit,) = await house.hits(mira, owner_id=stones)
    assert (seen.comment.held, seen.comment.removed) == (True, False)
    assert (hit.done, hit.waiting) == (Action.HOLD, True)


async def test_a_changed_rule_is_in_force_at_once(house, mira, otto, stones, post):
    rule = await house.rule(mira, stones, CASINO)
    await write(house, otto, post, "Nothing.")

    changed = await house.ask("edit_rule", mira, rule.id, RuleDraft(program="words > 2"))
    first = await write(house, otto, post, "The casino is open now.")
    await house.ask("edit_rule", mira, rule.id, RuleDraft(mode=Mode.OFF))
    second = await write(house, otto, post, "The casino is open still.")

    assert (changed.version, first.comment.held, second.comment.held) == (2, True, False)


async def test_rules_of_one_community_do_not_reach_another(house, mira, otto, stones):
    from lichen.forum import CommunityDraft

    moss = await house.write("create_community", otto, "moss", CommunityDraft(title="Moss"))
    await house.rule(mira, stones, CASINO)

    view = await house.write("create_post", mira, moss.community.id, PostDraft(name="My casino"))

    assert not view.post.held


async def test_a_hit_is_settled_once(house, mira, otto, stones, post):
    await house.rule(mira, stones, CASINO, Action.REPORT)
    await write(house, otto, post, "Casino.")
    (hit,) = await house.hits(mira, owner_id=stones, waiting_only=True)

    for _ in range(2):
        await house.ask("settle_hit", mira, hit.id)

    assert await house.hits(mira, owner_id=stones, waiting_only=True) == []
    assert len(await house.hits(mira, owner_id=stones)) == 1
    with pytest.raises(NotFound):
        await house.ask("settle_hit", mira, hit.id + 1)


async def test_rules_and_hits_are_told_privately(house, mira, otto, stones, post):
    rule = await house.rule(mira, stones, CASINO, Action.REPORT)
    await write(house, otto, post, "Casino.")
    await house.ask("delete_rule", mira, rule.id)

    told = [(event.operation, event.collection) for event in house.events
            if "automod" in event.collection]

    assert told == [("create", "lichen.automod.rule"), ("create", "lichen.automod.hit"),
                    ("delete", "lichen.automod.rule")]
    assert {VISIBILITY[collection] for _, collection in told} == {Visibility.PRIVATE}
    assert all(decode_events(encode_event(event))[0] == event for event in house.events)
    assert await house.hits(mira, owner_id=stones) == []


async def test_a_comment_costs_a_constant_number_of_round_trips(house, mira, otto, stones, post):
    program = "rate > 500 or duplicates > 50 or author_posts > 900 or author_trust > 9"
    for number in range(20):
        await house.rule(mira, stones, f"({program}) and words > {number}")
    await write(house, otto, post, "Numbers are in hand.")

    trips = await house.round_trips(
        lambda unit: house.forum.create_comment(unit, otto, post.post.id, content="Well."),
        is_command=True)

    assert trips <= 3


def test_reasons_are_cut_before_they_are_kept():
    from lichen.automod.model import shortened
    from lichen.kit import Reason, Term

    reason = shortened(Reason(rule="r", terms=(Term("text", "x" * 9_999), Term("words", 3.0))))

    assert len(msgspec.json.encode(reason)) < 500


async def test_a_forgotten_person_leaves_no_hit_and_no_trace(house, mira, otto, stones, post):
    await house.rule(mira, stones, "words > 0", Action.REPORT)
    await write(house, otto, post, "My own words.")
    await write(house, mira, post, "Hers.")

    await house.ask("forget_person", otto.id)

    assert [hit.creator_id for hit in await house.hits(mira, owner_id=stones)] == [mira.id]
    rule = await house.rule(mira, stones, "duplicates > 0", Action.REPORT)
    await write(house, mira, post, "My own words.")
    assert await house.hits(mira, rule_id=rule.id) == []
