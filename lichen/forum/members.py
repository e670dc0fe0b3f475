"""Members: who follows, moderates, is banned from a community; and what people have written."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lichen.accounts import Actor, ActorKind, Viewer, actors_among
from lichen.events import collection_of, forum
from lichen.forum import community_rows as rows
from lichen.forum import word_rows
from lichen.forum.communities import Communities
from lichen.forum.limits import BATCH_MAX, REASON_LENGTH_MAX
from lichen.forum.model import Community, CommunityView, PersonView, Subscribed
from lichen.forum.orders import Following
from lichen.forum.outside import traces_outside
from lichen.forum.permissions import check_member, no_such_community
from lichen.forum.posts import stage_communities
from lichen.forum.rulings import Appointed, BanTerms, Barred
from lichen.kit import Forbidden, NotFound, Refused, isoformat
from lichen.store import Row, Unit

_SUBSCRIPTION = collection_of(forum.Subscription)
_MODERATOR = collection_of(forum.Moderator)
_BAN = collection_of(forum.CommunityBan)

ACTORS_MODERATING = actors_among(rows.MODERATOR_IDS)


class _Followed(NamedTuple):
    """Communities as they are, the subscriptions there are (key, time), and the people."""

    views: dict[int, CommunityView]
    standing: dict[tuple[int, int], tuple[str, int]]
    people: dict[int, Actor]


class Members(Communities):
    """Commands and queries about people in communities."""

    def follow_communities(
        self, unit: Unit, followings: Sequence[Following], *, tell_again: bool = False
    ) -> None:
        """Make people follow communities, or stop; twice is once; two round trips in all.

        With `tell_again` who follows already is told of again, because its server has asked again
        and waits for an answer. Checks whether there is such a community, not who follows: that is
        decided by who calls.
        """
        assert len(followings) <= BATCH_MAX
        before = self._before(unit, None, followings)
        self._follow(unit, followings, before)
        if tell_again:
            self._tell_standing(unit, followings, before)

    def subscribe(
        self, unit: Unit, viewer: Viewer, community_id: int, *, follow: bool
    ) -> CommunityView:
        """Follow a community, or stop, and return it; two round trips."""
        following = Following(viewer.id, community_id, follow)
        before = self._before(unit, viewer, [following])
        view = before.views[community_id]
        if follow:
            check_member(viewer, view)
        (community,) = self._follow(unit, [following], before)
        state = Subscribed.SUBSCRIBED if community.actor.local else Subscribed.PENDING
        return msgspec.structs.replace(
            view, community=community, subscribed=state if follow else Subscribed.NOT_SUBSCRIBED
        )

    def block_community(
        self, unit: Unit, viewer: Viewer, community_id: int, *, block: bool
    ) -> CommunityView:
        """Leave a community out of one's lists and stop following it, or let it in again."""
        self._accounts.block_community(unit, viewer, community_id, blocked=block)
        if block:
            view = self.subscribe(unit, viewer, community_id, follow=False)
        else:
            view = self._community_view(unit, viewer, community_id)
        return msgspec.structs.replace(view, blocked=block)

    def moderators(self, unit: Unit, community_id: int) -> list[Actor]:
        """Return who moderates a community, the longest-serving first; one round trip."""
        asked = {"ids": [community_id], "now_us": unit.clock_us}
        order, actors = unit.fetch_all((rows.MODERATORS, asked), (ACTORS_MODERATING, asked))
        people = self._accounts.actors_from(actors)
        return [people[row.person_id] for row in order]

    def moderators_of(self, unit: Unit, community_ids: Sequence[int]) -> dict[int, list[Actor]]:
        """Return who moderates each community, the longest-serving first; one round trip."""
        asked = {"ids": list(community_ids), "now_us": unit.clock_us}
        order, actors = unit.fetch_all((rows.MODERATORS, asked), (ACTORS_MODERATING, asked))
        people = self._accounts.actors_from(actors)
        found: dict[int, list[Actor]] = {one: [] for one in community_ids}
        for row in order:
            found[row.community_id].append(people[row.person_id])
        return found

    def followed_communities_of(self, unit: Unit, domain: str, *, limit: int) -> list[Actor]:
        """Return the communities of another server that somebody here follows, the most followed
        first; two round trips.
        """
        ids = [row.id for row in unit.fetch(
            rows.COMMUNITIES_FOLLOWED_OF, domain=domain, limit=limit)]
        found = self._accounts.actors(unit, ids) if ids else {}
        return [found[one] for one in ids if one in found]

    def follower_authorities(
        self, unit: Unit, community_ids: Sequence[int]
    ) -> dict[int, frozenset[str]]:
        """Return the servers whose people follow each community, ours left out; one round trip."""
        found: dict[int, set[str]] = {one: set() for one in community_ids}
        for row in unit.fetch(rows.FOLLOWER_AUTHORITIES, ids=list(community_ids)):
            found[row.community_id].add(row.domain)
        return {one: frozenset(authorities) for one, authorities in found.items()}

    def acquainted_authorities(self, unit: Unit, community_id: int) -> frozenset[str]:
        """Return the servers whose people wrote in a community or keep it, as far as rows here say.

        Who follows a community elsewhere nobody is told. Ours left out; one round trip.
        """
        return frozenset(
            row.domain
            for row in unit.fetch(rows.ACQUAINTED_AUTHORITIES, community_id=community_id)
        )

    def all_follower_authorities(self, unit: Unit) -> dict[int, frozenset[str]]:
        """Return the servers whose people follow each community of ours; one round trip.

        A walk over the subscriptions of others: at the start of the house, once.
        """
        found: dict[int, set[str]] = {}
        for row in unit.fetch(rows.ALL_FOLLOWER_AUTHORITIES):
            found.setdefault(row.community_id, set()).add(row.domain)
        return {one: frozenset(authorities) for one, authorities in found.items()}

    def add_moderator(
        self, unit: Unit, viewer: Viewer, community_id: int, person_id: int, *, added: bool,
        since_us: int | None = None,
    ) -> Appointed:
        """Appoint a moderator or dismiss one, and return those there are; twice is once.

        A moderator dismisses only those who came later. `since_us` puts somebody back into the
        place they had. Two round trips.
        """
        asked = {"ids": [community_id], "now_us": unit.clock_us}
        view, (order, actors, persons) = self._governed(
            unit, viewer, community_id, (rows.MODERATORS, asked), (ACTORS_MODERATING, asked),
            self._accounts.actors_query(unit, [person_id]),
        )
        people = self._accounts.actors_from([*actors, *persons])
        person = _person(people.get(person_id))
        ranks = [row.person_id for row in order]
        if not added and not viewer.admin and _rank(ranks, person.id) < _rank(ranks, viewer.id):
            raise Forbidden("not_higher_mod", "Only somebody who came before can dismiss.")
        before = next((row for row in order if row.person_id == person.id), None)
        pair = {"community_id": community_id, "person_id": person.id}
        ledger = self._ledger(unit)
        if added and before is None:
            at_us = unit.clock_us if since_us is None else since_us
            unit.stage(rows.WRITE_MODERATOR, {
                **pair, "published_us": at_us,
                "tid": self._tell_moderator(ledger, view.community, person, at_us),
            })
            ranks.insert(sum(row.published_us <= at_us for row in order), person.id)
        elif not added and before is not None:
            unit.stage(rows.DROP_MODERATOR, pair)
            ledger.retract(
                _MODERATOR, did=view.community.actor.did, rkey=before.tid, row=person.id,
                outside=traces_outside(view.community),
            )
            ranks.remove(person.id)
        return Appointed(
            moderators=[people[one] for one in ranks], changed=added == (before is None),
            since_us=None if before is None else before.published_us,
            outside=traces_outside(view.community),
        )

    def ban_from_community(
        self, unit: Unit, viewer: Viewer, community_id: int, person_id: int, *, banned: bool,
        reason: str | None = None, expires_us: int | None = None,
    ) -> Barred:
        """Ban a person from a community until a time, or let it in again; two round trips.

        A ban that has ended counts as none.
        """
        if reason is not None and len(reason) > REASON_LENGTH_MAX:
            raise Refused(
                "invalid_body_field", f"A reason has at most {REASON_LENGTH_MAX} characters."
            )
        if banned and expires_us is not None and expires_us <= unit.clock_us:
            raise Refused("ban_expiration_in_past", "A ban ends in the future.")
        view, (bans, order, persons) = self._governed(
            unit, viewer, community_id,
            (rows.BANS, {"ids": [community_id], "people": [person_id]}),
            (rows.MODERATORS, {"ids": [community_id]}),
            self._accounts.actors_query(unit, [person_id]),
        )
        person = _person(self._accounts.actors_from(persons).get(person_id))
        ranks = [row.person_id for row in order]
        if banned and not viewer.admin and _rank(ranks, person.id) <= _rank(ranks, viewer.id):
            raise Forbidden("not_higher_mod", "Moderators do not ban who came before them.")
        tid = bans[0].tid if bans else None
        before = _terms(bans, unit.clock_us)
        after = BanTerms(reason, expires_us) if banned else None
        pair = {"community_id": community_id, "person_id": person.id}
        did, outside = view.community.actor.did, traces_outside(view.community)
        ledger = self._ledger(unit)
        if banned:
            key = tid or self._tids.next()
            unit.stage(rows.WRITE_COMMUNITY_BAN, {
                **pair, "reason": reason, "expires_us": expires_us, "tid": key,
                "published_us": unit.clock_us,
            })
            record = forum.CommunityBan(
                subject=person.did, created_at=isoformat(unit.clock_us), reason=reason,
                expires_at=None if expires_us is None else isoformat(expires_us),
            )
            ledger.say(record, did=did, operation="update" if tid else "create", rkey=key,
                       row=person.id, outside=outside)
        elif tid is not None:
            unit.stage(rows.DROP_COMMUNITY_BAN, pair)
            ledger.retract(_BAN, did=did, rkey=tid, row=person.id, outside=outside)
        return Barred(person=person, changed=before != after, before=before, outside=outside)

    def carry_bans(self, unit: Unit, person_id: int, to: Actor) -> None:
        """Let the bans of a person from communities stand against another that it is now.

        Where that one has a ban of its own, it keeps it. Two round trips.
        """
        bans = unit.fetch(rows.BANS_OF_BOTH, people=[person_id, to.id], now_us=unit.clock_us,
                          limit=BATCH_MAX)
        own = {row.community_id for row in bans if row.person_id == to.id}
        carried = [row for row in bans if row.person_id == person_id
                   and row.community_id not in own]
        if not carried:
            return
        flush = self._views.fetch(unit, None, *self._views.community_queries(
            unit, None, [row.community_id for row in carried]
        ))
        groups = self._views.communities(flush.rows, flush.standing)
        ledger = self._ledger(unit)
        for row in carried:
            tid, community = self._tids.next(), groups[row.community_id].community
            unit.stage(rows.WRITE_COMMUNITY_BAN, {
                "community_id": row.community_id, "person_id": to.id, "reason": row.reason,
                "expires_us": row.expires_us, "tid": tid, "published_us": unit.clock_us,
            })
            ledger.say(forum.CommunityBan(
                subject=to.did, created_at=isoformat(unit.clock_us), reason=row.reason,
                expires_at=None if row.expires_us is None else isoformat(row.expires_us),
            ), did=community.actor.did, operation="create", rkey=tid, row=to.id,
                outside=traces_outside(community))

    def our_places_of(
        self, unit: Unit, people: Sequence[int], *, limit: int
    ) -> dict[int, dict[int, BanTerms | None]]:
        """Return the communities of ours in which people wrote, with their bans there.

        By person, then by community; at most `limit` pairs in all. One round trip.
        """
        found: dict[int, dict[int, BanTerms | None]] = {}
        for row in unit.fetch(word_rows.OUR_PLACES_OF_PEOPLE, people=list(people),
                              now_us=unit.clock_us, limit=limit):
            ban = None if row.person_id is None else BanTerms(row.reason, row.expires_us)
            found.setdefault(row.creator_id, {})[row.community_id] = ban
        return found

    def person(
        self, unit: Unit, viewer: Viewer | None, *, id: int | None = None, name: str | None = None,
    ) -> PersonView:
        """Return a person by id, in one round trip, or by name (name@host too), in two."""
        if id is None:
            local, _, host = (name or "").partition("@")
            found = self._accounts.actor_by_name(unit, ActorKind.PERSON, local, host or None)
            id = _person(found).id
        found_views = self.persons(unit, viewer, [id])
        if not found_views:
            raise NotFound("couldnt_find_person", "There is no such person.")
        return found_views[0]

    def persons(
        self, unit: Unit, viewer: Viewer | None, ids: Sequence[int]
    ) -> list[PersonView]:
        """Return people with the tallies of their words, in the order of ids; one round trip."""
        actors, tallies = unit.fetch_all(
            self._accounts.actors_query(unit, ids), (rows.PERSON_TALLIES, {"ids": list(ids)})
        )
        people = self._accounts.actors_from(actors)
        words = {row.person_id: row for row in tallies}
        return [
            PersonView(
                person=people[one],
                posts=words[one].posts if one in words else 0,
                comments=words[one].comments if one in words else 0,
            )
            for one in ids if one in people and people[one].kind is ActorKind.PERSON
        ]

    def _tell_standing(
        self, unit: Unit, followings: Sequence[Following], before: _Followed
    ) -> None:
        """Tell of those among the followings that there were before."""
        ledger = self._ledger(unit)
        for one in followings:
            found = before.standing.get((one.person_id, one.community_id))
            if found is None or not one.follow:
                continue
            community = before.views[one.community_id].community
            record = forum.Subscription(
                subject=community.actor.did, created_at=isoformat(found[1]),
                pending=not community.actor.local,
            )
            ledger.say(record, did=before.people[one.person_id].did, operation="update",
                       rkey=found[0], row=community.id)

    def _before(
        self, unit: Unit, viewer: Viewer | None, followings: Sequence[Following]
    ) -> _Followed:
        """Return the communities, locked, and who of the people follows them."""
        ids = sorted({one.community_id for one in followings})
        people = sorted({one.person_id for one in followings})
        flush = self._views.fetch(
            unit, viewer, (rows.LOCK_COMMUNITIES, {"ids": ids}),
            *self._views.community_queries(unit, viewer, ids),
            (rows.FOLLOWINGS, {"ids": ids, "people": people}),
            self._accounts.actors_query(unit, people),
        )
        _locks, *answers, followed, actors = flush.rows
        views = self._views.communities(answers, flush.standing)
        if len(views) < len(ids):
            raise no_such_community()
        return _Followed(
            views,
            {(row.person_id, row.community_id): (row.tid, row.published_us) for row in followed},
            self._accounts.actors_from(actors),
        )

    def _follow(
        self, unit: Unit, followings: Sequence[Following], before: _Followed
    ) -> list[Community]:
        """Stage what changes, tell, and return the communities as they are then, by id."""
        ledger = self._ledger(unit)
        communities = {key: view.community for key, view in before.views.items()}
        wanted = {(one.person_id, one.community_id): one.follow for one in followings}
        for (person_id, community_id), follow in sorted(wanted.items()):
            tid, _since_us = before.standing.get((person_id, community_id), (None, 0))
            if follow == (tid is not None):
                continue
            community, person = communities[community_id], before.people[person_id]
            more = 1 if follow else -1
            communities[community_id] = msgspec.structs.replace(
                community, subscribers=community.subscribers + more,
                subscribers_local=community.subscribers_local + more * person.local,
            )
            pair = {"person_id": person_id, "community_id": community_id}
            if tid is None:
                unit.stage(rows.WRITE_SUBSCRIPTION, {
                    **pair, "pending": not community.actor.local, "published_us": unit.clock_us,
                    "tid": self._tell_follower(ledger, community, person, unit.clock_us),
                })
            else:
                unit.stage(rows.DROP_SUBSCRIPTION, pair)
                ledger.retract(_SUBSCRIPTION, did=person.did, rkey=tid, row=community_id)
            ledger.tally_community(communities[community_id])
        stage_communities(unit, communities.values())
        ledger.close()
        return [communities[key] for key in sorted(communities)]


def _rank(ranks: Sequence[int], person_id: int) -> int:
    """Return the place in the order of moderators, after the last for nobody of them."""
    return ranks.index(person_id) if person_id in ranks else len(ranks)


def _terms(bans: Sequence[Row], now_us: int) -> BanTerms | None:
    """Return the terms of the ban in these rows that holds now, None where there is none."""
    if not bans or (bans[0].expires_us is not None and bans[0].expires_us <= now_us):
        return None
    return BanTerms(bans[0].reason, bans[0].expires_us)


def _person(actor: Actor | None) -> Actor:
    if actor is None or actor.kind is not ActorKind.PERSON:
        raise NotFound("couldnt_find_person", "There is no such person.")
    return actor
