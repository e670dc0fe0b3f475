"""Which posts a list shows to whom."""

from pathlib import Path
from typing import Any

import pytest

from lichen.forum.columns import PostFlag
from lichen.forum.model import Listing, Sort
from tests.forum.ranked import BOT, FAR, GONE, HIDDEN, LOCAL, NSFW, Columns, standing


@pytest.fixture
def columns(tmp_path: Path) -> Columns:
    """One post a community, its id ten times the community's."""
    made = Columns(tmp_path)
    for community in range(1, 9):
        made.post(community * 10, community=community)
    return made


def shown(columns: Columns, **asked: Any) -> set[int]:
    """Return the communities whose posts a list shows."""
    return {id_ // 10 for id_ in columns.ids(sort=Sort.NEW, **asked)}


def test_all_shows_what_is_neither_hidden_nor_gone_nor_unsafe(columns: Columns) -> None:
    assert shown(columns) == {LOCAL, FAR, 6, 7, 8}


def test_local_shows_local_communities_alone(columns: Columns) -> None:
    assert shown(columns, listing=Listing.LOCAL) == {LOCAL, 6, 7, 8}


def test_subscribed_shows_what_the_viewer_subscribed_to(columns: Columns) -> None:
    mine = standing(subscribed=[FAR, 7, GONE])

    assert shown(columns, listing=Listing.SUBSCRIBED, standing=mine) == {FAR, 7}


def test_moderator_view_shows_what_the_viewer_moderates(columns: Columns) -> None:
    mine = standing(moderates=[6], blocked_communities=[6])

    assert shown(columns, listing=Listing.MODERATOR_VIEW, standing=mine) == {6}


def test_a_hidden_community_is_there_for_its_subscribers_and_on_its_own_page(
    columns: Columns,
) -> None:
    assert HIDDEN in shown(columns, standing=standing(subscribed=[HIDDEN]))
    assert shown(columns, community_id=HIDDEN) == {HIDDEN}


def test_what_is_not_safe_for_work_is_shown_to_who_asks(columns: Columns) -> None:
    columns.post(61, community=6, flags=int(PostFlag.EXISTS | PostFlag.NSFW))

    assert 61 not in columns.ids()
    assert {61, NSFW * 10} <= set(columns.ids(show_nsfw=True))


@pytest.mark.parametrize(("blocked", "gone"), [
    ({"blocked_communities": [6]}, 6), ({"blocked_instances": [2]}, FAR),
])
def test_what_is_blocked_is_left_out(columns: Columns, blocked: Any, gone: int) -> None:
    assert shown(columns, standing=standing(**blocked)) == {LOCAL, FAR, 6, 7, 8} - {gone}


def test_posts_of_blocked_people_and_of_bots_are_left_out(columns: Columns) -> None:
    columns.post(62, community=6, creator=11)
    columns.post(63, community=6, creator=BOT)

    found = columns.ids(standing=standing(blocked_people=[11]), show_bots=False, community_id=6)

    assert found == [60]


def test_languages_leave_out_the_others(columns: Columns) -> None:
    columns.post(64, community=6, language=37)

    assert columns.ids(languages=(37,)) == [64]


def test_hidden_and_read_posts_are_left_out_of_lists_but_not_of_a_persons_page(
    columns: Columns,
) -> None:
    mine = standing(hidden=[60], read=[70])

    assert shown(columns, standing=mine, show_read=False) == {LOCAL, FAR, 8}
    assert shown(columns, standing=mine) == {LOCAL, FAR, 7, 8}
    assert shown(columns, standing=mine, show_hidden=True) == {LOCAL, FAR, 6, 7, 8}
    assert shown(columns, standing=mine, show_read=False, creator_id=10) == {LOCAL, FAR, 6, 7, 8}


def test_a_list_among_some_posts_holds_no_other(columns: Columns) -> None:
    assert columns.ids(among=(70, 60, 999_999_999)) == [70, 60]
    assert columns.ids(among=()) == []


def test_what_was_taken_away_is_in_its_authors_own_list_alone(columns: Columns) -> None:
    columns.post(65, community=6, creator=10, flags=int(PostFlag.EXISTS | PostFlag.GONE))

    assert 65 not in columns.ids()
    assert 65 not in columns.ids(creator_id=10)
    assert 65 in columns.ids(creator_id=10, standing=standing())


def test_an_author_of_most_posts_still_sees_those_that_are_gone(tmp_path: Path) -> None:
    """Such a list once walked down the best posts of all, and those are never gone."""
    columns = Columns(tmp_path)
    for id_ in range(1, 1_001):
        columns.post(id_, creator=10)
    columns.post(1_001, creator=10, flags=int(PostFlag.EXISTS | PostFlag.GONE))

    assert 1_001 in columns.ids(creator_id=10, standing=standing())


def test_filters_hold_wherever_a_list_takes_its_posts_from(tmp_path: Path) -> None:
    """With many posts a page may walk the best, or rank what may be meant: the answer is one."""
    columns = Columns(tmp_path)
    columns.many(9_000)
    mine = standing(subscribed=[6, 7], blocked_people=[12], hidden=range(1, 9_000, 3))

    for asked in ({"community_id": 6}, {"listing": Listing.SUBSCRIBED}, {"creator_id": 11}, {}):
        expected = columns.ids(limit=9_000, standing=mine, **asked)
        assert columns.ids(limit=30, standing=mine, **asked) == expected[:30]
        assert len(set(expected)) == len(expected)
