"""Facts: what each of them says of a post or comment, and of the words before it."""

import msgspec
import pytest

from lichen.automod import FACTS
from lichen.automod.facts import Around, Item, facts_of
from lichen.forum import PostDraft
from tests.faces.pages.test_tree import actor

DAY_US = 24 * 3_600 * 1_000_000
PLAIN = Item(
    is_post=True, id=1, title="Hello THERE", body="", url=None, nsfw=False, language_id=0, depth=0,
    author=actor(7, name="otto"), moderates=False, community_id=9, community="stones",
    at_us=actor(7).published_us + 3 * DAY_US)


def of(name, around=None, **changes):
    item = msgspec.structs.replace(PLAIN, **changes)
    return facts_of(item, around or Around(), [name])[name]


EXAMPLES = [
    ("text", {"body": "You."}, "Hello THERE\nYou."),
    ("title", {}, "Hello THERE"),
    ("domain", {"url": "https://WWW.Spam.example:8/x"}, "www.spam.example"),
    ("domain", {"url": "https://[bad/"}, ""),
    ("domains", {"url": "https://www.spam.example/", "body": "see http://a.example/b."},
     frozenset({"www.spam.example", "spam.example", "a.example"})),
    ("links", {"url": "https://a.example/", "body": "(https://b.example) https://c.example"}, 3),
    ("has_link", {}, False), ("has_link", {"body": "http://a.example"}, True),
    ("has_picture", {"body": "![a](b.png)"}, True),
    ("has_picture", {"url": "https://a.example/b.jpg?x=1"}, True),
    ("has_picture", {"url": "https://a.example/b"}, False),
    ("words", {"body": "one two"}, 4), ("capitals", {}, 0.6), ("capitals", {"title": "1!"}, 0.0),
    ("mentions", {"body": "@mira@lichen.example and @otto@lichen.example"}, 2),
    ("language", {}, "und"), ("nsfw", {"nsfw": True}, True), ("is_post", {}, True),
    ("is_comment", {"is_post": False}, True), ("is_edit", {"is_edit": True}, True),
    ("depth", {"depth": 4}, 4), ("community", {}, "stones"), ("author", {}, "otto"),
    ("author_age_days", {}, 3.0), ("author_is_moderator", {"moderates": True}, True),
    ("author_is_bot", {}, False), ("author_is_local", {}, True),
]
AROUND = Around(posts=2, comments=3, lately=4, duplicates=5, duplicates_own=1, trust=6,
                picture_hits=7)
LOOKED_UP = [
    ("author_posts", 2), ("author_comments", 3), ("first_post", False), ("rate", 4),
    ("duplicates", 5), ("duplicates_own", 1), ("author_trust", 6), ("picture_hits", 7),
]


@pytest.mark.parametrize(("name", "changes", "value"), EXAMPLES)
def test_a_fact_says_what_is_written(name, changes, value):
    assert of(name, **changes) == value


@pytest.mark.parametrize(("name", "value"), LOOKED_UP)
def test_a_fact_says_what_is_around(name, value):
    assert of(name, AROUND) == value


def test_every_fact_has_an_example():
    assert {name for name, *_ in (*EXAMPLES, *LOOKED_UP)} == set(FACTS)


def test_the_same_words_have_the_same_key_however_they_are_dressed():
    dressed = msgspec.structs.replace(PLAIN, title="hello,  there!")

    assert dressed.text_key == PLAIN.text_key
    assert msgspec.structs.replace(PLAIN, title="hello here").text_key != PLAIN.text_key


@pytest.mark.anyio
async def test_what_is_around_is_what_rows_say(house, mira, otto, stones, post, clock):
    """Rate, numbers, firsts and duplicates, live; each rule notes its hits and does nothing."""
    from lichen.automod import Mode

    async def hit_of(program, content):
        rule = await house.rule(mira, stones, program, mode=Mode.TRYING)
        await house.write("create_comment", otto, post.post.id, content=content)
        found = await house.hits(mira, rule_id=rule.id)
        await house.ask("delete_rule", mira, rule.id)
        return bool(found)

    assert await hit_of("first_post and author_comments == 0 and rate == 0", "One of a kind.")
    assert await hit_of("not first_post and author_comments == 1 and rate == 1", "Two.")
    assert await hit_of("duplicates == 1 and duplicates_own == 1", "one of a KIND!")
    await house.write("create_post", otto, stones, PostDraft(name="Another kind"))
    assert await hit_of("author_posts == 1 and rate == 4 and duplicates == 0", "Another")
    clock.advance(hours=2)
    assert await hit_of("rate == 0 and author_comments == 4", "Later.")
    clock.advance(days=8)
    assert await hit_of("duplicates == 0 and author_age_days > 8", "One of a kind.")
