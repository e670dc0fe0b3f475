"""What a subscriber asks for: DIDs, collections, languages, sizes and cursors, checked.

Both wires read their parameters with these functions; they differ in names and in how they forgive,
which `subscribing_v1.py` and `subscribing_v2.py` say.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from lichen.kit import Refused
from lichen.stream import limits
from lichen.stream.model import WILDCARD, Filter, Form

# AT Protocol, DID syntax: method in lower case, no `%` or `:` at the end, 2,048 characters.
DID: Final = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]")
DID_LENGTH_MAX: Final = 2_048  # characters; AT Protocol, DID syntax
# AT Protocol, NSID syntax: a domain turned round and a name without hyphens, 317 characters.
NSID: Final = re.compile(
    r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
    r"\.[A-Za-z][A-Za-z0-9]{0,62}")
NSID_LENGTH_MAX: Final = 317  # characters; AT Protocol, NSID syntax
# RFC 5646 §2.1, as far as filters need it: a language and its subtags.
LANG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,8}")
SHOWN_LENGTH_MAX: Final = 80  # characters of what came, in the text of a refusal

TIMES_FROM: Final = 10 ** 15
"""Cursors below are sequences, others µs since 1970: Jetstream's own threshold."""


class Kept(Protocol):
    """What a cursor is measured by: the ends of what a store keeps."""

    @property
    def first_seq(self) -> int:
        """Return the lowest sequence that can be read."""

    @property
    def floor_seq(self) -> int:
        """Return the first sequence that retention has not passed."""

    @property
    def next_seq(self) -> int:
        """Return what the next event gets at least."""

    def seq_at(self, time_us: int) -> int:
        """Return the first sequence not before a time."""


class Cursor(NamedTuple):
    """Where a subscriber begins, and how its cursor was understood.

    `mode` is one of live, seq, time_us, clamped: the words of Jetstream's metric.
    """

    seq: int
    mode: str
    is_future: bool = False
    is_too_old: bool = False
    is_time: bool = False


class Terms(NamedTuple):
    """What a subscriber and this server agreed upon before the first event."""

    wanted: Filter
    form: Form
    cursor: Cursor
    requires_hello: bool = False
    heartbeat_s: int = 0
    greeting: bytes = b""  # a message, as JSON, before all events


def invalid(text: str) -> Refused:
    """Return the refusal of a parameter."""
    return Refused("InvalidRequest", text)


def shown(text: str) -> str:
    """Return what came, cut to what fits into a sentence."""
    return repr(text if len(text) <= SHOWN_LENGTH_MAX else text[:SHOWN_LENGTH_MAX] + "…")


def read_dids(name: str, values: Sequence[str], *, raw_max: int) -> frozenset[str]:
    """Return the DIDs named, without doubles."""
    if len(values) > raw_max:
        raise invalid(f"{name} holds at most {raw_max} values before dedupe, {len(values)} came.")
    found = frozenset(values)
    for did in found:
        if len(did) > DID_LENGTH_MAX or not DID.fullmatch(did):
            raise invalid(f"{name} holds DIDs, as did:plc:…; {shown(did)} is none.")
    if len(found) > limits.DIDS_MAX:
        raise invalid(f"{name} holds at most {limits.DIDS_MAX} DIDs, {len(found)} came.")
    return found


def read_collections(
    name: str, values: Sequence[str], *, raw_max: int, checks_prefixes: bool
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the collections and the prefixes named; a prefix keeps its dot at the end."""
    if len(values) > raw_max:
        raise invalid(f"{name} holds at most {raw_max} values before dedupe, {len(values)} came.")
    found = dict.fromkeys(values)
    prefixes = tuple([one[:-1] for one in found if one.endswith(WILDCARD)])
    collections = frozenset(one for one in found if not one.endswith(WILDCARD))
    bad = [one for one in collections if not is_nsid(one)]
    if checks_prefixes:
        # A prefix is good if some name behind it makes an NSID.
        bad += [prefix + "*" for prefix in prefixes if not is_nsid(prefix + "x")]
    if bad:
        raise invalid(f"{name} holds NSIDs, as app.bsky.feed.post, or prefixes of whole parts, as "
                      f"app.bsky.feed.*; {shown(bad[0])} is neither.")
    if len(found) > limits.COLLECTIONS_MAX:
        raise invalid(f"{name} holds at most {limits.COLLECTIONS_MAX} collections and prefixes, "
                      f"{len(found)} came.")
    return collections, prefixes


def is_nsid(text: str) -> bool:
    """Say whether a text is an NSID, by AT Protocol's syntax."""
    return len(text) <= NSID_LENGTH_MAX and NSID.fullmatch(text) is not None


def read_langs(name: str, values: Sequence[str]) -> frozenset[str]:
    """Return the languages named."""
    if len(values) > limits.LANGS_MAX:
        raise invalid(f"{name} holds at most {limits.LANGS_MAX} languages, {len(values)} came.")
    for lang in values:
        if not LANG.fullmatch(lang):
            raise invalid(f"{name} holds languages, as de or pt-BR; {shown(lang)} is none.")
    return frozenset(values)


def read_message_size(text: str) -> int:
    """Return a bound of bytes; what is empty, garbage, negative or too large is none (v1's way)."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text, re.ASCII):
        return 0
    return clamp_message_size(int(text))


def clamp_message_size(size: int) -> int:
    """Return a bound of bytes, 0 where the number means nothing."""
    return size if 0 <= size <= limits.MESSAGE_SIZE_MAX else 0


def read_flag(name: str, text: str) -> bool:
    """Return whether a flag of ours is set; anything but true and false is refused."""
    if text not in ("", "true", "false"):
        raise invalid(f"{name} is true or false; {shown(text)} came.")
    return text == "true"


def read_heartbeat_s(text: str) -> int:
    """Return the seconds of a heartbeat, 0 for none."""
    if not text:
        return 0
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or int(text) > limits.HEARTBEAT_S_MAX:
        raise invalid(f"heartbeat is a number of seconds, 1 to {limits.HEARTBEAT_S_MAX}, or 0 for "
                      f"none; {shown(text)} came.")
    return int(text)


def read_cursor(text: str, kept: Kept, *, now_us: int) -> Cursor:
    """Return where a cursor leads; inclusive. What is no number is refused."""
    if not text:
        return Cursor(kept.next_seq, "live")
    # Nineteen digits are what 64 bits hold; more is no cursor of anybody's.
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text, re.ASCII):
        raise invalid(f"cursor is a sequence or a time in µs since 1970; {shown(text)} came.")
    number = int(text)
    if number < 0:
        raise invalid(f"cursor is not negative; {shown(text)} came.")
    if number >= TIMES_FROM:
        return _at_time(number, kept, now_us)
    if number > kept.next_seq:
        return Cursor(kept.next_seq, "clamped", is_future=True)
    if number < kept.first_seq:
        # Clients resume from the last event they have: with the one before the floor they have all.
        is_too_old = number < kept.floor_seq - 1
        return Cursor(kept.first_seq, "clamped", is_too_old=is_too_old)
    return Cursor(number, "seq")


def _at_time(time_us: int, kept: Kept, now_us: int) -> Cursor:
    if time_us > now_us:
        return Cursor(kept.next_seq, "clamped", is_future=True, is_time=True)
    seq = kept.seq_at(time_us)
    # Nothing before the first event is kept: whoever asks for an earlier time may have missed some.
    is_too_old = seq <= kept.first_seq < kept.next_seq and kept.seq_at(time_us + 1) == seq
    return Cursor(seq, "clamped" if is_too_old else "time_us", is_too_old=is_too_old, is_time=True)
