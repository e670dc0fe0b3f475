"""Notifications: who is told of what, once, and what they do with it."""

from typing import Any

import pytest

from lichen.accounts import Viewer
from lichen.events import event_of
from lichen.events.moderation import Notice
from lichen.forum import CommentSort, CommunityView, PostView
from lichen.kit import NotFound
from lichen.kit.ground import Ground
from lichen.notifications import Counts, Kind, tables
from lichen.notifications.reader import NAME, UNMARKED_EVENTS_MAX
from lichen.notifications.room import build
from lichen.store import checkpoint_of
from lichen.web import Addresses
from tests.notifications.conftest import Inbox, batch_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def post_id(post: PostView) -> int:
    """Return the id of a post of mira's."""
    return post.post.id


async def rows(inbox: Inbox) -> set[tuple[Any, ...]]:
    """Return every row, but for its number."""
    found = await inbox.house.store.read(lambda unit: unit.fetch(tables.notification.select()))
    return {tuple(row)[1:] for row in found}


async def test_the_author_of_a_post_is_told_of_answers(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    await inbox.comment(otto, post_id, "Nice.")

    (told,) = await inbox.of(mira, Kind.REPLY)

    assert (told.comment.comment.content, told.read, told.recipient) == ("Nice.", False, mira.actor)
    assert await inbox.counts(mira) == Counts(replies=1)


async def test_the_author_of_a_comment_is_told_of_answers_and_the_author_of_the_post_is_not(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    anna = await inbox.house.sign_up("anna")
    first = await inbox.comment(otto, post_id, "Nice.")
    await inbox.comment(anna, post_id, "Very.", parent_id=first.comment.id)

    assert await inbox.texts(otto, Kind.REPLY) == ["Very."]
    assert await inbox.texts(mira, Kind.REPLY) == ["Nice."]


async def test_nobody_is_told_of_their_own_words(
    inbox: Inbox, mira: Viewer, post_id: int
) -> None:
    await inbox.comment(mira, post_id, "I, @mira@lichen.example, say so.")

    assert await inbox.counts(mira) == Counts()


async def test_whoever_is_named_is_told_whatever_the_case(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    text = "@OTTO@Lichen.example, @otto@far.example and @nobody@lichen.example"
    await inbox.comment(mira, post_id, text)

    assert await inbox.texts(otto, Kind.MENTION) == [text]
    assert await inbox.counts(otto) == Counts(mentions=1)


async def test_whoever_is_answered_and_named_is_told_once(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    await inbox.comment(otto, post_id, "Thanks, @mira@lichen.example")

    assert await inbox.counts(mira) == Counts(replies=1)


async def test_people_who_are_blocked_tell_nothing(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    house = inbox.house
    await house.store.write(
        lambda unit: house.accounts.block_person(unit, mira, otto.id, blocked=True)
    )

    await inbox.comment(otto, post_id, "Hey, @mira@lichen.example")

    assert await inbox.counts(mira) == Counts()


async def test_a_block_takes_back_what_was_told(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    anna = await inbox.house.sign_up("anna")
    await inbox.comment(otto, post_id, "Hey.")
    await inbox.comment(anna, post_id, "Hello.")
    assert await inbox.counts(mira) == Counts(replies=2)

    await inbox.house.store.write(
        lambda unit: inbox.house.accounts.block_person(unit, mira, otto.id, blocked=True)
    )

    assert await inbox.counts(mira) == Counts(replies=1)
    assert await inbox.texts(mira, Kind.REPLY) == ["Hello."]


async def test_an_edit_tells_whom_it_newly_names_and_untells_whom_it_names_no_more(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    anna = await inbox.house.sign_up("anna")
    view = await inbox.comment(mira, post_id, "Hello @anna@lichen.example")
    assert await inbox.counts(anna) == Counts(mentions=1)

    text = "Hello @otto@lichen.example"
    await inbox.house.write("edit_comment", mira, view.comment.id, content=text)

    assert (await inbox.counts(anna), await inbox.counts(otto)) == (Counts(), Counts(mentions=1))


async def test_what_is_deleted_takes_its_notifications_along(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    view = await inbox.comment(otto, post_id, "Nice.")
    await inbox.catch_up()

    await inbox.house.write("delete_comment", otto, view.comment.id, deleted=True)
    assert (await inbox.counts(mira), await inbox.of(mira, Kind.REPLY)) == (Counts(), [])

    await inbox.house.write("delete_comment", otto, view.comment.id, deleted=False)
    assert await inbox.counts(mira) == Counts(replies=1)


async def test_what_was_deleted_before_the_reader_came_is_never_told(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    view = await inbox.comment(otto, post_id, "Nice.")
    await inbox.house.write("delete_comment", otto, view.comment.id, deleted=True)

    assert await inbox.counts(mira) == Counts()


async def test_one_is_marked_as_read_and_unread_again(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    await inbox.comment(otto, post_id, "One.")
    await inbox.comment(otto, post_id, "Two.")
    newest, _ = await inbox.of(mira, Kind.REPLY)
    store, notifications = inbox.house.store, inbox.notifications

    marked = await store.write(
        lambda unit: notifications.mark_read(unit, mira, newest.id, read=True)
    )

    assert marked.read
    assert await inbox.counts(mira) == Counts(replies=1)
    assert await inbox.texts(mira, Kind.REPLY, unread_only=True) == ["One."]
    assert await inbox.texts(mira, Kind.REPLY) == ["Two.", "One."]
    assert "create notification.read" in inbox.house.told()
    await store.write(lambda unit: notifications.mark_read(unit, mira, newest.id, read=False))
    counts = await store.read(lambda unit: notifications.unread_counts(unit, mira))
    assert counts == Counts(replies=2)


async def test_all_are_marked_as_read_at_once(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    await inbox.comment(otto, post_id, "One.")
    await inbox.comment(mira, post_id, "@otto@lichen.example")
    await inbox.catch_up()

    await inbox.house.store.write(lambda unit: inbox.notifications.mark_all_read(unit, mira))

    assert (await inbox.counts(mira), await inbox.counts(otto)) == (Counts(), Counts(mentions=1))


@pytest.mark.parametrize("whose", ["others", "none"])
async def test_what_is_not_ones_own_cannot_be_marked(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int, whose: str
) -> None:
    await inbox.comment(otto, post_id, "One.")
    (told,) = await inbox.of(mira, Kind.REPLY)
    id_ = told.id if whose == "others" else 10**15

    with pytest.raises(NotFound):
        await inbox.house.store.write(
            lambda unit: inbox.notifications.mark_read(unit, otto, id_, read=True)
        )

    assert await inbox.counts(mira) == Counts(replies=1)


async def test_pages_follow_each_other_in_either_order(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    for number in range(5):
        await inbox.comment(otto, post_id, str(number))

    pages = [await inbox.texts(mira, Kind.REPLY, page=page, limit=2) for page in (1, 2, 3, 4)]

    assert pages == [["4", "3"], ["2", "1"], ["0"], []]
    assert await inbox.texts(mira, Kind.REPLY, sort=CommentSort.OLD, limit=2) == ["0", "1"]


async def test_event_by_event_twice_and_late_come_out_as_one_batch(
    inbox: Inbox, ground: Ground, mira: Viewer, otto: Viewer, stones: CommunityView, post_id: int
) -> None:
    """The fold law: every way to follow the same log ends with the same rows."""
    house = inbox.house
    anna = await house.sign_up("anna")
    first = await inbox.comment(otto, post_id, "Hello @anna@lichen.example")
    answer = await inbox.comment(anna, post_id, "Hi.", parent_id=first.comment.id)
    await inbox.comment(otto, post_id, "Bye @mira@lichen.example", parent_id=answer.comment.id)
    gone = await inbox.comment(anna, post_id, "Oops.")
    await house.write("delete_comment", anna, gone.comment.id, deleted=True)
    await house.store.write(
        lambda unit: house.accounts.block_person(unit, anna, otto.id, blocked=True)
    )
    events = list(house.events)
    await inbox.catch_up()
    once = await rows(inbox)

    await inbox.notifications.reader.apply(batch_of(events))
    twice = await rows(inbox)
    await house.store.write(lambda unit: unit.stage(tables.notification.delete()))
    await house.store.write(lambda unit: unit.stage(reset()))
    again = await build(ground, house.store, forum=house.forum, accounts=house.accounts,
                        addresses=Addresses(ground.config.public_url))
    for at, event in enumerate(events):
        await again.reader.apply(batch_of([event], first_seq=at + 1))

    assert {(row[0], row[1]) for row in once} == {
        (mira.id, "reply"), (otto.id, "reply"), (mira.id, "mention")}
    assert (once, await rows(inbox)) == (twice, once)


def reset() -> Any:
    """Return what takes every checkpoint back to the start."""
    from lichen.store.tables import checkpoint

    return checkpoint.delete()


async def test_rows_and_checkpoint_are_one_transaction(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    await inbox.comment(otto, post_id, "One.")
    await inbox.catch_up()

    at = await inbox.house.store.read(lambda unit: checkpoint_of(unit, NAME))

    assert at == len(inbox.house.events) == inbox.notifications.reader.position()


async def test_the_checkpoint_moves_even_where_nobody_comments(inbox: Inbox) -> None:
    """Else a quiet house would read its log from where retention has long trimmed it."""
    await inbox.notifications.reader.apply(batch_of([], first_seq=UNMARKED_EVENTS_MAX + 2))

    at = await inbox.house.store.read(lambda unit: checkpoint_of(unit, NAME))

    assert at == UNMARKED_EVENTS_MAX + 1


async def test_a_reader_below_the_floor_of_the_log_begins_at_the_floor(
    inbox: Inbox, ground: Ground
) -> None:
    built = await build(
        ground, inbox.house.store, forum=inbox.house.forum, accounts=inbox.house.accounts,
        addresses=Addresses(ground.config.public_url), log_first_seq=40,
    )

    assert built.reader.position() == 39


async def test_a_list_costs_two_round_trips_and_a_count_one(
    inbox: Inbox, mira: Viewer, otto: Viewer, post_id: int
) -> None:
    for number in range(7):
        await inbox.comment(otto, post_id, str(number))
    await inbox.catch_up()
    trips = inbox.house.round_trips
    await trips(lambda unit: inbox.notifications.replies(unit, mira))  # the sets of the viewer

    assert await trips(lambda unit: inbox.notifications.replies(unit, mira, limit=50)) == 2
    assert await trips(lambda unit: inbox.notifications.unread_counts(unit, mira)) == 1


async def test_who_was_moderated_finds_a_notice_and_reads_it(inbox, house, mira, otto, ground):
    """The words are those of the event: who decided is not in it."""
    notice = Notice(action=7, kind="removePost", done=True, reason="Spam.",
                    created_at="2023-11-14T22:13:20.000000Z")

    def tell(unit):
        for _ in range(2):  # told twice is once
            unit.emit(event_of(notice, id=ground.tids.next(), did=otto.actor.did,
                               operation="create", rkey=ground.tids.next(), row=otto.id))

    await house.store.write(tell)
    counts = await inbox.counts(otto)
    (found,) = await house.store.read(lambda unit: inbox.notifications.notices(unit, otto))
    await house.store.write(lambda unit: inbox.notifications.mark_notices_read(unit, otto))

    assert (counts.notices, found.action_id, found.reason, found.read) == (1, 7, "Spam.", False)
    assert (await inbox.counts(otto)).notices == 0
    assert (await inbox.counts(mira)).notices == 0
