"""What waits on moderators: one list, stable pages, a cost that does not grow."""

import pytest

from lichen.forum import NewPost, PostDraft
from lichen.kit import Forbidden, NotFound, Refused
from lichen.moderation import (
    ItemKind,
    ItemState,
    QueueItem,
    QueueQuery,
    RemarkDraft,
    RemarkKind,
    ReportedMessage,
    ReportKind,
    ReportQuery,
    Why,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def posts(house, otto, stones):
    """Thirty posts of otto's."""
    return await house.write("create_posts", [
        NewPost(otto.id, stones.community.id, PostDraft(name=f"Post number {number}"))
        for number in range(30)
    ])


@pytest.fixture
async def reported(bench, clock, second, posts):
    """All of them reported, one a second."""
    for post in posts:
        clock.advance(seconds=1)
        await bench.write("report_post", second, post.id, f"Spam, says {post.id}.")
    return posts


async def test_what_waits_comes_in_pages_the_longest_waiting_first(bench, mira, reported):
    first = await bench.read("queue", mira, QueueQuery(limit=20))
    rest = await bench.read("queue", mira, QueueQuery(limit=20, after=first.next))

    names = [one.post.post.name for one in (*first.items, *rest.items)]
    assert names == [f"Post number {number}" for number in range(30)]
    assert rest.next is None
    assert first.items[0].item.evidence.startswith("Spam, says")


async def test_a_page_is_stable_while_others_work(bench, mira, second, reported):
    first = await bench.read("queue", mira, QueueQuery(limit=10))
    for one in first.items[:5]:
        await bench.write("dismiss", second, one.id)

    rest = await bench.read("queue", mira, QueueQuery(limit=10, after=first.next))

    assert [one.post.post.name for one in rest.items] == [
        f"Post number {number}" for number in range(10, 20)
    ]


@pytest.mark.parametrize("limit", [1, 30])
async def test_a_page_costs_the_same_whatever_its_length(bench, house, mira, reported, limit):
    query = QueueQuery(limit=limit)
    await bench.read("queue", mira, query)

    cost = await house.round_trips(lambda unit: bench.moderation.queue(unit, mira, query))

    assert cost <= 10


async def test_reports_of_one_thing_are_one_item(bench, mira, otto, second, posts):
    for person in (mira, second):
        await bench.write("report_post", person, posts[0].id, "Spam.")

    (one,) = (await bench.read("queue", mira, QueueQuery())).items

    assert (one.item.severity, one.person.name) == (2, "otto")


async def test_moderators_see_their_communities_and_administrators_all(
    bench, house, admin, mira, otto, reported
):
    await house.write("create_community", otto, "moss", _draft())
    here = await bench.read("queue", admin, QueueQuery())
    with pytest.raises(Forbidden, match="not_a_mod_or_admin"):
        await bench.read("queue", await house.sign_up("nobody"), QueueQuery())

    assert len(here.items) == 20
    elsewhere = await bench.read("queue", otto, QueueQuery())
    assert elsewhere.items == ()
    with pytest.raises(NotFound, match="couldnt_find_object"):
        await bench.write("dismiss", otto, here.items[0].id)


def _draft():
    from lichen.forum import CommunityDraft

    return CommunityDraft(title="Moss")


async def test_a_removal_ends_the_waiting_and_upholds_the_reports(bench, mira, second, reported):
    await bench.write("remove_post", mira, reported[0].id, removed=True, why=Why("Spam."))
    history = await bench.read("histories", [second.id], moderated=None)

    left = await bench.read("queue", mira, QueueQuery(limit=50))

    assert len(left.items) == 29
    assert (history[second.id].reports_made, history[second.id].reports_upheld) == (30, 1)


async def test_what_is_escalated_waits_on_administrators(bench, admin, mira, reported):
    (one, *_) = (await bench.read("queue", mira, QueueQuery())).items
    await bench.write("escalate", mira, one.id)

    handed = await bench.read("queue", admin, QueueQuery(state=ItemState.ESCALATED))

    assert [item.id for item in handed.items] == [one.id]


async def test_the_author_comes_with_its_history(bench, clock, mira, otto, stones, reported):
    place = stones.community.id
    await bench.write("remark", mira, RemarkDraft(otto.id, "Loud.", RemarkKind.NOTE, place))
    await bench.write("remark", mira, RemarkDraft(
        otto.id, "Spam.", RemarkKind.STRIKE, place, expires_us=clock() + 60_000_000
    ))
    await bench.write("remove_post", mira, reported[9].id, removed=True)

    now = (await bench.read("queue", mira, QueueQuery())).items[0].history
    clock.advance(minutes=2)
    later = (await bench.read("queue", mira, QueueQuery())).items[0].history

    assert (now.strikes, now.notes, now.removals) == (1, 1, 1)
    assert later.strikes == 0


async def test_another_room_hands_in_what_it_holds(bench, mira, otto, stones, posts):
    held = QueueItem(
        kind=ItemKind.HELD, subject_kind="post", subject_id=posts[3].id,
        community_id=stones.community.id, person_id=otto.id, since_us=1, evidence="A link farm.",
    )
    await bench.write("wait", held)

    (one,) = (await bench.read("queue", mira, QueueQuery(kind=ItemKind.HELD))).items

    assert (one.item, one.post.post.id) == (held, posts[3].id)


async def test_a_message_is_reported_by_who_got_it_and_read_by_administrators(
    bench, admin, mira, otto
):
    bench.letters.kept[7] = ReportedMessage(
        id=7, ap_id="https://lichen.example/private_message/7", creator=otto.actor,
        recipient=mira.actor, content="Rude words.", published_us=1,
    )
    made = await bench.write("report_message", mira, 7, "Rude.")
    with pytest.raises(NotFound, match="couldnt_find_private_message"):
        await bench.write("report_message", otto, 7, "Mine.")
    with pytest.raises(Refused, match="couldnt_create_report"):
        await bench.write("report_message", mira, 7, "Again.")

    (view,) = await bench.read("reports", admin, ReportQuery(ReportKind.MESSAGE))
    counts = await bench.read("report_counts", admin)
    done = await bench.write(
        "resolve_report", admin, ReportKind.MESSAGE, made.report.id, resolved=True
    )

    assert (view.message.content, view.report.original_text) == ("Rude words.", "Rude words.")
    assert counts.messages == 1
    assert done.report.resolved


async def test_a_place_in_the_queue_is_checked(bench, mira, reported):
    for cursor in ("", "x", "1", "1-", "-1", "9" * 40 + "-1", "1-two"):
        with pytest.raises(Refused, match="invalid_page"):
            await bench.read("queue", mira, QueueQuery(after=cursor))
