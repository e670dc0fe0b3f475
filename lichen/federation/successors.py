"""Successors: communities of ours that continue what has ended with another server.

    a server is silent ─▶ a page says so ─▶ an administrator, or a moderator of the old community,
    founds a successor ─▶ whoever here follows the old one is asked once ─▶ follows it, or does not

Nothing of the old community is changed or copied: its posts stay its own, under their own
addresses, and both pages link each other. Nobody is moved who did not say so. A question is not
a row: it is an offer, a subscription and no answer, so that a founding costs the same for one
subscriber and for a million. Offers from other servers are not read yet, and ours are not sent.
"""

from collections.abc import Iterable

from lichen.accounts import Viewer, check_admin
from lichen.federation import successor_rows as rows
from lichen.federation.limits import (
    SUCCESSORS_A_DAY_MAX,
    SUCCESSORS_OF_COMMUNITY_MAX,
    SUCCESSORS_SHOWN_MAX,
)
from lichen.federation.peers import Peers
from lichen.federation.succession import Ending, Offer, Succession, described, ending_of
from lichen.forum import Community, CommunityDraft, CommunityView, Forum
from lichen.kit import Forbidden, NotFound, Refused, TooMany
from lichen.store import Row, Unit

_DAY_US = 86_400_000_000


class Successors:
    """Says what is gone and who continues it; founds successors; asks who follows the old."""

    def __init__(
        self, forum: Forum, peers: Peers, *, silent_days: int,
        continuing: Iterable[int] = (),
    ) -> None:
        self._forum = forum
        self._peers = peers
        self._silent_days = silent_days
        # A hint that saves a look at the rows: which communities of ours continue another.
        self._continuing = set(continuing)

    def succession(self, unit: Unit, viewer: Viewer | None, old: CommunityView) -> Succession:
        """Return where a community stands; no round trip for one of ours, else three at most."""
        community = old.community
        if community.actor.local:
            return Succession(None, (), may_found=False)
        asked = {"ids": [community.id]}
        declared, found, answers = unit.fetch_all(
            (rows.DECLARED, asked), (rows.OFFERS_OF, asked),
            (rows.ANSWERS, {"person_id": viewer.id if viewer else 0}),
        )
        ending = self._ending(community, declared, now_us=unit.clock_us)
        offers = self._offers(unit, viewer, found, answers)
        may_found = ending is not None and len(found) < SUCCESSORS_OF_COMMUNITY_MAX and (
            viewer is not None and _may_found(viewer, old)
        )
        return Succession(ending, tuple(offers), may_found)

    def origin(self, unit: Unit, successor_id: int) -> CommunityView | None:
        """Return the community that one of ours continues; no round trip where it is none."""
        if successor_id not in self._continuing:
            return None
        found = unit.fetch(rows.OFFER, successor_id=successor_id)
        views = self._forum.community_views(unit, None, [row.community_id for row in found])
        return views[0] if views else None

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
        declared, found, today = unit.fetch_all(
            (rows.DECLARED, asked), (rows.OFFERS_OF, asked),
            (rows.FOUNDED_SINCE, {"since_us": unit.clock_us - _DAY_US}),
        )
        ending = self._ending(community, declared, now_us=unit.clock_us)
        if ending is None:
            raise Refused("community_not_gone", "Its server still answers, as far as we know: "
                                                "what lives is not succeeded.")
        if len(found) >= SUCCESSORS_OF_COMMUNITY_MAX:
            raise Refused("too_many_successors", "This community is continued here already.")
        if today[0].founded >= SUCCESSORS_A_DAY_MAX:
            raise TooMany("too_many_successors", f"At most {SUCCESSORS_A_DAY_MAX} successors are "
                                                 "founded here in a day.")
        made = self._forum.create_community(unit, viewer, name, CommunityDraft(
            title=title or community.actor.shown_name,
            description=described(community.actor, name=community.actor.name),
            nsfw=community.nsfw,
        ))
        unit.stage(rows.INSERT_OFFER, {
            "successor_id": made.community.id, "community_id": community.id,
            "founder_id": viewer.id, "published_us": unit.clock_us,
        })
        self._continuing.add(made.community.id)
        # Who founds it follows it, and is not asked.
        self._keep_answer(unit, viewer, made.community.id, accepted=True)
        return Offer(community.actor, made, unit.clock_us, mine=True)

    def questions(self, unit: Unit, viewer: Viewer) -> list[Offer]:
        """Return the successors that a viewer is asked about; two round trips, one without any."""
        found, answers, followed = unit.fetch_all(
            (rows.OFFERS, {"limit": SUCCESSORS_SHOWN_MAX}),
            (rows.ANSWERS, {"person_id": viewer.id}),
            self._forum.following_query(unit, viewer),
        )
        follows = {one.id for one in self._forum.following_from(followed)}
        answered = {row.successor_id for row in answers}
        open_ = [row for row in found
                 if row.community_id in follows and row.successor_id not in answered
                 and row.successor_id not in follows]
        return self._offers(unit, viewer, open_, [])

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
        self, community: Community, declared: list[Row], *, now_us: int
    ) -> Ending | None:
        peer = self._peers.known(community.actor.domain or "")
        at_us = declared[0].at_us if declared else None
        return ending_of(peer, declared_us=at_us, now_us=now_us, silent_days=self._silent_days)

    def _offers(
        self, unit: Unit, viewer: Viewer | None, found: list[Row], answers: list[Row]
    ) -> list[Offer]:
        """Return the offers in rows, but for successors that are closed; one round trip."""
        if not found:
            return []
        ids = [one for row in found for one in (row.successor_id, row.community_id)]
        views = {view.community.id: view
                 for view in self._forum.community_views(unit, viewer, list(dict.fromkeys(ids)))}
        said = {row.successor_id: row.accepted for row in answers}
        return [
            Offer(views[row.community_id].community.actor, views[row.successor_id],
                  row.published_us, said.get(row.successor_id))
            for row in found
            if row.community_id in views and _is_open(views.get(row.successor_id))
        ]


def load_continuing(unit: Unit) -> list[int]:
    """Return which communities of ours continue another; one round trip."""
    return [row.successor_id for row in unit.fetch(rows.OFFERS, limit=SUCCESSORS_SHOWN_MAX)]


def _is_open(view: CommunityView | None) -> bool:
    return view is not None and not (view.community.deleted or view.community.removed)


def _may_found(viewer: Viewer, old: CommunityView) -> bool:
    return not viewer.actor.banned and (viewer.admin or old.moderates)


def _check_elsewhere(community: Community) -> None:
    if community.actor.local:
        raise Refused("community_is_local", "This community is here: it cannot have gone.")


