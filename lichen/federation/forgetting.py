"""Forgetting: words that were erased leave the logs of federation, too.

Both logs hold whole documents. A record goes where it quotes something that is erased, or something
that somebody erased wrote; what only names them (a vote, the Delete itself) has no words and stays,
so that peers who are behind still hear that it is gone.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from lichen.log import Log

_WORDS = ("content", "name", "summary", "source", "preferredUsername")


class Forgetting:
    """Erases what quotes things or people, by their ActivityPub ids, from some logs."""

    def __init__(self, logs: Sequence[Log]) -> None:
        self._logs = logs

    async def erase(self, ids: Collection[str]) -> int:
        """Erase every record that quotes one of them; return how many. Reads the logs whole."""
        count = 0
        for log in self._logs:
            found = await asyncio.to_thread(_quoting, log, frozenset(ids))
            if found:
                await log.erase(found)
            count += len(found)
        return count


def quotes(document: Any, ids: Collection[str]) -> bool:
    """Say whether a document holds the words of one of these things or people; pure."""
    if isinstance(document, list):
        return any(quotes(one, ids) for one in document)
    if not isinstance(document, dict):
        return False
    named = (_id_of(document.get("id")), _id_of(document.get("attributedTo")))
    if any(document.get(name) for name in _WORDS) and any(one in ids for one in named):
        return True
    return any(quotes(value, ids) for value in document.values() if isinstance(value, dict | list))


def _id_of(value: Any) -> Any:
    """Return the id of an attribution: a string, an object, or the first of an array."""
    if isinstance(value, list):
        value = value[0] if value else None
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else None


def _quoting(log: Log, ids: frozenset[str]) -> list[int]:
    needles = [msgspec.json.encode(one) for one in ids]
    found: list[int] = []
    next_seq = max(1, log.first_seq)
    while True:
        batch = log.read(next_seq)
        for entry in batch.entries():
            # A document is only taken apart where the id stands in it at all.
            if any(needle in entry.payload for needle in needles) and quotes(
                msgspec.json.decode(entry.payload), ids
            ):
                found.append(entry.seq)
        if batch.next_seq <= next_seq or batch.next_seq > log.last_seq:
            return found
        next_seq = batch.next_seq
