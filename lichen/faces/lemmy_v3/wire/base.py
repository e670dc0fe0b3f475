"""What every message of the Lemmy API is made of: two base types and the bounds of their fields.

`Answer` leaves out optional fields that are unset, as Lemmy does: a client sees `undefined`, never
`null`. `Ask` ignores fields that it does not know, because newer clients send more. Bounds here
only keep absurd input out; the rule a person can break (a title has 200 characters at most) is the
rooms' own, with Lemmy's code for it.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

ID_MAX = 2**31 - 1  # Lemmy's ids are 32-bit, and so are the integers of some of its clients
PAGE_NUMBER_MAX = 100_000  # nobody reads so far; an offset stays a small number
PAGE_LENGTH_DEFAULT = 10  # Lemmy 0.19
PAGE_LENGTH_MAX = 50  # Lemmy 0.19: FETCH_LIMIT_MAX
WORD_LENGTH_MAX = 256  # a name, an address of mail, a token, a theme: anything that is one word
PROSE_LENGTH_MAX = 100_000  # above every limit of the rooms, so that theirs speak first
IDS_MAX = 1_000  # Lemmy 0.19: MAX_API_PARAM_ELEMENTS, answered with `too_many_items`
TIMES_KEPT_MAX = 16_384  # moments kept ready; 3 MB when full
DEPTH_MAX = 50  # levels of a comment tree that a client may ask for; as deep as one grows

Id = Annotated[int, Meta(ge=0, le=ID_MAX)]
Ids = Annotated[tuple[Id, ...], Meta(max_length=IDS_MAX)]
PageNumber = Annotated[int, Meta(ge=1, le=PAGE_NUMBER_MAX)]
PageLength = Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)]
Depth = Annotated[int, Meta(ge=0, le=DEPTH_MAX)]
SECONDS_MAX = 253_402_300_799  # the last second of the year 9999
ADDRESSES_MAX = 2_000  # of one list of an import; the whole import is bounded again

Seconds = Annotated[int, Meta(ge=0, le=SECONDS_MAX)]
Score = Annotated[int, Meta(ge=-1, le=1)]
Word = Annotated[str, Meta(max_length=WORD_LENGTH_MAX)]
Prose = Annotated[str, Meta(max_length=PROSE_LENGTH_MAX)]
AddressList = Annotated[tuple[Prose, ...], Meta(max_length=ADDRESSES_MAX)]
Time = datetime


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The base of everything that is sent."""


class Ask(Struct, frozen=True, kw_only=True):
    """The base of everything that is received."""


class Nothing(Ask, frozen=True, kw_only=True):
    """A request without a field."""


class SuccessResponse(Answer, frozen=True, kw_only=True):
    """It is done, and there is nothing to show."""

    success: bool


@lru_cache(maxsize=TIMES_KEPT_MAX)
def time_of(time_us: int) -> Time:
    """Return the moment that many microseconds after the Unix epoch; exact until the year 2200."""
    # A double holds seconds of this century to a quarter of a microsecond, and this is four times
    # faster than adding a timedelta: a page of posts has a hundred of them, most of them the same
    # as on the page before.
    return datetime.fromtimestamp(time_us / 1_000_000, UTC)


def maybe_time_of(time_us: int | None) -> Time | None:
    """Return the moment, or nothing where there is none."""
    return None if time_us is None else time_of(time_us)


def fields_of(message: Struct) -> dict[str, Any]:
    """Return the fields of a message by name, without those that were left out."""
    return {name: value for name, value in structs.asdict(message).items() if value is not None}
