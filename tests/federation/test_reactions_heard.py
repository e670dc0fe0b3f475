"""What is neither a vote nor a word: reactions, choices of polls, and people who moved away."""

from typing import Any

import pytest

from lichen.kit import Forbidden
from tests.federation.incoming import (
    ANN,
    BEN,
    MOSS,
    STONES,
    Town,
    act,
    announced,
    ground,
    house,
    mira,
    note,
    otto,
    page,
    stones,
    town,
)

pytestmark = pytest.mark.anyio
__all__ = ["ground", "house", "mira", "otto", "stones", "town"]
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def seen(town: Town, written: str) -> Any:
    """Return how often each emoji stands on a post, and how many like it."""
    counts = {row.emoji: row.people for row in await town.rows("reaction_tally")}
    return counts, (await town.post(written)).post.up


async def test_an_emoji_is_a_reaction_and_a_like_with_one_a_vote_too(town: Town, stones) -> None:
    """FEP-c0e0; both were lost: one as of no known kind, of the other the emoji."""
    written = page(ANN, STONES)
    react, like = act("EmojiReact", BEN, written["id"], content="🔥"), act(
        "Like", BEN, written["id"], content="❤")
    await town.hear(act("Create", ANN, written))

    await town.hear(react, like, {**react, "id": f"{react['id']}0"})

    assert await seen(town, written["id"]) == ({"🔥": 1, "❤️": 1}, 2)
    assert len(town.accepted()) == 4, "a community of ours passes them on"

    await town.hear(act("Undo", BEN, like), act("Undo", BEN, react))

    assert await seen(town, written["id"]) == ({}, 1)


@on_sqlite
async def test_what_is_no_emoji_here_is_counted_and_a_like_stays_a_like(town: Town) -> None:
    written = page(ANN, MOSS)
    await town.hear(announced(MOSS, act("Create", ANN, written)))
    for content in (":blobcat:", "no emoji", "x" * 5_000, "👎\u0000", " "):
        like = act("Like", BEN, written["id"], content=content)
        await town.hear(announced(MOSS, like))
        await town.hear(announced(MOSS, {**like, "type": "EmojiReact", "id": f"{like['id']}0"}))

    assert await seen(town, written["id"]) == ({}, 2)
    assert town.outcomes.get("broken") is None and town.ingest.position() == town.seq


@on_sqlite
async def test_reactions_and_deletions_may_come_in_any_order(town: Town, stones) -> None:
    """What is gone for a while keeps its reactions, whenever they come."""
    for at in range(3):
        written = page(ANN, STONES)
        gone = act("Delete", ANN, written["id"])
        story = [gone, act("Undo", ANN, gone)]
        story.insert(at, act("EmojiReact", BEN, written["id"], content="🔥"))
        await town.hear(act("Create", ANN, written))

        await town.hear(*story)

        assert not (await town.post(written["id"])).post.deleted
        assert len(await town.rows("reaction")) == at + 1


@on_sqlite
async def test_a_choice_of_a_poll_is_neither_a_comment_nor_a_letter(town: Town, mira) -> None:
    """Mastodon votes by a Note with a name and no words: it became an empty comment."""
    poll = {**page(ANN, MOSS), "type": "Question", "oneOf": [{"type": "Note", "name": "Granite"}]}
    await town.hear(announced(MOSS, act("Create", ANN, poll)))
    choice = {"type": "Note", "name": "Granite", "inReplyTo": poll["id"], "attributedTo": BEN}
    ours = f"https://lichen.example/u/{mira.actor.name}"
    for number, to in enumerate((ANN, ours, MOSS)):
        vote = {**choice, "id": f"{BEN}/votes/{number}", "to": [to]}
        await town.hear(act("Create", BEN, vote, to=[to]))

    assert town.outcomes["poll_vote"] == 3
    assert await town.rows("comment") == [] == await town.rows("message")


@on_sqlite
async def test_who_moved_away_writes_nothing_more_in_the_old_name(
    town: Town, mira, stones
) -> None:
    """A ban of the new account would have left the old one free."""
    accounts, store = town.house.accounts, town.house.store
    known = await store.read(lambda unit: accounts.actors_by_ap_id(unit, [ANN, BEN]))
    await store.write(lambda unit: accounts.keep_move(unit, known[ANN], known[BEN]))
    there, here = page(ANN, MOSS), page(ANN, STONES)
    letter = {"type": "ChatMessage", "id": f"{ANN}/letters/1", "attributedTo": ANN,
              "to": [mira.actor.ap_id], "content": "It is me."}

    await town.hear(announced(MOSS, act("Create", ANN, there)), act("Create", ANN, here),
                    act("Create", ANN, letter, to=[mira.actor.ap_id]))

    assert town.outcomes["account_moved"] == 2
    assert await town.ids_of(here["id"]) is None and await town.rows("message") == []
    assert await town.ids_of(there["id"]), "what its community took is its community's matter"

    back = {"type": "Person", "id": ANN, "preferredUsername": "ann", "inbox": f"{ANN}/inbox"}
    await town.hear(act("Update", ANN, back), act("Create", ANN, {**here, "id": f"{here['id']}0"}))

    assert await town.ids_of(f"{here['id']}0")


@on_sqlite
async def test_who_moved_away_sends_no_letters_from_here(town: Town, mira, otto) -> None:
    accounts, store = town.house.accounts, town.house.store
    known = await store.read(lambda unit: accounts.actors_by_ap_id(unit, [ANN]))
    await store.write(lambda unit: accounts.keep_move(unit, mira.actor, known[ANN]))
    away = await town.house.viewer_again(mira.actor.name)

    with pytest.raises(Forbidden, match="moved"):
        await store.write(lambda unit: town.messages.create_message(
            unit, away, otto.id, content="It is me."))


@on_sqlite
async def test_a_community_elsewhere_is_closed_and_opened_by_its_own_server(town: Town) -> None:
    """It was told of ours, and not read of others'."""
    close = act("Delete", ANN, MOSS, summary="Enough.")
    for undo in (False, True):
        await town.hear(announced(MOSS, act("Undo", BEN, close) if undo else close))

        (moss,) = [row for row in await town.rows("community") if not row.local]
        assert (moss.deleted, moss.removed) == (not undo, False)

    answered = note(BEN, "https://peer.example/post/none")
    await town.hear(act("Delete", MOSS, MOSS), act("Create", BEN, answered))
    assert [row.deleted for row in await town.rows("community") if not row.local] == [True]
