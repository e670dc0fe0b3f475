"""Undoing: the opposite act, linked to the first; and the log as people read it."""

from collections.abc import Sequence
from typing import NamedTuple

from lichen.accounts import Actor, Viewer
from lichen.forum import CommunityView, Scene
from lichen.kit import NotFound, Refused
from lichen.moderation import action_rows
from lichen.moderation.acts import Acts
from lichen.moderation.limits import PAGE_MAX, PAGE_NUMBER_MAX
from lichen.moderation.model import (
    REMARK,
    Action,
    ActionQuery,
    BanOrder,
    Entry,
    Kind,
    Seat,
    Sweep,
    Why,
    can_undo,
    check_undo,
    has_ended,
)
from lichen.moderation.people import People
from lichen.moderation.remarks import Remarks
from lichen.store import Unit


class Undoing(Acts, People, Remarks):
    """The log, and how its lines are undone."""

    def undo(
        self, unit: Unit, viewer: Viewer, action_id: int, *, reason: str | None = None
    ) -> Action:
        """Make the opposite of an action, for as long as it can be made; return the action.

        Whoever may do the opposite may undo. Of two who undo at once the second is refused.
        """
        asked = {"id": action_id, "ids": [action_id]}
        _lock, found, overtaken = unit.fetch_all(
            (action_rows.LOCK, asked), (action_rows.FIND, asked), (action_rows.OVERTAKEN, asked)
        )
        if not found:
            raise NotFound("couldnt_find_object", "There is no such line in the log.")
        action = action_rows.action_from(found[0])
        check_undo(action, is_latest=not overtaken, now_us=unit.clock_us)
        self._undo(unit, viewer, action, Why(reason, action))
        return action

    def entries(
        self, unit: Unit, viewer: Viewer | None, *queries: ActionQuery
    ) -> list[list[Entry]]:
        """Return a page of the log for each query, the newest first; four round trips in all.

        Who decided is shown to whoever moderates there, or to all where the site says so; a filter
        by moderator counts for those alone. A strike is a line for whom it is about alone.
        """
        named = self._named(unit, viewer, queries)
        pages = unit.fetch_all(*(
            (action_rows.LISTED, _asked(
                query, is_named=is_named,
                is_own=viewer is not None and query.person_id == viewer.id,
            ))
            for query, is_named in zip(queries, named, strict=True)
        ))
        actions = [[action_rows.action_from(row) for row in page] for page in pages]
        everything = [action for page in actions for action in page]
        around = self._around(unit, viewer, everything)
        return [
            [around.entry(action, is_named=is_named) for action in page]
            for page, is_named in zip(actions, named, strict=True)
        ]

    def actions_about(
        self, unit: Unit, viewer: Viewer, *, page: int = 1, limit: int = 20
    ) -> list[Entry]:
        """Return what was decided about the viewer or its words, the newest first."""
        (found,) = self.entries(unit, viewer, ActionQuery(
            kinds=tuple(Kind), person_id=viewer.id, page=page, limit=limit
        ))
        return found

    def actions_since(
        self, unit: Unit, communities: Sequence[int], *, since_us: int, after_id: int, limit: int
    ) -> list[tuple[int, str]]:
        """Return the next actions after an id in some communities, by number and TID, as
        `actions_by_id` takes them; one round trip.
        """
        found = unit.fetch(action_rows.SINCE, communities=list(communities), since_us=since_us,
                           after_id=after_id, limit=limit)
        return [(row.id, row.tid) for row in found]

    def actions_by_id(self, unit: Unit, ids: Sequence[int]) -> dict[int, tuple[Action, bool]]:
        """Return actions, and whether each took words or brought some back; one round trip.

        For whoever tells other servers: nothing in it may be shown to people as it is.
        """
        found, taken = unit.fetch_all(
            (action_rows.OF_IDS, {"ids": list(ids)}), (action_rows.SWEEPING, {"ids": list(ids)})
        )
        sweeping = {row.action_id for row in taken}
        return {row.id: (action_rows.action_from(row), row.id in sweeping) for row in found}

    def _named(
        self, unit: Unit, viewer: Viewer | None, queries: Sequence[ActionQuery]
    ) -> list[bool]:
        """Say for each query whether its answer says who decided."""
        # Lemmy 0.19, modlog.rs: hide_modlog_mod_names, but for moderators of the place and admins.
        if not self._accounts.current_site.settings.hide_modlog_mod_names:
            return [True] * len(queries)
        moderated = [] if viewer is None else self._moderated(unit, viewer)
        if moderated is None:
            return [True] * len(queries)
        return [query.community_id in moderated for query in queries]

    def _around(
        self, unit: Unit, viewer: Viewer | None, actions: Sequence[Action]
    ) -> "_Around":
        """Return what the lines of the log are about; three round trips."""
        overtaken = {
            row.id for row in unit.fetch(
                action_rows.OVERTAKEN, ids=[action.id for action in actions]
            )
        }
        scene = self._forum.scene_of(
            unit, viewer,
            posts=sorted({one.post_id for one in actions if one.post_id is not None}),
            comments=sorted({one.comment_id for one in actions if one.comment_id is not None}),
        )
        places = self._forum.community_views(
            unit, viewer, sorted({one.community_id for one in actions if one.community_id})
        )
        people = self._accounts.actors(unit, sorted(
            {one.moderator_id for one in actions}
            | {one.person_id for one in actions if one.person_id is not None}
        ))
        return _Around(
            scene, {view.community.id: view for view in places}, people, overtaken,
            viewer, unit.clock_us,
        )

    def _undo(self, unit: Unit, viewer: Viewer, action: Action, why: Why) -> None:
        done, post_id, comment_id = not action.done, action.post_id or 0, action.comment_id or 0
        community_id = action.community_id or 0
        match action.kind:
            case Kind.REMOVE_POST:
                self.remove_post(unit, viewer, post_id, removed=done, why=why)
            case Kind.LOCK_POST:
                self.lock_post(unit, viewer, post_id, locked=done, why=why)
            case Kind.FEATURE_POST:
                self.feature_post(unit, viewer, post_id, featured=done, why=why)
            case Kind.FEATURE_POST_LOCAL:
                self.feature_post(unit, viewer, post_id, featured=done, local=True, why=why)
            case Kind.REMOVE_COMMENT:
                self.remove_comment(unit, viewer, comment_id, removed=done, why=why)
            case Kind.DISTINGUISH_COMMENT:
                self.distinguish_comment(unit, viewer, comment_id, distinguished=done, why=why)
            case Kind.REMOVE_COMMUNITY:
                self.remove_community(unit, viewer, community_id, removed=done, why=why)
            case Kind.HIDE_COMMUNITY:
                self.hide_community(unit, viewer, community_id, hidden=done, why=why)
            case _:
                self._undo_about_person(unit, viewer, action, why)

    def _undo_about_person(
        self, unit: Unit, viewer: Viewer, action: Action, why: Why
    ) -> None:
        person_id = action.person_id
        assert person_id is not None, "what is left is about a person"
        seat = Seat(action.community_id or 0, person_id, since_us=action.before.since_us)
        match action.kind:
            case Kind.BAN | Kind.BAN_FROM_COMMUNITY:
                self._undo_ban(unit, viewer, action, person_id=person_id, why=why)
            case Kind.ADD_MODERATOR:
                self.add_moderator(unit, viewer, seat, added=not action.done, why=why)
            case Kind.TRANSFER_COMMUNITY:
                self.transfer_community(unit, viewer, seat, why=why)
            case Kind.ADD_ADMIN:
                self.add_admin(unit, viewer, person_id, added=not action.done, why=why)
            case Kind.STRIKE:
                number = int(action.subject.removeprefix(REMARK))
                self.drop_remark(unit, viewer, number, why=why)

    def _undo_ban(
        self, unit: Unit, viewer: Viewer, action: Action, *, person_id: int, why: Why
    ) -> None:
        """Bring back the ban there was before, or none; and the words that went with it."""
        terms = action.before.ban
        if terms is not None and has_ended(terms.expires_us, unit.clock_us):
            terms = None  # it would have ended by now
        taken = self._taken(unit, [action.id])
        self.ban(unit, viewer, BanOrder(
            person_id, banned=terms is not None, community_id=action.community_id,
            expires_us=terms.expires_us if terms else None,
            sweep=Sweep(not action.done, taken) if taken.posts or taken.comments else None,
        ), why=Why(terms.reason, action) if terms and terms.reason else why)


class _Around(NamedTuple):
    """What the lines of a page are about, by id."""

    scene: Scene
    places: dict[int, CommunityView]
    people: dict[int, Actor]
    overtaken: set[int]
    viewer: Viewer | None
    now_us: int

    def entry(self, action: Action, *, is_named: bool) -> Entry:
        """Return a line with what is known of it."""
        place = self.places.get(action.community_id or 0)
        judges = self.viewer is not None and (
            self.viewer.admin or (place is not None and place.moderates)
        )
        return Entry(
            action=action,
            moderator=self.people.get(action.moderator_id) if is_named or judges else None,
            person=self.people.get(action.person_id or 0),
            community=place,
            post=self.scene.posts.get(action.post_id or 0),
            comment=self.scene.comments.get(action.comment_id or 0),
            can_undo=judges and can_undo(
                action, is_latest=action.id not in self.overtaken, now_us=self.now_us
            ),
        )


def _asked(query: ActionQuery, *, is_named: bool, is_own: bool) -> dict[str, object]:
    if not 1 <= query.limit <= PAGE_MAX:
        raise Refused("invalid_limit", f"A page has 1 to {PAGE_MAX} entries, not {query.limit}.")
    if not 1 <= query.page <= PAGE_NUMBER_MAX:
        raise Refused("invalid_page", f"Pages count from 1 to {PAGE_NUMBER_MAX}.")
    return {
        "kinds": [kind.value for kind in query.kinds if is_own or kind is not Kind.STRIKE],
        "only_moderator_id": query.moderator_id if is_named else None,
        "only_community_id": query.community_id, "only_person_id": query.person_id,
        "only_post_id": query.post_id, "only_comment_id": query.comment_id,
        "limit": query.limit, "offset": (query.page - 1) * query.limit,
    }
