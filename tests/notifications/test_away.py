"""Whoever is away is told of nothing, and of everything when they are back."""

import pytest

from lichen.accounts import Viewer
from lichen.forum import PostView
from lichen.kit import Refused
from lichen.notifications import Counts, Kind
from lichen.notifications.limits import DIGEST_MAX, RECIPIENTS_MAX
from tests.notifications.conftest import Inbox

pytestmark = pytest.mark.anyio

DAY_US = 86_400_000_000


async def leave(inbox: Inbox, viewer: Viewer, *, days: int = 3) -> None:
    await inbox.house.store.write(lambda unit: inbox.house.accounts.go_away(
        unit, viewer, "On the mountain.", until_us=unit.clock_us + days * DAY_US
    ))


async def come_back(inbox: Inbox, viewer: Viewer) -> None:
    await inbox.house.store.write(
        lambda unit: inbox.house.accounts.come_back(unit, viewer)
    )


async def digest(inbox: Inbox, viewer: Viewer) -> list[str]:
    await inbox.catch_up()
    found = await inbox.house.store.read(lambda unit: inbox.notifications.digest(unit, viewer))
    return [one.comment.comment.content for one in found]


async def test_what_comes_meanwhile_is_held_and_ranked_by_who_asks(
    inbox: Inbox, mira: Viewer, otto: Viewer, post: PostView
) -> None:
    anna = await inbox.house.sign_up("anna")
    elsewhere = await inbox.comment(otto, post.post.id, "First.")
    await inbox.comment(otto, post.post.id, "Before.")
    before = await inbox.counts(mira)
    await leave(inbox, mira)
    words = ("Look, @mira@lichen.example.", "Nice.", "> Really?\n\nYes.",
             "Do you know, @mira@lichen.example?")
    await inbox.comment(anna, post.post.id, words[0], parent_id=elsewhere.comment.id)
    await inbox.comment(otto, post.post.id, words[1])
    await inbox.comment(otto, post.post.id, words[2])
    await inbox.comment(anna, post.post.id, words[3], parent_id=elsewhere.comment.id)

    away = await inbox.counts(mira)
    held = await digest(inbox, mira)
    await come_back(inbox, mira)

    assert before == away == Counts(replies=2)
    assert held == []
    assert await digest(inbox, mira) == [words[3], words[2], words[1], words[0]]
    assert await inbox.counts(mira) == Counts(replies=4, mentions=2)
    assert await inbox.texts(mira, Kind.MENTION) == [words[3], words[0]]


async def test_the_date_ends_an_absence_by_itself(
    inbox: Inbox, mira: Viewer, otto: Viewer, post: PostView, clock
) -> None:
    await leave(inbox, mira, days=1)
    await inbox.comment(otto, post.post.id, "Nice.")
    held = await digest(inbox, mira)
    clock.now_us += 2 * DAY_US

    assert held == []
    assert await digest(inbox, mira) == ["Nice."]
    assert await inbox.house.store.read(
        lambda unit: inbox.house.accounts.away_among(unit, [mira.id])
    ) == {}


async def test_a_later_date_holds_longer_what_is_held(
    inbox: Inbox, mira: Viewer, otto: Viewer, post: PostView, clock
) -> None:
    await leave(inbox, mira, days=1)
    await inbox.comment(otto, post.post.id, "Nice.")
    await leave(inbox, mira, days=5)
    clock.now_us += 2 * DAY_US

    assert await digest(inbox, mira) == []
    clock.now_us += 4 * DAY_US
    assert await digest(inbox, mira) == ["Nice."]


async def test_marking_everything_as_read_leaves_what_is_held(
    inbox: Inbox, mira: Viewer, otto: Viewer, post: PostView
) -> None:
    await leave(inbox, mira)
    await inbox.comment(otto, post.post.id, "Nice.")
    await inbox.catch_up()

    await inbox.house.store.write(
        lambda unit: inbox.notifications.mark_all_read(unit, mira)
    )
    await come_back(inbox, mira)

    assert await digest(inbox, mira) == ["Nice."]
    await inbox.house.store.write(lambda unit: inbox.notifications.mark_all_read(unit, mira))
    assert await digest(inbox, mira) == []


@pytest.mark.parametrize(("note", "days"), [("x" * 201, 3), ("Two\nlines", 3), ("", 0), ("", 400)])
async def test_an_absence_that_cannot_be_is_refused(
    inbox: Inbox, mira: Viewer, note: str, days: int
) -> None:
    with pytest.raises(Refused):
        await inbox.house.store.write(lambda unit: inbox.house.accounts.go_away(
            unit, mira, note, until_us=unit.clock_us + days * DAY_US
        ))


async def test_whoever_names_a_crowd_tells_the_first_of_it_alone(
    inbox: Inbox, mira: Viewer, post: PostView
) -> None:
    """The limit is what a mass mention costs its sender; nobody else pays for it."""
    names = [f"name_{number}" for number in range(RECIPIENTS_MAX + 2)]
    crowd = [await inbox.house.sign_up(name) for name in names]
    await inbox.comment(
        mira, post.post.id, " ".join(f"@{name}@lichen.example" for name in names)
    )

    told = [await inbox.counts(one) for one in (crowd[0], crowd[RECIPIENTS_MAX - 1], crowd[-1])]

    assert told == [Counts(mentions=1), Counts(mentions=1), Counts()]
    assert DIGEST_MAX >= RECIPIENTS_MAX
