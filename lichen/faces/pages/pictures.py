"""My pictures, and pictures put into what is being written.

    [file] [what it shows] (Add picture) ─► the same form again, with the picture's Markdown in it

The button sends the form it stands in as multipart, so that it works without a script and nothing
that was typed is lost. A picture without words for those who cannot see it is kept aside, and asked
about, until it has some. `/pictures` takes one from scripts, which paste and drop.
"""

from typing import NamedTuple

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from lichen.accounts import Viewer
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, PageRequest, Typed, Visit, typed, whole_number
from lichen.kit import Refused
from lichen.media import Picture, Usage
from lichen.store import Unit

PAGE_LENGTH = 24  # pictures on a page: rows of two, three or four
PAGES_MAX = 1_000_000  # an offset stays a number that a database takes
ALT_LENGTH_MAX = 1_500  # characters; Lemmy 0.19: ALT_TEXT_MAX_LENGTH
_SAY = "Say in a few words what the picture shows: people who cannot see it read that."


class Added(NamedTuple):
    """What came of pressing "Add picture": its address and words, or what is still missing.

    `kept` is the file name of a picture that waits for its words.
    """

    url: str = ""
    alt: str = ""
    kept: str = ""
    error: str = ""

    @property
    def markdown(self) -> str:
        """The picture as it stands in a text; empty while something is missing."""
        return f"![{_plain(self.alt)}]({self.url})" if self.url and not self.error else ""

    def into(self, text: str) -> str:
        """Return the text with the picture behind it."""
        if not self.markdown:
            return text
        return f"{text.rstrip()}\n\n{self.markdown}\n".lstrip()


NOTHING_ADDED = Added()


@get("/pictures")
async def my_pictures(
    parts: GivenParts, visit: GivenVisit, page: FromQuery[str] = "1", done: FromQuery[str] = ""
) -> Response[bytes]:
    """Show what I have uploaded, newest first."""
    said = "The picture is gone." if done == "deleted" else ""
    return await _page(parts, visit, number=whole_number(page, "page"), done=said)


@post("/pictures", status_code=200, request_max_body_size=None)
async def upload_picture(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Take a picture; scripts are told its address, people are shown it in the list."""
    viewer = visit.required()
    fields = await typed_with_files(request, parts, visit)
    is_script = request.headers.get("accept", "").startswith("application/json")
    try:
        picture = await upload(parts, viewer, fields.file("picture") or b"")
    except Refused as refused:
        if is_script:
            return _told({"error": refused.text}, status=refused.status)
        return await _page(parts, visit, refused=refused)
    if is_script:
        return _told({"url": address_of(parts, picture.alias), "alias": picture.alias})
    return see_other(visit, parts.addresses.pictures)


@post("/pictures/{alias:str}/delete", status_code=200)
async def delete_picture(
    parts: GivenParts, visit: GivenVisit, alias: FromPath[str]
) -> Response[bytes]:
    """Delete a picture of mine; it is gone from disk with the answer."""
    viewer = visit.required()
    await parts.pictures.media.delete_own(parts.uploader(viewer), alias)
    return see_other(visit, f"{parts.addresses.pictures}?done=deleted")


async def typed_with_files(request: PageRequest, parts: Parts, visit: Visit) -> Typed:
    """Read a form that may carry pictures; a stranger's carries none."""
    may = visit.viewer is not None
    return await typed(
        request, file_bytes_max=parts.pictures.media.upload_bytes_max if may else 0
    )


async def added(parts: Parts, viewer: Viewer, fields: Typed) -> Added:
    """Take the picture that a form carries, or the one that waited for its words."""
    alt = " ".join(fields.text("picture_alt").split())[:ALT_LENGTH_MAX]
    alias = fields.text("picture_kept")
    content = fields.file("picture")
    try:
        if content:
            alias = (await upload(parts, viewer, content)).alias
        elif alias:
            await parts.pictures.media.picture(alias)
        else:
            return Added(error="Choose a picture first, then add it.", alt=alt)
    except Refused as refused:
        return Added(error=refused.text, alt=alt)
    if not alt:
        return Added(kept=alias, error=_SAY)
    return Added(url=address_of(parts, alias), alt=alt)


async def upload(parts: Parts, viewer: Viewer, content: bytes) -> Picture:
    """Take a picture of the viewer's, or raise what is wrong with it."""
    return (await parts.pictures.media.upload(parts.uploader(viewer), content)).picture


async def chosen(parts: Parts, viewer: Viewer, fields: Typed, name: str) -> str:
    """Return the address of a picture that a form chooses: of the file sent, else as typed."""
    content = fields.file(f"{name}_file")
    if not content:
        return fields.text(name)
    return address_of(parts, (await upload(parts, viewer, content)).alias)


def address_of(parts: Parts, alias: str) -> str:
    """Return the address of a picture of ours."""
    return parts.addresses.absolute(parts.addresses.picture(alias))


async def _page(
    parts: Parts, visit: Visit, *, number: int = 1, done: str = "", refused: Refused | None = None
) -> Response[bytes]:
    viewer = visit.required()
    number = max(1, min(number, PAGES_MAX))

    def find(unit: Unit) -> tuple[list[Picture], Usage]:
        media = parts.pictures.media
        # Pages are asked for whole; the next one is there if this one is full.
        return (media.uploads(unit, viewer.id, page=number, limit=PAGE_LENGTH),
                media.usage(unit, viewer.id))

    (pictures, usage), frame = await parts.framed(visit, find)
    settings = parts.config.media
    return await page(parts, visit, frame, "pictures.html", values={
        "pictures": pictures, "usage": usage, "number": number, "done": done,
        "quota_bytes": settings.quota_bytes, "quota_count": settings.quota_count,
        "has_more": number * PAGE_LENGTH < usage.count, "now_us": parts.now_us(),
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


def _plain(alt: str) -> str:
    """Return words that end no bracket of Markdown."""
    return alt.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _told(answer: dict[str, str], *, status: int = 200) -> Response[bytes]:
    return Response(
        msgspec.json.encode(answer), status_code=status, media_type="application/json",
        headers={"cache-control": "no-store"},
    )


HANDLERS = [my_pictures, upload_picture, delete_picture]
