"""Applies one batch in one unit of work: looks up, decides, orders, keeps.

    look up ── 1 flush ─► decide ── 0 ─► posts · comments · changes · votes … ── 1 flush a kind ─►
    moderators' acts, one by one ─► what was received, parked, accepted ─► COMMIT ── 1 flush

The kinds go in one fixed order, so that what is created is there before it is changed or voted
on; within a kind the order of arrival is kept. Acts of different kinds on one thing set different
marks, so their order does not matter.
"""

from collections.abc import Sequence
from itertools import islice

from lichen.events import SEVERAL, event_of
from lichen.events.federation import Accepted
from lichen.federation import ingest_rows
from lichen.federation.deciding import Decider
from lichen.federation.decisions import Below
from lichen.federation.known import Arrival, look_up
from lichen.federation.limits import MESSAGES_AT_ONCE_MAX
from lichen.federation.orders import Act, Fate, Orders
from lichen.kit import Refused, TidGenerator
from lichen.store import Unit


class Applying:
    """Applies batches of activities."""

    def __init__(self, below: Below, tids: TidGenerator) -> None:
        self.below = below
        self._tids = tids

    def apply(self, unit: Unit, arrivals: Sequence[Arrival]) -> Orders:
        """Apply a batch in its order, and return what was done: how often what became of it.

        Round trips: one to look up, one for each kind of order there is, those of moderators' acts.
        A refusal by a room below refuses the whole batch: who calls tries it in halves.
        """
        below = self.below
        known = look_up(unit, arrivals, accounts=below.accounts, forum=below.forum,
                        messages=below.messages)
        decider = Decider(unit, below, known)
        for arrival in arrivals:
            decider.decide(arrival)
        orders = decider.orders
        peers = {arrival.peer for arrival in arrivals}
        origin = peers.pop() if len(peers) == 1 else SEVERAL
        with unit.coming_from(origin, origins=orders.origins):
            self._carry_out(unit, orders)
        for act in orders.acts:
            self._do(unit, orders, act)
        self._tell_accepted(unit, orders)
        released = [one.parked_id for one in arrivals if one.parked_id is not None]
        self._keep(unit, orders, released)
        return orders

    def _carry_out(self, unit: Unit, orders: Orders) -> None:
        forum, messages = self.below.forum, self.below.messages
        if orders.followings:
            forum.follow_communities(unit, orders.followings, tell_again=True)
        if orders.answers and (unasked := forum.answer_followings(unit, orders.answers)):
            orders.outcomes["couldnt_find_follow"] += unasked
        if orders.posts:
            forum.create_posts(unit, orders.posts)
        if orders.comments:
            forum.create_comments(unit, orders.comments)
        if orders.post_changes:
            forum.change_posts(unit, orders.post_changes)
        if orders.comment_changes:
            forum.change_comments(unit, orders.comment_changes)
        if orders.votes:
            forum.cast_votes(unit, orders.votes, even_gone=True)
        sent = iter(orders.messages.items())
        while some := dict(islice(sent, MESSAGES_AT_ONCE_MAX)):
            if dropped := messages.receive_messages(unit, some):
                orders.outcomes["message_dropped"] += dropped
        changes = iter(orders.message_changes)
        while few := list(islice(changes, MESSAGES_AT_ONCE_MAX)):
            messages.change_messages(unit, few)

    def _do(self, unit: Unit, orders: Orders, act: Act) -> None:
        """Carry out a command of its own; the rooms refuse before they stage anything."""
        try:
            with unit.coming_from(act.origin):
                act.run(unit)
        except Refused as refusal:
            orders.outcomes[refusal.code] += 1
            orders.fates.append(
                Fate(act.arrival.seq, act.arrival.activity.id, refusal.code, refusal.text))
            return
        if act.community_did:
            orders.accepted.append((act.arrival.seq, act.community_did, act.judges_only))

    def _tell_accepted(self, unit: Unit, orders: Orders) -> None:
        """Tell which activities our communities pass on, in the order in which they came."""
        for seq, did, judges_only in sorted(set(orders.accepted)):
            tid = self._tids.next()
            accepted = Accepted(activity=seq, community=did, judges_only=judges_only)
            unit.emit(event_of(
                accepted, id=tid, did=did, operation="create", rkey=tid, row=seq
            ))

    def _keep(self, unit: Unit, orders: Orders, released: Sequence[int]) -> None:
        """Stage what federation itself remembers of the batch."""
        for kept in orders.follows:
            row = {"person_id": kept.person_id, "community_id": kept.community_id}
            if kept.ap_id is None:
                unit.stage(ingest_rows.DROP_FOLLOW, row)
            else:
                unit.stage(ingest_rows.KEEP_FOLLOW, {**row, "ap_id": kept.ap_id})
        unit.stage(ingest_rows.KEEP, *(
            {"key": key, "at_us": unit.clock_us, "about": orders.about.get(key)}
            for key in orders.received
        ))
        if released:
            unit.stage(ingest_rows.DROP, {"ids": released})
        # What must wait again keeps its number: the numbers are the order.
        fresh = iter(unit.take_numbers(
            "parked", sum(one.arrival.parked_id is None for one in orders.parked)
        ))
        unit.stage(ingest_rows.PARK, *(
            {
                "id": one.arrival.parked_id or next(fresh), "seq": one.arrival.seq,
                "peer": one.arrival.peer,
                "announcer": one.arrival.activity.announcer, "raw": one.arrival.raw.decode(),
                "needs": one.need.ap_id, "kind": one.need.kind, "subject": one.subject,
                "tries": one.arrival.tries, "retry_us": 0,
            }
            for one in orders.parked
        ))
        if orders.came:
            unit.stage(ingest_rows.CAME, {"needed": orders.came})
