"""Moves: who is somebody else's account from now on; both sides have said so before it is kept.

What stands against a person goes with it: bans from the site and blocks are carried to where it
went. What speaks for it, as a seat among moderators, is not.
"""

from collections.abc import Iterable

import msgspec

from lichen.accounts import block_rows, link_rows
from lichen.accounts.limits import BLOCKS_CARRIED_MAX, CAME_FROM_MAX, MOVE_UNDO_US_MAX
from lichen.accounts.model import Actor, Viewer
from lichen.accounts.nouns import actor_from
from lichen.accounts.ties import Ties
from lichen.events import LOCAL, collection_of, deletion_of, event_of
from lichen.events import accounts as records
from lichen.events.accounts import SELF
from lichen.kit import NotFound, Refused, isoformat
from lichen.store import Query, Row, Unit

_MOVE = collection_of(records.Move)
_REASON = "Carried over from @{}@{}, which moved here."


class Move(msgspec.Struct, frozen=True):
    """That a person is another actor from now on, and since when."""

    person_id: int
    target_id: int
    target_ap_id: str
    target_name: str
    target_domain: str
    published_us: int


class Known(msgspec.Struct, frozen=True):
    """What a person's document says beside the profile: other names, and where it went."""

    also_known_as: tuple[str, ...] = ()
    moved_to: str = ""


class Moves(Ties):
    """Keeps who moved where, and carries what goes with them."""

    def moves_among(self, unit: Unit, ids: Iterable[int]) -> dict[int, Move]:
        """Return which of the persons have moved, by person; one round trip."""
        return moves_from(unit.fetch_all(self.moves_query(ids))[0])

    def moves_query(self, ids: Iterable[int]) -> Query:
        """Return the query of `moves_among`, to ride along; see `moves_from`."""
        return link_rows.MOVES, {"ids": list(ids)}

    def moved_query(self, ap_ids: Iterable[str]) -> Query:
        """Return the query for who of these ids has moved, to ride along: person_id."""
        return link_rows.MOVED_OF_IDS, {"ap_ids": list(ap_ids)}

    def came_from(self, unit: Unit, person_id: int) -> list[Actor]:
        """Return who moved to a person; one round trip."""
        return [actor_from(row) for row in unit.fetch(
            link_rows.CAME_FROM, target_id=person_id, limit=CAME_FROM_MAX, now_us=unit.clock_us
        )]

    def known_as(self, unit: Unit, ids: Iterable[int]) -> dict[int, Known]:
        """Return what persons' documents say beside their profiles; one round trip."""
        wanted = list(ids)
        names, moved = unit.fetch_all(
            (link_rows.ALIASES, {"ids": wanted}), self.moves_query(wanted)
        )
        moves = moves_from(moved)
        return {
            id_: Known(
                tuple(row.ap_id for row in names if row.person_id == id_),
                moves[id_].target_ap_id if id_ in moves else "",
            )
            for id_ in wanted
        }

    def keep_move(self, unit: Unit, person: Actor, target: Actor) -> None:
        """Keep that a person moved, which both sides have said, and carry what goes with it.

        Refuses a move to somebody who moved on. Twice is once; six round trips at most.
        """
        moves = self.moves_among(unit, [person.id, target.id])
        if target.id in moves or target.id == person.id:
            raise Refused("moved_on", "That account has moved away itself.")
        if person.id in moves and moves[person.id].target_id == target.id:
            return
        unit.stage(link_rows.KEEP_MOVE, {
            "person_id": person.id, "target_id": target.id, "published_us": unit.clock_us,
        })
        unit.emit(event_of(
            records.Move(target=target.ap_id, created_at=isoformat(unit.clock_us)),
            id=self._ground.tids.next(), did=person.did, operation="create", rkey=SELF,
            row=person.id, origin=LOCAL if person.local else person.domain,
        ))
        if person.local:
            self._stage_profile(unit, person)
        if person.banned and not target.banned and not target.admin:
            self.ban(unit, None, target.id, banned=True, expires_us=person.ban_expires_us,
                     reason=_REASON.format(person.name, person.domain))
        self._carry_blocks(unit, person, target)

    def end_move(self, unit: Unit, person: Actor) -> bool:
        """Note that a person is back, and say whether it was away; two round trips."""
        if not self.moves_among(unit, [person.id]):
            return False
        unit.stage(link_rows.DELETE_MOVE, {"moved_id": person.id})
        unit.emit(deletion_of(
            _MOVE, id=self._ground.tids.next(), did=person.did, rkey=SELF, row=person.id,
            origin=LOCAL if person.local else person.domain,
        ))
        if person.local:
            self._stage_profile(unit, person)
        return True

    def move_back(self, unit: Unit, viewer: Viewer) -> None:
        """Take back the viewer's move, within thirty days; two round trips."""
        move = self.moves_among(unit, [viewer.id]).get(viewer.id)
        if move is None:
            raise NotFound("couldnt_find_object", "This account has not moved.")
        if unit.clock_us - move.published_us > MOVE_UNDO_US_MAX:
            raise Refused("too_late", "A move is taken back within thirty days.")
        self.end_move(unit, viewer.actor)

    def _carry_blocks(self, unit: Unit, person: Actor, target: Actor) -> None:
        """Let whoever blocked a person block where it went; those there are, up to a limit."""
        rows = unit.fetch(
            block_rows.BLOCKERS, target_id=person.id, new_id=target.id, limit=BLOCKS_CARRIED_MAX
        )
        keys = [(row, self._ground.tids.next()) for row in rows]
        unit.stage(block_rows.KEEP_ACTOR_BLOCK, *(
            {"person_id": row.id, "target_id": target.id, "tid": tid} for row, tid in keys
        ))
        unit.emit(*(
            event_of(
                records.Block(kind="person", subject=target.did,
                              created_at=isoformat(unit.clock_us)),
                id=tid, did=row.did, operation="create", rkey=tid, row=target.id,
            )
            for row, tid in keys
        ))


def moves_from(rows: Iterable[Row]) -> dict[int, Move]:
    """Return the moves in the rows of `moves_query`, by person."""
    return {
        row.person_id: Move(row.person_id, row.target_id, row.target_ap_id, row.target_name,
                            row.target_domain, row.published_us)
        for row in rows
    }
