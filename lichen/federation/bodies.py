"""The JSON of a request, within limits; what it says is read in activities.py. Pure."""

import json
from typing import Any

import msgspec

from lichen.federation.limits import ACTIVITY_BYTES_MAX, CONTAINERS_MAX, DEPTH_MAX
from lichen.kit import Refused


def decoded(body: bytes) -> dict[str, Any]:
    """Return a JSON object within the limits of size, depth and count, or refuse it."""
    if len(body) > ACTIVITY_BYTES_MAX:
        raise Refused(
            "activity_too_large",
            f"An activity has at most {ACTIVITY_BYTES_MAX} bytes; this one has {len(body)}.",
            status=413,
        )
    if b"\\u0000" in body:
        raise Refused("invalid_json", "No text holds the character NUL.")
    # Openers inside of strings count too: real activities have hundreds.
    openers = body.count(b"{") + body.count(b"[")
    if openers > CONTAINERS_MAX:
        raise Refused("activity_too_complex",
                      f"An activity holds at most {CONTAINERS_MAX} objects and arrays.", status=413)
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Refused("invalid_json", "Expected one JSON object in UTF-8.") from None
    if not isinstance(document, dict):
        raise Refused("invalid_json", "Expected one JSON object.")
    if openers > DEPTH_MAX and is_deeper(document, DEPTH_MAX - 1):
        raise Refused("activity_too_deep", f"An activity nests at most {DEPTH_MAX} levels.")
    return document


def check_keys(body: bytes) -> None:
    """Refuse JSON in which an object has a name twice.

    Parsers take the first or the last of them (RFC 8259 §4). What a community of ours passes on
    goes out as it came, and must not say one thing here and another there.
    """
    json.loads(body, object_pairs_hook=_checked_pairs)


def _checked_pairs(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise Refused("duplicate_keys", "An object of JSON has each name once.")


def is_deeper(value: object, depth_max: int) -> bool:
    """Say whether a value is nested more deeply; level by level, so that nothing can overflow."""
    level: list[object] = [value]
    for _ in range(depth_max + 1):
        level = [
            inner for one in level if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
