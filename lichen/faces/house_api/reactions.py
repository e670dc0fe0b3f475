"""The calls about reactions."""

from collections.abc import Iterable

from lichen import forum
from lichen.faces.house_api import wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.forum import SubjectKind
from lichen.kit import Refused
from lichen.store import Unit

Subject = tuple[SubjectKind, int]


async def react(parts: Parts, caller: Caller, asked: wire.React) -> wire.Reactions:
    """Put an emoji on a post or comment, or take it off, and return what is there."""
    viewer = caller.person()
    kind, subject_id = _subject(asked.post_id, asked.comment_id)

    def command(unit: Unit) -> tuple[forum.Reaction, ...]:
        return parts.forum.react(unit, viewer, kind, subject_id, asked.emoji, on=asked.on)

    return _shown(parts, await parts.store.write(command))


async def get_reactions(parts: Parts, caller: Caller, asked: wire.GetReactions) -> wire.Reactions:
    """Return the reactions to a post or comment."""
    kind, subject_id = _subject(asked.post_id, asked.comment_id)

    def query(unit: Unit) -> tuple[forum.Reaction, ...]:
        return parts.forum.reactions(unit, caller.viewer, kind, subject_id)

    return _shown(parts, await parts.store.read(query))


def _subject(post_id: int | None, comment_id: int | None) -> Subject:
    if post_id is not None and comment_id is None:
        return SubjectKind.POST, post_id
    if comment_id is not None and post_id is None:
        return SubjectKind.COMMENT, comment_id
    raise Refused("invalid_field", "Name a post_id or a comment_id, one of the two.")


def _shown(parts: Parts, reactions: Iterable[forum.Reaction]) -> wire.Reactions:
    known = parts.accounts.current_emoji
    return wire.Reactions(reactions=[
        wire.Reaction(
            emoji=one.emoji, count=one.count, mine=one.mine,
            image=custom.image_url if (custom := known.get(one.emoji.strip(":"))) else None,
        )
        for one in reactions
    ])
