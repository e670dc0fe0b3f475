"""Ranks: the formulas, the laws of order, pages that are exact at the moment of the question."""

import base64
import math
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.forum.columns import PostFlag
from lichen.forum.model import CommentSort, Sort
from lichen.forum.ranking import ORDERS, comment_rank, ranks_of
from lichen.forum.ranks import BEST_MAX
from lichen.kit import NotFound, Refused
from tests.forum.ranked import HOUR_US, NOW_US, Columns

VOTED = [sort for sort in Sort if "score" in ORDERS[sort].program.fields]
AGED = [sort for sort in VOTED if ORDERS[sort].is_ageing] + [Sort.NEW, Sort.NEW_COMMENTS]


def rank(sort: Sort, *, now_us: int = NOW_US, **values: int) -> float:
    """Return the rank of one post."""
    published_us = values.get("published_us", NOW_US - HOUR_US)
    known = {
        "published_us": published_us, "newest_comment_us": published_us, "active_us": published_us,
        "up": 1, "down": 0, "comments": 0, "users_active_month": 9, **values,
    }
    ranks = ranks_of(ORDERS[sort], lambda name: np.array([known[name]]), moment_us=now_us)
    return float(ranks[0])


@pytest.mark.parametrize(("up", "down", "age_hours"), [
    (10, 2, 1), (1, 0, 0), (0, 50, 3), (900, 1, 400),
])
def test_hot_is_the_formula_of_lemmy(up: int, down: int, age_hours: int) -> None:
    published_us = NOW_US - age_hours * HOUR_US

    found = rank(Sort.HOT, up=up, down=down, published_us=published_us)

    assert found == pytest.approx(math.log10(max(2, up - down + 2)) / (age_hours + 2) ** 1.8)


def test_hot_does_not_fall_to_zero_after_seven_days() -> None:
    old, older = (
        rank(Sort.HOT, up=9, published_us=NOW_US - days * 24 * HOUR_US) for days in (8, 9)
    )

    assert 0 < older < old


def test_active_looks_at_the_last_comment_that_bumps() -> None:
    published_us = NOW_US - 100 * HOUR_US

    bumped = rank(Sort.ACTIVE, published_us=published_us, active_us=NOW_US - 2 * HOUR_US)

    assert bumped == rank(Sort.HOT, published_us=NOW_US - 2 * HOUR_US)


def test_scaled_lifts_small_communities() -> None:
    assert rank(Sort.SCALED, users_active_month=98) == pytest.approx(rank(Sort.HOT) / 2)


@pytest.mark.parametrize(("up", "down", "expected"), [
    (0, 9, 0.0), (9, 0, 0.0), (5, 5, 10.0), (8, 2, 10 ** 0.25), (2, 8, 10 ** 0.25),
])
def test_controversial_needs_votes_of_both_kinds(up: int, down: int, expected: float) -> None:
    assert rank(Sort.CONTROVERSIAL, up=up, down=down) == pytest.approx(expected)


def test_a_post_from_the_future_counts_as_published_now() -> None:
    assert rank(Sort.HOT, published_us=NOW_US + 9 * HOUR_US) == rank(Sort.HOT, published_us=NOW_US)


votes = st.integers(0, 2_000_000)
ages_us = st.integers(0, 20 * 365 * 24 * HOUR_US)


@given(st.sampled_from(VOTED), votes, votes, st.integers(1, 1_000), ages_us)
def test_more_votes_never_lower_a_post(
    sort: Sort, up: int, down: int, more: int, age_us: int
) -> None:
    at = {"published_us": NOW_US - age_us}

    assert rank(sort, up=up + more, down=down, **at) >= rank(sort, up=up, down=down, **at)


@given(st.sampled_from(AGED), votes, votes, ages_us, ages_us)
def test_the_older_of_two_alike_is_never_above(
    sort: Sort, up: int, down: int, age_us: int, more_us: int
) -> None:
    newer = rank(sort, up=up, down=down, published_us=NOW_US - age_us)
    older = rank(sort, up=up, down=down, published_us=NOW_US - age_us - more_us)

    assert older <= newer


@given(st.sampled_from(list(Sort)), votes, votes, ages_us, st.integers(0, 1_000 * HOUR_US))
def test_ranks_only_fall_with_time(
    sort: Sort, up: int, down: int, age_us: int, later_us: int
) -> None:
    post = {"up": up, "down": down, "published_us": NOW_US - age_us}

    assert rank(sort, now_us=NOW_US + later_us, **post) <= rank(sort, **post)


@given(st.sampled_from([sort for sort in Sort if ORDERS[sort].is_ageing]), votes, ages_us)
def test_rough_ranks_are_right_to_one_part_in_ten_thousand(
    sort: Sort, up: int, age_us: int
) -> None:
    values = {"up": up, "down": 0, "published_us": NOW_US - age_us, "active_us": NOW_US - age_us,
              "users_active_month": 30}

    def take(name: str) -> np.ndarray:
        return np.array([values[name]])

    right, rough = (
        ranks_of(ORDERS[sort], take, moment_us=NOW_US, rough=rough)[0] for rough in (False, True)
    )

    assert rough == pytest.approx(right, rel=1e-5)


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("count", [40, 9_000])
def test_a_list_is_what_the_ranks_define(tmp_path: Path, sort: Sort, count: int) -> None:
    """9,000 posts are more than are kept in order, so choosing roughly is tested too."""
    columns = Columns(tmp_path)
    columns.many(count)

    found = columns.ids(sort=sort, limit=count)

    assert found == columns.by_definition(sort, NOW_US)


@pytest.mark.slow
@pytest.mark.parametrize("sort", [Sort.HOT, Sort.TOP_DAY, Sort.MOST_COMMENTS, Sort.OLD])
@pytest.mark.parametrize("count", [130, 6_000])
def test_the_pages_of_a_walk_are_parts_of_one_list(tmp_path: Path, sort: Sort, count: int) -> None:
    """Time goes on between the pages; the cursor carries the moment of the first."""
    columns = Columns(tmp_path)
    columns.many(count)
    for id_ in (3, count // 2, count - 1):
        columns.posts.write(id_, {"flags": int(PostFlag.EXISTS | PostFlag.FEATURED_LOCAL)})
    now_us, cursor, walked = NOW_US, None, []

    while True:
        ids, cursor = columns.page(sort=sort, limit=47, cursor=cursor, now_us=now_us)
        walked += ids
        now_us += 7_000_000
        if cursor is None:
            break

    assert walked == columns.ids(sort=sort, limit=count)
    assert walked == [id_ for page in range(1, count // 47 + 2)
                      for id_ in columns.ids(sort=sort, limit=47, page=page)]


@pytest.mark.slow
@given(st.integers(0, 2**32))
def test_what_was_written_and_what_time_changed_is_in_the_next_list(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Lists are patched and carried from moment to moment, and stay what they are defined to be."""
    columns = Columns(tmp_path_factory.mktemp("columns"))
    columns.many(BEST_MAX + 2_000, seed=seed)
    chance = random.Random(seed)
    now_us, last = NOW_US, BEST_MAX + 2_000
    sorts = chance.sample(list(Sort), 3)

    for _ in range(8):
        for _ in range(chance.choice([0, 1, 5, 200])):
            if chance.random() < 0.2:
                last += 1
                age_us, up = chance.randrange(HOUR_US), chance.randrange(99)
                columns.post(last, published_us=now_us - age_us, up=up)
            else:
                columns.posts.write(chance.randint(1, last), {
                    "up": chance.choice([0, 3, 5_000]), "comments": chance.choice([0, 700]),
                    "active_us": now_us, "flags": int(chance.choice([PostFlag(1), PostFlag(3)])),
                })
        now_us += chance.choice([0, 100_000, 1_000_000, 90_000_000, 40 * HOUR_US])

        for sort in sorts:
            expected = columns.by_definition(sort, now_us)
            assert columns.ids(sort=sort, limit=50, now_us=now_us) == expected[:50]
            assert columns.ids(sort=sort, limit=50, page=50, now_us=now_us) == expected[2450:2500]


def test_top_of_a_window_leaves_out_what_is_older(tmp_path: Path) -> None:
    columns = Columns(tmp_path)
    columns.post(1, published_us=NOW_US - 25 * HOUR_US, up=100)
    columns.post(2, published_us=NOW_US - 23 * HOUR_US, up=5)

    assert columns.ids(sort=Sort.TOP_DAY) == [2]
    assert columns.ids(sort=Sort.TOP_WEEK) == [1, 2]


def test_featured_posts_come_first_where_they_are_featured(tmp_path: Path) -> None:
    columns = Columns(tmp_path)
    columns.post(1, flags=int(PostFlag.EXISTS | PostFlag.FEATURED_LOCAL))
    columns.post(2, flags=int(PostFlag.EXISTS | PostFlag.FEATURED_COMMUNITY), up=7)
    columns.post(3, up=50)

    assert columns.ids() == [1, 3, 2]
    assert columns.ids(community_id=1) == [2, 3, 1]


def test_a_reason_names_the_terms_and_their_values(tmp_path: Path) -> None:
    columns = Columns(tmp_path)
    columns.post(7, up=98, published_us=NOW_US - 8 * HOUR_US)

    reason = columns.ranks.explain(7, Sort.HOT, NOW_US)

    terms = {term.name: term.value for term in reason.terms}
    assert reason.rule == "Hot: log10(max(2, score + 2)) / (age_hours + 2) ** 1.8"
    assert (terms["score"], terms["age_hours"]) == (98, 8.0)
    assert reason.value == pytest.approx(2 / 10**1.8)


def test_a_post_that_is_not_there_has_no_reason(tmp_path: Path) -> None:
    columns = Columns(tmp_path)

    with pytest.raises(NotFound):
        columns.ranks.explain(10**7, Sort.HOT, NOW_US)


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "A" * 40, "é", "\0", "=" * 9, "A" * 100_000])
def test_a_cursor_that_is_none_of_ours_is_refused(tmp_path: Path, cursor: str) -> None:
    columns = Columns(tmp_path)

    with pytest.raises(Refused, match="couldnt_parse_pagination_token"):
        columns.page(cursor=cursor)


@given(st.binary(max_size=60))
def test_no_cursor_breaks_a_list(tmp_path_factory: pytest.TempPathFactory, packed: bytes) -> None:
    columns = Columns(tmp_path_factory.mktemp("columns"))
    columns.many(50)

    try:
        ids = columns.ids(cursor=base64.urlsafe_b64encode(b"\x01" + packed).decode())
    except Refused:
        return
    assert len(set(ids)) == len(ids)


class Bone(NamedTuple):
    up: int
    down: int
    published_us: int


def test_comments_are_ranked_by_the_same_formulas() -> None:
    bones = [Bone(5, 1, NOW_US - HOUR_US), Bone(2, 2, NOW_US)]

    assert comment_rank(CommentSort.HOT, NOW_US)(bones).tolist() == [
        rank(Sort.HOT, up=5, down=1), rank(Sort.HOT, up=2, down=2, published_us=NOW_US)]
    assert comment_rank(CommentSort.TOP, NOW_US)(bones).tolist() == [4, 0]
    assert comment_rank(CommentSort.OLD, NOW_US)([]).tolist() == []
