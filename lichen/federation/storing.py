"""What was fetched becomes rows: actors with their keys and addresses, threads from the top down.

Commands over an open unit; whoever calls says, by `Unit.coming_from`, where it comes from. That a
fetched thing may stand where it claims to is decided here, by what counts for activities too.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from lichen.accounts import Accounts, Actor, ActorKind
from lichen.federation import peer_rows
from lichen.federation.keys import stage_key
from lichen.federation.model import ActorDocument
from lichen.federation.objects import Thing
from lichen.federation.signatures import check_public_key
from lichen.forum import (
    LANGUAGES,
    CommentId,
    CommentPlace,
    Forum,
    NewComment,
    NewCommunity,
    NewPost,
    Places,
    Post,
    PostPlace,
)
from lichen.kit import Refused
from lichen.store import Unit

_LANGUAGE_IDS = {language.code: language.id for language in LANGUAGES}


class Written(NamedTuple):
    """A thing of a thread with its author's row."""

    thing: Thing
    author: Actor


def stage_actors(
    unit: Unit, documents: Sequence[ActorDocument], *, accounts: Accounts, forum: Forum
) -> dict[str, Actor]:
    """Store actors that are not known yet, and return all of them by id; five round trips."""
    by_id = {one.ap_id: one for one in documents}
    found = accounts.actors_by_ap_id(unit, by_id)
    fresh = [one for ap_id, one in by_id.items() if ap_id not in found]
    groups = [one for one in fresh if one.draft.kind is ActorKind.COMMUNITY]
    others = [one for one in fresh if one.draft.kind is not ActorKind.COMMUNITY]
    stored = accounts.create_actors(unit, [one.draft for one in others]) if others else []
    if groups:
        communities = forum.create_communities(unit, [_new_community(one) for one in groups])
        stored += [one.actor for one in communities]
    unit.stage(peer_rows.KEEP_ADDRESSES, *(
        peer_rows.row_of_addresses(one, now_us=unit.clock_us) for one in fresh
    ))
    for one in fresh:
        if one.key is not None:
            with suppress(Refused):  # an actor without a key that serves can still be read
                check_public_key(one.key.public_pem)
                stage_key(unit, one.key_id, one.key)
    return found | {actor.ap_id: actor for actor in stored}


def stage_thread(
    unit: Unit, chain: Sequence[Written], *, community: Actor | None, forum: Forum
) -> None:
    """Store what is new of a thread, given from the top down; about six round trips.

    The first is a post in `community`, or answers something that is known already; what somebody
    else stored meanwhile is left as it is. Raises Refused where a thing may not stand there.
    """
    actors = [one.author.ap_id for one in chain] + ([community.ap_id] if community else [])
    things = [one.thing.ap_id for one in chain] + [chain[0].thing.replies_to]
    places, _ = forum.places_from(unit.fetch_all(*forum.places_queries(unit, things, actors)))
    fresh = _fresh(chain, places)
    if not fresh:
        return
    above = _place(places, fresh[0].thing.replies_to)
    if above is not None:
        if above.is_gone:
            raise Refused("not_there", "What this answers is no longer there.")
        check_place(places, above.community_id, fresh)
        seat = (above.id, None) if isinstance(above, PostPlace) else (above.post_id, above.id)
        _stage_comments(unit, fresh, *seat, forum=forum)
        return
    if community is None:
        raise Refused("not_there", "What this answers is not here.")
    check_place(places, community.id, fresh, post_in=community)
    post = _stage_post(unit, fresh[0], community.id, forum=forum)
    if fresh[1:]:
        _stage_comments(unit, fresh[1:], post.id, None, forum=forum)


def _fresh(chain: Sequence[Written], places: Places) -> Sequence[Written]:
    """Return the end of a thread that is not known yet."""
    known = [at for at, one in enumerate(chain, 1) if _place(places, one.thing.ap_id) is not None]
    return chain[known[-1]:] if known else chain


def _place(places: Places, ap_id: str) -> PostPlace | CommentPlace | None:
    return places.posts.get(ap_id) or places.comments.get(ap_id)


def check_place(
    places: Places, community_id: int, chain: Sequence[Written], *, post_in: Actor | None = None
) -> None:
    """Refuse things by people who may not write in a community; `post_in` is that of a post."""
    community = places.communities.get(community_id)
    if community is not None and community.is_closed:
        raise Refused("not_there", "This community is closed.")
    for one in chain:
        if one.author.banned or (community_id, one.author.id) in places.bans:
            raise Refused("site_ban", "Its author is banned here.")
    author = chain[0].author
    # A server lets its own people in itself: PeerTube's channels and WordPress's blogs are for
    # moderators alone, and who these are is not said, or later.
    if (post_in is not None and community is not None and community.restricted
            and (community_id, author.id) not in places.seats and author.domain != post_in.domain):
        raise Refused("only_mods_can_post_in_community", "Only moderators post there.")


def _new_community(document: ActorDocument) -> NewCommunity:
    # A language that we have no number for is as good as none said.
    languages = (_LANGUAGE_IDS.get(code) for code in document.languages)
    return NewCommunity(
        actor=document.draft, nsfw=document.nsfw,
        posting_restricted_to_mods=document.posting_restricted_to_mods,
        languages=tuple(sorted({one for one in languages if one is not None})),
    )


def _stage_post(unit: Unit, written: Written, community_id: int, *, forum: Forum) -> Post:
    thing = written.thing
    (post,) = forum.create_posts(unit, [NewPost(
        creator_id=written.author.id, community_id=community_id, draft=thing.draft(),
        ap_id=thing.ap_id, published_us=past(thing.published_us, unit.clock_us), local=False,
    )])
    return post


def _stage_comments(
    unit: Unit, chain: Sequence[Written], post_id: int, parent_id: int | None, *, forum: Forum
) -> None:
    numbers = [CommentId(one) for one in unit.take_numbers("comment", len(chain))]
    parents: list[int | None] = [parent_id, *numbers[:-1]]
    new = [
        NewComment(
            id=number, creator_id=one.author.id, post_id=post_id, parent_id=parent,
            content=one.thing.comment(), language_id=one.thing.language_id,
            ap_id=one.thing.ap_id, published_us=past(one.thing.published_us, unit.clock_us),
            local=False,
        )
        for number, parent, one in zip(numbers, parents, chain, strict=True)
    ]
    forum.create_comments(unit, new)


def past(time_us: int | None, now_us: int) -> int | None:
    """Return a time that a peer gave, but no time to come: it would stay on top of every list."""
    return None if time_us is None else min(time_us, now_us)


def origins_of(actors: Mapping[str, Actor]) -> dict[str, str]:
    """Return where the events of remote actors come from, by DID."""
    return {actor.did: actor.domain for actor in actors.values() if not actor.local}
