"""The calls that look for things: by words, by address, by `!name` and `@name`."""

import re

from lichen.accounts import Actor, ActorKind
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.forum import Comment, CommunityView, PersonView, Post
from lichen.kit import NotFound, Refused, Unavailable
from lichen.search import SearchResult
from lichen.store import Unit

_HANDLE = re.compile(r"(?P<mark>[!@])(?P<name>[^@!/\s]+)(?:@(?P<domain>[^@/\s]+))?")
_KINDS = {
    "All": ("posts", "comments", "communities", "persons"), "Posts": ("posts",),
    "Comments": ("comments",), "Communities": ("communities",), "Users": ("persons",),
    "Url": ("urls",),
}


async def search(parts: Parts, caller: Caller, asked: wire.Search) -> wire.SearchResponse:
    """Look for words, or with type `Url` for the posts of an address."""
    if not asked.q.strip():
        raise Refused("invalid_query", "Say what to look for.")
    viewer = caller.viewer

    def query(unit: Unit) -> wire.SearchResponse:
        community_id = asked.community_id
        if community_id is None and asked.community_name:
            view = parts.forum.community(unit, viewer, name=asked.community_name)
            community_id = view.community.id
        found = parts.search.find(
            unit, viewer, asked.q, kinds=_KINDS[asked.type_], listing=asked.listing_type,
            community_id=community_id, creator_id=asked.creator_id, sort=asked.sort,
            page=asked.page, limit=asked.limit,
        )
        return _answer(parts, unit, caller, asked=asked, found=found)

    return await parts.store.read(query)


def _answer(
    parts: Parts, unit: Unit, caller: Caller, *, asked: wire.Search, found: SearchResult
) -> wire.SearchResponse:
    """Return what was found as the caller sees it; a round trip for each kind there is."""
    forum, viewer = parts.forum, caller.viewer
    comments = forum.comment_views(unit, viewer, found.comments) if found.comments else []
    posts = forum.post_views(unit, viewer, found.posts) if found.posts else []
    communities = forum.community_views(unit, viewer, found.communities)
    people = forum.persons(unit, viewer, found.persons) if found.persons else []
    return wire.SearchResponse(
        type_=asked.type_,
        comments=views.comment_views(comments),
        posts=views.post_views(posts),
        communities=[views.community_view(view) for view in communities],
        users=[views.person_view(view) for view in people],
    )


async def resolve_object(
    parts: Parts, caller: Caller, asked: wire.ResolveObject
) -> wire.ResolveObjectResponse:
    """Return what is at an address, at `!community` or at `@person`, of ours or of others.

    Other servers are asked for people who are logged in alone, as in Lemmy.
    """
    text = asked.q.strip()

    def query(unit: Unit) -> wire.ResolveObjectResponse | None:
        try:
            return _resolved(parts, unit, caller, text)
        except NotFound:
            return None

    here = await parts.store.read(query)
    if here is not None:
        return here
    try:
        found = await parts.federation.resolver.find(text, asks=caller.viewer is not None)
    except Unavailable:
        found = None  # Lemmy 0.19: a server that does not answer has nothing, and apps say so
    if found is None:
        raise _nothing()
    return await parts.store.read(lambda unit: _of_found(parts, unit, caller, found))


def _of_found(
    parts: Parts, unit: Unit, caller: Caller, found: Post | Comment | Actor
) -> wire.ResolveObjectResponse:
    """Return what was found elsewhere and is a row of ours by now."""
    forum, viewer = parts.forum, caller.viewer
    try:
        match found:
            case Post():
                return wire.ResolveObjectResponse(
                    post=views.post_view(forum.post_view(unit, viewer, found.id))
                )
            case Comment():
                return wire.ResolveObjectResponse(
                    comment=views.comment_view(forum.comment_view(unit, viewer, found.id))
                )
        return _of_actor(parts, unit, caller, found)
    except NotFound:
        raise _nothing() from None


def _resolved(parts: Parts, unit: Unit, caller: Caller, text: str) -> wire.ResolveObjectResponse:
    handle = _HANDLE.fullmatch(text)
    if handle is None:
        return _at_address(parts, unit, caller, text)
    domain = handle["domain"]
    is_ours = domain in (None, parts.addresses.authority)
    name = handle["name"] if is_ours else f"{handle['name']}@{domain}"
    if handle["mark"] == "!":
        return _community(parts.forum.community(unit, caller.viewer, name=name))
    return _person(parts.forum.person(unit, caller.viewer, name=name))


def _at_address(
    parts: Parts, unit: Unit, caller: Caller, address: str
) -> wire.ResolveObjectResponse:
    """Return what was born with an address; raises NotFound."""
    forum, viewer = parts.forum, caller.viewer
    post_id = forum.post_id_by_ap_id(unit, address)
    if post_id is not None:
        view = forum.post_view(unit, viewer, post_id)
        return wire.ResolveObjectResponse(post=views.post_view(view))
    comment_id = forum.comment_id_by_ap_id(unit, address)
    if comment_id is not None:
        comment = forum.comment_view(unit, viewer, comment_id)
        return wire.ResolveObjectResponse(comment=views.comment_view(comment))
    actor = parts.accounts.actors_by_ap_id(unit, [address]).get(address)
    if actor is None:
        raise _nothing()
    return _of_actor(parts, unit, caller, actor)


def _of_actor(
    parts: Parts, unit: Unit, caller: Caller, actor: Actor
) -> wire.ResolveObjectResponse:
    if actor.kind is ActorKind.COMMUNITY:
        return _community(parts.forum.community(unit, caller.viewer, id=actor.id))
    return _person(parts.forum.person(unit, caller.viewer, id=actor.id))


def _community(view: CommunityView) -> wire.ResolveObjectResponse:
    return wire.ResolveObjectResponse(community=views.community_view(view))


def _person(view: PersonView) -> wire.ResolveObjectResponse:
    return wire.ResolveObjectResponse(person=views.person_view(view))


def _nothing() -> NotFound:
    return NotFound("couldnt_find_object", "There is nothing here by that address or name.")
