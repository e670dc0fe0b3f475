"""The calls about pictures that are not taken, with their messages.

A picture that is not here yet is uploaded first, and then blocked with `remove`.
"""

from typing import Any

from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.calls import Call
from lichen.faces.lemmy_v3.wire import Answer, Ask, SuccessResponse
from lichen.faces.lemmy_v3.wire.base import Id, PageLength, PageNumber, Prose, Time, Word, time_of
from lichen.media import Blocked

LINES_DEFAULT = 20  # on a page of the list


class BlockPicture(Ask, frozen=True, kw_only=True):
    """Block a picture: its file name or address here, a SHA-256, or 16 hexadecimal digits of looks.

    With `remove`, a picture here is deleted too, wherever it was uploaded.
    """

    picture: Word
    note: Prose = ""
    remove: bool = False


class OfLine(Ask, frozen=True, kw_only=True):
    """Name a line of the list."""

    id: Id


class GetBlockedPictures(Ask, frozen=True, kw_only=True):
    """Ask for a page of the list."""

    page: PageNumber = 1
    limit: PageLength = LINES_DEFAULT


class BlockedPicture(Answer, frozen=True, kw_only=True):
    """A picture that is not taken: by its bytes, by its looks (64 bits in hexadecimal), or both."""

    id: int
    note: str
    moderator_id: int
    published: Time
    sha256: str | None = None
    looks: str | None = None


class BlockedPictureAnswer(Answer, frozen=True, kw_only=True):
    """One line of the list."""

    blocked: BlockedPicture


class BlockedPictures(Answer, frozen=True, kw_only=True):
    """A page of the list, the newest line first, and how many lines there are."""

    blocked: list[BlockedPicture]
    count: int


async def list_blocked_pictures(
    parts: Parts, caller: Caller, asked: GetBlockedPictures
) -> BlockedPictures:
    """Return a page of the pictures that are not taken."""
    by = parts.uploader(caller.person())
    lines, count = await parts.store.read(lambda unit: parts.pictures.blocklist.blocked(
        unit, by, page=asked.page, limit=asked.limit))
    return BlockedPictures(blocked=[_shown(line) for line in lines], count=count)


async def block_picture(
    parts: Parts, caller: Caller, asked: BlockPicture
) -> BlockedPictureAnswer:
    """Block a picture that is named, and delete it where that is asked for."""
    by = parts.uploader(caller.person())
    if asked.remove:
        line = await parts.pictures.remove_and_block(by, asked.picture, note=asked.note)
    else:
        line = await parts.store.write(lambda unit: parts.pictures.blocklist.block_named(
            unit, by, asked.picture, note=asked.note))
    return BlockedPictureAnswer(blocked=_shown(line))


async def unblock_picture(parts: Parts, caller: Caller, asked: OfLine) -> SuccessResponse:
    """Take a line off the list."""
    by = parts.uploader(caller.person())
    await parts.store.write(lambda unit: parts.pictures.blocklist.unblock(unit, by, asked.id))
    return SuccessResponse(success=True)


def _shown(line: Blocked) -> BlockedPicture:
    return BlockedPicture(
        id=line.id, note=line.note, moderator_id=line.moderator_id, sha256=line.sha256,
        looks=line.looks, published=time_of(line.published_us),
    )


CALLS: tuple[Call[Any, Any], ...] = (
    Call("GET", "/picture/blocked", GetBlockedPictures, BlockedPictures, list_blocked_pictures),
    Call("POST", "/picture/block", BlockPicture, BlockedPictureAnswer, block_picture),
    Call("POST", "/picture/unblock", OfLine, SuccessResponse, unblock_picture),
)
