"""Communities: founded, changed, found, listed."""

from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np

from lichen.accounts import Actor, ActorDraft, ActorKind, Viewer, actors_among, check_name
from lichen.events import forum
from lichen.forum import community_rows as rows
from lichen.forum.drafts import check_community, check_page
from lichen.forum.ledger import Ledger
from lichen.forum.limits import BATCH_MAX, CATALOGUE_MAX
from lichen.forum.model import (
    Community,
    CommunityDraft,
    CommunityView,
    Listing,
    SiteCounts,
    Sort,
    Subscribed,
)
from lichen.forum.orders import NewCommunity
from lichen.forum.outside import traces_outside
from lichen.forum.part import Part
from lichen.forum.permissions import check_moderator, is_moderator, no_such_community
from lichen.forum.standing import Standing
from lichen.kit import Forbidden, isoformat
from lichen.store import Query, Row, Unit

_ACTORS_SUBSCRIBED = actors_among(rows.SUBSCRIBED_IDS)
_ACTORS_MODERATED = actors_among(rows.MODERATED_IDS)


class Communities(Part):
    """Commands and queries about communities."""

    def create_communities(self, unit: Unit, new: Sequence[NewCommunity]) -> list[Community]:
        """Found a batch of communities; three round trips in all.

        Checks what is written, not who writes: that is decided by who calls.
        """
        assert len(new) <= BATCH_MAX
        creators = {one.creator_id for one in new if one.creator_id is not None}
        return self._found(unit, new, self._accounts.actors(unit, creators))

    def create_community(
        self, unit: Unit, viewer: Viewer, name: str, draft: CommunityDraft
    ) -> CommunityView:
        """Found a community; its creator moderates and follows it; two round trips."""
        site = self._accounts.current_site.settings
        if viewer.actor.banned:
            raise Forbidden("site_ban", "You are banned from this site.")
        if site.community_creation_admin_only and not viewer.admin:
            raise Forbidden(
                "only_admins_can_create_communities", "Ask an administrator for a community."
            )
        check_name(name, length_max=site.actor_name_max_length)
        check_community(draft)
        self._screen(name, draft.title, draft.description)
        new = NewCommunity(
            actor=ActorDraft(
                kind=ActorKind.COMMUNITY, name=name, display_name=draft.title or name,
                summary=draft.description or None, avatar=draft.icon or None,
                banner=draft.banner or None,
            ),
            creator_id=viewer.id, nsfw=bool(draft.nsfw),
            posting_restricted_to_mods=bool(draft.posting_restricted_to_mods),
            languages=draft.languages or (),
        )
        (community,) = self._found(unit, [new], {viewer.id: viewer.actor})
        return CommunityView(community=community, subscribed=Subscribed.SUBSCRIBED,
                             blocked=False, banned=False, moderates=True)

    def edit_community(
        self, unit: Unit, viewer: Viewer, community_id: int, draft: CommunityDraft
    ) -> CommunityView:
        """Change a community as its moderator: None leaves a field, "" empties it."""
        check_community(draft)
        self._screen(draft.title, draft.description)
        view, _ = self._governed(unit, viewer, community_id)
        community = edited_community(view.community, draft)
        return self._changed_community(unit, view, community)

    def community(
        self, unit: Unit, viewer: Viewer | None, *, id: int | None = None, name: str | None = None,
        domain: str | None = None,
    ) -> CommunityView:
        """Return a community by id, in one round trip, or by name, in two.

        `name` may carry the domain of a remote community: name@host.
        """
        if id is None:
            local, _, host = (name or "").partition("@")
            found = self._accounts.actor_by_name(
                unit, ActorKind.COMMUNITY, local, domain or host or None
            )
            if found is None:
                raise no_such_community()
            id = found.id
        view = self._community_view(unit, viewer, id)
        if view.community.removed and not is_moderator(viewer, view):
            raise no_such_community()
        return view

    def communities(
        self, unit: Unit, viewer: Viewer | None, *, listing: Listing = Listing.LOCAL,
        sort: Sort = Sort.ACTIVE, page: int = 1, limit: int = 10, show_nsfw: bool | None = None,
    ) -> list[CommunityView]:
        """Return a page of communities; two round trips."""
        offset = check_page(page, limit)
        flush = self._views.fetch(unit, viewer, (rows.CATALOGUE, {"limit": CATALOGUE_MAX}))
        if show_nsfw is None:
            show_nsfw = viewer is not None and viewer.settings.show_nsfw
        listed = [
            row for row in flush.rows[0] if _is_listed(row, listing, flush.standing)
            and (show_nsfw or not row.nsfw)
        ]
        key = self._order(sort, unit.clock_us)
        ids = [row.id for row in sorted(listed, key=key)[offset:offset + limit]]
        return self.community_views(unit, viewer, ids)

    def community_views(
        self, unit: Unit, viewer: Viewer | None, ids: Sequence[int]
    ) -> list[CommunityView]:
        """Return communities in the order of ids; one round trip."""
        if not ids:
            return []
        queries = self._views.community_queries(unit, viewer, ids)
        flush = self._views.fetch(unit, viewer, *queries)
        views = self._views.communities(flush.rows, flush.standing)
        return [views[one] for one in ids if one in views]

    def subscriptions(self, unit: Unit, viewer: Viewer) -> list[CommunityView]:
        """Return the communities that the viewer follows, by name; one round trip."""
        asked = {"viewer_id": viewer.id, "now_us": unit.clock_us}
        flush = self._views.fetch(
            unit, viewer, (rows.COMMUNITIES_SUBSCRIBED, asked), (_ACTORS_SUBSCRIBED, asked)
        )
        return list(self._views.communities(flush.rows, flush.standing).values())

    def following_query(self, unit: Unit, viewer: Viewer) -> Query:
        """Return the query for the communities that a viewer follows, as actors, to ride along."""
        return _ACTORS_SUBSCRIBED, {"viewer_id": viewer.id, "now_us": unit.clock_us}

    def following_from(self, found: Iterable[Row]) -> list[Actor]:
        """Return the communities in the rows of `following_query`, by name."""
        actors = self._accounts.actors_from(found).values()
        return sorted(actors, key=lambda actor: actor.name)

    def moderated_by(
        self, unit: Unit, person_id: int, *, viewer: Viewer | None = None
    ) -> list[CommunityView]:
        """Return the communities that a person moderates, by name; one round trip."""
        asked = {"person_id": person_id, "viewer_id": viewer.id if viewer else 0,
                 "now_us": unit.clock_us}
        flush = self._views.fetch(
            unit, viewer, (rows.COMMUNITIES_MODERATED, asked), (_ACTORS_MODERATED, asked)
        )
        return list(self._views.communities(flush.rows, flush.standing).values())

    def site_counts(self, unit: Unit) -> SiteCounts:
        """Return how much there is and who was active; a round trip once a minute."""
        queries = self.activity.queries(unit.clock_us)
        if queries:
            self.activity.keep(unit.fetch_all(*queries))
        return self.activity.site

    def _found(
        self, unit: Unit, new: Sequence[NewCommunity], creators: dict[int, Actor]
    ) -> list[Community]:
        actors = self._accounts.create_actors(unit, [one.actor for one in new])
        ledger = self._ledger(unit)
        communities, moderators, followers = [], [], []
        for one, actor in zip(new, actors, strict=True):
            first = int(one.creator_id is not None)
            community = Community(
                actor=actor, tid=one.tid or self._tids.next(), languages=one.languages,
                nsfw=one.nsfw, hidden=False, removed=False, deleted=False,
                posting_restricted_to_mods=one.posting_restricted_to_mods,
                local_only=one.local_only, subscribers=first, subscribers_local=first, posts=0,
                comments=0,
            )
            communities.append(community)
            ledger.community(community, operation="create")
            if one.creator_id is not None:
                pair = {"community_id": community.id, "person_id": one.creator_id,
                        "published_us": actor.published_us}
                about = (ledger, community, creators[one.creator_id], actor.published_us)
                moderators.append({**pair, "tid": self._tell_moderator(*about)})
                followers.append(
                    {**pair, "tid": self._tell_follower(*about), "pending": not actor.local}
                )
            ledger.tally_community(community)
        unit.stage(rows.INSERT_COMMUNITY, *map(rows.row_of_community, communities))
        unit.stage(rows.WRITE_MODERATOR, *moderators)
        unit.stage(rows.WRITE_SUBSCRIPTION, *followers)
        ledger.close()
        return communities

    def _tell_moderator(
        self, ledger: Ledger, community: Community, person: Actor, now_us: int
    ) -> str:
        """Tell of a new moderator and return the record's key."""
        tid = self._tids.next()
        record = forum.Moderator(subject=person.did, created_at=isoformat(now_us))
        ledger.say(record, did=community.actor.did, operation="create", rkey=tid, row=person.id,
                   outside=traces_outside(community))
        return tid

    def _tell_follower(
        self, ledger: Ledger, community: Community, person: Actor, now_us: int
    ) -> str:
        """Tell of a new subscription and return the record's key."""
        tid = self._tids.next()
        record = forum.Subscription(
            subject=community.actor.did, created_at=isoformat(now_us),
            pending=not community.actor.local,
        )
        ledger.say(record, did=person.did, operation="create", rkey=tid, row=community.id)
        return tid

    def _governed(
        self, unit: Unit, viewer: Viewer, community_id: int, *queries: Query
    ) -> tuple[CommunityView, list[list[Row]]]:
        """Return a community, locked, that the viewer moderates, and the answers to the queries."""
        flush = self._views.fetch(
            unit, viewer, (rows.LOCK_COMMUNITIES, {"ids": [community_id]}),
            *self._views.community_queries(unit, viewer, [community_id]), *queries,
        )
        _lock, communities, actors, *answers = flush.rows
        views = self._views.communities([communities, actors], flush.standing)
        if community_id not in views:
            raise no_such_community()
        check_moderator(viewer, views[community_id])
        return views[community_id], answers

    def _changed_community(
        self, unit: Unit, view: CommunityView, community: Community
    ) -> CommunityView:
        actor = self._accounts.change_actor(unit, community.actor)
        community = msgspec.structs.replace(community, actor=actor)
        unit.stage(rows.CHANGE_COMMUNITY, rows.row_of_community(community))
        ledger = self._ledger(unit)
        is_gone = community.deleted or community.removed
        ledger.community(community, operation="delete" if is_gone else "update",
                         before=view.community)
        ledger.close()
        return msgspec.structs.replace(view, community=community)

    def _order(self, sort: Sort, now_us: int) -> Callable[[Row], tuple[float, int]]:
        """Return the key by which communities are sorted, as Lemmy sorts them."""
        match sort:
            case Sort.NEW:
                return lambda row: (-row.published_us, -row.id)
            case Sort.OLD:
                return lambda row: (row.published_us, row.id)
            case Sort.MOST_COMMENTS | Sort.NEW_COMMENTS:
                return lambda row: (-row.comments, -row.id)
            case Sort.ACTIVE:
                return lambda row: (-self.activity.of(row.id).month, -row.id)
            case Sort.HOT | Sort.SCALED:
                return lambda row: (-_hot(row, now_us), -row.id)
        return lambda row: (-row.subscribers, -row.id)


def _hot(row: Row, now_us: int) -> float:
    """Return Lemmy's hot rank with subscribers for a score."""
    hours = max(0.0, (now_us - row.published_us) / 3.6e9)
    return float(np.log10(max(2, row.subscribers + 2)) / (hours + 2) ** 1.8)


def _is_listed(row: Row, listing: Listing, standing: Standing) -> bool:
    if row.removed or row.deleted or row.id in standing.blocked_communities:
        return False
    if listing is Listing.SUBSCRIBED:
        return row.id in standing.subscribed
    if listing is Listing.MODERATOR_VIEW:
        return row.id in standing.moderates
    if row.hidden and row.id not in standing.subscribed:
        return False
    return bool(row.local) or listing is Listing.ALL


def edited_community(community: Community, draft: CommunityDraft) -> Community:
    """Return the community as the draft changes it."""
    actor = community.actor

    def chosen(before: str | None, wish: str | None) -> str | None:
        return before if wish is None else wish or None

    return msgspec.structs.replace(
        community,
        actor=msgspec.structs.replace(
            actor,
            display_name=chosen(actor.display_name, draft.title),
            summary=chosen(actor.summary, draft.description),
            avatar=chosen(actor.avatar, draft.icon),
            banner=chosen(actor.banner, draft.banner),
        ),
        nsfw=community.nsfw if draft.nsfw is None else draft.nsfw,
        posting_restricted_to_mods=(
            community.posting_restricted_to_mods if draft.posting_restricted_to_mods is None
            else draft.posting_restricted_to_mods
        ),
        languages=community.languages if draft.languages is None else draft.languages,
    )
