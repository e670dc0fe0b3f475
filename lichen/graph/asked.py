"""What a request asks: the values of its query, and its body.

Everything here comes from outside: each value is measured before it is used.
"""

import hmac
from typing import Any, Final, Protocol
from urllib.parse import unquote

import msgspec

from lichen.graph.errors import ChangesRefused
from lichen.graph.limits import BODY_BYTES_MAX, PAGE_ACTORS, PAGE_ACTORS_MAX
from lichen.kit import Forbidden, Refused, Unauthenticated

NUMBER_DIGITS_MAX: Final = 10  # of a cursor or a limit: int() refuses some thousands
CURSOR_MAX: Final = 2**32 - 1  # numbers of actors have 32 bits

Query = list[tuple[str, str]]


class Scope(Protocol):
    """What RSGI says of a request."""

    method: str
    path: str
    query_string: str
    headers: Any


class Pair(msgspec.Struct):
    """Who is to follow whom."""

    actor_did: str
    target_did: str


class Follows(msgspec.Struct):
    """Many who are to follow."""

    follows: list[Pair]


class Unfollows(msgspec.Struct):
    """Many who are to follow no longer."""

    unfollows: list[Pair]


class Asked(msgspec.Struct):
    """Pairs of actors and targets to be looked up."""

    pairs: list[tuple[str, str]]


def parsed(query: str) -> Query:
    """Return the pairs of a query; values are percent-decoded once, and `:` may stand raw.

    The `%3A` inside a did:web is sent as `%253A`. A plus sign stays one: no DID has a space.
    """
    parts = [part.partition("=")[::2] for part in query.split("&")]
    if "%" not in query:
        return parts
    return [(key, unquote(value)) for key, value in parts]


def value_of(query: Query, key: str) -> str:
    """Return the first value of a key; raises ChangesRefused without one."""
    for name, value in query:
        if name == key and value:
            return value
    raise ChangesRefused(f"Expected {key}= in the query, got none.")


def limit_of(query: Query) -> int:
    """Return how many are asked for; raises ChangesRefused."""
    limit = _number_of(query, "limit")
    if limit is None:
        return PAGE_ACTORS
    if not 1 <= limit <= PAGE_ACTORS_MAX:
        raise ChangesRefused(f"Expected a limit of 1 to {PAGE_ACTORS_MAX}, got {limit}.")
    return limit


def cursor_of(query: Query) -> int | None:
    """Return the number after which a page begins; raises ChangesRefused."""
    cursor = _number_of(query, "cursor")
    return None if cursor is None else min(cursor, CURSOR_MAX)


def _number_of(query: Query, key: str) -> int | None:
    value = next((value for name, value in query if name == key), None)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= NUMBER_DIGITS_MAX):
        raise ChangesRefused(f"Expected {key}= with a number of at most {NUMBER_DIGITS_MAX} digits,"
                             f" got {value[:40]!r}.")
    return int(value)


def check_key(scope: Scope, key: str) -> None:
    """Ask for the key where one is set; raises Unauthenticated."""
    given = scope.headers.get("authorization") or ""
    if key and not hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
        raise Unauthenticated("key_needed", "Expected the key as `Authorization: Bearer …`.")


def check_body(scope: Scope, key: str) -> None:
    """Look at what stands before a body; raises Refused."""
    # Fetch §3.1: browsers send Origin with every POST. Without a key, a page that somebody on this
    # machine looks at could change the graph.
    if not key and scope.headers.get("origin"):
        raise Forbidden("key_needed", "Expected no Origin: where no key is set, browsers may not "
                        "change the graph. Set one with --key.")
    length = scope.headers.get("content-length") or ""
    if not (length.isascii() and length.isdigit()):
        raise Refused("length_needed", "Expected a body with its Content-Length, got none.",
                      status=411)
    if len(length) > NUMBER_DIGITS_MAX or int(length) > BODY_BYTES_MAX:
        raise Refused("body_too_large", f"Expected a body of at most {BODY_BYTES_MAX} bytes, got "
                      f"{length[:20]}.", status=413)
