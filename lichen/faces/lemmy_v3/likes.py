"""The calls about who voted how, for those who moderate."""

from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.forum import SubjectKind, Voter
from lichen.store import Unit


async def list_post_likes(
    parts: Parts, caller: Caller, asked: wire.ListPostLikes
) -> wire.ListPostLikesResponse:
    """Return a page of the votes on a post, the newest first; for its moderators."""
    found = await _voters(parts, caller, SubjectKind.POST, asked.post_id, asked)
    return wire.ListPostLikesResponse(post_likes=found)


async def list_comment_likes(
    parts: Parts, caller: Caller, asked: wire.ListCommentLikes
) -> wire.ListCommentLikesResponse:
    """Return a page of the votes on a comment, the newest first; for its moderators."""
    found = await _voters(parts, caller, SubjectKind.COMMENT, asked.comment_id, asked)
    return wire.ListCommentLikesResponse(comment_likes=found)


async def _voters(
    parts: Parts, caller: Caller, kind: SubjectKind, subject_id: int,
    asked: wire.ListPostLikes | wire.ListCommentLikes,
) -> list[wire.VoteView]:
    viewer = caller.person()

    def query(unit: Unit) -> list[Voter]:
        return parts.forum.voters(
            unit, viewer, kind, subject_id, page=asked.page, limit=asked.limit
        )

    return [
        wire.VoteView(
            creator=views.person(voter.person), score=voter.value,
            creator_banned_from_community=voter.banned_from_community,
        )
        for voter in await parts.store.read(query)
    ]
