"""Reactions: emoji that are counted, a few from each, and nothing that is no emoji."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from lichen.accounts import EmojiDraft, Viewer
from lichen.forum import CommentQuery, PostView, Reaction, SubjectKind
from lichen.forum.emoji import check_emoji
from lichen.forum.limits import REACTION_KINDS_MAX, REACTIONS_OF_PERSON_MAX
from lichen.forum.tables import reaction, reaction_tally
from lichen.kit import Forbidden, NotFound, Refused
from tests.forum.conftest import House

pytestmark = pytest.mark.anyio

POST = SubjectKind.POST


async def react(house: House, viewer: Viewer, post: PostView, emoji: str, *, on: bool = True):
    return await house.write("react", viewer, POST, post.post.id, emoji, on=on)


async def recount(house: House) -> bool:
    """Say whether every tally is what a recount of all reactions gives."""
    counted = sa.select(
        reaction.c.kind, reaction.c.subject_id, reaction.c.emoji,
        sa.func.count().label("people"),
    ).group_by(reaction.c.kind, reaction.c.subject_id, reaction.c.emoji)
    kept = sa.select(reaction_tally.c.kind, reaction_tally.c.subject_id, reaction_tally.c.emoji,
                     reaction_tally.c.people)

    def ask(unit):
        return set(map(tuple, unit.fetch(counted))) == set(map(tuple, unit.fetch(kept)))

    return await house.store.read(ask)


async def test_reactions_are_counted_by_kind_and_mine_are_marked(
    house: House, mira: Viewer, otto: Viewer, post: PostView
) -> None:
    await react(house, mira, post, "🌿")
    await react(house, mira, post, "🎉")

    shown = await react(house, otto, post, "🌿")

    assert shown == (Reaction("🌿", 2, True), Reaction("🎉", 1, False))
    assert await house.read("reactions", mira, POST, post.post.id) == (
        Reaction("🌿", 2, True), Reaction("🎉", 1, True),
    )
    assert await house.read("reactions", None, POST, post.post.id) == (
        Reaction("🌿", 2, False), Reaction("🎉", 1, False),
    )
    assert await recount(house)


async def test_twice_is_once_and_what_nobody_has_any_more_is_gone(
    house: House, mira: Viewer, otto: Viewer, post: PostView
) -> None:
    await react(house, mira, post, "🌿")
    await react(house, mira, post, "🌿")
    await react(house, otto, post, "🌿", on=False)
    house.told()

    shown = await react(house, mira, post, "🌿", on=False)

    assert shown == ()
    assert house.told() == ["delete forum.reaction", "update forum.reactionTally"]
    assert await recount(house)


async def test_a_reaction_is_a_private_event_and_its_tally_a_public_one_without_names(
    house: House, mira: Viewer, otto: Viewer, post: PostView
) -> None:
    house.told()
    await react(house, otto, post, "🌿")

    single, tally = house.events[-2:]

    assert (single.did, single.collection) == (otto.actor.did, "lichen.forum.reaction")
    assert (tally.did, tally.collection) == (mira.actor.did, "lichen.forum.reactionTally")
    assert b"otto" not in bytes(tally.record)


async def test_a_thread_shows_the_reactions_to_its_post_and_comments(
    house: House, mira: Viewer, otto: Viewer, post: PostView
) -> None:
    comment = await house.write("create_comment", otto, post.post.id, content="Nice.")
    await react(house, otto, post, "🌿")
    await house.write("react", mira, SubjectKind.COMMENT, comment.comment.id, "👍", on=True)
    query = CommentQuery(post_id=post.post.id, depth_max=5)

    view, (below,) = await house.read("post_thread", mira, post.post.id, query)

    assert view.reactions == (Reaction("🌿", 1, False),)
    assert below.reactions == (Reaction("👍", 1, True),)


async def test_one_person_puts_a_few_on_one_thing_and_a_thing_has_some_kinds(
    house: House, mira: Viewer, post: PostView
) -> None:
    emoji = [chr(0x1F400 + number) for number in range(REACTION_KINDS_MAX + 1)]
    people = [await house.sign_up(f"person_{number}") for number in range(5)]
    for number, one in enumerate(emoji[:REACTION_KINDS_MAX]):
        await react(house, people[number // REACTIONS_OF_PERSON_MAX], post, one)

    for viewer, one in ((people[0], emoji[-2]), (mira, emoji[-1])):
        with pytest.raises(Refused) as refusal:
            await react(house, viewer, post, one)
        assert refusal.value.code == "too_many_reactions"

    assert len(await react(house, mira, post, emoji[0])) == REACTION_KINDS_MAX
    assert await recount(house)


async def test_an_emoji_of_the_sites_own_goes_by_its_shortcode(
    house: House, mira: Viewer, post: PostView
) -> None:
    with pytest.raises(NotFound):
        await react(house, mira, post, ":moss:")
    await house.accounts.create_admin("root", "correct horse battery")
    admin = await house.viewer_again("root")
    draft = EmojiDraft(shortcode="moss", image_url="https://pictures.example/m.png",
                       alt_text="Moss", category="plants")
    made = await house.store.write(lambda unit: house.accounts.create_emoji(unit, admin, draft))

    assert await react(house, mira, post, ":moss:") == (Reaction(":moss:", 1, True),)
    assert house.accounts.current_emoji == {"moss": made}


async def test_whoever_may_not_write_may_not_react(
    house: House, mira: Viewer, otto: Viewer, post: PostView, stones
) -> None:
    await house.write("ban_from_community", mira, stones.community.id, otto.id, banned=True)
    with pytest.raises(Forbidden) as refusal:
        await react(house, otto, post, "🌿")
    assert refusal.value.code == "banned_from_community"

    await house.write("delete_post", mira, post.post.id, deleted=True)
    with pytest.raises(NotFound):
        await react(house, otto, post, "🌿")
    with pytest.raises(NotFound):
        await react(house, mira, post, "🌿")
    with pytest.raises(NotFound):
        await house.read("reactions", None, POST, 999)


async def test_reacting_takes_two_round_trips(
    house: House, mira: Viewer, post: PostView
) -> None:
    await react(house, mira, post, "🎉")

    trips = await house.round_trips(
        lambda unit: house.forum.react(unit, mira, POST, post.post.id, "🌿", on=True),
        is_command=True,
    )

    assert trips <= 2


@pytest.mark.parametrize(("text", "form"), [
    ("🌿", "🌿"), (" 👍🏽 ", "👍🏽"), ("❤", "❤️"), ("❤️", "❤️"), ("👩‍🚀", "👩‍🚀"),
    ("1️⃣", "1️⃣"), ("1⃣", "1️⃣"), ("🇩🇪", "🇩🇪"), ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"), ("👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"), ("☃️", "☃️"),
    (":moss:", ":moss:"),
])
async def test_an_emoji_has_one_form(text: str, form: str) -> None:
    assert check_emoji(text) == form


@pytest.mark.parametrize("text", [
    "", " ", "a", "1", "ok", "🌿🌿", "🌿a", "<b>", ":moss", "::", ":MOSS:", "🇩", "🇩🇪🇩🇪",
    "\u200d", "🌿\u200d", "\ufe0f", "🌿" * 40, ":" + "a" * 61 + ":", "\u202e🌿", "👍🏽🏽",
])
async def test_what_is_no_emoji_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_emoji(text)
    assert refusal.value.code == "invalid_emoji"


@given(st.text(max_size=12))
def test_the_form_of_an_emoji_is_its_own_form(text: str) -> None:
    try:
        form = check_emoji(text)
    except Refused:
        return
    assert check_emoji(form) == form
