"""What waits for something elsewhere: looked for, then applied in its order, or given up.

    parked rows ─► what is due, by what they need ─► resolver: actors together, things one by one
                      found  ─► all that wait for it, applied as one batch, their rows gone with it
                      gone   ─► given up, counted
                      away   ─► again later: 2, 8, 32 … minutes

A slow fetch delays those alone that need it: the reader of the inbox never waits here.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Literal, Protocol

from lichen.federation import ingest_rows as rows
from lichen.federation.ingest import Ingest, arrival_of
from lichen.federation.limits import (
    PARKED_AT_ONCE_MAX,
    PARKED_LOOK_S,
    PARKED_RELEASE_MAX,
    PARKED_RETRY_US_MIN,
    PARKED_TRIES_MAX,
)
from lichen.federation.looking import keep_looking
from lichen.kit import Refused, Unavailable
from lichen.kit.crash_points import crash_point
from lichen.store import Row, Store, Unit

Found = Literal["found", "gone", "away"]


class Finding(Protocol):
    """Who finds what an id names, here or elsewhere; see resolving.py."""

    async def actors(self, ap_ids: Iterable[str]) -> Mapping[str, object]:
        """Return actors by id, fetched and stored where they are not known."""

    async def thing(self, ap_id: str) -> object | None:
        """Return what an id names, fetched and stored with what stands above it."""


class Waiting:
    """Looks for what parked activities need."""

    def __init__(self, store: Store, ingest: Ingest, resolver: Finding) -> None:
        self._store = store
        self._ingest = ingest
        self._resolver = resolver
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look again at once: something was parked."""
        self._wake.set()

    async def run(self) -> None:
        """Look for ever; a failing database is waited for."""
        await keep_looking(self.look, self._wake, every_s=PARKED_LOOK_S, what="parked")

    async def look(self) -> bool:
        """Look for what is due now; say whether there was anything."""
        due = await self._store.read(
            lambda unit: unit.fetch(rows.DUE, now_us=unit.clock_us, limit=PARKED_AT_ONCE_MAX),
            apart=True,
        )
        found = await self._found(due)
        for row in due:
            match found[row.needs]:
                case "found":
                    await self._release(row.needs)
                case "away" if row.tries + 1 < PARKED_TRIES_MAX:
                    await self._later(row)
                case _:
                    await self._give_up(row)
        return bool(due)

    async def _found(self, due: Sequence[Row]) -> dict[str, Found]:
        """Return what became of everything that is needed; all are looked for at once."""
        actors = [row.needs for row in due if row.kind == "actor"]
        things = [row.needs for row in due if row.kind == "thing"]
        people, others = await asyncio.gather(
            self._found_actors(actors), asyncio.gather(*map(self._found_thing, things))
        )
        return people | dict(zip(things, others, strict=True))

    async def _found_actors(self, ap_ids: Sequence[str]) -> dict[str, Found]:
        if not ap_ids:
            return {}
        found: Mapping[str, object] = {}
        with suppress(Refused, Unavailable):
            found = await self._resolver.actors(ap_ids)
        return {one: "found" if one in found else "away" for one in ap_ids}

    async def _found_thing(self, ap_id: str) -> Found:
        try:
            found = await self._resolver.thing(ap_id)
        except Refused:
            return "gone"
        except Unavailable:
            return "away"
        return "away" if found is None else "found"

    async def _release(self, needed: str) -> None:
        """Apply everything that waited for something, in its order."""
        waiting = await self._store.read(
            lambda unit: unit.fetch(rows.WAITING_FOR, needed=needed, limit=PARKED_RELEASE_MAX),
            apart=True,
        )
        again = [row for row in waiting if row.tries + 1 < PARKED_TRIES_MAX]
        given_up = [row for row in waiting if row.tries + 1 >= PARKED_TRIES_MAX]
        tired = [row.id for row in given_up]
        self._ingest.give_up([int(row.seq) for row in given_up], needed)
        crash_point("parked.before_release")
        await self._ingest.apply_parked(
            [arrival_of(row) for row in again], lambda unit: unit.stage(rows.DROP, {"ids": tired})
        )
        crash_point("parked.after_release")

    async def _later(self, row: Row) -> None:
        tries = row.tries + 1
        wait_us = PARKED_RETRY_US_MIN * 4 ** (tries - 1)

        def command(unit: Unit) -> None:
            unit.stage(rows.LATER, {
                "needed": row.needs, "more_tries": tries, "later_us": unit.clock_us + wait_us,
                "floor_us": _floor_us(row),
            })

        await self._store.write(command, apart=True)

    async def _give_up(self, row: Row) -> None:
        dropped = await self._store.write(lambda unit: unit.fetch(
            rows.DROP_ALL_OF, needed=row.needs, floor_us=_floor_us(row)
        ), apart=True)
        self._ingest.give_up([int(one.seq) for one in dropped], row.needs)


def _floor_us(row: Row) -> int:
    """Return from when on rows are those that were looked for, and not found."""
    return min(0, int(row.since_us))
