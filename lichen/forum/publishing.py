"""Publishing: what people write, change and vote, after everybody who may object was asked.

    person ──▶ hooks (plugins, the house's checks) ──▶ one unit of work ──▶ view
                 │ Refuse: nothing happens      └ Hold: written, held until a moderator approves it
                 └ Change: another draft

Hooks are asked before the unit of work begins, so that a slow one keeps no lock. Faces call
these; what comes from peers, demos and other rooms goes straight to the commands that take a unit.
Where no hook wants to be asked, nothing is made and nothing is waited for.
"""

import msgspec

from lichen.accounts import Viewer
from lichen.forum.model import CommentView, PostDraft, PostView, SubjectKind
from lichen.forum.posts import Posts
from lichen.forum.threads import Threads
from lichen.forum.votes import Votes
from lichen.kit import Reason
from lichen.plugins import Person, Writing
from lichen.plugins import Vote as VoteAsked


class Publishing(Posts, Threads, Votes):
    """The commands of people that hooks may stop; each runs a unit of work of its own."""

    async def publish_post(
        self, viewer: Viewer, community_id: int, draft: PostDraft
    ) -> PostView:
        """Write a post, as `create_post` does; raises RefusedByPlugin too."""
        holds: tuple[Reason, ...] = ()
        if self._hooks.asks("before_create"):
            writing = _writing_of(draft, community_id=community_id)
            writing, holds = await self._hooks.before_create(_person(viewer), writing)
            draft = _draft_of(writing)
        return await self._store.write(
            lambda unit: self.create_post(unit, viewer, community_id, draft, holds=holds)
        )

    async def revise_post(self, viewer: Viewer, post_id: int, draft: PostDraft) -> PostView:
        """Change one's own post, as `edit_post` does; raises RefusedByPlugin too."""
        if self._hooks.asks("before_edit"):
            writing = _writing_of(draft, id=post_id)
            draft = _draft_of((await self._hooks.before_edit(_person(viewer), writing)).subject)
        return await self._store.write(lambda unit: self.edit_post(unit, viewer, post_id, draft))

    async def publish_comment(
        self, viewer: Viewer, post_id: int, *, content: str, parent_id: int | None = None,
        language_id: int | None = None,
    ) -> CommentView:
        """Write a comment, as `create_comment` does; raises RefusedByPlugin too."""
        holds: tuple[Reason, ...] = ()
        if self._hooks.asks("before_create"):
            writing, holds = await self._hooks.before_create(_person(viewer), Writing(
                kind="comment", post_id=post_id, parent_id=parent_id, body=content,
                language_id=language_id,
            ))
            content, language_id = writing.body or "", writing.language_id
        return await self._store.write(lambda unit: self.create_comment(
            unit, viewer, post_id, content=content, parent_id=parent_id, language_id=language_id,
            holds=holds,
        ))

    async def revise_comment(
        self, viewer: Viewer, comment_id: int, *, content: str | None = None,
        language_id: int | None = None,
    ) -> CommentView:
        """Change one's own comment, as `edit_comment` does; raises RefusedByPlugin too."""
        if self._hooks.asks("before_edit"):
            writing = (await self._hooks.before_edit(_person(viewer), Writing(
                kind="comment", id=comment_id, body=content, language_id=language_id,
            ))).subject
            content, language_id = writing.body, writing.language_id
        return await self._store.write(lambda unit: self.edit_comment(
            unit, viewer, comment_id, content=content, language_id=language_id
        ))

    async def judge_post(self, viewer: Viewer, post_id: int, *, value: int) -> PostView:
        """Vote on a post, as `vote_post` does; raises RefusedByPlugin too."""
        await self._ask_voting(viewer, SubjectKind.POST, post_id, value)
        return await self._store.write(
            lambda unit: self.vote_post(unit, viewer, post_id, value=value)
        )

    async def judge_comment(self, viewer: Viewer, comment_id: int, *, value: int) -> CommentView:
        """Vote on a comment, as `vote_comment` does; raises RefusedByPlugin too."""
        await self._ask_voting(viewer, SubjectKind.COMMENT, comment_id, value)
        return await self._store.write(
            lambda unit: self.vote_comment(unit, viewer, comment_id, value=value)
        )

    async def _ask_voting(
        self, viewer: Viewer, kind: SubjectKind, subject_id: int, value: int
    ) -> None:
        if self._hooks.asks("before_vote"):
            await self._hooks.before_vote(_person(viewer), VoteAsked(
                kind="post" if kind is SubjectKind.POST else "comment", subject_id=subject_id,
                value=value,
            ))


def _person(viewer: Viewer) -> Person:
    actor = viewer.actor
    return Person(id=actor.id, name=actor.name, did=actor.did, admin=actor.admin, bot=actor.bot,
                  published_us=actor.published_us)


def _writing_of(draft: PostDraft, *, id: int = 0, community_id: int = 0) -> Writing:
    fields = msgspec.structs.asdict(draft)
    title = fields.pop("name")
    return Writing(kind="post", id=id, community_id=community_id, title=title, **fields)


def _draft_of(writing: Writing) -> PostDraft:
    return PostDraft(
        name=writing.title, url=writing.url, body=writing.body, alt_text=writing.alt_text,
        nsfw=writing.nsfw, language_id=writing.language_id,
    )
