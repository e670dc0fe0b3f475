"""What moderators decide, as activities; pure.

    removed     Delete with a summary, which tells it from an author's own      restored: Undo
    locked      Lock                                                            opened: Undo
    pinned      Add to the Group's `featured`                                   Remove
    appointed   Add to the Group's `moderators`                                 Remove
    banned      Block with its target: the Group, or the site                   Undo
    purged      Delete with a summary; of a person: Block from the site, with its words

Told are decisions in communities of ours, and those of its moderators in communities elsewhere;
what an administrator decides about others' things for this site alone stays here. A site bans its
own people for everybody. That it bans somebody else counts in its own communities: each of those
in which that person wrote says so, as Lemmy practises it since 0.19.4 (issue 4485 there); a site's
word about another site's people would be refused. A purge of what is ours is told, of what is
others' it stays here.
"""

from collections.abc import Callable, Mapping

import msgspec

from lichen.accounts import Actor
from lichen.events import Event
from lichen.events import moderation as of_moderation
from lichen.federation.documents import Document
from lichen.federation.speaking import Told, member_key
from lichen.federation.words_out import Words
from lichen.forum import CommentView, Community, PostView
from lichen.moderation import Action, Kind


class Rulings(Words):
    """Tells of the lines of the moderation log."""

    def action(self, event: Event) -> Told:
        """Tell of what a moderator decided."""
        found = self.scene.actions.get(event.row)
        by = None if found is None else self.scene.actors.get(found[0].moderator_id)
        if found is None or by is None or not by.local:
            return []
        action, swept = found
        if action.kind in (Kind.BAN, Kind.PURGE_PERSON):
            swept = swept or action.kind is Kind.PURGE_PERSON
            return self._banned_from_site(event, action, by, swept=swept)
        if action.kind is Kind.PURGE_COMMUNITY:
            return self._purged_community(event, action, by)
        community = self.scene.communities.get(action.community_id or 0)
        if community is None or not self._may(by, community):
            return []
        if action.kind is Kind.BAN_FROM_COMMUNITY:
            return self._banned(event, action, by, community, swept=swept)
        tellers: Mapping[Kind, Callable[[Event, Action, Actor, Community], Told]] = {
            Kind.REMOVE_POST: self._removed, Kind.REMOVE_COMMENT: self._removed,
            Kind.REMOVE_COMMUNITY: self._closed, Kind.LOCK_POST: self._locked,
            Kind.FEATURE_POST: self._featured, Kind.ADD_MODERATOR: self._appointed,
            Kind.DISTINGUISH_COMMENT: self._distinguished,
            Kind.PURGE_POST: self._purged_words, Kind.PURGE_COMMENT: self._purged_words,
        }
        teller = tellers.get(action.kind)
        return [] if teller is None else teller(event, action, by, community)

    def _may(self, by: Actor, community: Community) -> bool:
        if community.actor.local:
            return True
        return by.id in {one.id for one in self.scene.moderators.get(community.id, ())}

    def _subject(self, action: Action) -> PostView | CommentView | None:
        if action.comment_id is not None:
            return self.scene.comments.get(action.comment_id)
        return self.scene.posts.get(action.post_id or 0)

    def _removed(self, event: Event, action: Action, by: Actor, community: Community) -> Told:
        view = self._subject(action)
        if view is None:
            return []
        subject = view.comment if isinstance(view, CommentView) else view.post
        if subject.unseen:
            return []  # it was never public: nobody elsewhere has it
        return self._delete(event, action, by, community, object_id=subject.ap_id)

    def _closed(self, event: Event, action: Action, by: Actor, community: Community) -> Told:
        return self._delete(event, action, by, community, object_id=community.actor.ap_id)

    def _purged_words(self, event: Event, action: Action, by: Actor, community: Community) -> Told:
        """Return why words of ours were purged in a community of ours.

        That they are gone was told just before, as their author's Delete, which everybody obeys;
        microblogs heed no other. The reason counts where moderators' words do.
        """
        path = (self._addresses.post(action.post_id or 0) if action.comment_id is None
                else self._addresses.comment(action.comment_id))
        object_id = self._addresses.absolute(path)
        if object_id not in self.purged or not community.actor.local:
            return []
        return self._delete(event, action, by, community, object_id=object_id)

    def _purged_community(self, event: Event, action: Action, by: Actor) -> Told:
        """Return that a community of ours is gone: to everybody, for its followers are gone too."""
        group = self.scene.actors.get(action.community_id or 0)
        subject = msgspec.json.decode(event.record, type=of_moderation.Action).subject
        if group is None or not group.local or subject != group.did:
            return []  # of another server, or kept to this one
        activity = self.deeds.in_community(
            "Delete", event.id, actor=by.ap_id, community=group.ap_id, object_=group.ap_id,
            more=(("summary", action.reason or ""),),
        )
        return self.everywhere(activity, by=by, writes=(group.ap_id,))

    def _delete(
        self, event: Event, action: Action, by: Actor, community: Community, *, object_id: str
    ) -> Told:
        # Lemmy 0.19: a summary, even an empty one, says that a moderator removed it.
        return self._done(event, action, by, community, writes=object_id, activity=(
            lambda key: self.deeds.in_community(
                "Delete", key, actor=by.ap_id, community=community.actor.ap_id,
                object_=object_id, more=(("summary", action.reason or ""),),
            )
        ))

    def _locked(self, event: Event, action: Action, by: Actor, community: Community) -> Told:
        view = self._subject(action)
        if view is None:
            return []
        return self._done(event, action, by, community, writes=view.post.ap_id, activity=(
            lambda key: self.deeds.in_community(
                "Lock", key, actor=by.ap_id, community=community.actor.ap_id,
                object_=view.post.ap_id, more=(("summary", action.reason),),
            )
        ))

    def _featured(self, event: Event, action: Action, by: Actor, community: Community) -> Told:
        view = self._subject(action)
        if view is None:
            return []
        return self._listed(event, action, by, community, object_id=view.post.ap_id,
                            collection="featured")

    def _appointed(self, event: Event, action: Action, by: Actor, community: Community) -> Told:
        person = self.scene.actors.get(action.person_id or 0)
        if person is None:
            return []
        return self._listed(event, action, by, community, object_id=person.ap_id,
                            collection="moderators")

    def _listed(
        self, event: Event, action: Action, by: Actor, community: Community, *, object_id: str,
        collection: str,
    ) -> Told:
        group = community.actor.ap_id
        activity = self.deeds.in_community(
            "Add" if action.done else "Remove", event.id, actor=by.ap_id, community=group,
            object_=object_id, more=(("target", f"{group}/{collection}"),),
        )
        return self.in_community(
            event.id, activity, by=by, community=community, writes=(f"{group} {object_id}",),
            reads=(object_id,),
        )

    def _distinguished(
        self, event: Event, action: Action, by: Actor, community: Community
    ) -> Told:
        view = self._subject(action)
        if not isinstance(view, CommentView) or not view.creator.local or view.comment.held:
            return []
        return self.note(event, view, kind="Update")

    def _banned(
        self, event: Event, action: Action, by: Actor, community: Community, *, swept: bool
    ) -> Told:
        person = self.scene.actors.get(action.person_id or 0)
        if person is None:
            return []
        group = community.actor
        if not action.done and group.local and person.banned and not person.local:
            return []  # the ban from the whole site stands, and was told here too
        block = self.deeds.ban(
            event.id if action.done else f"{event.id}-0", actor=by.ap_id, person=person.ap_id,
            target=group.ap_id, reason=action.reason, expires_us=action.expires_us,
            removes=swept, is_site=False,
        )
        activity = block if action.done else self.deeds.undo_ban(event.id, block)
        # Lemmy 0.19, block_user.rs: whoever is banned hears of it at home, follower there or not.
        return self.in_community(
            event.id, activity, by=by, community=community, writes=(member_key(person, group),),
            also=() if person.local else (person.domain,),
        )

    def _banned_from_site(
        self, event: Event, action: Action, by: Actor, *, swept: bool
    ) -> Told:
        """Return the ban of a person of ours: whoever has their words may want to know."""
        person = self.scene.actors.get(action.person_id or 0)
        if person is None:
            return []
        if not person.local and action.kind is Kind.PURGE_PERSON:
            return []
        if not person.local:
            return self._banned_from_ours(event, action, by, person, swept=swept)
        key = event.id if action.done else f"{event.id}-0"
        block = self.deeds.ban(
            key, actor=by.ap_id, person=person.ap_id, target=self._addresses.absolute("/"),
            reason=action.reason, expires_us=action.expires_us, removes=swept, is_site=True,
        )
        activity = block if action.done else self.deeds.undo_ban(event.id, block)
        return self.everywhere(activity, by=by, writes=(person.ap_id,))

    def _banned_from_ours(
        self, event: Event, action: Action, by: Actor, person: Actor, *, swept: bool
    ) -> Told:
        """Return the ban of somebody elsewhere, once for each community of ours it wrote in.

        Its own server hears of it too. Where the community has a ban of its own, the longer one is
        told, and no end of it while that one stands.
        """
        told: Told = []
        for place, ban in self.scene.wrote_in.get(person.id, {}).items():
            community = self.scene.communities.get(place)
            if community is None or (ban is not None and not (action.done and swept)):
                continue
            ends = [action.expires_us] + ([] if ban is None else [ban.expires_us])
            key = f"{event.id}-{place}"
            block = self.deeds.ban(
                key if action.done else f"{key}-0", actor=by.ap_id, person=person.ap_id,
                target=community.actor.ap_id, reason=action.reason, removes=swept, is_site=False,
                expires_us=None if None in ends else max(filter(None, ends)),
            )
            told += self.in_community(
                key, block if action.done else self.deeds.undo_ban(key, block), by=by,
                community=community, writes=(member_key(person, community.actor),),
                also=(person.domain,),
            )
        return told

    def _done(
        self, event: Event, action: Action, by: Actor, community: Community, *, writes: str,
        activity: Callable[[str], Document],
    ) -> Told:
        """Return an activity, or its Undo where the action is the opposite."""
        told = activity(event.id) if action.done else self.deeds.undo(
            event.id, activity(f"{event.id}-0")
        )
        return self.in_community(event.id, told, by=by, community=community, writes=(writes,))
