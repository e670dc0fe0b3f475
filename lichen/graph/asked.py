"""What a request asks: the values of its query, and its body.

Everything here comes from outside: each value is measured before it is used.
"""

import hmac
import re
from typing import Any, Final, Protocol
from urllib.parse import unquote

import msgspec
import numpy as np

from lichen.graph.errors import ChangesRefused
from lichen.graph.limits import BODY_BYTES_MAX, PAGE_ACTORS, PAGE_ACTORS_MAX
from lichen.graph.names import LETTERS, PLC_LETTERS, Letters
from lichen.kit import Forbidden, Refused, Unauthenticated

NUMBER_DIGITS_MAX: Final = 10  # of a cursor or a limit: int() refuses some thousands
CURSOR_MAX: Final = 2**32 - 1  # numbers of actors have 32 bits

_FIRST_PAIR: Final = re.compile(
    rb'\{"pairs":(?P<space> ?)\[(?P<pair>\["did:plc:(?P<actor>[a-z2-7]{24})"(?P<comma>,(?P=space))'
    rb'"did:plc:(?P<target>[a-z2-7]{24})"\])')
_IS_LETTER: Final = np.isin(np.arange(256), np.frombuffer(LETTERS, np.uint8))

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


def letters_in(body: bytes) -> Letters | None:
    """Return the letters of all names of a batch of which all are did:plc, as clients write it.

    Such a body repeats itself but for the letters, in rows of one length: they are compared with
    the first one, and nothing is parsed, which takes a third of the time. None says: parse it.
    """
    first = _FIRST_PAIR.match(body)
    if first is None or not body.endswith(b"]]}"):
        return None
    comma, start = first["comma"], first.start("pair")
    length = first.end("pair") - start + len(comma)
    content = body[start:-2] + comma
    if len(content) % length:
        return None
    rows = np.frombuffer(content, np.uint8).reshape(-1, length)
    names = [first.start(name) - start for name in ("actor", "target")]
    fixed = np.ones(length, np.bool_)
    for at in names:
        fixed[at : at + PLC_LETTERS] = False
    letters = np.stack([rows[:, at : at + PLC_LETTERS] for at in names], axis=1)
    template = np.frombuffer(content[: length], np.uint8)[fixed]
    is_regular = (rows[:, fixed] == template).all() and _IS_LETTER.take(letters).all()
    return letters.reshape(-1, PLC_LETTERS) if is_regular else None


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
