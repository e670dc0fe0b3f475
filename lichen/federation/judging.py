"""What remote moderators decide, and what people report: one command each, for they are rare."""

from functools import partial

from lichen.accounts import Actor, ActorKind
from lichen.federation.activities import (
    Blocking,
    Deletion,
    Flagging,
    Locking,
    Resolving,
    Seating,
)
from lichen.federation.authorities import (
    check_closing,
    check_passed_on,
    check_site,
    judge_of,
    judge_of_report,
    viewer_of,
)
from lichen.federation.decisions import Decisions, Spot, Waits
from lichen.federation.known import Arrival, Need
from lichen.federation.model import authority_of
from lichen.forum import CommunityPlace, SubjectKind
from lichen.kit import Forbidden, NotFound, Refused
from lichen.moderation import BanOrder, ReportKind, Seat, Sweep, Why


class Judging(Decisions):
    """Decides acts of moderators and reports."""

    def _removal(self, arrival: Arrival, act: Deletion, spot: Spot) -> None:
        """Have something removed by a moderator, or brought back."""
        judge = judge_of(act, self._known, self._person(arrival), spot.community)
        moderation, why = self._below.moderation, _why(act.reason)
        remove = (moderation.remove_post if spot.kind is SubjectKind.POST
                  else moderation.remove_comment)
        self._act(arrival, lambda unit: remove(unit, judge, spot.id, removed=act.deleted, why=why),
                  spot.community)

    def _close(self, arrival: Arrival, act: Deletion, group: Actor) -> None:
        """Note that a community elsewhere is closed or open again, as its own server says."""
        check_closing(act, group)
        self._act(arrival, partial(
            self._below.forum.close_communities, closed={group.id: act.deleted}
        ))

    def _lock(self, arrival: Arrival, act: Locking) -> None:
        spot = self._spot_or_wait(act, act.object)
        if spot.kind is not SubjectKind.POST:
            # todo Lemmy §1.0: single comments are not locked here
            raise Refused("not_a_post", "Posts alone are locked here.")
        judge = judge_of(act, self._known, self._person(arrival), spot.community)
        self._act(arrival, partial(
            self._below.moderation.lock_post, viewer=judge, post_id=spot.id, locked=act.locked,
            why=_why(act.reason),
        ), spot.community)
        place = self._known.places.posts[act.object]
        self._known.places.posts[act.object] = place._replace(locked=act.locked)

    def _seat(self, arrival: Arrival, act: Seating) -> None:
        """Pin a post, or appoint a moderator, or the opposite."""
        community = self._owner_of(act)
        judge = judge_of(act, self._known, self._person(arrival), community)
        moderation = self._below.moderation
        if act.kind == "featured":
            spot = self._spot_or_wait(act, act.object)
            if spot.kind is not SubjectKind.POST or spot.community.id != community.id:
                raise Forbidden("not_its_community", "A community pins its own posts.")
            self._act(arrival, partial(
                moderation.feature_post, viewer=judge, post_id=spot.id, featured=act.added
            ), community)
            return
        person = self._known.actors.get(act.object)
        if person is None:
            raise Waits(Need(act.object, "actor"))
        if person.kind is not ActorKind.PERSON:
            raise Refused("not_a_person", "People alone moderate.")
        self._act(arrival, partial(
            moderation.add_moderator, viewer=judge, seat=Seat(community.id, person.id),
            added=act.added,
        ), community)
        pair = (community.id, person.id)
        (self._known.places.seats.add if act.added else self._known.places.seats.discard)(pair)

    def _block(self, arrival: Arrival, act: Blocking) -> None:
        """Ban somebody from a community, or by its own server from everywhere, or the opposite."""
        target = self._known.actors.get(act.target)
        banned = self._known.actors.get(act.object)
        if act.expires_us is not None and act.blocked and act.expires_us <= self._unit.clock_us:
            raise Refused("ban_expiration_in_past", "A ban ends in the future.")
        if target is not None and target.kind is ActorKind.COMMUNITY:
            community = self._community(target)
            judge = judge_of(act, self._known, self._person(arrival), community)
            if banned is None:
                raise Waits(Need(act.object, "actor"))
            self._act(arrival, partial(
                self._below.moderation.ban, viewer=judge,
                order=_ban_order(act, banned, community.id), why=_why(act.reason),
            ), community)
            bans = self._known.places.bans
            (bans.add if act.blocked else bans.discard)((community.id, banned.id))
            return
        check_site(act, target=act.target, person_id=act.object)
        if banned is None:
            raise NotFound("couldnt_find_person", "Nobody here knows that person.")
        if self._known.actors.get(act.actor) is None:
            raise Waits(Need(act.actor, "actor"))
        judge = viewer_of(self._known.actors[act.actor], admin=True)
        self._act(arrival, partial(
            self._below.moderation.ban, viewer=judge, order=_ban_order(act, banned, None),
            why=_why(act.reason),
        ))

    def _flag(self, arrival: Arrival, act: Flagging) -> None:
        """Hand a report to whoever moderates here."""
        spots = [spot for id in act.objects if (spot := self._spot(id)) is not None]
        if not spots:
            # Mastodon names the author first; of people nobody here keeps reports.
            words = [id for id in act.objects if id not in self._known.actors]
            spots = [self._spot_or_wait(act, words[0] if words else "")]
        reporter = viewer_of(self._person(arrival))
        moderation, reason = self._below.moderation, act.reason or "…"
        for spot in spots:
            check_passed_on(act, self._known, spot.community.id)
        for spot in spots:
            self._act(arrival, partial(
                moderation.report_post, viewer=reporter, post_id=spot.id, reason=reason
            ) if spot.kind is SubjectKind.POST else partial(
                moderation.report_comment, viewer=reporter, comment_id=spot.id, reason=reason
            ), spot.community, judges_only=True)

    def _resolve(self, arrival: Arrival, act: Resolving) -> None:
        """Mark somebody's report as dealt with by who moderates there, or open it again."""
        spot = self._spot_or_wait(act, act.object)
        judge = judge_of_report(act, self._known, self._person(arrival), spot.community)
        reporter = self._known.actors.get(act.reporter)
        if reporter is None and authority_of(act.reporter) != self._below.own_authority:
            raise Waits(Need(act.reporter, "actor"))
        if reporter is None or reporter.kind is not ActorKind.PERSON:
            raise NotFound("couldnt_find_person", "Nobody here knows who reported that.")
        kind = ReportKind.POST if spot.kind is SubjectKind.POST else ReportKind.COMMENT
        self._act(arrival, partial(
            self._below.moderation.resolve_report_of, viewer=judge, reporter=viewer_of(reporter),
            kind=kind, subject_id=spot.id, resolved=act.resolved,
        ), spot.community, judges_only=True)

    def _owner_of(self, act: Seating) -> CommunityPlace:
        """Return the community whose collection is meant, on whose server it must be."""
        owner = act.target.rstrip("/").rpartition("/")[0]
        for id in (act.announcer, owner, *act.addressees):
            actor = self._known.actors.get(id)
            if actor is not None and actor.kind is ActorKind.COMMUNITY:
                if authority_of(act.target) != actor.domain:
                    break
                return self._community(actor)
        raise NotFound("couldnt_find_community", "There is no such community here.")


def _why(reason: str | None) -> Why:
    return Why(reason or None)


def _ban_order(act: Blocking, banned: Actor, community_id: int | None) -> BanOrder:
    sweep = Sweep(removed=act.blocked) if act.remove_data else None
    return BanOrder(banned.id, banned=act.blocked, community_id=community_id,
                    expires_us=act.expires_us, sweep=sweep)
