"""Erasures: what is asked for and how far it is, as rows; commands over the open unit."""

from collections.abc import Sequence

from lichen.erasing import tables
from lichen.erasing.limits import BATCH_MAX, LISTED_MAX
from lichen.erasing.model import STEPS, Kind, Request, Step, next_step
from lichen.store import Row, Unit


class Erasures:
    """Takes requests in the unit of whoever deletes; the job finds them."""

    def ask(self, unit: Unit, kind: Kind, subject_id: int) -> Request:
        """Ask for something to be erased for good, once this unit is committed.

        Nothing is checked here: who may ask is decided by who calls. Asked twice, it is done twice
        and the second time finds nothing.
        """
        (number,) = unit.take_numbers("erasure")
        asked = Request(
            id=number, kind=kind, subject_id=subject_id, step=STEPS[kind][0], position=0, things=0,
            asked_us=unit.clock_us, done_us=None,
        )
        unit.stage(tables.INSERT, {
            "id": number, "kind": kind.value, "subject_id": subject_id, "step": asked.step.value,
            "position": 0, "things": 0, "asked_us": unit.clock_us, "done_us": None,
        })
        return asked

    def unfinished(self, unit: Unit) -> list[Request]:
        """Return what is still to be done, the oldest first; one round trip."""
        return [_request(row) for row in unit.fetch(tables.OPEN, limit=BATCH_MAX)]

    def newest(self, unit: Unit) -> list[Request]:
        """Return the last requests, the newest first; one round trip."""
        return [_request(row) for row in unit.fetch(tables.NEWEST, limit=LISTED_MAX)]

    def move(self, unit: Unit, request: Request, handled: Sequence[int]) -> Request:
        """Note what a batch has dealt with; an empty batch ends the step."""
        if handled:
            step, position = request.step, max(handled)
        else:
            step, position = next_step(request.kind, request.step), 0
        things = request.things + len(handled)
        unit.stage(tables.MOVE, {
            "row_id": request.id, "new_step": step.value, "new_position": position,
            "new_things": things,
        })
        return Request(
            id=request.id, kind=request.kind, subject_id=request.subject_id, step=step,
            position=position, things=things, asked_us=request.asked_us, done_us=None,
        )

    def move_all(self, unit: Unit, requests: Sequence[Request], step: Step) -> None:
        """Note that requests have come to a step together."""
        unit.stage(tables.MOVE_ALL, {
            "ids": [request.id for request in requests], "new_step": step.value,
            "new_done_us": unit.clock_us if step is Step.DONE else None,
        })


def _request(row: Row) -> Request:
    return Request(
        id=row.id, kind=Kind(row.kind), subject_id=row.subject_id, step=Step(row.step),
        position=row.position, things=row.things, asked_us=row.asked_us, done_us=row.done_us,
    )
