"""Decides what a batch of activities does: one after the other, into orders for whole batches.

Everything that can be known is known already (known.py), so deciding costs no round trip. An
activity ends in an order, in waiting for something that must be fetched, or refused with a code
that is counted: hostile input never stops the others.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import msgspec

from lichen.accounts import Actor, ActorDraft, ActorKind
from lichen.federation.activities import (
    Activity,
    Answer,
    Blocking,
    Deletion,
    Flagging,
    Follow,
    Locking,
    Moving,
    Offering,
    Profile,
    Reacting,
    Resolving,
    Seating,
    Sharing,
    Undoing,
    Voting,
    Writing,
)
from lichen.federation.actors import community_draft
from lichen.federation.authorities import (
    check_own,
    check_passed_on,
    check_unmoved,
    check_voucher,
    check_writer,
    judge_of,
    viewer_of,
)
from lichen.federation.decisions import Spot, Waits
from lichen.federation.ingest_rows import gone_key
from lichen.federation.judging import Judging
from lichen.federation.known import (
    Arrival,
    MessagePlace,
    Need,
    Queued,
    subject_of,
    subjects_of,
    undone_key,
)
from lichen.federation.leaving import Leaving
from lichen.federation.limits import PARKED_MAX
from lichen.federation.model import authority_of
from lichen.federation.objects import without_pictures
from lichen.federation.orders import Fate, KeptFollow, Parking
from lichen.federation.successors import stage_alive
from lichen.forum import (
    COMMENT_DEPTH_MAX,
    CommentChange,
    CommentId,
    CommentPlace,
    CommunityDraft,
    FollowAnswer,
    Following,
    NewComment,
    NewPost,
    PostChange,
    PostId,
    PostPlace,
    SubjectKind,
    Vote,
)
from lichen.kit import Forbidden, NotFound, Refused
from lichen.messages import MessageChange, NewMessage
from lichen.store import Unit


class Decider(Leaving):
    """Decides one batch."""

    def decide(self, arrival: Arrival) -> None:
        """Order what an activity asks for, park it, or refuse and count it."""
        outcomes, activity = self.orders.outcomes, arrival.activity
        key = arrival.key
        if key in self._known.received and arrival.parked_id is None:
            outcomes["duplicate"] += 1
            self.orders.fates.append(Fate(arrival.seq, activity.id, "duplicate"))
            return
        self._known.received.add(key)
        self.orders.received.append(key)
        try:
            check_voucher(arrival, own_authority=self._below.own_authority)
            for subject in subjects_of(activity):
                queued = self._known.waiting.get(subject)
                if queued and (arrival.parked_id is None or queued.since < arrival.parked_id):
                    raise Waits(queued.need)
            self._DECIDE[type(activity)](self, arrival, activity)
            outcomes["applied"] += 1
        except Waits as waits:
            self._park(arrival, waits.need)
        except Refused as refusal:
            outcomes[refusal.code] += 1
            self.orders.fates.append(
                Fate(arrival.seq, activity.id, refusal.code, refusal.text))

    def _park(self, arrival: Arrival, need: Need) -> None:
        self.orders.outcomes["parked"] += 1
        if self._known.parked_count >= PARKED_MAX:
            self.orders.outcomes["too_many_parked"] += 1
            self.orders.fates.append(
                Fate(arrival.seq, arrival.activity.id, "too_many_parked", needs=need.ap_id))
            return
        self.orders.fates.append(
            Fate(arrival.seq, arrival.activity.id, "parked", needs=need.ap_id))
        subject = subject_of(arrival.activity)
        self._known.parked_count += 1
        self._known.waiting[subject] = Queued(need, arrival.parked_id or 0)
        self.orders.parked.append(Parking(arrival, need, subject))

    def _follow(self, arrival: Arrival, act: Follow) -> None:
        person, target = self._person(arrival), self._known.actors.get(act.object)
        if target is None or not target.local or target.kind is not ActorKind.COMMUNITY:
            raise NotFound("couldnt_find_community", "There is no such community here.")
        community = self._community(target)
        if act.follow:
            check_writer(act, self._known, person, community)
        self.orders.followings.append(Following(person.id, target.id, act.follow))
        self.orders.follows.append(
            KeptFollow(person.id, target.id, act.id if act.follow else None)
        )

    def _answer(self, arrival: Arrival, act: Answer) -> None:
        community = self._known.actors.get(act.actor)
        follower = self._known.actors.get(act.follower)
        if follower is not None and community is not None:
            pair: tuple[int, int] = (follower.id, community.id)
        else:
            pair = self._known.follows.get(act.follow_id, (0, 0))
        if community is None or pair[1] != community.id or act.announcer:
            raise NotFound("couldnt_find_follow", "Nobody here has asked for that.")
        self.orders.origins[community.did] = arrival.peer
        self.orders.answers.append(FollowAnswer(*pair, act.accepted))

    def _write(self, arrival: Arrival, act: Writing) -> None:
        if not self._below.accepts(arrival.peer).pictures:
            act = msgspec.structs.replace(act, thing=without_pictures(act.thing))
        thing = act.thing
        check_own(act, thing.ap_id)
        if thing.authors and act.actor not in thing.authors:
            raise Forbidden("foreign_object", "What somebody writes is attributed to them.")
        if thing.is_message and not act.announcer:
            self._message(arrival, act)
            return
        spot = self._spot(thing.ap_id)
        if spot is not None:
            self._rewrite(arrival, act, spot)
        elif gone_key(thing.ap_id) in self._known.received:
            raise NotFound("deleted", "That was deleted before it came.")
        elif thing.replies_to:
            self._comment(arrival, act)
        else:
            self._post(arrival, act)

    def _rewrite(self, arrival: Arrival, act: Writing, spot: Spot) -> None:
        """Change what is known; that it is written again says nothing new."""
        person, thing = self._person(arrival), act.thing
        if spot.creator_id != person.id:
            raise Forbidden("foreign_object", "Only its author changes something.")
        check_passed_on(act, self._known, spot.community.id)
        if not act.is_update:
            raise Refused("known", "That is known.")
        check_writer(act, self._known, person, spot.community)
        if spot.kind is SubjectKind.POST:
            self.orders.post_changes.append(PostChange(
                spot.id, draft=thing.draft(), updated_us=self._past(thing.updated_us)
            ))
        else:
            self.orders.comment_changes.append(CommentChange(
                spot.id, content=thing.comment(), language_id=thing.language_id,
                updated_us=self._past(thing.updated_us),
            ))
        self._accept(arrival, spot.community)

    def _post(self, arrival: Arrival, act: Writing) -> None:
        thing, community = act.thing, self._community_of(act) or self._named(act)
        if community is None:
            raise NotFound("couldnt_find_community", "It is for no community that is known here.")
        if act.announcer and act.announcer not in thing.addressees:
            raise Forbidden("not_its_community", "It was not written for who passes it on.")
        person = self._person(arrival)
        check_passed_on(act, self._known, community.id)
        check_writer(act, self._known, person, community)
        is_moderator = (community.id, person.id) in self._known.places.seats
        if community.local and community.restricted and not is_moderator:
            raise Forbidden("only_mods_can_post_in_community", "Only moderators can post here.")
        number = PostId(self._unit.take_numbers("post")[0])
        self.orders.posts.append(NewPost(
            person.id, community.id, thing.draft(), id=number, ap_id=thing.ap_id, local=False,
            published_us=self._past(thing.published_us),
        ))
        self._known.places.posts[thing.ap_id] = PostPlace(
            number, community.id, person.id, locked=False, is_gone=False
        )
        self.orders.came.append(thing.ap_id)
        self._accept(arrival, community)

    def _comment(self, arrival: Arrival, act: Writing) -> None:
        thing, places = act.thing, self._known.places
        above = places.posts.get(thing.replies_to)
        parent = places.comments.get(thing.replies_to)
        if above is None and parent is None:
            if not self._concerns_us(act):
                raise Refused("unrelated", "It is for nobody here.")
            self._spot_or_wait(act, thing.replies_to)
        place = above or parent
        assert place is not None, "what it answers is here"
        community = places.communities[place.community_id]
        person = self._person(arrival)
        check_passed_on(act, self._known, community.id)
        check_writer(act, self._known, person, community)
        is_moderator = (community.id, person.id) in places.seats
        if place.locked and community.local and not is_moderator:
            raise Forbidden("locked", "A moderator has closed this post for new comments.")
        depth = parent.depth if parent else 0
        if depth >= COMMENT_DEPTH_MAX or (parent and not parent.is_open):
            raise Refused("max_comment_depth_reached", "It cannot be answered here.")
        number = CommentId(self._unit.take_numbers("comment")[0])
        post_id = parent.post_id if parent else place.id
        self.orders.comments.append(NewComment(
            person.id, post_id, thing.comment(), parent_id=parent.id if parent else None,
            language_id=thing.language_id, id=number, ap_id=thing.ap_id, local=False,
            published_us=self._past(thing.published_us),
        ))
        places.comments[thing.ap_id] = CommentPlace(
            number, post_id, community.id, person.id, depth + 1, place.locked, is_open=True,
            is_gone=False,
        )
        self.orders.came.append(thing.ap_id)
        self._accept(arrival, community)

    def _message(self, arrival: Arrival, act: Writing) -> None:
        """Keep or change a private message to somebody here."""
        thing, sent = act.thing, self._known.messages.get(act.object)
        if not self._below.accepts(arrival.peer).messages:
            raise Forbidden("messages_not_accepted", "No private messages are taken from there.")
        person = self._person(arrival)
        if sent is not None:
            if sent.creator_id != person.id or not act.is_update:
                raise Refused("known", "That is known.")
            self.orders.message_changes.append(MessageChange(
                sent.id, content=thing.text(), updated_us=self._past(thing.updated_us)
            ))
            return
        check_unmoved(self._known, person)
        recipient = next((
            actor for id in thing.addressees if (actor := self._known.actors.get(id))
            and actor.local and actor.kind is ActorKind.PERSON
        ), None)
        if recipient is None:
            raise Refused("unrelated", "It is for nobody here.")
        number = self._below.messages.take_number(self._unit)
        self.orders.messages[number] = NewMessage(
            thing.ap_id, person.id, recipient.id, thing.text(),
            published_us=self._past(thing.published_us),
        )
        self._known.messages[thing.ap_id] = MessagePlace(number, person.id)

    def _vote(self, arrival: Arrival, act: Voting) -> None:
        spot = self._spot_or_wait(act, act.object)
        person = self._person(arrival)
        check_passed_on(act, self._known, spot.community.id)
        check_writer(act, self._known, person, spot.community)
        if act.value < 0 and not self._takes_dislikes(arrival.peer):
            raise Forbidden("downvotes_are_disabled", "No downvotes are taken here.")
        self.orders.votes.append(Vote(person.id, spot.kind, spot.id, act.value))
        if act.value and not act.announcer:
            about = f"{spot.kind.value} {spot.id}"
            self.orders.about[arrival.key] = self._known.about[arrival.key] = about
        self._accept(arrival, spot.community)
        if act.emoji:
            self._act(arrival, self._reaction(person, spot, act.emoji, on=act.value > 0))

    def _react(self, arrival: Arrival, act: Reacting) -> None:
        """Put an emoji on something, or take it off."""
        spot = self._spot_or_wait(act, act.object)
        person = self._person(arrival)
        check_passed_on(act, self._known, spot.community.id)
        check_writer(act, self._known, person, spot.community)
        self._act(arrival, self._reaction(person, spot, act.emoji, on=act.on), spot.community)

    def _reaction(
        self, person: Actor, spot: Spot, emoji: str, *, on: bool
    ) -> Callable[[Unit], object]:
        return partial(self._below.forum.react, viewer=viewer_of(person), kind=spot.kind,
                       subject_id=spot.id, emoji=emoji, on=on, even_gone=True)

    def _undo(self, arrival: Arrival, act: Undoing) -> None:
        """Undo what is named by its id alone: a follow, or a vote of the last days."""
        person, pair = self._person(arrival), self._known.follows.get(act.object)
        if pair is not None and pair[0] == person.id:
            self.orders.followings.append(Following(*pair, False))
            self.orders.follows.append(KeptFollow(*pair, None))
            return
        # By its key, an activity is its actor's own. It is not passed on: others know no such form.
        kind, _, number = self._known.about.get(undone_key(act), "").partition(" ")
        if not number:
            raise NotFound("couldnt_find_object", "There is no such thing here.")
        self.orders.votes.append(Vote(person.id, SubjectKind(int(kind)), int(number), 0))

    def _delete(self, arrival: Arrival, act: Deletion) -> None:
        group = self._known.actors.get(act.object)
        if group is not None and group.kind is ActorKind.COMMUNITY:
            self._close(arrival, act, group)
            return
        if act.object == act.actor:
            self._depart(arrival, act)
            return
        sent = self._known.messages.get(act.object)
        spot = self._spot(act.object)
        if sent is not None and spot is None:
            if sent.creator_id != self._person(arrival).id:
                raise Forbidden("foreign_object", "Only its sender takes a message away.")
            self.orders.message_changes.append(MessageChange(sent.id, deleted=act.deleted))
            return
        if spot is None:
            self._delete_unseen(act)
            return
        check_passed_on(act, self._known, spot.community.id)
        actor = self._known.actors.get(act.actor)
        is_author = actor is not None and actor.id == spot.creator_id
        moderates = actor is not None and (spot.community.id, actor.id) in self._known.places.seats
        is_of_server = authority_of(act.object) == authority_of(act.actor)
        if (is_author or is_of_server) and (act.reason is None or not moderates):
            self._delete_own(arrival, act, spot)
        else:
            self._removal(arrival, act, spot)

    def _delete_own(self, arrival: Arrival, act: Deletion, spot: Spot) -> None:
        person = self._known.actors.get(act.actor)
        if person is not None:
            self.orders.origins[person.did] = arrival.peer
        author = self._known.by_id.get(spot.creator_id)
        if author is not None:
            self.orders.origins[author.did] = arrival.peer
        if spot.kind is SubjectKind.POST:
            self.orders.post_changes.append(PostChange(spot.id, deleted=act.deleted))
        else:
            self.orders.comment_changes.append(CommentChange(spot.id, deleted=act.deleted))
        self._accept(arrival, spot.community)

    def _delete_unseen(self, act: Deletion) -> None:
        """Remember that something was deleted before it came, on the word of its own server."""
        if act.deleted and authority_of(act.object) == authority_of(act.actor):
            self._known.received.add(gone_key(act.object))
            self.orders.received.append(gone_key(act.object))
        raise NotFound("couldnt_find_object", "There is no such thing here.")

    def _profile(self, arrival: Arrival, act: Profile) -> None:
        """Take over what an actor says of itself now."""
        target = self._known.actors.get(act.object)
        if target is None:
            raise NotFound("couldnt_find_object", "Nobody here knows that actor.")
        if target.local:
            self._edit_community(arrival, act, target)
            return
        if act.announcer not in ("", act.object):
            raise Forbidden("not_its_community", "A community speaks for what is in it alone.")
        if not act.announcer:
            check_own(act, act.object)
        said = self._below.read_actor(act.document)
        if said.draft.ap_id != act.object:
            raise Forbidden("foreign_object", "An actor speaks for itself.")
        self.orders.origins[target.did] = arrival.peer
        if target.kind is ActorKind.COMMUNITY:
            drafts: dict[int, CommunityDraft] = {target.id: community_draft(said)}
            self._act(arrival, partial(self._below.forum.refresh_communities, drafts=drafts))
            if not said.moved_to:
                self._act(arrival, partial(stage_alive, community_id=target.id))
        elif target.kind is ActorKind.PERSON:
            persons: dict[int, ActorDraft] = {target.id: said.draft}
            self._act(arrival, partial(self._below.accounts.refresh_persons, drafts=persons))
            if not said.moved_to:
                self._known.moved.discard(target.id)
                self._act(arrival, partial(self._below.accounts.end_move, person=target))

    def _edit_community(self, arrival: Arrival, act: Profile, target: Actor) -> None:
        """Change a community of ours as its remote moderator."""
        if target.kind is not ActorKind.COMMUNITY:
            raise Forbidden("foreign_object", "People here change their profiles here.")
        community = self._community(target)
        judge = judge_of(act, self._known, self._person(arrival), community)
        draft = community_draft(self._below.read_actor(act.document))
        self._act(arrival, partial(
            self._below.forum.edit_community, viewer=judge, community_id=target.id, draft=draft
        ), community)

    def _share(self, arrival: Arrival, act: Sharing) -> None:
        """Fetch what a community that is followed here points at, unless it is known."""
        if self._spot(act.object) is not None:
            raise Refused("known", "That is known.")
        sharer = self._known.actors.get(act.actor)
        place = None if sharer is None else self._known.places.communities.get(sharer.id)
        if place is None or not place.followed:
            raise Refused("unrelated", "Nobody here follows that.")
        self._spot_or_wait(act, act.object)

    _DECIDE: ClassVar[dict[type[Activity], Callable[[Any, Arrival, Any], None]]] = {
        Follow: _follow, Answer: _answer, Writing: _write, Voting: _vote, Deletion: _delete,
        Locking: Judging._lock, Seating: Judging._seat, Blocking: Judging._block,
        Flagging: Judging._flag, Profile: _profile, Moving: Leaving._move,
        Offering: Leaving._offer, Sharing: _share,
        Resolving: Judging._resolve, Reacting: _react, Undoing: _undo,
    }
