"""Weeding: everybody's pictures, what is taken away of them, and the list of those not taken.

For administrators, and for people whose role lets them purge pictures.
"""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from lichen.accounts import Actor, Permission, Viewer, check_permission
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.pictures import PAGE_LENGTH, PAGES_MAX, typed_with_files
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Visit, typed, whole_number
from lichen.kit import Refused
from lichen.media import Blocked, Picture
from lichen.store import Unit

LINES_PER_PAGE = 30
_GONE = {"deleted": "The picture is gone.",
         "blocked": "The picture is gone, and will not be taken again.",
         "added": "Pictures like that are not taken from now on.",
         "unblocked": "The line is gone: such pictures are taken again."}


@get("/admin/pictures")
async def all_pictures(
    parts: GivenParts, visit: GivenVisit, page_number: FromQuery[str] = "1", *,
    done: FromQuery[str] = "",
) -> Response[bytes]:
    """Show what everybody has uploaded, newest first, to whoever may take it away."""
    return await _uploads(parts, visit, number=_page_of(page_number), done=_GONE.get(done, ""))


@post("/admin/pictures/{alias:str}/delete", status_code=200)
async def delete_anybodys(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, alias: FromPath[str]
) -> Response[bytes]:
    """Delete somebody's picture, and block it where that is wanted."""
    by = parts.uploader(_keeper(visit))
    fields = await typed(request)
    try:
        if fields.flag("block"):
            await parts.pictures.remove_and_block(by, alias, note=fields.text("note"))
        else:
            await parts.pictures.media.delete_own(by, alias)
    except Refused as refused:
        return await _uploads(parts, visit, refused=refused)
    done = "blocked" if fields.flag("block") else "deleted"
    return see_other(visit, f"{parts.addresses.all_pictures}?done={done}")


@get("/admin/blocklist")
async def blocklist(
    parts: GivenParts, visit: GivenVisit, page_number: FromQuery[str] = "1", *,
    done: FromQuery[str] = "",
) -> Response[bytes]:
    """List the pictures that are not taken, the newest line first."""
    return await _list(parts, visit, number=_page_of(page_number), done=_GONE.get(done, ""))


@post("/admin/blocklist", status_code=200, request_max_body_size=None)
async def block(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Block a picture that was picked, or one that is named, or say why not."""
    by = parts.uploader(_keeper(visit))
    fields = await typed_with_files(request, parts, visit)
    content, named, note = fields.file("picture"), fields.text("named"), fields.text("note")
    try:
        if content:
            await parts.pictures.block_content(by, content, note=note)
        elif named:
            await parts.store.write(lambda unit: parts.pictures.blocklist.block_named(
                unit, by, named, note=note))
        else:
            raise Refused("invalid_body_field", "Choose a picture, or name one.")
    except Refused as refused:
        return await _list(parts, visit, refused=refused, named=named, note=note)
    return see_other(visit, f"{parts.addresses.blocklist}?done=added")


@post("/admin/blocklist/{line_id:int}/delete", status_code=200)
async def unblock(parts: GivenParts, visit: GivenVisit, line_id: Number) -> Response[bytes]:
    """Take a line off the list."""
    by = parts.uploader(_keeper(visit))
    await parts.store.write(lambda unit: parts.pictures.blocklist.unblock(unit, by, line_id))
    return see_other(visit, f"{parts.addresses.blocklist}?done=unblocked")


async def _uploads(
    parts: Parts, visit: Visit, *, number: int = 1, done: str = "", refused: Refused | None = None
) -> Response[bytes]:
    _keeper(visit)

    def find(unit: Unit) -> tuple[list[Picture], dict[int, Actor]]:
        pictures = parts.pictures.media.uploads(unit, None, page=number, limit=PAGE_LENGTH)
        return pictures, parts.accounts.actors(unit, {one.uploader_id for one in pictures})

    (pictures, people), frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "all_pictures.html", values={
        "pictures": pictures, "people": people, "number": number, "done": done,
        "has_more": len(pictures) == PAGE_LENGTH, "now_us": parts.now_us(),
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


async def _list(
    parts: Parts, visit: Visit, *, number: int = 1, done: str = "", named: str = "",
    note: str = "", refused: Refused | None = None,
) -> Response[bytes]:
    by = parts.uploader(_keeper(visit))

    def find(unit: Unit) -> tuple[list[Blocked], int, dict[int, Actor]]:
        lines, count = parts.pictures.blocklist.blocked(
            unit, by, page=number, limit=LINES_PER_PAGE)
        return lines, count, parts.accounts.actors(unit, {one.moderator_id for one in lines})

    (lines, count, people), frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "blocklist.html", values={
        "lines": lines, "count": count, "people": people, "number": number, "done": done,
        "named": named, "note": note, "has_more": number * LINES_PER_PAGE < count,
        "now_us": parts.now_us(), "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


def _page_of(text: str) -> int:
    return max(1, min(whole_number(text, "page_number"), PAGES_MAX))


def _keeper(visit: Visit) -> Viewer:
    viewer = visit.required()
    check_permission(viewer, Permission.PURGE_PICTURES)
    return viewer


HANDLERS = [all_pictures, delete_anybodys, blocklist, block, unblock]
