"""Supports: who stands behind a proposal, counted where they fall; and how they hear of its end.

A proposal is locked before it is counted: any number of people at once come to the same count as a
recount. When enough stand behind it, it waits on the moderators, and stays there.
"""

from collections.abc import Sequence

import msgspec

from lichen.accounts import Actor, Viewer
from lichen.events import collection_of, deletion_of, event_of
from lichen.events import moderation as records
from lichen.forum import check_member
from lichen.kit import Forbidden, isoformat
from lichen.moderation import proposal_rows as rows
from lichen.moderation.limits import SUPPORTS_BATCH_MAX, SUPPORTS_TO_QUEUE, TOLD_BATCH_MAX
from lichen.moderation.proposal import DECISIONS, Proposal, ProposalState, Support, check_open
from lichen.moderation.proposals import Proposals, no_such_proposal
from lichen.store import Row, Unit

_SUPPORT = collection_of(records.Support)


class Supports(Proposals):
    """Commands about supports."""

    def support_proposals(self, unit: Unit, supports: Sequence[Support]) -> None:
        """Count a batch of supports in their order; twice is once; two round trips.

        Checks the proposals, not who supports: that is decided by who calls.
        """
        assert len(supports) <= SUPPORTS_BATCH_MAX
        ids = sorted({one.proposal_id for one in supports})
        people = sorted({one.person_id for one in supports})
        # What is read after the locks in the same flush is what nobody can change any more.
        found, known, actors = unit.fetch_all(
            (rows.LOCKED, {"ids": ids}), (rows.SUPPORTS_AMONG, {"ids": ids, "people": people}),
            self._accounts.actors_query(unit, people),
        )
        proposals = {row.id: rows.proposal_from(row) for row in found}
        if len(proposals) < len(ids):
            raise no_such_proposal()
        for proposal in proposals.values():
            check_open(proposal)
        standing = {(row.person_id, row.proposal_id): row for row in known}
        wanted = {(one.person_id, one.proposal_id): one.on for one in supports}
        changed = {pair: on for pair, on in wanted.items() if on != (pair in standing)}
        voices = self._accounts.actors_from(actors)
        for pair, on in sorted(changed.items()):
            self._count(unit, pair, standing.get(pair), voices[pair[0]], on=on)
        for proposal in proposals.values():
            more = sum(1 if on else -1 for (_, key), on in changed.items() if key == proposal.id)
            if more:
                self._tally(unit, proposal, proposal.supports + more)

    def support_proposal(
        self, unit: Unit, viewer: Viewer, proposal_id: int, *, on: bool
    ) -> None:
        """Stand behind somebody's proposal, or no longer; as a member; four round trips."""
        proposal, community, _ = self._locked_proposal(unit, viewer, proposal_id)
        check_member(viewer, community)
        if viewer.id == proposal.creator_id:
            raise Forbidden("own_proposal", "It is yours: others stand behind it.")
        self.support_proposals(unit, [Support(viewer.id, proposal_id, on)])

    def supports_of(
        self, unit: Unit, person_id: int, *, after_id: int, limit: int
    ) -> list[Row]:
        """Return a batch of what a person supports, by `proposal_id`; one round trip."""
        return unit.fetch(rows.SUPPORTS_OF, person_id=person_id, after_id=after_id, limit=limit)

    def tell_supporters(self, unit: Unit, proposal_id: int) -> bool:
        """Tell a batch of supporters what their proposal came to; true where there are more.

        Nobody is told twice: whoever was told is marked in the same unit. Three round trips.
        """
        found, steps, untold = unit.fetch_all(
            (rows.OF_IDS, {"ids": [proposal_id]}), (rows.STEPS, {"ids": [proposal_id]}),
            (rows.UNTOLD, {"id": proposal_id, "limit": TOLD_BATCH_MAX}),
        )
        decisions = [row for row in steps if row.state in DECISIONS]
        if not untold or not decisions or found[0].state not in DECISIONS:
            return False
        step = rows.step_from(decisions[-1])
        ids = [row.person_id for row in untold]
        for person in self._accounts.actors(unit, ids).values():
            self._tell_step(unit, person, step)
        unit.stage(rows.MARK_TOLD, {"row_id": proposal_id, "people": ids})
        return len(untold) == TOLD_BATCH_MAX

    def _count(
        self, unit: Unit, pair: tuple[int, int], before: Row | None, person: Actor, *, on: bool
    ) -> None:
        """Keep a support or drop it, and tell of it."""
        person_id, proposal_id = pair
        if not on:
            assert before is not None, "what is taken back was there"
            unit.stage(rows.DROP_SUPPORT, {"of_person": person_id, "of_proposal": proposal_id})
            unit.emit(deletion_of(
                _SUPPORT, id=self._tids.next(), did=person.did, rkey=before.tid, row=proposal_id
            ))
            return
        tid = self._tids.next()
        unit.stage(rows.KEEP_SUPPORT, {
            "person_id": person_id, "proposal_id": proposal_id, "tid": tid, "told": False,
            "published_us": unit.clock_us,
        })
        record = records.Support(proposal=proposal_id, created_at=isoformat(unit.clock_us))
        unit.emit(event_of(
            record, id=self._tids.next(), did=person.did, operation="create", rkey=tid,
            row=proposal_id,
        ))

    def _tally(self, unit: Unit, proposal: Proposal, supports: int) -> None:
        """Keep a new count; enough of them put the proposal before the moderators, once."""
        queued_us = proposal.queued_us
        if queued_us is None and supports >= SUPPORTS_TO_QUEUE:
            assert proposal.state is ProposalState.OPEN, "what was passed up is in the queue"
            queued_us = unit.clock_us
            self._queue_proposal(unit, msgspec.structs.replace(proposal, supports=supports))
        unit.stage(rows.COUNT, {
            "row_id": proposal.id, "new_supports": supports, "new_queued_us": queued_us,
        })
