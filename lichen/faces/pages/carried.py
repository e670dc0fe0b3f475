"""One's own words, to take along: the archive and its progress; choices taken over."""

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import File

from lichen.export import PARTS, read_export, take_over
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, PageRequest, Visit
from lichen.kit import Refused
from lichen.web import whole_body


@get("/settings/export")
async def export_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Show how far my archive is, or where it can be fetched."""
    return await _page(parts, visit)


@post("/settings/export", status_code=200)
async def ask_for_export(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Have an archive of everything that is mine made."""
    viewer = visit.required()
    await parts.store.write(lambda unit: parts.exports.ask(unit, viewer))
    return see_other(visit, parts.addresses.settings_export)


@get("/settings/export/{token:str}")
async def fetch_export(
    parts: GivenParts, visit: GivenVisit, token: FromPath[str]
) -> File:
    """Hand out a finished archive, to its owner alone."""
    viewer = visit.required()
    path = await parts.store.read(lambda unit: parts.exports.file_of(unit, viewer, token))
    return File(
        path=path, filename=f"{viewer.actor.name}.zip", media_type="application/zip",
        content_disposition_type="attachment",
        headers={"cache-control": "private, no-store"},
    )


@post("/settings/import", status_code=200)
async def take_over_choices(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Take over what I chose, follow, keep and block elsewhere."""
    viewer = visit.required()
    with whole_body():
        form = await request.form()
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Refused("no_file_given", "Choose the file that your other server exported.")
        imported = await take_over(parts.exports.rooms, viewer, read_export(await file.read()))
    except Refused as refused:
        return await _page(parts, visit, refused=refused)
    return await _page(parts, visit, done=(
        f"{imported.taken} follows, saves and blocks were taken over; "
        f"{len(imported.skipped)} are of things that nobody here knows yet."
    ), unknown=imported.examples)


async def _page(
    parts: Parts, visit: Visit, *, refused: Refused | None = None, done: str = "",
    unknown: tuple[str, ...] = (),
) -> Response[bytes]:
    viewer = visit.required()
    export, frame = await parts.framed(
        visit, lambda unit: parts.exports.of_viewer(unit, viewer)
    )
    return await page(parts, visit, frame, "carried.html", values={
        "export": export, "parts_count": len(PARTS), "now_us": parts.now_us(),
        "error": refused.text if refused else "", "done": done, "unknown": unknown,
    }, status=refused.status if refused else 200)


HANDLERS = [export_page, ask_for_export, fetch_export, take_over_choices]
