"""Events with everything personal replaced: what a dictionary may be trained from.

A dictionary is handed to everybody and kept for years, so nothing that a person wrote or is may
stand in it. What stays: keys, names of lexicons, and the shape of every value. What is replaced:

    texts                        words of a fixed list, of about the same length
    DIDs, CIDs, handles          random ones of the same method, codec and host
    TIDs and times               moved by up to 15 days, all of one event by the same span
    addresses                    https:// and words; at:// part by part
    numbers                      random ones with as many digits

A key or a name can be personal too: who invents a lexicon may name it after somebody. Events whose
keys and names are not all in use by `TRAINING_ACTORS_MIN` actors are left out.
"""

import random
import re
from collections.abc import Iterable
from itertools import accumulate
from typing import Final, NamedTuple

from lichen.kit.clock import from_isoformat, isoformat
from lichen.kit.ids import encode_tid, is_tid, time_us_of_tid
from lichen.stream.limits import TRAINING_ACTORS_MIN, TRAINING_DEPTH_MAX

Json = object  # what a decoder of JSON returns; looked at part by part


class Plain(NamedTuple):
    """An event with its body decoded."""

    did: str
    kind: str
    body: dict[str, Json]


class TooDeep(Exception):
    """A record has more levels than anybody looks at."""


# What lexicons allow in places where they allow a few words only; nobody's own.
_WORDS_OF_LEXICONS: Final = frozenset((
    "create", "update", "delete", "self", "all", "none", "following", "mention", "public", "porn",
    "sexual", "nudity", "graphic-media", "blob", "!no-unauthenticated", "deactivated", "takendown",
    "suspended", "deleted", "image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4"))
_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_CID: Final = re.compile(r"(baf[yk]rei)[a-z2-7]{52}")
_NAME: Final = re.compile(r"[a-z][a-zA-Z0-9-]*(?:\.[a-zA-Z0-9-]+){2,}(?:#[a-zA-Z]+)?")
_HOST: Final = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}")
_LANG: Final = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?")
_BIG_HOST: Final = ".bsky.social"  # where most handles are; it names nobody
_MOVED_US_MAX: Final = 15 * 86_400 * 1_000_000


def names_in_use(events: Iterable[Plain]) -> frozenset[str]:
    """Return the keys and the names of lexicons that enough actors use."""
    users: dict[str, set[str]] = {}
    for event in events:
        for name in _names_of(event.body):
            known = users.setdefault(name, set())
            if len(known) < TRAINING_ACTORS_MIN:
                known.add(event.did)
    return frozenset(name for name, dids in users.items() if len(dids) >= TRAINING_ACTORS_MIN)


def _told_us(body: dict[str, Json]) -> int:
    """Return when an event says it was; 0 when it does not say."""
    rev = body.get("rev")
    return time_us_of_tid(rev) if isinstance(rev, str) and is_tid(rev) else 0


def _names_of(value: Json, key: str = "", depth: int = 0) -> set[str]:
    """Return all keys and names below a value, but for what lies too deep."""
    if depth > TRAINING_DEPTH_MAX:
        return set()
    found: set[str] = set()
    match value:
        case dict():
            found.update(value)
            for inner_key, inner in value.items():
                found |= _names_of(inner, inner_key, depth + 1)
        case list():
            for inner in value:
                found |= _names_of(inner, key, depth + 1)
        case str() if _is_name(value, key):
            found.add(value)
    return found


def _is_name(value: str, key: str) -> bool:
    # Lexicon, "NSID": three parts at least. Elsewhere a handle looks the same, but has no `#`.
    return (key in ("$type", "collection") or "#" in value) and bool(_NAME.fullmatch(value))


class Replacing:
    """Replaces what is personal, event by event; the same seed replaces in the same way."""

    def __init__(self, chance: random.Random, words: list[str], names: frozenset[str]) -> None:
        self._chance, self._words, self._names = chance, words, names
        # Zipf: the list begins with the most frequent.
        self._sums = list(accumulate(1 / (rank + 2.7) for rank in range(len(words))))
        self._same: dict[str, str] = {}
        self._moved_us = self._told_us = 0

    def event(self, event: Plain) -> Plain | None:
        """Return an event like this one about nobody; None when it has a name that few use."""
        self._same.clear()
        self._moved_us = self._chance.randint(-_MOVED_US_MAX, _MOVED_US_MAX)
        if not _names_of(event.body) <= self._names:
            return None
        try:
            body = self._replaced(event.body, "", 0)
        except TooDeep:
            return None
        assert isinstance(body, dict)
        self._told_us = _told_us(body) or self._told_us
        return Plain(self._identifier(event.did), event.kind, body)

    def time_us(self) -> int:
        """Return a moment near the one that the last event told of, after it was moved."""
        return self._told_us + self._chance.randrange(5_000_000)

    def _replaced(self, value: Json, key: str, depth: int) -> Json:
        if depth > TRAINING_DEPTH_MAX:
            raise TooDeep
        match value:
            case dict():
                return {inner_key: self._replaced(inner, inner_key, depth + 1)
                        for inner_key, inner in value.items()}
            case list():
                return [self._replaced(inner, key, depth + 1) for inner in value]
            case bool() | None:
                return value
            case int():
                digits = len(str(abs(value)))
                return self._chance.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits)
            case str():
                # One thing named twice in an event is one thing afterwards.
                if value not in self._same:
                    self._same[value] = self._string(value, key)
                return self._same[value]
        return self._chance.random()

    def _string(self, value: str, key: str) -> str:
        if not value or value in _WORDS_OF_LEXICONS or (
                _is_name(value, key) and value in self._names):
            return value
        if key == "langs" and _LANG.fullmatch(value):
            return value
        found = self._identifier(value) or self._address(value)
        return found or self._text(len(value))

    def _identifier(self, value: str) -> str:
        """Return another identifier of the same sort; nothing for what is none."""
        if value.startswith("did:plc:"):
            return "did:plc:" + self._base32(24)
        if value.startswith("did:"):
            method = "web" if value.startswith("did:web:") else "key"
            return f"did:{method}:{self._word()}.example:u:{self._word()}"
        if cid := _CID.fullmatch(value):
            return cid[1] + self._base32(52)
        if is_tid(value):
            time_us = (time_us_of_tid(value) + self._moved_us) % (1 << 53)
            return encode_tid(time_us, self._chance.randrange(1_024))
        return self._time(value) if _TIME.fullmatch(value) else ""

    def _time(self, value: str) -> str:
        """Return another moment, written in the same way."""
        shape = _TIME.fullmatch(value)
        assert shape is not None
        try:
            time_us = from_isoformat(value[:19] + "Z") + self._moved_us
            text = isoformat(time_us + self._chance.randrange(1_000_000))
        except (ValueError, OverflowError):  # the 31st of February, the year 0 or 9999
            text = isoformat(self.time_us())
        digits = len(shape[1] or "")
        fraction = text[19:20 + digits].ljust(digits + 1, "0") if digits else ""
        return text[:19] + fraction + shape[2]

    def _address(self, value: str) -> str:
        """Return another address of about the same length; nothing for what is none."""
        if value.startswith("at://"):
            parts = value[5:].split("/")[:3]
            keys = ("did", "collection", "rkey")
            return "at://" + "/".join(map(self._string, parts, keys))
        if value.startswith(("https://", "http://")):
            scheme = value[: value.index("//") + 2]
            rest = "/".join(self._word() for _ in range(1 + len(value) // 12))
            return f"{scheme}www.{self._word()}.example/{rest}"[:max(len(value), 30)]
        if len(value) < 100 and _HOST.fullmatch(value):
            return self._word() + (_BIG_HOST if value.endswith(_BIG_HOST) else ".example")
        return ""

    def _text(self, characters: int) -> str:
        words, length = [], 0
        while length < characters:
            words.append(self._word())
            length += len(words[-1]) + 1
        return " ".join(words)[:characters]

    def _word(self) -> str:
        return self._chance.choices(self._words, cum_weights=self._sums)[0]

    def _base32(self, characters: int) -> str:
        return "".join(self._chance.choices(_BASE32, k=characters))
