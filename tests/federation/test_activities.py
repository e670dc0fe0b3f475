"""Activities and things in the shapes that peers send, written for these tests from what they do."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lichen.federation.activities import (
    Activity,
    Answer,
    Blocking,
    Deletion,
    Flagging,
    Follow,
    Locking,
    Moving,
    Profile,
    Reacting,
    Resolving,
    Seating,
    Sharing,
    Voting,
    Writing,
    activity_of,
    items_of,
)
from lichen.federation.attached import Attached
from lichen.federation.bodies import decoded
from lichen.federation.limits import ANNOUNCED_MAX
from lichen.federation.markup import markdown_of, plain_of
from lichen.federation.objects import Thing, thing_of
from lichen.kit import Refused

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
A, C, P = "https://a.example/u/ann", "https://a.example/c/moss", "https://a.example/post/1"
B = "https://b.example/u/ben"


SAID: dict[str, tuple[dict[str, Any], Activity]] = {
    "a Follow of a string": (
        {"type": "Follow", "actor": A, "object": C}, Follow(id="", actor=A, object=C)),
    "a Follow of an object in an array (Pleroma)": (
        {"type": ["Follow"], "actor": {"id": A, "type": "Person"}, "object": [{"id": C}]},
        Follow(id="", actor=A, object=C)),
    "an Undo of a Follow": (
        {"type": "Undo", "actor": A, "object": {"type": "Follow", "actor": A, "object": C}},
        Follow(id="", actor=A, object=C, follow=False)),
    "an Accept with the Follow in it": (
        {"type": "Accept", "actor": C, "object": {"id": f"{B}/f/1", "type": "Follow", "actor": B,
                                                 "object": C}},
        Answer(id="", actor=C, follow_id=f"{B}/f/1", follower=B, accepted=True)),
    "a Reject of a Follow's id": (
        {"type": "Reject", "actor": C, "object": f"{B}/f/1"},
        Answer(id="", actor=C, follow_id=f"{B}/f/1", follower="", accepted=False)),
    "a Like (Mastodon says no audience)": (
        {"type": "Like", "actor": A, "object": P}, Voting(id="", actor=A, object=P, value=1)),
    "a Dislike of an object": (
        {"type": "Dislike", "actor": A, "object": {"id": P, "type": "Page"}, "audience": C},
        Voting(id="", actor=A, object=P, value=-1, addressees=(C,))),
    "an Undo of a Like": (
        {"type": "Undo", "actor": A, "object": {"type": "Like", "actor": A, "object": P}},
        Voting(id="", actor=A, object=P, value=0)),
    "a Like with an emoji (Misskey, PieFed)": (
        {"type": "Like", "actor": A, "object": P, "content": "🔥"},
        Voting(id="", actor=A, object=P, value=1, emoji="🔥")),
    "an EmojiReact (Pleroma)": (
        {"type": "EmojiReact", "actor": A, "object": P, "content": " 🔥 ", "tag": []},
        Reacting(id="", actor=A, object=P, emoji="🔥")),
    "an Undo of an EmojiReact": (
        {"type": "Undo", "actor": A, "object": {"type": "EmojiReact", "actor": A, "object": P,
                                                "content": "🔥"}},
        Reacting(id="", actor=A, object=P, emoji="🔥", on=False)),
    "a Resolve (Lemmy 1.0), with a Flag of its own server's": (
        {"type": "Resolve", "actor": A, "to": [C],
         "object": {"type": "Flag", "id": "https://a.example/flag/1", "actor": B, "to": [C],
                    "object": P, "summary": None}},
        Resolving(id="", actor=A, object=P, reporter=B, addressees=(C,))),
    "a report that is opened again": (
        {"type": "Undo", "actor": A, "object": {"type": "Resolve", "actor": A, "object": {
            "type": "Flag", "actor": B, "object": [P]}}},
        Resolving(id="", actor=A, object=P, reporter=B, resolved=False)),
    "an Undo of a ban that leaves away what it took (Lemmy)": (
        {"type": "Undo", "actor": A, "restoreData": False, "object": {
            "type": "Block", "actor": A, "object": B, "target": C, "removeData": True}},
        Blocking(id="", actor=A, object=B, target=C, blocked=False)),
    "a Delete by the author": (
        {"type": "Delete", "actor": A, "object": P, "to": [PUBLIC], "cc": [C]},
        Deletion(id="", actor=A, object=P, addressees=(PUBLIC, C))),
    "a Delete of a Tombstone (Mastodon)": (
        {"type": "Delete", "actor": A, "object": {"type": "Tombstone", "id": P}},
        Deletion(id="", actor=A, object=P)),
    "a Delete by a moderator": (
        {"type": "Delete", "actor": A, "object": P, "summary": "spam"},
        Deletion(id="", actor=A, object=P, reason="spam")),
    "an Undo of a removal": (
        {"type": "Undo", "actor": A, "object": {"type": "Delete", "actor": A, "object": P,
                                                "summary": ""}},
        Deletion(id="", actor=A, object=P, reason="", deleted=False)),
    "a Delete of oneself": (
        {"type": "Delete", "actor": A, "object": A, "removeData": True},
        Deletion(id="", actor=A, object=A, remove_data=True)),
    "a Lock": (
        {"type": "Lock", "actor": A, "object": P, "summary": "enough"},
        Locking(id="", actor=A, object=P, reason="enough")),
    "a pin": (
        {"type": "Add", "actor": A, "object": P, "target": f"{C}/featured"},
        Seating(id="", actor=A, object=P, target=f"{C}/featured", kind="featured")),
    "a pin of Mbin's": (
        {"type": "Add", "actor": A, "object": P, "target": f"{C}/pinned"},
        Seating(id="", actor=A, object=P, target=f"{C}/pinned", kind="featured")),
    "a dismissal": (
        {"type": "Remove", "actor": A, "object": B, "target": f"{C}/moderators"},
        Seating(id="", actor=A, object=B, target=f"{C}/moderators", kind="moderators",
                added=False)),
    "a ban with an end": (
        {"type": "Block", "actor": A, "object": B, "target": C, "removeData": True,
         "summary": "rude", "endTime": "2023-11-14T22:13:20Z"},
        Blocking(id="", actor=A, object=B, target=C, remove_data=True, reason="rude",
                 expires_us=1_700_000_000_000_000)),
    "a ban with an end as older Lemmys said it": (
        {"type": "Block", "actor": A, "object": B, "target": C,
         "expires": "2023-11-14T22:13:20+00:00"},
        Blocking(id="", actor=A, object=B, target=C, expires_us=1_700_000_000_000_000)),
    "a ban lifted by another of the same server": (
        {"type": "Undo", "actor": A, "object": {"type": "Block", "actor": "https://a.example/u/eve",
                                                "object": B, "target": C}},
        Blocking(id="", actor=A, object=B, target=C, blocked=False)),
    "a report": (
        {"type": "Flag", "actor": A, "object": P, "summary": "Not nice"},
        Flagging(id="", actor=A, objects=(P,), reason="Not nice")),
    "a report of Mastodon's": (
        {"type": "Flag", "actor": A, "object": [B, P], "content": "Spam"},
        Flagging(id="", actor=A, objects=(B, P), reason="Spam")),
    "a profile": (
        {"type": "Update", "actor": A, "object": {"type": "Person", "id": A, "name": "Ann"}},
        Profile(id="", actor=A, object=A, document={"type": "Person", "id": A, "name": "Ann"})),
    "a move": (
        {"type": "Move", "actor": A, "object": A, "target": B},
        Moving(id="", actor=A, object=A, target=B)),
    "a boost": (
        {"type": "Announce", "actor": A, "object": P}, Sharing(id="", actor=A, object=P)),
    "something written that is only named": (
        {"type": "Create", "actor": A, "object": P}, Sharing(id="", actor=A, object=P)),
}


@pytest.mark.parametrize("shape", SAID)
def test_an_activity_is_read_in_every_shape(shape: str) -> None:
    document, expected = SAID[shape]

    read = activity_of({"id": "", **document})

    assert read == expected


@pytest.mark.parametrize(("document", "code"), [
    ({"type": "Like", "object": P}, "no_actor"),
    ({"type": "Like", "actor": A}, "no_object"),
    ({"type": "Like", "actor": A, "object": [{}]}, "no_object"),
    ({"type": "Like", "actor": A, "object": 7}, "no_object"),
    ({"type": "Like", "actor": A, "object": P, "id": "https://b.example/1"}, "foreign_id"),
    ({"type": "View", "actor": A, "object": P}, "unknown_activity"),
    ({"type": 5, "actor": A, "object": P}, "unknown_activity"),
    ({"type": "Undo", "actor": A}, "no_object"),
    ({"type": "Undo", "actor": A, "object": {"type": "Flag", "object": P}}, "unknown_undo"),
    ({"type": "Undo", "actor": A, "object": {"type": "Like", "actor": B, "object": P}},
     "foreign_undo"),
    ({"type": "Add", "actor": A, "object": P, "target": f"{C}/liked"}, "unknown_collection"),
    ({"type": "Block", "actor": A, "object": B}, "no_target"),
    ({"type": "EmojiReact", "actor": A, "object": P, "content": ["🔥"]}, "no_emoji"),
    ({"type": "Resolve", "actor": A, "object": P}, "unknown_activity"),
    ({"type": "Resolve", "actor": A, "object": {"type": "Flag", "object": P}}, "unknown_activity"),
    ({"type": "Create", "actor": A, "object": {
        "type": "Note", "id": P, "name": "Granite", "inReplyTo": f"{B}/poll", "attributedTo": A,
        "to": [B]}}, "poll_vote"),
    ({"type": "Create", "actor": A, "object": {"type": "Page", "id": "x"}}, "no_object_id"),
    ({"type": "Create", "actor": A, "object": {"type": "Relationship", "id": P}}, "unknown_object"),
])
def test_what_is_malformed_is_refused_with_its_code(document: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        activity_of(document)

    assert refused.value.code == code


def test_a_collection_is_its_items_and_each_is_refused_alone() -> None:
    like = {"type": "Like", "id": f"{B}/1", "actor": B, "object": P}
    bad = {"type": "Like", "id": f"{B}/2", "object": P}

    for inner in ([like, bad, P], {"type": "OrderedCollection", "orderedItems": [like, bad, P]},
                  {"type": "Collection", "items": [like, bad, P]}):
        items = list(items_of({"type": "Announce", "id": f"{C}/9", "actor": C, "object": inner}))

        assert [item.refusal for item in items] == ["", "no_actor", ""]
        assert items[0].activity == Voting(id=f"{B}/1", actor=B, announcer=C, object=P, value=1)
        assert isinstance(items[2].activity, Sharing)


def test_a_collection_has_its_limit() -> None:
    many = {"type": "Announce", "id": f"{C}/9", "actor": C, "object": [P] * (ANNOUNCED_MAX + 1)}

    assert [item.refusal for item in items_of(many)] == ["too_many_activities"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([
        A, B, C, P, "Like", "Create", "Announce", "Note", "Page", "Undo", "Delete", PUBLIC,
        "2023-11-14T22:13:20Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "id", "type", "actor", "object", "to", "cc", "audience", "attributedTo", "inReplyTo",
        "content", "source", "mediaType", "name", "attachment", "url", "href", "target", "published",
        "endTime", "language", "contentMap", "orderedItems", "oneOf"]), inner, max_size=6),
    max_leaves=20,
)


@given(_JSON)
def test_no_json_breaks_the_reading(value: Any) -> None:
    document = value if isinstance(value, dict) else {"object": value}

    body = json.dumps(document).encode()
    assume(b"\\u0000" not in body)  # refused as a whole
    for item in items_of(decoded(body)):
        assert (item.activity is None) == bool(item.refusal)
        if isinstance(item.activity, Writing):
            item.activity.thing.draft(), item.activity.thing.comment()


WRITTEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a link of Lemmy's": (
        {"type": "Page", "id": P, "attributedTo": A, "to": [C, PUBLIC], "cc": [], "audience": C,
         "name": "A stone", "content": "<p>Look at <em>this</em>.</p>", "mediaType": "text/html",
         "source": {"content": "Look at *this*.", "mediaType": "text/markdown"},
         "attachment": [{"type": "Link", "href": "https://stones.example/1",
                         "mediaType": "text/html"}],
         "image": {"type": "Image", "url": "https://a.example/pictrs/1.webp"},
         "sensitive": True, "language": {"identifier": "de", "name": "Deutsch"},
         "published": "2023-11-14T22:13:20.000000Z"},
        {"name": "A stone", "content": "Look at *this*.", "url": "https://stones.example/1",
         "nsfw": True, "authors": (A,), "published_us": 1_700_000_000_000_000}),
    "a picture of PieFed's with its description": (
        {"type": "Page", "id": P, "attributedTo": A, "to": [C, PUBLIC], "name": "A stone",
         "commentsEnabled": False,
         "attachment": [{"type": "Image", "url": "https://a.example/1.webp", "name": "Granite"}]},
        {"url": "https://a.example/1.webp", "alt_text": "Granite", "locked": True}),
    "an entry of Mbin's, by an array": (
        {"type": "Page", "id": P, "attributedTo": [A], "to": [C, PUBLIC], "name": "A stone",
         "content": "", "attachment": {"type": "Link", "href": "https://stones.example/1"}},
        {"authors": (A,), "url": "https://stones.example/1", "content": ""}),
    "a toot of Mastodon's with a picture": (
        {"type": "Note", "id": P, "attributedTo": A, "to": [PUBLIC], "cc": [f"{A}/followers", C],
         "summary": None, "inReplyTo": None, "content": "<p>A stone <br>by the sea &amp; sky</p>",
         "contentMap": {"en": "<p>A stone</p>"}, "sensitive": False,
         "attachment": [{"type": "Document", "mediaType": "image/png",
                         "url": "https://a.example/1.png", "name": "Granite"}]},
        {"content": "A stone\nby the sea & sky", "url": "https://a.example/1.png",
         "alt_text": "Granite", "replies_to": "", "is_message": False,
         "attached": (Attached("https://a.example/1.png", "Granite"),)}),
    "an answer of Mastodon's, said shortly": (
        {"type": "Note", "id": P, "attributedTo": A, "to": "as:Public", "inReplyTo": f"{C}/1",
         "content": '<p><span class="h-card"><a href="https://b.example/@ben" class="u-url mention">'
                    '@<span>ben</span></a></span> yes</p>'},
        {"replies_to": f"{C}/1", "content": "[@ben](https://b.example/@ben) yes"}),
    "a post of Pleroma's": (
        {"type": "Note", "id": P, "actor": A, "attributedTo": A, "to": [PUBLIC, C],
         "content": "A stone<br/>two", "source": {"content": "A stone", "mediaType": "text/plain"},
         "context": "https://a.example/contexts/1"},
        {"content": "A stone\ntwo"}),
    "a film of PeerTube's": (
        {"type": "Video", "id": P, "name": "A stone rolls", "attributedTo": [
            {"type": "Person", "id": A}, {"type": "Group", "id": C}], "to": [PUBLIC], "cc": [],
         "mediaType": "text/markdown", "content": "It *rolls*.", "uuid": "1",
         "url": [{"type": "Link", "mediaType": "text/html", "href": "https://a.example/w/1"},
                 {"type": "Link", "mediaType": "application/x-mpegURL", "href": "https://a.example/m"}]},
        {"name": "A stone rolls", "content": "It *rolls*.", "url": "https://a.example/w/1",
         "authors": (A, C)}),
    "an article of WordPress": (
        {"type": "Article", "id": P, "attributedTo": A, "to": [PUBLIC], "cc": [C],
         "name": "On stones", "content": "<h2>Granite</h2><p>It is <strong>hard</strong>.</p>",
         "url": "https://a.example/2023/on-stones", "summary": "About stones"},
        {"name": "On stones", "content": "## Granite\n\nIt is **hard**.",
         "url": "https://a.example/2023/on-stones"}),
    "a topic of NodeBB's": (
        {"type": "Article", "id": P, "attributedTo": A, "to": [PUBLIC], "cc": [f"{A}/followers"],
         "audience": C, "context": f"{C}/topic/1", "name": "On stones", "content": "<p>Well</p>",
         "source": {"content": "Well", "mediaType": "text/markdown"}, "url": None},
        {"name": "On stones", "content": "Well", "url": None}),
    "a topic of Discourse": (
        {"type": "Note", "id": P, "attributedTo": A, "to": [PUBLIC], "audience": C,
         "name": "On stones", "content": "Well, <a href=\"https://a.example/t/1\">more</a>",
         "url": "https://a.example/t/1"},
        {"name": "On stones", "content": "Well, [more](https://a.example/t/1)"}),
    "a post of Friendica's": (
        {"type": "Note", "id": P, "attributedTo": A, "to": [PUBLIC, C], "cc": [],
         "name": "", "summary": "", "content": "<blockquote>Said</blockquote>Answered",
         "source": {"content": "[quote]Said[/quote]Answered", "mediaType": "text/bbcode"},
         "diaspora:guid": "1"},
        {"content": "> Said\n\nAnswered"}),
    "a poll": (
        {"type": "Question", "id": P, "attributedTo": A, "to": [PUBLIC], "content": "<p>Which?</p>",
         "oneOf": [{"type": "Note", "name": "Granite"}, {"type": "Note", "name": "Slate"}]},
        {"content": "Which?\n- Granite\n- Slate"}),
    "an event of Mobilizon's": (
        {"type": "Event", "id": P, "attributedTo": C, "actor": A, "to": [PUBLIC],
         "name": "A walk", "content": "<p>To the stones</p>", "url": "https://a.example/e/1"},
        {"name": "A walk", "url": "https://a.example/e/1"}),
    "a private message of Lemmy 0.19": (
        {"type": "ChatMessage", "id": P, "attributedTo": A, "to": [B], "content": "<p>Hi</p>",
         "source": {"content": "Hi", "mediaType": "text/markdown"}},
        {"content": "Hi", "is_message": True, "addressees": (B, A)}),
    "a private message of Mastodon's": (
        {"type": "Note", "id": P, "attributedTo": A, "to": [B], "cc": [], "content": "<p>Hi</p>"},
        {"content": "Hi", "is_message": True}),
}


@pytest.mark.parametrize("shape", WRITTEN)
def test_a_thing_is_read_in_every_shape(shape: str) -> None:
    document, expected = WRITTEN[shape]

    thing = thing_of(document)

    assert {name: getattr(thing, name) for name in expected} == expected


@pytest.mark.parametrize(("fields", "title"), [
    ({"name": "  A \n stone "}, "A stone"), ({"content": "Look here.\n\nMore"}, "Look here."),
    ({"name": "x" * 300}, "x" * 199 + "…"), ({"url": "https://a.example/1"}, "https://a.example/1"),
    ({"content": "."}, "(no title)"), ({"name": "Hi", "content": "<b>Well met</b>"}, "Well met"),
])
def test_every_post_has_a_title_that_fits(fields: dict[str, Any], title: str) -> None:
    assert Thing(ap_id=P, kind="Page", authors=(A,), **fields).draft().name == title


@pytest.mark.parametrize(("html", "markdown"), [
    ("plain & simple", "plain & simple"),
    ("<p>a</p><p>b</p>", "a\n\nb"), ("a<br><br>b", "a\n\nb"),
    ("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>",
     "- a\n- b\n  1. c\n  2. d"),
    ("<pre><code>x = 1\n  y</code></pre>", "```\nx = 1\n  y\n```"),
    ("a <code>b*c</code>", "a `b*c`"), ("1 * 2 * 3", "1 * 2 * 3"),
    ("<p>1 * 2_3</p>", "1 \\* 2\\_3"), ("<p># no heading</p>", "\\# no heading"),
    ("<script>alert(1)</script><p>a</p><style>b</style>", "a"),
    ('<a href="javascript:alert(1)">a</a>', "a"),
    ('<a href="https://a.example/x_y">https://a.example/x_y</a>', "https://a.example/x_y"),
    ('<img src="https://a.example/1.png" alt="A stone">', "![A stone](https://a.example/1.png)"),
    ("<blockquote><p>a</p><blockquote>b</blockquote></blockquote>c", "> a\n>\n> > b\n\nc"),
])
def test_html_becomes_markdown(html: str, markdown: str) -> None:
    assert markdown_of(html) == markdown


@given(st.text(max_size=300) | st.lists(st.sampled_from([
    "<p>", "</p>", "<ul>", "<li>", "</ul>", "<blockquote>", "</blockquote>", "<a href='https://x.y'>",
    "</a>", "<b>", "</b>", "<pre>", "</pre>", "<code>", "</code>", "<!--", "-->", "<![CDATA[", "x", "\n",
    "&amp;", "&#0;", "<img src=", "<script>", "</script>", "<"]), max_size=40).map("".join))
def test_no_html_breaks_the_reading(html: str) -> None:
    assert isinstance(markdown_of(html), str)
    assert isinstance(plain_of(html), str)
