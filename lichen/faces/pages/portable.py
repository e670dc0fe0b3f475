"""Carrying my choices away as a file that Lemmy reads, and taking such a file in."""

import msgspec
from litestar import Response, get, post

from lichen.faces.lemmy_v3.portable import Carrier
from lichen.faces.lemmy_v3.wire import ImportSettings
from lichen.faces.pages.answers import page
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, PageRequest, Visit, typed
from lichen.kit import Refused

_IMPORT = msgspec.json.Decoder(ImportSettings)
SKIPPED_SHOWN_MAX = 100  # addresses that an import did not know; the rest is a number


@get("/settings/export")
async def export_settings(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Give my choices, follows, saves and blocks as a file."""
    viewer = visit.required()
    exported = await Carrier(parts.store, parts.accounts, parts.forum).exported(viewer)
    return Response(
        msgspec.json.format(msgspec.json.encode(exported), indent=2),
        media_type="application/json",
        headers={"content-disposition": 'attachment; filename="settings.json"',
                 "cache-control": "no-store"},
    )


@get("/settings/import")
async def import_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Offer a place for the text of such a file."""
    visit.required()
    return await _import_page(parts, visit)


@post("/settings/import", status_code=200)
async def import_settings(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Take over what a file holds, and say what is not known here."""
    viewer = visit.required()
    text = (await typed(request)).raw("text")
    try:
        asked = _IMPORT.decode(text)
        skipped = await Carrier(parts.store, parts.accounts, parts.forum).take(viewer, asked)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError):
        wrong = Refused("invalid_json", "This is not the text of an export; paste all of the file.")
        return await _import_page(parts, visit, refused=wrong, text=text)
    except Refused as refused:
        return await _import_page(parts, visit, refused=refused, text=text)
    return await _import_page(parts, visit, skipped=skipped)


async def _import_page(
    parts: Parts, visit: Visit, *, refused: Refused | None = None, text: str = "",
    skipped: list[str] | None = None,
) -> Response[bytes]:
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "import.html", values={
        "error": refused.text if refused else "", "typed": text, "is_done": skipped is not None,
        "skipped": (skipped or [])[:SKIPPED_SHOWN_MAX], "skipped_count": len(skipped or []),
    }, status=refused.status if refused else 200)


HANDLERS = [export_settings, import_page, import_settings]
