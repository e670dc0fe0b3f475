"""Successors: communities that continue what has ended, and asking who followed that.

    a server is silent ─▶ a page says so ─▶ an administrator, or a moderator of the old community,
    founds a successor ─▶ whoever here follows the old one is asked once ─▶ follows it, or does not
                                 ▲
    another server offers one, or the community itself moved there: `offers` examines it

Nothing of the old community is changed or copied: its posts stay its own, under their own
addresses, and both pages link each other. Nobody is moved who did not say so. A question is not
a row: it is an offer, a subscription and no answer, so that a founding costs the same for one
subscriber and for a million. Where several continue one, all are offered, the oldest first.
"""

from collections.abc import Iterable, Sequence

from lichen.accounts import Accounts, Actor, Viewer, check_admin
from lichen.federation import successor_rows as rows
from lichen.federation.limits import (
    SUCCESSORS_A_DAY_MAX,
    SUCCESSORS_ELSEWHERE_MAX,
    SUCCESSORS_OF_COMMUNITY_MAX,
    SUCCESSORS_SHOWN_MAX,
)
from lichen.federation.peers import Peers
from lichen.federation.succession import (
    Ended,
    Ending,
    Lineage,
    Offer,
    Proof,
    Succession,
    Way,
    described,
    ending_of,
)
from lichen.forum import Community, CommunityDraft, CommunityView, Forum
from lichen.kit import Forbidden, NotFound, Refused, TooMany
from lichen.store import Row, Unit

_DAY_US = 86_400_000_000


class Successors:
    """Says what is gone and who continues it; founds successors; asks who follows the old."""

    def __init__(
        self, forum: Forum, peers: Peers, *, silent_days: int,
        continuing: Iterable[tuple[int, int]] = (),
    ) -> None:
        self._forum = forum
        self._peers = peers
        self._silent_days = silent_days
        # A hint that saves a look at the rows: which communities continue another, and which.
        self._continuing = dict(continuing)

    def succession(self, unit: Unit, viewer: Viewer | None, old: CommunityView) -> Succession:
        """Return where a community stands; no round trip for most of ours, else three at most."""
        community = old.community
        if community.actor.local and community.id not in self._continuing.values():
            return Succession(None, (), may_found=False)
        asked = {"ids": [community.id]}
        declared, ended, found, answers = unit.fetch_all(
            (rows.DECLARED, asked), (rows.ENDED, asked), (rows.OFFERS_OF, asked),
            (rows.ANSWERS, {"person_id": viewer.id if viewer else 0}),
        )
        ending = self._ending(community.actor, declared, ended, now_us=unit.clock_us)
        offers = self._offers(unit, viewer, [
            # What another server says of one that is back is its own affair.
            row for row in found if ending is not None or row.proof != Proof.OFFERED
        ], answers)
        may_found = (
            ending is not None and ending.way is not Way.MOVED
            and _founded(found) < SUCCESSORS_OF_COMMUNITY_MAX
            and viewer is not None and _may_found(viewer, old)
        )
        return Succession(ending, tuple(offers), may_found)

    def ending(self, unit: Unit, old: Actor) -> Ending | None:
        """Return whether a community has ended, as far as is known here; one round trip."""
        asked = {"ids": [old.id]}
        declared, ended = unit.fetch_all((rows.DECLARED, asked), (rows.ENDED, asked))
        return self._ending(old, declared, ended, now_us=unit.clock_us)

    def origin(self, unit: Unit, successor_id: int) -> Offer | None:
        """Return what a community continues; no round trip where it continues nothing."""
        if successor_id not in self._continuing:
            return None
        offers = self._offers(unit, None, unit.fetch(rows.OFFER, successor_id=successor_id), [])
        return offers[0] if offers else None

    def declare(self, unit: Unit, viewer: Viewer, community_id: int, *, gone: bool) -> None:
        """Declare as an administrator that a community elsewhere is gone, or take that back.

        A sign of life of its server ends the declaration too.
        """
        check_admin(viewer)
        community = self._forum.community(unit, viewer, id=community_id).community
        _check_elsewhere(community)
        if not gone:
            unit.stage(rows.DROP_DECLARED, {"community_id": community.id})
            return
        unit.stage(rows.KEEP_DECLARED, {
            "community_id": community.id, "person_id": viewer.id, "at_us": unit.clock_us,
        })
        unit.stage(rows.DUE_NOW, {"community_id": community.id})

    def found(
        self, unit: Unit, viewer: Viewer, community_id: int, *, name: str, title: str = ""
    ) -> Offer:
        """Found a community that continues one whose server is gone; four round trips.

        Refuses by `community_not_gone`, `too_many_successors`, and as any founding does.
        """
        old = self._forum.community(unit, viewer, id=community_id)
        community = old.community
        _check_elsewhere(community)
        if not _may_found(viewer, old):
            raise Forbidden("not_a_moderator", "Only administrators here and moderators of the "
                                               "old community found its successor.")
        asked = {"ids": [community.id]}
        declared, ended, found, today = unit.fetch_all(
            (rows.DECLARED, asked), (rows.ENDED, asked), (rows.OFFERS_OF, asked),
            (rows.FOUNDED_SINCE, {"since_us": unit.clock_us - _DAY_US}),
        )
        _check_founding(
            self._ending(community.actor, declared, ended, now_us=unit.clock_us),
            here=_founded(found), today=today[0].founded,
        )
        made = self._forum.create_community(unit, viewer, name, CommunityDraft(
            title=title or community.actor.shown_name,
            description=described(community.actor, name=community.actor.name),
            nsfw=community.nsfw,
        ))
        unit.stage(rows.INSERT_OFFER, {
            "successor_id": made.community.id, "community_id": community.id,
            "founder_id": viewer.id, "published_us": unit.clock_us, "proof": Proof.FOUNDED,
        })
        self._continuing[made.community.id] = community.id
        # Who founds it follows it, and is not asked.
        self._keep_answer(unit, viewer, made.community.id, accepted=True)
        return Offer(community.actor, made, unit.clock_us, mine=True)

    def take(
        self, unit: Unit, old: Actor, successor: Actor, proof: Proof, *, founder_id: int = 0
    ) -> None:
        """Keep a successor whose proof was examined; twice is once. Two round trips.

        Refuses more than are shown, but for the one that a community itself names.
        """
        found = unit.fetch(rows.OFFERS_OF, ids=[old.id])
        others = [row for row in found if row.successor_id != successor.id]
        if proof is Proof.OFFERED and len(others) - _founded(others) >= SUCCESSORS_ELSEWHERE_MAX:
            raise Refused("too_many_successors", "Enough others continue this community.")
        unit.stage(rows.KEEP_MOVE if proof is Proof.MOVED else rows.KEEP_OFFER, {
            "successor_id": successor.id, "community_id": old.id, "founder_id": founder_id,
            "published_us": unit.clock_us, "proof": proof,
        })
        if proof is Proof.MOVED:
            unit.stage(rows.KEEP_MOVED, {
                "community_id": old.id, "way": Way.MOVED, "since_us": unit.clock_us,
                "seen_us": unit.clock_us,
            })
        self._continuing.setdefault(successor.id, old.id)

    def questions(self, unit: Unit, viewer: Viewer) -> list[Offer]:
        """Return the successors that a viewer is asked about, the oldest first: of what has ended.

        Three round trips, one without any.
        """
        found, answers, followed = unit.fetch_all(
            (rows.OFFERS, {"limit": SUCCESSORS_SHOWN_MAX}),
            (rows.ANSWERS, {"person_id": viewer.id}),
            self._forum.following_query(unit, viewer),
        )
        follows = {one.id for one in self._forum.following_from(followed)}
        answered = {row.successor_id for row in answers}
        open_ = [row for row in reversed(found)
                 if row.community_id in follows and row.successor_id not in answered
                 and row.successor_id not in follows]
        return self._of_ended(unit, self._offers(unit, viewer, open_, []))

    def _of_ended(self, unit: Unit, offers: list[Offer]) -> list[Offer]:
        """Return the offers whose old community has not come back; one round trip."""
        if not offers:
            return []
        asked = {"ids": list({one.old.id for one in offers})}
        declared, ended = unit.fetch_all((rows.DECLARED, asked), (rows.ENDED, asked))
        return [one for one in offers if self._ending(
            one.old, [row for row in declared if row.community_id == one.old.id],
            [row for row in ended if row.community_id == one.old.id], now_us=unit.clock_us,
        ) is not None]

    def answer(self, unit: Unit, viewer: Viewer, successor_id: int, *, accepted: bool) -> None:
        """Keep what a person says to a successor, and follow it where that is yes.

        Nobody is asked twice, and everybody may still change their mind.
        """
        if not unit.fetch(rows.OFFER, successor_id=successor_id):
            raise NotFound("couldnt_find_successor", "No such successor is offered here.")
        if accepted:
            self._forum.subscribe(unit, viewer, successor_id, follow=True)
        self._keep_answer(unit, viewer, successor_id, accepted=accepted)

    def _keep_answer(
        self, unit: Unit, viewer: Viewer, successor_id: int, *, accepted: bool
    ) -> None:
        unit.stage(rows.KEEP_ANSWER, {
            "person_id": viewer.id, "successor_id": successor_id, "accepted": accepted,
            "at_us": unit.clock_us,
        })

    def _ending(
        self, old: Actor, declared: list[Row], ended: list[Row], *, now_us: int
    ) -> Ending | None:
        return ending_of(
            self._peers.known(old.domain), now_us=now_us, silent_days=self._silent_days,
            declared_us=declared[0].at_us if declared else None,
            ended=Ended(Way(ended[0].way), ended[0].since_us, ended[0].seen_us) if ended else None,
        )

    def _offers(
        self, unit: Unit, viewer: Viewer | None, found: list[Row], answers: list[Row]
    ) -> list[Offer]:
        """Return the offers in rows, but for successors that are closed, or of servers that this
        site does not talk to; one round trip.
        """
        if not found:
            return []
        ids = [one for row in found for one in (row.successor_id, row.community_id)]
        views = {view.community.id: view
                 for view in self._forum.community_views(unit, viewer, list(dict.fromkeys(ids)))}
        said = {row.successor_id: row.accepted for row in answers}
        return [
            Offer(views[row.community_id].community.actor, views[row.successor_id],
                  row.published_us, said.get(row.successor_id), Proof(row.proof))
            for row in found
            if row.community_id in views and self._is_open(views.get(row.successor_id))
        ]

    def _is_open(self, view: CommunityView | None) -> bool:
        if view is None or view.community.deleted or view.community.removed:
            return False
        actor = view.community.actor
        return actor.local or self._peers.is_allowed(actor.domain)


def load_continuing(unit: Unit) -> list[tuple[int, int]]:
    """Return which communities continue which; one round trip."""
    return [(row.successor_id, row.community_id)
            for row in unit.fetch(rows.OFFERS, limit=SUCCESSORS_SHOWN_MAX)]


def stage_alive(unit: Unit, community_id: int) -> None:
    """Note that a community says, or shows, that it is where it was."""
    unit.stage(rows.DROP_ENDED, {"lives_id": community_id})
    unit.stage(rows.DROP_MOVED, {"lives_id": community_id})


def lineages_of(unit: Unit, accounts: Accounts, ids: Sequence[int]) -> dict[int, Lineage]:
    """Return what the documents of communities of ours say of others; two round trips, mostly one.
    """
    asked = {"ids": list(ids)}
    founded, left, aliases = unit.fetch_all(
        (rows.FOUNDED, asked), (rows.OFFERS_OF, asked), (rows.ALIASES, asked)
    )
    origins = {row.successor_id: row.community_id for row in founded}
    # The oldest first: the last word counts.
    moved = {row.community_id: row.successor_id for row in left if row.proof == Proof.MOVED}
    others = [*origins.values(), *moved.values()]
    named = accounts.actors(unit, others) if others else {}
    return {
        one: Lineage(
            derived_from=named[origins[one]].ap_id if one in origins else "",
            also_known_as=tuple(row.ap_id for row in aliases if row.community_id == one),
            moved_to=named[moved[one]].ap_id if one in moved else "",
        )
        for one in ids
    }


def _founded(found: list[Row]) -> int:
    return sum(row.proof == Proof.FOUNDED for row in found)


def _check_founding(ending: Ending | None, *, here: int, today: int) -> None:
    if ending is None:
        raise Refused("community_not_gone", "Its server still answers, as far as we know: "
                                            "what lives is not succeeded.")
    if ending.way is Way.MOVED:
        raise Refused("community_not_gone", "It has moved, and says where: follow it there.")
    if here >= SUCCESSORS_OF_COMMUNITY_MAX:
        raise Refused("too_many_successors", "This community is continued here already.")
    if today >= SUCCESSORS_A_DAY_MAX:
        raise TooMany("too_many_successors", f"At most {SUCCESSORS_A_DAY_MAX} successors are "
                                             "founded here in a day.")


def _may_found(viewer: Viewer, old: CommunityView) -> bool:
    return not viewer.actor.banned and (viewer.admin or old.moderates)


def _check_elsewhere(community: Community) -> None:
    if community.actor.local:
        raise Refused("community_is_local", "This community is here: it cannot have gone.")


