"""Trials: what a rule would have done is what it does, and what moderators did beside it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lichen.automod import Action, Mode, TrialState, limits
from lichen.automod.service import checked_program
from lichen.forum import CommentRuling, PostDraft
from lichen.kit import NotFound, Refused

pytestmark = pytest.mark.anyio

PROGRAMS = [
    "contains(text, 'casino')", "words > 2", "first_post", "rate >= 2", "author_posts > 0",
    "author_comments > 1 and is_comment", "duplicates > 0", "duplicates_own > 0 or is_post",
    "overlaps(domains, {'spam.example'})", "author_age_days > 1", "author_is_moderator",
    "depth > 0 and not has_link", "community == 'stones' and capitals < 0.5",
]
TEXTS = st.sampled_from(["Casino!", "A casino at https://spam.example/x", "Nothing here", "casino!",
                         "LOUD WORDS", "one two three four"])
ACTS = st.lists(st.tuples(st.booleans(), st.booleans(), TEXTS, st.sampled_from([0.01, 0.5, 30])),
                min_size=1, max_size=8)


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(ACTS, st.lists(st.sampled_from(PROGRAMS), min_size=1, max_size=4, unique=True))
async def test_a_trial_says_of_the_past_what_the_rule_said_of_the_present(
    house, mira, otto, stones, post, clock, acts, programs
):
    """The facts carried along in the order of time are those that the rows said then."""
    start_us = clock.now_us
    rules = [await house.rule(mira, stones, checked_program(program), mode=Mode.TRYING)
             for program in programs]
    for by_mira, is_post, text, hours in acts:
        clock.advance(hours=hours)
        author = mira if by_mira else otto
        if is_post:
            await house.write("create_post", author, stones, PostDraft(name=text))
        else:
            await house.write("create_comment", author, post.post.id, content=text)

    for rule in rules:
        live = {(bool(hit.kind == 0), hit.subject_id)
                for hit in await house.hits(mira, rule_id=rule.id, limit=50)}
        report = await house.tried(mira, stones, rule.program)
        tried = {(hit.is_post, hit.id) for hit in report.hits if hit.published_us > start_us}

        assert report.state is TrialState.DONE
        assert tried == live, rule.program
        assert all(hit.reason.value is True for hit in report.hits)
        await house.ask("delete_rule", mira, rule.id)


async def test_a_trial_says_what_moderators_did_with_the_same_things(
    house, mira, otto, stones, post
):
    comments = [
        await house.write("create_comment", otto, post.post.id, content=f"Casino number {number}")
        for number in range(4)
    ]
    other = await house.write("create_comment", mira, post.post.id, content="Gone for another reason")
    for one in (comments[0], comments[1], other):
        await house.write(
            "rule_comment", mira, one.comment.id, CommentRuling(removed=True))
    await house.write("delete_comment", otto, comments[3].comment.id, deleted=True)

    report = await house.tried(mira, stones, "contains(text, 'casino')")

    assert (report.judged, report.matches, report.matches_removed, report.removed) == (5, 3, 2, 3)
    assert report.precision == pytest.approx(2 / 3)
    assert report.authors == (("otto", 3),)
    assert [hit.removed for hit in report.hits] == [True, True, False]
    assert report.share == 1.0


async def test_a_trial_looks_at_its_days_and_its_community(house, mira, otto, stones, clock):
    from lichen.forum import CommunityDraft

    moss = await house.write("create_community", otto, "moss", CommunityDraft(title="Moss"))
    await house.write("create_post", otto, stones, PostDraft(name="An old casino"))
    clock.advance(days=10)
    await house.write("create_post", otto, stones, PostDraft(name="A new casino"))
    await house.write("create_post", otto, moss.community.id, PostDraft(name="Another casino"))

    week = await house.tried(mira, stones, "contains(text, 'casino')", days=7)
    month = await house.tried(mira, stones, "contains(text, 'casino') and author_posts < 9")

    assert [hit.title for hit in week.hits] == ["A new casino"]
    assert [hit.title for hit in month.hits] == ["An old casino", "A new casino"]


async def test_batches_do_not_change_what_is_found(house, mira, otto, stones, post, clock,
                                                   monkeypatch):
    for number in range(12):
        clock.advance(minutes=1)
        await house.write("create_comment", otto, post.post.id, content=f"Number {number % 5}")
        if number % 3 == 0:
            await house.write("create_post", otto, stones, PostDraft(name=f"Number {number % 2}"))
    program = "rate > 3 or duplicates > 1 or author_posts > 2"
    whole = await house.tried(mira, stones, program)

    monkeypatch.setattr(limits, "TRIAL_BATCH", 3)
    pieces = await house.tried(mira, stones, program)

    assert whole.matches > 3
    assert [hit.id for hit in pieces.hits] == [hit.id for hit in whole.hits]
    assert pieces.judged == whole.judged


async def test_a_trial_can_be_stopped_and_asked_while_it_runs(house, mira, otto, stones, post):
    trial_id = await house.ask("begin_trial", mira, stones, "words > 0", days=3)
    waiting = house.automod.trials.of(trial_id)
    house.automod.trials.stop(trial_id)

    await house.automod.trials.run(trial_id)

    assert (waiting.state, waiting.running) == (TrialState.WAITING, True)
    assert house.automod.trials.of(trial_id).state is TrialState.STOPPED
    with pytest.raises(NotFound):
        house.automod.trials.of(trial_id + 1)


async def test_trials_have_limits(house, mira, stones):
    for days in (0, limits.TRIAL_DAYS_MAX + 1):
        with pytest.raises(Refused):
            await house.ask("begin_trial", mira, stones, "words > 0", days=days)
    for _ in range(limits.TRIALS_AT_ONCE_MAX):
        await house.ask("begin_trial", mira, stones, "words > 0", days=1)
    with pytest.raises(Refused) as caught:
        await house.ask("begin_trial", mira, stones, "words > 0", days=1)

    assert caught.value.code == "too_many_trials"


async def test_trying_changes_nothing(house, mira, otto, stones, post):
    await house.write("create_comment", otto, post.post.id, content="Casino")
    house.events.clear()

    await house.tried(mira, stones, "contains(text, 'casino')")

    assert house.told() == []
    assert await house.hits(mira, owner_id=stones) == []
    assert Action.REPORT not in [hit.done for hit in await house.hits(mira, owner_id=stones)]
