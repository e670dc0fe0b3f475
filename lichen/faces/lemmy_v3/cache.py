"""Finished answers to strangers, kept as bytes for a moment.

A list that nobody in particular asked for is the same for everybody, so under load it is made once
per moment. Many who ask at once wait for one making (single flight). The moment counts from before
the rows were read, so an answer is never staler than it says. Nothing a person sees because of who
it is may come in here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import NamedTuple

from lichen.kit import Clock

ANSWERS_MAX = 256  # each about 50 kB: 13 MB at most


class _Kept(NamedTuple):
    until_us: int
    answer: asyncio.Task[bytes]


class AnswerCache:
    """Keeps finished answers for `keep_us`; 0 keeps nothing but still makes one at a time."""

    def __init__(self, clock: Clock, *, keep_us: int) -> None:
        self._clock = clock
        self._keep_us = keep_us
        self._kept: dict[Hashable, _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def answer(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the kept answer of a key, or make it; raises what `make` raises."""
        kept = self._kept.get(key)
        if kept is None or kept.until_us <= self._clock():
            kept = self._begin(key, make)
        # The one who asked first may hang up; the others still wait for the same answer.
        return await asyncio.shield(kept.answer)

    def _begin(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> _Kept:
        now_us = self._clock()
        if len(self._kept) >= ANSWERS_MAX:
            self._kept = {
                other: kept for other, kept in self._kept.items() if kept.until_us > now_us
            }
        if len(self._kept) >= ANSWERS_MAX:
            self._kept.clear()

        async def made() -> bytes:
            return await make()

        kept = _Kept(now_us + self._keep_us, asyncio.create_task(made()))
        self._kept[key] = kept
        kept.answer.add_done_callback(lambda done: self._forget_failed(key, done))
        return kept

    def _forget_failed(self, key: Hashable, done: asyncio.Task[bytes]) -> None:
        if not done.cancelled() and done.exception() is None:
            return
        kept = self._kept.get(key)
        if kept is not None and kept.answer is done:
            del self._kept[key]
