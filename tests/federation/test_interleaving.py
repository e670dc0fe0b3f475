"""Any interleaving and duplication of a valid history gives the same rows."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.federation.incoming import (
    ANN,
    BEN,
    STONES,
    Json,
    Town,
    act,
    ground,
    house,
    mira,
    note,
    otto,
    page,
    person,
    stones,
    town,
)

pytestmark = pytest.mark.anyio
__all__ = ["ground", "house", "mira", "otto", "stones", "town"]

CAT = "https://far.example/u/cat"


def history(round: int) -> list[list[Json]]:
    """Return what three servers send, each in its order; each hears the others between.

    Ann writes, changes, deletes and brings back; ben answers her and cat answers him; all vote,
    change their minds, follow and leave. Cat reports, and ben, who moderates, deals with it.
    """
    post, other = page(ANN, STONES), page(ANN, STONES)
    first = note(BEN, post["id"], cc=[STONES])
    second = note(CAT, first["id"], cc=[STONES])
    third = note(ANN, second["id"], cc=[STONES])
    gone = act("Delete", ANN, other["id"])
    like, follow = act("Like", BEN, second["id"]), act("Follow", CAT, STONES)
    moss, flag = act("EmojiReact", CAT, post["id"], content="🌿"), act(
        "Flag", CAT, post["id"], summary="Hm.")
    ann = [
        act("Create", ANN, post), act("Create", ANN, other), act("Like", ANN, first["id"]), gone,
        act("Update", ANN, {**post, "name": f"Changed {round}", "updated": "2023-11-03T00:00:00Z"}),
        act("Create", ANN, third), act("Undo", ANN, gone), act("Delete", ANN, third["id"]),
    ]
    ben = [
        act("Create", BEN, first), act("Like", BEN, post["id"]), like,
        act("Update", BEN, {**first, "content": "Better.", "updated": "2023-11-03T00:00:00Z"}),
        act("Undo", BEN, like), act("Dislike", BEN, other["id"]), act("Delete", BEN, first["id"]),
        act("EmojiReact", BEN, post["id"], content="🔥"),
        act("Resolve", BEN, {**flag, "summary": None}),
    ]
    cat = [
        follow, act("Create", CAT, second), act("Dislike", CAT, post["id"]),
        act("Like", CAT, first["id"]), act("Undo", CAT, follow), act("Like", CAT, post["id"]),
        act("Like", CAT, third["id"]), moss, flag, act("Undo", CAT, moss),
    ]
    return [ann, ben, cat]


@st.composite
def orders(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Draw an interleaving of the three sequences, with repetitions of what came before."""
    lengths = [8, 9, 10]
    turns = draw(st.permutations([who for who, length in enumerate(lengths)
                                  for _ in range(length)]))
    sent = [0, 0, 0]
    order: list[tuple[int, int]] = []
    for who in turns:
        order.append((who, sent[who]))
        sent[who] += 1
        if draw(st.integers(0, 3)) == 0:
            order.append(draw(st.sampled_from(order)))
    return order


async def told(town: Town, sequences: list[list[Json]], order: list[tuple[int, int]],
               size: int) -> dict[str, Any]:
    """Have an order come in in batches of a size, and return the rows it leaves, by ids."""
    lines = [sequences[who][at] for who, at in order]
    for start in range(0, len(lines), size):
        await town.hear(*lines[start:start + size])
        await town.rest()
    for _ in range(3):
        await town.rest()
    assert await town.rows("parked") == []
    kinds = {"Page": town.post, "Note": town.comment}
    found: dict[str, Any] = {}
    things = [one["object"] for sequence in sequences for one in sequence if one["type"] == "Create"]
    for number, thing in enumerate(things):
        view = await kinds[thing["type"]](thing["id"])
        subject = getattr(view, "post" if thing["type"] == "Page" else "comment")
        found[f"{number} {thing['type']}"] = (
            getattr(subject, "name", "") or subject.content, subject.deleted, subject.up,
            subject.down, getattr(subject, "comments", None), getattr(subject, "children", None),
            *await about(town, thing["type"], subject.id),
        )
    return found


async def about(town: Town, kind: str, number: int) -> list[Any]:
    """Return the reactions to a thing and the reports of it."""
    is_post = kind == "Page"
    return [
        sorted((row.emoji, row.people) for row in await town.rows("reaction_tally")
               if (row.kind, row.subject_id) == (0 if is_post else 1, number)),
        [(row.reason, row.resolved) for row in await town.rows("report")
         if (row.kind, row.subject_id) == ("post" if is_post else "comment", number)],
    ]


async def plain(town: Town) -> dict[str, int]:
    return {
        "subscriptions": len(await town.rows("subscription")),
        **{f"votes {value}": sum(row.value == value for row in await town.rows("vote"))
           for value in (1, -1)},
    }


@pytest.mark.slow
async def test_any_interleaving_and_duplication_gives_the_same_rows(
    town: Town, mira: Any, stones: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same history in many orders, side by side in one house: each round has its own things.

    What is told of each round must be what the plain order, one line at a time, leaves.
    """
    await town.meet(person("cat", "far.example"))
    accounts, forum, store = town.house.accounts, town.house.forum, town.house.store
    known = await store.read(lambda unit: accounts.actors_by_ap_id(unit, [BEN]))
    await store.write(lambda unit: forum.add_moderator(
        unit, mira, stones.community.id, known[BEN].id, added=True))
    town.elsewhere.away = True
    monkeypatch.setattr("lichen.federation.waiting.PARKED_TRIES_MAX", 1_000)
    rounds = iter(range(1, 10_000))
    expected = await told(town, history(0), _plain_order(), 1)
    assert expected["0 Page"][-2:] == ([("🔥", 1)], [("Hm.", True)])
    members = (await plain(town))["subscriptions"]
    examples: list[tuple[list[tuple[int, int]], int]] = []

    @settings(max_examples=10, database=None)
    @given(order=orders(), size=st.integers(1, 40))
    def draw(order: list[tuple[int, int]], size: int) -> None:
        examples.append((order, size))

    draw()
    for order, size in examples:
        number = next(rounds)
        found = await told(town, history(number), order, size)
        changed = {key: _without_round(value) for key, value in found.items()}
        assert changed == {key: _without_round(value) for key, value in expected.items()}, order
        assert (await plain(town))["subscriptions"] == members


def _without_round(value: tuple[Any, ...]) -> tuple[Any, ...]:
    text = value[0]
    return ("text" if any(one.isdigit() for one in text) else text, *value[1:])


def _plain_order() -> list[tuple[int, int]]:
    """Return an order in which everything comes after what it speaks of."""
    return [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 1), (1, 2),
            (1, 3), (1, 4), (1, 5), (2, 2), (2, 3), (2, 4), (2, 5), (2, 6), (0, 6), (0, 7), (1, 6),
            (1, 7), (2, 7), (2, 8), (2, 9), (1, 8)]

