"""People and places, as activities; pure.

    subscription     of ours elsewhere: Follow, Undo · of others here: Accept
    profile          Update; of a person who left: Delete
    community        Update, Delete, Undo, by its first moderator of ours · a successor: Offer, Move
    message          Create, Update, Delete, Undo: to the recipient's server alone
    report           Flag: to the servers of whoever moderates · dealt with: Resolve, Undo, to the
                     same and to the reporter's
"""

from collections.abc import Mapping

import msgspec

from lichen.accounts import Actor
from lichen.events import Event
from lichen.events import accounts as of_accounts
from lichen.events import forum as of_forum
from lichen.events import moderation as of_moderation
from lichen.federation.documents import Document, is_microblog
from lichen.federation.scenes import Standing
from lichen.federation.speaking import Speaker, Told
from lichen.federation.succession import Lineage
from lichen.forum import CommentView, Community, PostView


class People(Speaker):
    """Tells of communities, subscriptions, profiles, messages and reports."""

    def community(self, event: Event) -> Told:
        """Tell of a community of ours."""
        community = self.scene.communities.get(event.row)
        if community is None or not community.actor.local:
            return []
        if event.operation == "create":
            return self._offer(event, community)
        group = community.actor
        by = next((one for one in self.scene.moderators.get(group.id, ()) if one.local), group)
        if event.operation == "delete":
            if not community.deleted:
                return []  # removed: its administrator tells of it
            self.kept[event.rkey] = Standing("Delete", event.id, group.ap_id, group.id)
            activity = self.deeds.in_community(
                "Delete", event.id, actor=by.ap_id, community=group.ap_id, object_=group.ap_id
            )
        elif (stood := self.standing(event.rkey)) is not None:
            self.kept[event.rkey] = None
            deletion = self.deeds.in_community(
                "Delete", stood.event_id, actor=by.ap_id, community=group.ap_id,
                object_=group.ap_id,
            )
            activity = self.deeds.undo(event.id, deletion)
        else:
            document = self.documents.group(
                community, self.scene.keys.get(group.id, ""),
                self.scene.lineages.get(group.id, Lineage()),
            )
            activity = self.deeds.in_community(
                "Update", event.id, actor=by.ap_id, community=group.ap_id, object_=document
            )
        return self.in_community(
            event.id, activity, by=by, community=community, writes=(group.ap_id,)
        )

    def _offer(self, event: Event, community: Community) -> Told:
        """Offer what was founded as a successor to who may hold copies of the old community."""
        origin = self.scene.origins.get(event.row)
        if origin is None or not origin.peers or community.local_only or community.deleted:
            return []
        # The Group itself speaks: its key proves which server stands behind the offer, and its
        # document, which is fetched, says what it continues.
        group = community.actor
        activity = self.deeds.to_everybody(
            "Offer", event.id, actor=group.ap_id, object_=group.ap_id,
            more=(("origin", origin.ap_id),),
        )
        return [self.direct(activity, by=group, peers=origin.peers,
                            keys=((group.ap_id,), ()))]

    def subscription(self, event: Event) -> Told:
        """Tell of somebody of ours who follows a community elsewhere."""
        person = self.scene.people.get(event.did)
        community = self.scene.communities.get(event.row)
        if person is None or not person.local or community is None or community.actor.local:
            return []
        group = community.actor
        activity = self.deeds.follow(event.rkey, actor=person.ap_id, community=group.ap_id)
        if event.operation == "delete":
            activity = self.deeds.undo(event.id, activity)
        elif not msgspec.json.decode(event.record, type=of_forum.Subscription).pending:
            return []
        return [self.direct(
            activity, by=person, peers=[group.domain], inbox=group.inbox, public=False,
            keys=((f"follow {person.ap_id} {group.ap_id}",), ()),
        )]

    def accept(self, event: Event) -> Told:
        """Return the Accept of somebody who follows a community of ours from elsewhere."""
        person = self.scene.people.get(event.did)
        community = self.scene.communities.get(event.row)
        if (event.operation == "delete" or person is None or person.local or community is None
                or not community.actor.local or community.local_only):
            return []
        group = community.actor
        follow = {
            "type": "Follow", "actor": person.ap_id, "object": group.ap_id,
            "id": self.scene.follow_ids.get((person.id, group.id))
            or f"{person.ap_id}#follows/{group.ap_id}",
        }
        activity = self.deeds.to_one(
            "Accept", event.id, actor=group.ap_id, recipient=person.ap_id, object_=follow
        )
        return [self.direct(
            activity, by=group, peers=[person.domain], inbox=person.inbox, public=False,
            keys=((f"follow {person.ap_id} {group.ap_id}",), ()),
        )]

    def profile(self, event: Event) -> Told:
        """Tell of a person of ours."""
        person = self.scene.actors.get(event.row)
        if person is None or not person.local or event.operation == "create":
            return []
        if event.operation == "delete":
            activity = self.deeds.to_everybody(
                "Delete", event.id, actor=person.ap_id, object_=person.ap_id
            )
            return self.everywhere(activity, by=person, writes=(person.ap_id,))
        if person.deleted:
            return []
        document = self.documents.person(
            person, self.scene.keys.get(person.id, ""), self.scene.known_as[person.id]
        )
        activity = self.deeds.to_everybody(
            "Update", event.id, actor=person.ap_id, object_=document
        )
        return self.everywhere(activity, by=person, writes=(person.ap_id,))

    def move(self, event: Event) -> Told:
        """Tell that somebody of ours, or a community, is somewhere else now.

        That a person is back its profile tells.
        """
        person = self.scene.actors.get(event.row)
        if person is None or not person.local or event.operation == "delete":
            return []
        target = msgspec.json.decode(event.record, type=of_accounts.Move).target
        activity = self.deeds.to_everybody(
            "Move", event.id, actor=person.ap_id, object_=person.ap_id, more=(("target", target),)
        )
        return self.everywhere(activity, by=person, writes=(person.ap_id,))

    def message(self, event: Event) -> Told:
        """Tell of a private message, to its recipient's server alone."""
        view = self.scene.messages.get(event.row)
        if view is None or not view.creator.local or view.recipient.local:
            return []
        sender, recipient, id_ = view.creator.ap_id, view.recipient.ap_id, view.message.ap_id
        stood = self.standing(event.rkey)
        if event.operation == "delete":
            self.kept[event.rkey] = Standing("Delete", event.id, id_, 0)
            activity = self._to(recipient, sender, "Delete", event.id, object_=id_)
        elif view.message.deleted:
            return []
        elif stood is not None:
            self.kept[event.rkey] = None
            activity = self.deeds.undo(
                event.id, self._to(recipient, sender, "Delete", stood.event_id, object_=id_)
            )
        else:
            software = self.scene.software.get(view.recipient.domain, "")
            kind = "Create" if event.operation == "create" else "Update"
            document = self.documents.message(
                view, "Note" if is_microblog(software) else "ChatMessage"
            )
            activity = self._to(recipient, sender, kind, event.id, object_=document)
        return [self.direct(
            activity, by=view.creator, peers=[view.recipient.domain], inbox=view.recipient.inbox,
            public=False, keys=((id_,), ()),
        )]

    def _to(
        self, recipient: str, sender: str, kind: str, key: str, *, object_: object
    ) -> Document:
        return self.deeds.to_one(kind, key, actor=sender, recipient=recipient, object_=object_)

    def report(self, event: Event) -> Told:
        """Return the Flag of a report, or what a moderator of ours made of it.

        For the servers of whoever moderates there, and of the reporter; nobody else's.
        """
        record = msgspec.json.decode(event.record, type=of_moderation.Report)
        views: Mapping[int, PostView | CommentView] = {}
        if record.kind in ("post", "comment"):  # of messages nobody elsewhere hears
            views = self.scene.posts if record.kind == "post" else self.scene.comments
        view, reporter = views.get(record.subject), self.scene.people.get(event.did)
        if view is None or reporter is None or view.community.local_only:
            return []
        group = view.community.actor
        by = reporter if event.operation == "create" else self._resolver(event, view.community)
        servers = {group.domain, reporter.domain} | {
            one.domain for one in self.scene.moderators.get(group.id, ())
        }
        servers -= {self._addresses.authority}
        if by is None or not by.local or not servers:
            return []
        subject = view.comment if isinstance(view, CommentView) else view.post
        told = self._flag(event, record, reporter, group, object_id=subject.ap_id)
        if event.operation != "create":
            told = self._resolve(event, told, by, group, resolved=record.resolved)
        return [self.direct(
            told, by=by, peers=servers, public=False,
            keys=((f"report {reporter.ap_id} {subject.ap_id}",), (subject.ap_id,)),
            inbox=group.inbox if servers == {group.domain} else "",
        )]

    def _flag(
        self, event: Event, record: of_moderation.Report, reporter: Actor, group: Actor,
        *, object_id: str,
    ) -> Document:
        key = event.id if event.operation == "create" else f"{event.id}-1"
        return self.deeds.to_one(
            "Flag", key, actor=reporter.ap_id, recipient=group.ap_id, object_=object_id,
            more=(("audience", group.ap_id), ("summary", record.reason),
                  ("content", record.reason)),
        )

    def _resolve(
        self, event: Event, flag: Document, by: Actor, group: Actor, *, resolved: bool
    ) -> Document:
        """Return that a report was dealt with; opened again, the Undo of it.

        Lemmy 1.0, resolve_report.rs: Resolve with the whole Flag. Lemmy knows no Undo of it, and
        says Resolve in that case too; whoever reads ours goes by what we say.
        """
        key = event.id if resolved else f"{event.id}-0"
        resolve = self.deeds.to_one(
            "Resolve", key, actor=by.ap_id, recipient=group.ap_id, object_=flag,
            more=(("audience", group.ap_id),),
        )
        return resolve if resolved else self.deeds.undo(event.id, resolve)

    def _resolver(self, event: Event, community: Community) -> Actor | None:
        """Return who dealt with a report as a moderator there, None where it counts here alone."""
        report = self.scene.reports.get(event.row)
        by = None if report is None else self.scene.actors.get(report.resolver_id or 0)
        moderators = {one.id for one in self.scene.moderators.get(community.id, ())}
        if by is None or not (community.actor.local or by.id in moderators):
            return None
        return by
