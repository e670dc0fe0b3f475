"""Search: what is there is found by its words, what is gone is not, and no question breaks it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.accounts import ProfileDraft, Viewer
from lichen.forum import CommunityDraft, CommunityView, Listing, PostDraft, PostView, Sort
from lichen.kit import Refused
from lichen.kit.flags import Flag
from lichen.kit.ground import Ground
from lichen.search.model import SHALLOW_PAGES_MAX, WORDS_MAX, fts5_query, tsquery, words_of
from lichen.search.reader import NAME, UNMARKED_EVENTS_MAX
from lichen.search.room import build
from lichen.store import checkpoint_of
from tests.search.conftest import Desk, batch_of

pytestmark = pytest.mark.anyio


async def written(
    desk: Desk, viewer: Viewer, community: CommunityView, name: str, **draft: Any
) -> int:
    view = await desk.house.write(
        "create_post", viewer, community.community.id, PostDraft(name=name, **draft)
    )
    return int(view.post.id)


async def test_everything_is_found_by_its_words(
    desk: Desk, mira: Viewer, otto: Viewer, stones: CommunityView, post: PostView
) -> None:
    comment = await desk.house.write(
        "create_comment", otto, post.post.id, content="A stone, mira, of granite!"
    )

    assert (await desk.find("granite")).posts == [post.post.id]
    assert (await desk.find("granite")).comments == [comment.comment.id]
    assert (await desk.find("stones")).communities == [stones.community.id]
    assert (await desk.find("MIRA")).persons == [mira.id]
    assert (await desk.find("mira")).comments == [comment.comment.id]


async def test_all_words_must_be_there_and_the_last_may_be_a_beginning(
    desk: Desk, post: PostView
) -> None:
    assert (await desk.find("granite lich")).posts == [post.post.id]
    assert (await desk.find("lich granite")).posts == []
    assert (await desk.find("lichen marble")).posts == []


async def test_titles_count_more_than_texts(
    desk: Desk, mira: Viewer, stones: CommunityView
) -> None:
    body = await written(desk, mira, stones, "Something else", body="About basalt and nothing more")
    title = await written(desk, mira, stones, "Basalt")

    assert (await desk.find("basalt")).posts == [title, body]


async def test_new_and_old_order_by_time(
    desk: Desk, mira: Viewer, stones: CommunityView
) -> None:
    first, second, third = [
        await written(desk, mira, stones, f"Basalt {'basalt ' * number}") for number in range(3)
    ]

    assert (await desk.find("basalt", sort=Sort.NEW)).posts == [third, second, first]
    assert (await desk.find("basalt", sort=Sort.OLD)).posts == [first, second, third]


async def test_edits_and_deletions_are_followed(desk: Desk, mira: Viewer, post: PostView) -> None:
    house, id_ = desk.house, post.post.id
    await desk.catch_up()

    await house.write("edit_post", mira, id_, PostDraft(name="A lichen on slate"))
    assert ((await desk.find("granite")).posts, (await desk.find("slate")).posts) == ([], [id_])

    await house.write("delete_post", mira, id_, deleted=True)
    assert (await desk.find("slate")).posts == []

    await house.write("delete_post", mira, id_, deleted=False)
    assert (await desk.find("slate")).posts == [id_]


async def test_people_are_found_by_what_they_call_themselves_until_they_are_banned(
    desk: Desk, mira: Viewer, otto: Viewer
) -> None:
    house = desk.house
    await house.store.write(lambda unit: house.accounts.save_profile(
        unit, otto, ProfileDraft(display_name="Otto the Geologist")))
    assert (await desk.find("geologist")).persons == [otto.id]

    await house.store.write(lambda unit: house.accounts.ban(
        unit, None, otto.id, banned=True, reason="spam", expires_us=None))
    assert (await desk.find("geologist")).persons == []


async def test_a_question_is_narrowed_by_kind_community_author_and_place(
    desk: Desk, mira: Viewer, otto: Viewer, stones: CommunityView, post: PostView
) -> None:
    moss = await desk.house.write("create_community", otto, "moss", CommunityDraft(title="Moss"))
    other = await written(desk, otto, moss, "Granite under moss")
    first = post.post.id

    assert (await desk.find("granite", kinds=["comments"])).posts == []
    assert (await desk.find("granite", community_id=moss.community.id)).posts == [other]
    assert (await desk.find("granite", creator_id=mira.id)).posts == [first]
    assert set((await desk.find("granite", listing=Listing.LOCAL)).posts) == {first, other}


async def test_what_is_not_safe_for_work_is_found_by_who_wants_it(
    desk: Desk, mira: Viewer, stones: CommunityView
) -> None:
    id_ = await written(desk, mira, stones, "Naked granite", nsfw=True)
    grown = await desk.house.sign_up("grown", show_nsfw=True)

    assert (await desk.find("naked")).posts == []
    assert (await desk.find("naked", viewer=mira)).posts == []
    assert (await desk.find("naked", viewer=grown)).posts == [id_]


async def test_posts_are_found_by_their_address(
    desk: Desk, mira: Viewer, stones: CommunityView
) -> None:
    id_ = await written(desk, mira, stones, "A page", url="https://a.example/x?y=1")

    assert (await desk.find(" https://a.example/x?y=1 ", kinds=["urls"])).posts == [id_]
    assert (await desk.find("https://a.example/x", kinds=["urls"])).posts == []


async def test_pages_follow_each_other(desk: Desk, mira: Viewer, stones: CommunityView) -> None:
    ids = [await written(desk, mira, stones, "Basalt again") for _ in range(5)]

    asked = {"sort": Sort.OLD, "limit": 2}
    pages = [(await desk.find("basalt", page=page, **asked)).posts for page in (1, 2, 3, 4)]

    assert pages == [ids[:2], ids[2:4], ids[4:], []]


@pytest.mark.parametrize(("page", "limit"), [(0, 10), (-1, 10), (1, 0), (1, 51)])
async def test_a_page_outside_its_bounds_is_refused(desk: Desk, page: int, limit: int) -> None:
    with pytest.raises(Refused, match="invalid_page"):
        await desk.find("x", page=page, limit=limit)


async def test_deep_pages_are_closed_while_their_flag_is_off(desk: Desk, ground: Ground) -> None:
    ground.flags.change(Flag.DEEP_SEARCH_PAGES, on=False)

    with pytest.raises(Refused, match="search_page_too_deep"):
        await desk.find("x", page=SHALLOW_PAGES_MAX + 1)
    assert (await desk.find("x", page=SHALLOW_PAGES_MAX)).posts == []


QUESTIONS = [
    "", " ", "_", "__ _", '"', "'", "a' OR '1'='1", 'a" OR "b', "NEAR(a b)", "a AND NOT b",
    "title:a", "*", "a*", "-a", "^a", "(", ")", "a:*", "a & b", "!a", "a <-> b", "\\", "\\'", "%",
    "ß", "İ", "日本語", "a\u0301", "\u200d", "👍", "١٢", "²", "x" * 5_000, "a " * 5_000, "ﬀ", "a_b",
    "Ⅷ",
]


async def test_no_question_reaches_the_syntax_of_the_engine(desk: Desk, post: PostView) -> None:
    found = [await desk.find(question) for question in QUESTIONS]

    # The title is "A lichen on granite": whatever stands around it, the word "a" finds it.
    finding = {question for question, one in zip(QUESTIONS, found, strict=True) if one.posts}
    assert finding == {"a*", "-a", "^a", "!a", "a:*", "a\u0301", "a " * 5_000}


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=20).map(" ".join))
async def test_a_question_leaves_only_words(question: str) -> None:
    words = words_of(question)

    assert len(words) <= WORDS_MAX
    assert all(word and not set(word) & set("\"'\\:*&|!()<>-^ ") for word in words)
    assert fts5_query(words).count('"') == 2 * len(words)
    assert tsquery(words).count("'") == 2 * len(words)


@pytest.fixture
async def busy(
    desk: Desk, mira: Viewer, otto: Viewer, stones: CommunityView, post: PostView
) -> Desk:
    """A house in which everything that search follows has happened."""
    house = desk.house
    second = await written(desk, otto, stones, "Slate", body="Split it.", url="https://a.example/")
    await written(desk, mira, stones, "Marble", nsfw=True)
    comment = await house.write("create_comment", otto, post.post.id, content="Nice.")
    await house.write("edit_comment", otto, comment.comment.id, content="Very nice.")
    gone = await house.write("create_comment", otto, post.post.id, content="Oops.")
    await house.write("delete_comment", otto, gone.comment.id, deleted=True)
    await house.write("delete_post", otto, second, deleted=True)
    await house.write("edit_community", mira, stones.community.id, CommunityDraft(title="Rocks"))
    await house.store.write(lambda unit: house.accounts.save_profile(
        unit, mira, ProfileDraft(bio="I like granite.")))
    return desk


async def test_event_by_event_twice_and_rebuilt_come_out_as_one_batch(
    busy: Desk, ground: Ground
) -> None:
    """The fold law: every way to follow the same log ends with the same rows."""
    house, reader = busy.house, busy.search.reader
    await busy.catch_up()
    once = await busy.indexed()

    await reader.apply(batch_of(house.events))
    twice = await busy.indexed()
    await reader.rebuild(len(house.events))
    rebuilt = await busy.indexed()
    await house.store.write(lambda unit: start_again(unit))
    again = await build(ground, house.store, forum=house.forum, accounts=house.accounts)
    for at, event in enumerate(house.events):
        await again.reader.apply(batch_of([event], first_seq=at + 1))

    assert len(once[0]) == 2 + 1 + 1 + 2  # posts, comment, community, people
    assert (twice, rebuilt, await busy.indexed()) == (once, once, once)


def start_again(unit: Any) -> None:
    """Empty the room as `rebuild` begins."""
    from lichen.search import tables
    from lichen.store import advance_checkpoint

    unit.stage(tables.EMPTY_WORDS, {})
    unit.stage(tables.EMPTY, {})
    advance_checkpoint(unit, NAME, 0)


async def test_a_reader_below_the_floor_of_the_log_indexes_everything_again(
    busy: Desk, ground: Ground
) -> None:
    await busy.catch_up()
    expected = await busy.indexed()
    await busy.house.store.write(start_again)

    built = await build(ground, busy.house.store, forum=busy.house.forum,
                        accounts=busy.house.accounts, log_first_seq=900, log_last_seq=950)

    assert built.reader.position() == 950
    assert await busy.indexed() == expected


async def test_rows_and_checkpoint_are_one_transaction(busy: Desk) -> None:
    await busy.catch_up()

    at = await busy.house.store.read(lambda unit: checkpoint_of(unit, NAME))

    assert at == len(busy.house.events) == busy.search.reader.position()


async def test_the_checkpoint_moves_even_where_nobody_writes(desk: Desk) -> None:
    await desk.search.reader.apply(batch_of([], first_seq=UNMARKED_EVENTS_MAX + 2))

    at = await desk.house.store.read(lambda unit: checkpoint_of(unit, NAME))

    assert at == UNMARKED_EVENTS_MAX + 1


async def test_a_question_costs_one_round_trip(busy: Desk, mira: Viewer) -> None:
    await busy.catch_up()

    trips = await busy.house.round_trips(lambda unit: busy.search.find(unit, mira, "granite nice"))

    assert trips == 1
