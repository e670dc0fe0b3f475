"""The orders of posts and comments, as programs in `lichen.rules`.

A rank is the value of a program over counts and ages *at the moment of the question*: no job
refreshes anything, no rank goes stale. Three laws hold for every order:

    more votes     never put a post below where it stood
    older          of two posts alike in votes, the older is never above the newer
    time           ranks only fall as time passes, while nobody writes

Equal ranks are ordered by id, the newer first, so that every order is total. The third law is what
makes lists cheap: who is below the first thousands now is below them in a second (`ranks.py`).

The formulas are those of Lemmy 0.19 (facts of its API), without its fall to zero after seven days.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from lichen.forum.columns import Array
from lichen.forum.model import CommentSort, Sort
from lichen.kit import Reason, Term, isoformat
from lichen.rules import FieldType, Program, compile_program

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US

# Ages in float32 are about right to one part in ten million, and the hot rank made of them to a few
# parts in a million; so whatever is further apart than this is in the right order.
ROUGH: Final = 1e-4

FIELDS: Final = MappingProxyType(dict.fromkeys((
    "up", "down", "score", "comments",
    "age_hours",  # since publication
    "active_age_hours",  # since the last comment that bumps: by others, within two days
    "newest_comment_s", "published_s",  # seconds since 1970
    "users_active_month",  # who wrote or voted in the community within 30 days
), FieldType.NUMBER))
_AGES = frozenset(("age_hours", "active_age_hours"))

_HOT = "log10(max(2, score + 2)) / (age_hours + 2) ** 1.8"
_CONTROVERSIAL = "(up + down) ** (min(up, down) / max(up, down)) if min(up, down) > 0 else 0"


class Order(NamedTuple):
    """One way to order posts; with a window, only those published within it are in the list."""

    program: Program
    window_us: int | None = None

    @property
    def is_ageing(self) -> bool:
        """Whether ranks change as time passes."""
        return not _AGES.isdisjoint(self.program.fields)


def _order(source: str, *, window_us: int | None = None) -> Order:
    return Order(compile_program(source, FIELDS), window_us)


ORDERS: Final[Mapping[Sort, Order]] = MappingProxyType({
    Sort.HOT: _order(_HOT),
    Sort.ACTIVE: _order(_HOT.replace("age_hours", "active_age_hours")),
    Sort.SCALED: _order(f"{_HOT} / log10(2 + users_active_month)"),
    Sort.CONTROVERSIAL: _order(_CONTROVERSIAL),
    Sort.NEW: _order("published_s"),
    Sort.OLD: _order("-published_s"),
    Sort.MOST_COMMENTS: _order("comments"),
    Sort.NEW_COMMENTS: _order("newest_comment_s"),
    Sort.TOP_ALL: _order("score"),
    **{sort: _order("score", window_us=window_us) for sort, window_us in (
        (Sort.TOP_HOUR, _HOUR_US), (Sort.TOP_SIX_HOUR, 6 * _HOUR_US),
        (Sort.TOP_TWELVE_HOUR, 12 * _HOUR_US), (Sort.TOP_DAY, _DAY_US),
        (Sort.TOP_WEEK, 7 * _DAY_US), (Sort.TOP_MONTH, 30 * _DAY_US),
        (Sort.TOP_THREE_MONTHS, 91 * _DAY_US), (Sort.TOP_SIX_MONTHS, 182 * _DAY_US),
        (Sort.TOP_NINE_MONTHS, 274 * _DAY_US), (Sort.TOP_YEAR, 365 * _DAY_US),
    )},
})
assert set(ORDERS) == set(Sort)

COMMENT_ORDERS: Final[Mapping[CommentSort, Order]] = MappingProxyType({
    CommentSort.HOT: ORDERS[Sort.HOT],
    CommentSort.TOP: ORDERS[Sort.TOP_ALL],
    CommentSort.NEW: ORDERS[Sort.NEW],
    CommentSort.OLD: ORDERS[Sort.OLD],
    CommentSort.CONTROVERSIAL: ORDERS[Sort.CONTROVERSIAL],
})
assert set(COMMENT_ORDERS) == set(CommentSort)


class Counted(Protocol):
    """Whatever has votes and a time: a comment, a row of a thread's skeleton."""

    @property
    def up(self) -> int:
        """The upvotes."""

    @property
    def down(self) -> int:
        """The downvotes."""

    @property
    def published_us(self) -> int:
        """The time of publication."""


Take = Callable[[str], Array]  # the name of a column -> its values, one for each row that is asked


def ranks_of(order: Order, take: Take, *, moment_us: int, rough: bool = False) -> NDArray[Any]:
    """Return the rank of each row at a moment, as float64; `rough`: by ages in float32.

    `take` gives the columns `up`, `down`, `published_us` and what else the order reads. A rough
    rank differs from the right one by less than the part `ROUGH` of it, at a third of the cost.
    """
    columns = {
        name: field_of(name, take, moment_us=moment_us, rough=rough)
        for name in order.program.fields
    }
    return order.program.columns(columns).astype(np.float64)


def field_of(name: str, take: Take, *, moment_us: int, rough: bool = False) -> Array:
    """Return one field of the programs for each row."""
    match name:
        case "score":
            return take("up") - take("down")
        case "age_hours":
            return _hours(moment_us - take("published_us"), rough=rough)
        case "active_age_hours":
            return _hours(moment_us - take("active_us"), rough=rough)
        case "published_s":
            return take("published_us") / 1e6
        case "newest_comment_s":
            return take("newest_comment_us") / 1e6
        case _:
            return take(name)


def comment_rank(
    sort: CommentSort, now_us: int
) -> Callable[[Sequence[Counted]], NDArray[np.float64]]:
    """Return what ranks comments at a moment: the higher, the earlier."""
    def rank(comments: Sequence[Counted]) -> NDArray[np.float64]:
        def take(name: str) -> Array:
            values = (getattr(comment, name) for comment in comments)
            return np.fromiter(values, np.int64, len(comments))

        return ranks_of(COMMENT_ORDERS[sort], take, moment_us=now_us)

    return rank


def explain(sort: Sort, take: Take, *, moment_us: int) -> Reason:
    """Return why one row stands where it stands; `take` gives its values alone in each column."""
    order = ORDERS[sort]
    facts = {
        name: field_of(name, take, moment_us=moment_us)[0].item() for name in order.program.fields
    }
    reason = order.program.explain(facts, rule=f"{sort}: {order.program.source}")
    window: tuple[Term, ...] = ()
    if order.window_us is not None:
        since_us = moment_us - order.window_us
        window = (Term("published since", isoformat(since_us), "others are not in this list"),)
    return msgspec.structs.replace(
        reason, terms=reason.terms + window, decided_by="forum",
        change="Choose another order above the list; its formula is the same for everybody.",
    )


def _hours(ages_us: Array, *, rough: bool) -> Array:
    # A post from the future (another server's clock) has just been published.
    ages_us = np.maximum(ages_us, 0)
    if rough:
        return ages_us.astype(np.float32) * np.float32(1 / _HOUR_US)
    return ages_us / _HOUR_US
