"""A peer whose outbox never ends, loops, or names others' things is caught up with unharmed."""

from collections.abc import Callable
from typing import Any

import pytest

from lichen.federation.limits import CATCH_UP_PAGES_MAX
from tests.federation.conftest import House
from tests.federation.elsewhere import PUBLIC, Elsewhere, Json
from tests.federation.test_catching_up import OUTBOX, Gap, announced, gap, on_sqlite

__all__ = ["gap"]

pytestmark = [pytest.mark.anyio, on_sqlite]

Attack = Callable[[Gap, Elsewhere, Elsewhere], None]
BOUND = 2 * CATCH_UP_PAGES_MAX + 20  # requests that a run costs where nothing honest is listed


class Endless(dict[str, Any]):
    """Documents of a server that makes up another page whenever one is asked for."""

    def __init__(self, peer: Elsewhere, path: str, *, items: Callable[[int], list[Any]]) -> None:
        super().__init__(peer.documents)
        self._peer, self._path, self._items = peer, path, items

    def get(self, path: str, other: Any = None) -> Any:
        if not path.startswith(self._path):
            return super().get(path, other)
        number = int(path.removeprefix(self._path).strip("?page=") or 0)
        return {"id": self._peer.at(path), "type": "OrderedCollectionPage",
                "orderedItems": self._items(number),
                "next": self._peer.at(f"{self._path}?page={number + 1}")}


def never_ends(gap: Gap, peer: Elsewhere, _other: Elsewhere) -> None:
    peer.documents = Endless(peer, OUTBOX, items=lambda _: [])


def never_ends_in_items(gap: Gap, peer: Elsewhere, _other: Elsewhere) -> None:
    peer.documents = Endless(peer, OUTBOX, items=lambda number: [
        {"type": "Announce", "object": [[number]]}, number, None, {"type": ["Page", {}]},
        {"type": "Page", "id": peer.at("/post/1"), "published": number}, "x" * 5_000])


def runs_in_a_circle(gap: Gap, peer: Elsewhere, _other: Elsewhere) -> None:
    peer.collection(OUTBOX, [], first=peer.at(f"{OUTBOX}?a"))
    peer.add(f"{OUTBOX}?a", type="OrderedCollectionPage", next=peer.at(f"{OUTBOX}?b"))
    peer.add(f"{OUTBOX}?b", type="OrderedCollectionPage", next=peer.at(OUTBOX))


def nests_its_pages(gap: Gap, peer: Elsewhere, _other: Elsewhere) -> None:
    page: Json = {"next": peer.at(f"{OUTBOX}?a")}
    for _ in range(25):
        page = {"type": "OrderedCollectionPage", "orderedItems": [1], "next": page}
    peer.collection(OUTBOX, [], first=page)


def goes_on_elsewhere(gap: Gap, peer: Elsewhere, other: Elsewhere) -> None:
    peer.collection(OUTBOX, [], first=other.at("/c/garden/outbox"))


def names_what_others_wrote(gap: Gap, peer: Elsewhere, other: Elsewhere) -> None:
    """Neither is changed nor fetched into this community: not what is known, nor what is new."""
    fresh = other.page(2)
    forged = {**other.documents["/post/1"], "name": "Forged", "updated": "2024-01-01T00:00:00Z"}
    gap.pages([announced(peer, forged), fresh["id"], announced(peer, fresh),
               "http://lichen.example/post/1", "http://127.0.0.1:1/inside"])


def changes_what_others_wrote(gap: Gap, peer: Elsewhere, other: Elsewhere) -> None:
    """A thing that says that it is another's, served from an address of one's own."""
    page = peer.page(7, name="Mine", context=other.at("/post/1/context"))
    peer.documents["/post/7"] = {**page, "id": other.at("/post/1"), "name": "Forged"}
    other.collection("/post/1/context", [peer.at("/comment/9")])
    peer.note(9, other.at("/post/1"))
    gap.pages([page["id"]])


def answers_elsewhere_in_its_context(gap: Gap, peer: Elsewhere, other: Elsewhere) -> None:
    """What is named below a post of one's own, and answers somebody else's."""
    notes = [peer.note(3, other.at("/post/1"))["id"], other.note(4, other.at("/post/1"))["id"]]
    chain = [peer.note(number, peer.at(f"/comment/{number + 1}"))["id"]
             for number in range(10, 20)]
    gap.pages([gap.thread(1, [*notes, *chain])["id"]])


def has_a_context_without_end(gap: Gap, peer: Elsewhere, _other: Elsewhere) -> None:
    gap.pages([announced(peer, gap.thread(1, []))])
    peer.documents = Endless(peer, "/post/1/context", items=lambda _: [peer.at("/comment/1")])


def calls_itself_a_private_message(gap: Gap, peer: Elsewhere, _other: Elsewhere) -> None:
    page = peer.page(1)
    page |= {"type": "ChatMessage", "to": [peer.at("/u/bob")]}
    group = {**peer.documents["/c/garden"], "id": peer.at("/c/garden"), "to": [PUBLIC]}
    gap.pages([page["id"], announced(peer, page), group, peer.at("/u/anna")])


ATTACKS: tuple[Attack, ...] = (
    never_ends, never_ends_in_items, runs_in_a_circle, nests_its_pages, goes_on_elsewhere,
    names_what_others_wrote, changes_what_others_wrote, answers_elsewhere_in_its_context,
    has_a_context_without_end, calls_itself_a_private_message,
)
OWN_POST = (answers_elsewhere_in_its_context, has_a_context_without_end)  # that one may come


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__)
async def test_whatever_an_outbox_says_it_harms_nobody_else(
    gap: Gap, house: House, peer: Elsewhere, other: Elsewhere, attack: Attack
) -> None:
    for name in ("anna", "bob"):
        other.person(name)
    other.group()
    other.page()
    other.collection(OUTBOX, [])
    gap.pages([])
    await gap.follows()
    await house.room.resolver.thing(other.at("/post/1"))
    await house.room.resolver.communities.settled()
    before = await gap.posts()
    asked = len(peer.asked) + len(other.asked)
    attack(gap, peer, other)

    ended = await gap.catches_up()

    assert ended.state == "done", ended.words
    assert len(peer.asked) + len(other.asked) - asked < BOUND
    posts = await gap.posts()
    assert posts.keys() - before.keys() == ({"/post/1"} if attack in OWN_POST else set())
    assert all(posts[path].post == one.post for path, one in before.items())
    assert await gap.comments() == {}


async def test_a_run_asks_for_so_much_and_says_that_it_was_cut(
    gap: Gap, peer: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap.pages([])
    await gap.follows()
    monkeypatch.setattr("lichen.federation.comparing.CATCH_UP_REQUESTS_MAX", 5)
    gap.pages([peer.page(number)["id"] for number in range(1, 20)])
    before = len(peer.asked)

    ended = await gap.catches_up()

    assert (ended.state, "are asked for at once" in ended.words) == ("cut", True)
    assert len(peer.asked) - before <= 5 + 2  # and its author, and nobody else
