"""Everything that a batch of events is about, looked up together.

A scene holds rows as they are now, which may be later than the event: what has gone meanwhile is
not told, and what has changed is told as it is. The number of round trips does not grow with the
batch: at most one for each kind of thing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from lichen.accounts import Accounts, Actor, Known
from lichen.events import LOCAL, Event, collection_of
from lichen.events import accounts as of_accounts
from lichen.events import forum as of_forum
from lichen.events import messages as of_messages
from lichen.events import moderation as of_moderation
from lichen.events.federation import Accepted
from lichen.federation import outgoing_rows, successor_rows
from lichen.federation.limits import BAN_PLACES_MAX, SUCCESSOR_PEERS_MAX
from lichen.federation.succession import Lineage
from lichen.federation.successors import lineages_of
from lichen.forum import BanTerms, CommentView, Community, Forum, PostView
from lichen.forum.markdown import Mention, mentions
from lichen.messages import Messages, MessageView
from lichen.moderation import Action, Kind, Moderation, Report
from lichen.store import Unit

POST = collection_of(of_forum.Post)
COMMENT = collection_of(of_forum.Comment)
VOTE = collection_of(of_forum.Vote)
COMMUNITY = collection_of(of_forum.Community)
SUBSCRIPTION = collection_of(of_forum.Subscription)
PROFILE = collection_of(of_accounts.Profile)
MOVE = collection_of(of_accounts.Move)
MESSAGE = collection_of(of_messages.Message)
ACTION = collection_of(of_moderation.Action)
REPORT = collection_of(of_moderation.Report)
ACCEPTED = collection_of(Accepted)  # an activity of a remote person in a community of ours

MENTIONS_MAX = 20  # people of other servers who are told of one comment

FollowIds = Callable[[Unit, Sequence[tuple[int, int]]], Mapping[tuple[int, int], str]]


class Standing(NamedTuple):
    """The activity that stands for a record, as far as its Undo needs it."""

    kind: str
    event_id: str
    object: str
    community_id: int


class Origin(NamedTuple):
    """What a community founded here continues, and the servers that may hold copies of it."""

    ap_id: str
    peers: tuple[str, ...]


class Rooms(NamedTuple):
    """The rooms that composing looks into."""

    accounts: Accounts
    forum: Forum
    messages: Messages
    moderation: Moderation
    follow_ids: FollowIds


@dataclass(slots=True)
class Scene:
    """What a batch of events is about; every mapping lacks what is not there any more."""

    posts: dict[int, PostView] = field(default_factory=dict)
    comments: dict[int, CommentView] = field(default_factory=dict)
    communities: dict[int, Community] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)  # by DID
    actors: dict[int, Actor] = field(default_factory=dict)
    known_as: dict[int, Known] = field(default_factory=dict)  # of people whose profile is told
    messages: dict[int, MessageView] = field(default_factory=dict)
    reports: dict[int, Report] = field(default_factory=dict)  # that somebody dealt with
    actions: dict[int, tuple[Action, bool]] = field(default_factory=dict)
    moderators: dict[int, list[Actor]] = field(default_factory=dict)
    # Of whom this site bans, by person: the communities of ours where it wrote, and its bans there.
    wrote_in: dict[int, dict[int, BanTerms | None]] = field(default_factory=dict)
    named: dict[tuple[str, str], Actor] = field(default_factory=dict)
    standing: dict[str, Standing] = field(default_factory=dict)  # by record key
    follow_ids: dict[tuple[int, int], str] = field(default_factory=dict)
    followers: dict[int, frozenset[str]] = field(default_factory=dict)
    origins: dict[int, Origin] = field(default_factory=dict)  # of what was founded
    lineages: dict[int, Lineage] = field(default_factory=dict)  # of communities that changed
    originals: dict[int, bytes] = field(default_factory=dict)  # lines of the inbox, by sequence
    keys: dict[int, str] = field(default_factory=dict)  # public ones, as PEM
    software: dict[str, str] = field(default_factory=dict)  # of the servers of recipients
    now_us: int = 0

    def community_of(self, did: str) -> Community | None:
        """Return a community by its DID."""
        actor = self.people.get(did)
        return None if actor is None else self.communities.get(actor.id)


class _Wanted:
    """What a batch asks for, by kind."""

    def __init__(self) -> None:
        self.posts: set[int] = set()
        self.comments: set[int] = set()
        self.communities: set[int] = set()
        self.actors: set[int] = set()
        self.dids: set[str] = set()
        self.messages: set[int] = set()
        self.reports: set[int] = set()
        self.actions: set[int] = set()
        self.tids: set[str] = set()
        self.governed: set[int] = set()  # communities whose moderators are asked for
        self.judged: set[str] = set()  # the same by DID
        self.reported_posts: set[int] = set()
        self.reported_comments: set[int] = set()


def gather(unit: Unit, rooms: Rooms, events: Iterable[Event]) -> Scene:
    """Return the scene of a batch of events; at most fifteen round trips."""
    events = list(events)
    wanted = _wanted(events)
    scene = Scene(now_us=unit.clock_us)
    named = wanted.dids | wanted.judged
    if named:
        scene.people = rooms.accounts.actors_by_dids(unit, sorted(named))
        wanted.communities |= {one.id for one in scene.people.values() if one.kind == "Group"}
        wanted.governed |= {one.id for did, one in scene.people.items() if did in wanted.judged}
    if wanted.actions:
        scene.actions = rooms.moderation.actions_by_id(unit, sorted(wanted.actions))
        actions = [action for action, _ in scene.actions.values()]
        _want_actions(wanted, actions)
        banned = {one.person_id for one in actions if one.kind is Kind.BAN and one.person_id}
        if banned:
            scene.wrote_in = rooms.forum.our_places_of(
                unit, sorted(banned), limit=BAN_PLACES_MAX
            )
            wanted.communities |= {place for some in scene.wrote_in.values() for place in some}
    if wanted.tids:
        found = unit.fetch(outgoing_rows.STANDING, tids=sorted(wanted.tids))
        scene.standing = {
            row.tid: Standing(row.kind, row.event_id, row.object, row.community_id)
            for row in found
        }
        wanted.communities |= {one.community_id for one in scene.standing.values()} - {0}
    if wanted.messages:
        found_messages = rooms.messages.messages_by_id(unit, sorted(wanted.messages))
        scene.messages = {view.message.id: view for view in found_messages}
    if wanted.reports:
        scene.reports = rooms.moderation.reports_by_id(unit, sorted(wanted.reports))
        wanted.actors |= {one.resolver_id for one in scene.reports.values() if one.resolver_id}
    wanted.posts |= wanted.reported_posts
    wanted.comments |= wanted.reported_comments
    if wanted.posts or wanted.comments:
        _gather_words(unit, rooms, scene, wanted)
    _gather_around(unit, rooms, scene, wanted, events=events)
    return scene


def _wanted(events: Iterable[Event]) -> _Wanted:
    wanted = _Wanted()
    by_row = {
        POST: wanted.posts, COMMENT: wanted.comments, COMMUNITY: wanted.communities,
        SUBSCRIPTION: wanted.communities, PROFILE: wanted.actors, MOVE: wanted.actors,
        MESSAGE: wanted.messages, ACTION: wanted.actions,
    }
    for event in events:
        wanted.dids.add(event.did)
        if event.collection in by_row:
            by_row[event.collection].add(event.row)
        if event.collection in (VOTE, POST, COMMENT, MESSAGE, COMMUNITY):
            wanted.tids.add(event.rkey)
        if event.collection == COMMUNITY:
            wanted.governed.add(event.row)
        if event.collection == VOTE and event.operation != "delete":
            vote = msgspec.json.decode(event.record, type=of_forum.Vote)
            is_post = vote.subject.split("/")[3] == POST
            (wanted.posts if is_post else wanted.comments).add(event.row)
        if event.collection == REPORT:
            report = msgspec.json.decode(event.record, type=of_moderation.Report)
            if report.kind == "post":
                wanted.reported_posts.add(report.subject)
            elif report.kind == "comment":
                wanted.reported_comments.add(report.subject)
            if event.operation == "update":
                wanted.reports.add(event.row)
        if event.collection == ACCEPTED and event.operation != "delete":
            accepted = msgspec.json.decode(event.record, type=Accepted)
            (wanted.judged if accepted.judges_only else wanted.dids).add(accepted.community)
    return wanted


def _want_actions(wanted: _Wanted, actions: Iterable[Action]) -> None:
    for action in actions:
        wanted.actors.add(action.moderator_id)
        if action.person_id is not None:
            wanted.actors.add(action.person_id)
        if action.comment_id is not None:
            wanted.comments.add(action.comment_id)
        elif action.post_id is not None:
            wanted.posts.add(action.post_id)
        if action.kind is Kind.PURGE_COMMUNITY and action.community_id is not None:
            wanted.actors.add(action.community_id)  # its row alone is gone
        if action.community_id is not None:
            wanted.communities.add(action.community_id)
            wanted.governed.add(action.community_id)


def _gather_words(unit: Unit, rooms: Rooms, scene: Scene, wanted: _Wanted) -> None:
    """Look up posts and comments, gone or not, and what the comments answer."""
    found = rooms.forum.scene_of(
        unit, None, posts=sorted(wanted.posts), comments=sorted(wanted.comments)
    )
    scene.posts, scene.comments = dict(found.posts), dict(found.comments)
    views = scene.comments.values()
    parents = {
        view.comment.parent_id for view in views if view.comment.parent_id is not None
    } - set(scene.comments)
    answered = {view.post.id for view in views} - set(scene.posts)
    if parents or answered:
        more = rooms.forum.scene_of(
            unit, None, posts=sorted(answered), comments=sorted(parents)
        )
        scene.posts.update(more.posts)
        scene.comments.update(more.comments)
    around: list[PostView | CommentView] = [*scene.posts.values(), *scene.comments.values()]
    scene.communities = {view.community.id: view.community for view in around}
    wanted.governed |= {
        scene.posts[one].community.id for one in wanted.reported_posts if one in scene.posts
    } | {
        scene.comments[one].community.id
        for one in wanted.reported_comments if one in scene.comments
    }
    names = {
        (one.name.lower(), one.domain)
        for id_ in wanted.comments if id_ in scene.comments
        for one in mentioned_in(scene.comments[id_].comment.content)
    }
    if names:
        scene.named = rooms.accounts.persons_named(unit, names)


def _gather_around(
    unit: Unit, rooms: Rooms, scene: Scene, wanted: _Wanted, *, events: Sequence[Event]
) -> None:
    """Look up communities, their moderators and followers, and people by number."""
    missing = wanted.communities - set(scene.communities)
    if missing:
        views = rooms.forum.community_views(unit, None, sorted(missing))
        scene.communities.update((view.community.id, view.community) for view in views)
    ours = [one.id for one in scene.communities.values() if one.actor.local]
    if ours:
        scene.followers = rooms.forum.follower_authorities(unit, ours)
    if wanted.governed:
        scene.moderators = rooms.forum.moderators_of(unit, sorted(wanted.governed))
    if wanted.actors:
        scene.actors = rooms.accounts.actors(unit, sorted(wanted.actors))
    told = [event.row for event in events if event.collection == PROFILE]
    if told:
        scene.known_as = rooms.accounts.known_as(unit, told)
    follows = [
        (scene.people[event.did].id, event.row) for event in events
        if event.collection == SUBSCRIPTION and event.operation != "delete"
        and event.did in scene.people and not scene.people[event.did].local
    ]
    if follows:
        scene.follow_ids = dict(rooms.follow_ids(unit, follows))
    changed = [event.row for event in events
               if event.collection == COMMUNITY and event.operation == "update"]
    if changed:
        scene.lineages = lineages_of(unit, rooms.accounts, changed)
    _gather_origins(unit, rooms, scene, events)


def _gather_origins(
    unit: Unit, rooms: Rooms, scene: Scene, events: Sequence[Event]
) -> None:
    """Look up what communities that were just founded continue; mostly nothing was."""
    founded = [event.row for event in events
               if event.collection == COMMUNITY and event.operation == "create"
               and event.origin == LOCAL]
    offers = unit.fetch(successor_rows.FOUNDED, ids=founded) if founded else []
    olds = rooms.accounts.actors(unit, [row.community_id for row in offers]) if offers else {}
    for row in offers:
        old = olds.get(row.community_id)
        if old is not None:
            known_to = rooms.forum.acquainted_authorities(unit, old.id) - {old.domain}
            scene.origins[row.successor_id] = Origin(
                old.ap_id, tuple(sorted(known_to)[:SUCCESSOR_PEERS_MAX])
            )


def mentioned_in(text: str) -> list[Mention]:
    """Return the people a text mentions, as many as are told."""
    return mentions(text)[:MENTIONS_MAX]
