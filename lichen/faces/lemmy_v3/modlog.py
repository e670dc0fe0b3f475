"""The call for the moderation log: one page of each of its lists, read together."""

from typing import TypedDict

import msgspec

from lichen.accounts import Actor
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.forum import CommentView, PostView
from lichen.moderation import ActionQuery, Entry, Kind

_A = wire.ModlogActionType
# What a list of the API holds, by the type that asks for it alone.
_LISTS: dict[wire.ModlogActionType, tuple[Kind, ...]] = {
    _A.MOD_REMOVE_POST: (Kind.REMOVE_POST,),
    _A.MOD_LOCK_POST: (Kind.LOCK_POST,),
    _A.MOD_FEATURE_POST: (Kind.FEATURE_POST, Kind.FEATURE_POST_LOCAL),
    _A.MOD_REMOVE_COMMENT: (Kind.REMOVE_COMMENT,),
    _A.MOD_REMOVE_COMMUNITY: (Kind.REMOVE_COMMUNITY,),
    _A.MOD_BAN_FROM_COMMUNITY: (Kind.BAN_FROM_COMMUNITY,),
    _A.MOD_ADD_COMMUNITY: (Kind.ADD_MODERATOR,),
    _A.MOD_TRANSFER_COMMUNITY: (Kind.TRANSFER_COMMUNITY,),
    _A.MOD_ADD: (Kind.ADD_ADMIN,),
    _A.MOD_BAN: (Kind.BAN,),
    _A.MOD_HIDE_COMMUNITY: (Kind.HIDE_COMMUNITY,),
    _A.ADMIN_PURGE_PERSON: (Kind.PURGE_PERSON,),
    _A.ADMIN_PURGE_COMMUNITY: (Kind.PURGE_COMMUNITY,),
    _A.ADMIN_PURGE_POST: (Kind.PURGE_POST,),
    _A.ADMIN_PURGE_COMMENT: (Kind.PURGE_COMMENT,),
}


async def get_modlog(
    parts: Parts, caller: Caller, asked: wire.GetModlog
) -> wire.GetModlogResponse:
    """Return a page of the moderation log, each kind of act in its list."""
    wanted = list(_LISTS) if asked.type_ is _A.ALL else [asked.type_]
    queries = [
        ActionQuery(
            kinds=_LISTS[one], moderator_id=asked.mod_person_id, community_id=asked.community_id,
            person_id=asked.other_person_id, post_id=asked.post_id, comment_id=asked.comment_id,
            page=asked.page, limit=asked.limit,
        )
        for one in wanted
    ]
    pages = await parts.store.read(
        lambda unit: parts.moderation.entries(unit, caller.viewer, *queries)
    )
    return _response(dict(zip(wanted, pages, strict=True)))


def _response(found: dict[wire.ModlogActionType, list[Entry]]) -> wire.GetModlogResponse:
    def of(kind: wire.ModlogActionType) -> list[Entry]:
        return found.get(kind, [])

    return wire.GetModlogResponse(
        removed_posts=[_removed_post(*one) for one in _with_posts(of(_A.MOD_REMOVE_POST))],
        locked_posts=[_locked_post(*one) for one in _with_posts(of(_A.MOD_LOCK_POST))],
        featured_posts=[_featured_post(*one) for one in _with_posts(of(_A.MOD_FEATURE_POST))],
        removed_comments=[_removed_comment(one, one.comment)
                          for one in of(_A.MOD_REMOVE_COMMENT) if one.comment],
        removed_communities=[_removed_community(one) for one in of(_A.MOD_REMOVE_COMMUNITY)
                             if one.community],
        banned_from_community=[_banned_from_community(one, one.person)
                               for one in of(_A.MOD_BAN_FROM_COMMUNITY)
                               if one.community and one.person],
        banned=[_banned(one, one.person) for one in of(_A.MOD_BAN) if one.person],
        added_to_community=[_added(one, one.person) for one in of(_A.MOD_ADD_COMMUNITY)
                            if one.community and one.person],
        transferred_to_community=[_transferred(one, one.person)
                                  for one in of(_A.MOD_TRANSFER_COMMUNITY)
                                  if one.community and one.person],
        added=[_added_admin(one, one.person) for one in of(_A.MOD_ADD) if one.person],
        admin_purged_persons=[_purged_person(one) for one in of(_A.ADMIN_PURGE_PERSON)],
        admin_purged_communities=[
            _purged_community(one) for one in of(_A.ADMIN_PURGE_COMMUNITY)
        ],
        admin_purged_posts=[_purged_post(one) for one in of(_A.ADMIN_PURGE_POST)
                            if one.community],
        admin_purged_comments=[_purged_comment(*one)
                               for one in _with_posts(of(_A.ADMIN_PURGE_COMMENT))],
        hidden_communities=[_hidden_community(one) for one in of(_A.MOD_HIDE_COMMUNITY)
                            if one.community],
    )


class _Line(TypedDict):
    """What every line has."""

    id: int
    mod_person_id: int
    when_: wire.Time


def _with_posts(entries: list[Entry]) -> list[tuple[Entry, PostView]]:
    """Return the lines whose post is still there, with it."""
    return [(one, one.post) for one in entries if one.post is not None]


def _line(entry: Entry) -> _Line:
    moderator = entry.moderator
    return _Line(
        id=entry.action.id, mod_person_id=moderator.id if moderator else 0,
        when_=wire.time_of(entry.action.published_us),
    )


def _moderator(entry: Entry) -> wire.Person | None:
    return None if entry.moderator is None else views.person(entry.moderator)


def _community(entry: Entry) -> wire.Community:
    assert entry.community is not None, "lines without their community are left out"
    return views.community(entry.community.community)


def _post(view: PostView) -> wire.Post:
    """Return a post without the words that were removed: the log says what, not the text."""
    post = views.post(view.post)
    if post.removed or post.deleted:
        return msgspec.structs.replace(post, body=None, url=None, alt_text=None)
    return post


def _comment(view: CommentView) -> wire.Comment:
    comment = views.comment_view(view).comment
    if comment.removed or comment.deleted:
        return msgspec.structs.replace(comment, content="")
    return comment


def _removed_post(entry: Entry, view: PostView) -> wire.ModRemovePostView:
    return wire.ModRemovePostView(
        mod_remove_post=wire.ModRemovePost(
            **_line(entry), post_id=view.post.id, reason=entry.action.reason,
            removed=entry.action.done,
        ),
        moderator=_moderator(entry), post=_post(view), community=views.community(view.community),
    )


def _locked_post(entry: Entry, view: PostView) -> wire.ModLockPostView:
    return wire.ModLockPostView(
        mod_lock_post=wire.ModLockPost(
            **_line(entry), post_id=view.post.id, locked=entry.action.done
        ),
        moderator=_moderator(entry), post=_post(view), community=views.community(view.community),
    )


def _featured_post(entry: Entry, view: PostView) -> wire.ModFeaturePostView:
    return wire.ModFeaturePostView(
        mod_feature_post=wire.ModFeaturePost(
            **_line(entry), post_id=view.post.id, featured=entry.action.done,
            is_featured_community=entry.action.kind is Kind.FEATURE_POST,
        ),
        moderator=_moderator(entry), post=_post(view), community=views.community(view.community),
    )


def _removed_comment(entry: Entry, view: CommentView) -> wire.ModRemoveCommentView:
    return wire.ModRemoveCommentView(
        mod_remove_comment=wire.ModRemoveComment(
            **_line(entry), comment_id=view.comment.id, reason=entry.action.reason,
            removed=entry.action.done,
        ),
        moderator=_moderator(entry), comment=_comment(view), commenter=views.person(view.creator),
        post=views.post(view.post), community=views.community(view.community),
    )


def _removed_community(entry: Entry) -> wire.ModRemoveCommunityView:
    community = _community(entry)
    return wire.ModRemoveCommunityView(
        mod_remove_community=wire.ModRemoveCommunity(
            **_line(entry), community_id=community.id, reason=entry.action.reason,
            removed=entry.action.done,
        ),
        moderator=_moderator(entry), community=community,
    )


def _hidden_community(entry: Entry) -> wire.ModHideCommunityView:
    community = _community(entry)
    return wire.ModHideCommunityView(
        mod_hide_community=wire.ModHideCommunity(
            **_line(entry), community_id=community.id, reason=entry.action.reason,
            hidden=entry.action.done,
        ),
        admin=_moderator(entry), community=community,
    )


def _banned_from_community(entry: Entry, person: Actor) -> wire.ModBanFromCommunityView:
    community = _community(entry)
    return wire.ModBanFromCommunityView(
        mod_ban_from_community=wire.ModBanFromCommunity(
            **_line(entry), other_person_id=person.id, community_id=community.id,
            reason=entry.action.reason, banned=entry.action.done,
            expires=wire.maybe_time_of(entry.action.expires_us),
        ),
        moderator=_moderator(entry), community=community, banned_person=views.person(person),
    )


def _banned(entry: Entry, person: Actor) -> wire.ModBanView:
    return wire.ModBanView(
        mod_ban=wire.ModBan(
            **_line(entry), other_person_id=person.id, reason=entry.action.reason,
            banned=entry.action.done, expires=wire.maybe_time_of(entry.action.expires_us),
        ),
        moderator=_moderator(entry), banned_person=views.person(person),
    )


def _added(entry: Entry, person: Actor) -> wire.ModAddCommunityView:
    community = _community(entry)
    return wire.ModAddCommunityView(
        mod_add_community=wire.ModAddCommunity(
            **_line(entry), other_person_id=person.id, community_id=community.id,
            removed=not entry.action.done,
        ),
        moderator=_moderator(entry), community=community, modded_person=views.person(person),
    )


def _transferred(entry: Entry, person: Actor) -> wire.ModTransferCommunityView:
    community = _community(entry)
    return wire.ModTransferCommunityView(
        mod_transfer_community=wire.ModTransferCommunity(
            **_line(entry), other_person_id=person.id, community_id=community.id
        ),
        moderator=_moderator(entry), community=community, modded_person=views.person(person),
    )


def _added_admin(entry: Entry, person: Actor) -> wire.ModAddView:
    return wire.ModAddView(
        mod_add=wire.ModAdd(
            **_line(entry), other_person_id=person.id, removed=not entry.action.done
        ),
        moderator=_moderator(entry), modded_person=views.person(person),
    )


def _purge(entry: Entry) -> tuple[int, int, str | None, wire.Time]:
    line = _line(entry)
    return line["id"], line["mod_person_id"], entry.action.reason, line["when_"]


def _purged_person(entry: Entry) -> wire.AdminPurgePersonView:
    id_, admin_id, reason, when = _purge(entry)
    return wire.AdminPurgePersonView(
        admin_purge_person=wire.AdminPurgePerson(
            id=id_, admin_person_id=admin_id, reason=reason, when_=when
        ),
        admin=_moderator(entry),
    )


def _purged_community(entry: Entry) -> wire.AdminPurgeCommunityView:
    id_, admin_id, reason, when = _purge(entry)
    return wire.AdminPurgeCommunityView(
        admin_purge_community=wire.AdminPurgeCommunity(
            id=id_, admin_person_id=admin_id, reason=reason, when_=when
        ),
        admin=_moderator(entry),
    )


def _purged_post(entry: Entry) -> wire.AdminPurgePostView:
    id_, admin_id, reason, when = _purge(entry)
    community = _community(entry)
    return wire.AdminPurgePostView(
        admin_purge_post=wire.AdminPurgePost(
            id=id_, admin_person_id=admin_id, community_id=community.id, reason=reason,
            when_=when,
        ),
        admin=_moderator(entry), community=community,
    )


def _purged_comment(entry: Entry, view: PostView) -> wire.AdminPurgeCommentView:
    id_, admin_id, reason, when = _purge(entry)
    return wire.AdminPurgeCommentView(
        admin_purge_comment=wire.AdminPurgeComment(
            id=id_, admin_person_id=admin_id, post_id=view.post.id, reason=reason, when_=when
        ),
        admin=_moderator(entry), post=_post(view),
    )
