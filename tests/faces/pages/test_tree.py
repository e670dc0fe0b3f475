"""The comment tree: every comment once, in its place, and nothing of people's runs."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.accounts import Actor, ActorKind
from lichen.faces.pages import tree
from lichen.faces.pages.tree import Branch, Scene, branches, drawn, new_ids, page_of
from lichen.forum import Comment, CommentView, Community, Post
from lichen.forum.markdown import render
from lichen.web import Addresses

ADDRESSES = Addresses("http://garden.example")
NOW_US = 1_700_000_000_000_000


def actor(number: int = 1, *, name: str = "alder", display_name: str | None = None) -> Actor:
    return Actor(
        id=number, kind=ActorKind.PERSON, name=name, display_name=display_name, instance_id=1,
        domain="garden.example", local=True, ap_id="", did=f"did:web:garden.example:u:{name}",
        summary=None, avatar=None, banner=None, matrix_user_id=None, inbox="",
        published_us=NOW_US, updated_us=None, deleted=False, banned=False, ban_expires_us=None,
        bot=False, admin=False,
    )


POST = Post(
    id=1, tid="", ap_id="", local=True, community_id=9, creator_id=1, name="A post", url=None,
    body=None, alt_text=None, link=None, nsfw=False, language_id=0, published_us=NOW_US,
    updated_us=None, deleted=False, removed=False, locked=False, featured_community=False,
    featured_local=False, up=1, down=0, comments=0, newest_comment_us=NOW_US, active_us=NOW_US,
)
COMMUNITY = Community(
    actor=actor(9, name="garden"), tid="", nsfw=False, hidden=False, removed=False, deleted=False,
    posting_restricted_to_mods=False, local_only=False, subscribers=1, subscribers_local=1,
    posts=1, comments=0, languages=(),
)


def view(
    path: str, *, content: str = "Words.", creator: Actor | None = None, children: int = 0,
    published_us: int = NOW_US, deleted: bool = False,
) -> CommentView:
    comment = Comment(
        id=int(path.rpartition(".")[2]), tid="", ap_id="", local=True, post_id=1,
        creator_id=creator.id if creator else 2, path=path, content=content, language_id=0,
        published_us=published_us, updated_us=None, deleted=deleted, removed=False,
        distinguished=False, up=1, down=0, children=children,
    )
    return CommentView(
        comment=comment, creator=creator or actor(2, name="fern"), post=POST,
        community=COMMUNITY, creator_banned_from_community=False, creator_is_moderator=False,
    )


def scene(**changes: object) -> Scene:
    settings: dict[str, object] = {
        "addresses": ADDRESSES, "markdown": lambda text: render(text, ADDRESSES),
        "now_us": NOW_US,
    }
    return Scene(**(settings | changes))  # type: ignore[arg-type]


class Outline(HTMLParser):
    """Reads which comment stands in which."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.above: dict[int, int] = {}
        self.tags: set[str] = set()
        self._open: list[int] = []
        self.feed(html)
        assert [] == self._open, "a tag is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in ("div", "details"):
            return
        number = dict(attrs).get("id", "") or ""
        if re.fullmatch(r"c\d+", number):
            comment = int(number[1:])
            self.above[comment] = next((other for other in reversed(self._open) if other), 0)
            self._open.append(comment)
        else:
            self._open.append(0)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("div", "details"):
            self._open.pop()


@st.composite
def paths(draw: st.DrawFn) -> list[str]:
    """Draw the paths of a thread in any order: each comment hangs below one that came before."""
    found = ["0"]
    for number in range(1, draw(st.integers(1, 40)) + 1):
        above = draw(st.sampled_from(found))
        found.append(f"{above}.{number}")
    return list(draw(st.permutations(found[1:])))


@given(thread=paths())
def test_every_comment_stands_once_below_its_parent(thread: list[str]) -> None:
    roots = branches([view(path) for path in thread])

    html = drawn(roots, scene(depth_max=100))

    expected = {int(path.split(".")[-1]): int(path.split(".")[-2]) for path in thread}
    assert expected == Outline(html).above


@given(thread=paths())
def test_siblings_keep_the_order_they_came_in(thread: list[str]) -> None:
    def orders(siblings: list[Branch]) -> None:
        places = [thread.index(branch.view.comment.path) for branch in siblings]
        assert sorted(places) == places
        for branch in siblings:
            orders(branch.kids)

    orders(branches([view(path) for path in thread]))


@given(text=st.text(), name=st.text(min_size=1, max_size=50))
def test_nothing_of_peoples_words_or_names_runs(text: str, name: str) -> None:
    wicked = actor(3, name="eve", display_name=f"<script>{name}</script>")

    html = drawn([Branch(view("0.1", content=text, creator=wicked), [])], scene())

    assert "script" not in Outline(html).tags
    assert f"<script>{name}</script>".strip() in unescape(html)


def test_a_deep_branch_goes_on_on_its_own_page() -> None:
    thread = ["0.1", "0.1.2", "0.1.2.3"]
    views = [view(path, children=3 - depth) for depth, path in enumerate(thread, start=1)]

    html = drawn(branches(views), scene(depth_max=2))

    assert {1: 0, 2: 1} == Outline(html).above
    assert 'href="/comment/2">Go on reading: 1 reply</a>' in html


def test_a_page_ends_after_whole_branches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "COMMENTS_SHOWN_MAX", 3)
    roots = branches([view(f"0.{n}") for n in range(1, 6)] + [view("0.1.10"), view("0.1.11")])

    first, following = page_of(roots, 0)
    rest, end = page_of(roots, following or 0)

    assert [1] == [branch.view.comment.id for branch in first]
    assert [2, 3, 4] == [branch.view.comment.id for branch in rest][:3]
    assert (1, 4) == (following, end)


def test_only_what_others_wrote_since_my_last_visit_is_new() -> None:
    mine = actor(7, name="me")
    views = [
        view("0.1", published_us=NOW_US), view("0.2", published_us=NOW_US + 1),
        view("0.3", published_us=NOW_US + 2, creator=mine),
    ]

    assert frozenset({2}) == new_ids(views, 2, viewer_id=7)
    assert frozenset() == new_ids(views, 2, viewer_id=None)
    assert frozenset() == new_ids(views, 3, viewer_id=7)


def test_the_authors_own_answers_are_marked_by_a_word() -> None:
    html = drawn([Branch(view("0.1", creator=actor(1)), [])], scene())

    assert '<span class="word author">author</span>' in html


def test_what_was_taken_away_leaves_its_place_and_no_word() -> None:
    html = drawn([Branch(view("0.1", content="regret", deleted=True), [])], scene())

    assert "regret" not in html
    assert "Taken away by its author." in html
