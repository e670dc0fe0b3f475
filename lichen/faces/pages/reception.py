"""Reception: forgotten passwords, verified addresses, and the list of who wants to join."""

from litestar import Response, get, post
from litestar.params import FromPath

from lichen.accounts import Application, Branch
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Visit, typed
from lichen.kit import Refused
from lichen.store import Unit

APPLICATIONS_MAX = 50  # on one page; those that come after move up


@get("/forgotten")
async def forgotten_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Ask for the address of whoever forgot a password."""
    return await _note(parts, visit, "forgotten.html", {"asked_for": ""})


@post("/forgotten", status_code=200)
async def ask_reset(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Send a link to a new password, if somebody has that address: which is not said."""
    email = (await typed(request)).text("email")
    parts.accounts.ask_reset(email)
    return await _note(parts, visit, "forgotten.html", {"asked_for": email})


@get("/password_change/{token:str}")
async def reset_page(parts: GivenParts, visit: GivenVisit, token: FromPath[str]) -> Response[bytes]:
    """Offer the form for a new password to whoever followed a link."""
    return await _note(parts, visit, "new_password.html", {"token": token})


@post("/password_change/{token:str}", status_code=200)
async def reset(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, token: FromPath[str]
) -> Response[bytes]:
    """Take a new password; every login ends, and one logs in anew."""
    fields = await typed(request)
    try:
        await parts.accounts.reset_password(token, fields.raw("password"))
    except Refused as refused:
        return await _note(parts, visit, "new_password.html", {"token": token}, refused)
    return see_other(visit, parts.addresses.login)


@get("/verify_email/{token:str}")
async def verify_page(
    parts: GivenParts, visit: GivenVisit, token: FromPath[str]
) -> Response[bytes]:
    """Offer a button: programs that look at links in mail follow them, people press."""
    return await _note(parts, visit, "verify.html", {"token": token, "done": False})


@post("/verify_email/{token:str}", status_code=200)
async def verify(parts: GivenParts, visit: GivenVisit, token: FromPath[str]) -> Response[bytes]:
    """Believe an address whose link was followed."""
    try:
        await parts.accounts.verify_email(token)
    except Refused as refused:
        return await _note(parts, visit, "verify.html", {"token": "", "done": False}, refused)
    return await _note(parts, visit, "verify.html", {"token": "", "done": True})


@get("/admin/applications")
async def applications_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """List who wants to join, the oldest first."""
    return await _applications(parts, visit)


@post("/admin/applications/{application_id:int}", status_code=200)
async def decide(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, application_id: Number
) -> Response[bytes]:
    """Let an applicant in, or not."""
    viewer = visit.required()
    fields = await typed(request)
    try:
        await parts.accounts.decide(
            viewer, application_id, approve=fields.flag("approve"),
            reason=fields.raw("reason").strip() or None,
        )
    except Refused as refused:
        return await _applications(parts, visit, refused)
    return see_other(visit, visit.came_from or parts.addresses.applications)


@get("/admin/invites")
async def invite_tree(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Show who came in by whom."""
    viewer = visit.required()

    def find(unit: Unit) -> list[Branch]:
        return parts.accounts.invite_tree(unit, viewer)

    tree, frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "invite_tree.html", values={
        "tree": tree, "now_us": parts.now_us(),
    })


async def _applications(
    parts: Parts, visit: Visit, refused: Refused | None = None
) -> Response[bytes]:
    viewer = visit.required()

    def find(unit: Unit) -> tuple[list[Application], int]:
        waiting = parts.accounts.applications_waiting(unit, viewer)
        return parts.accounts.applications(unit, viewer, limit=APPLICATIONS_MAX), waiting

    (applications, waiting), frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "applications.html", values={
        "applications": applications, "waiting": waiting, "now_us": parts.now_us(),
        "question": parts.accounts.current_site.settings.application_question,
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


async def _note(
    parts: Parts, visit: Visit, template: str, values: dict[str, object],
    refused: Refused | None = None,
) -> Response[bytes]:
    values = values | {
        "error": refused.text if refused else "", "has_mail": bool(parts.config.mail.host),
    }
    frame = await parts.frame(visit)
    status = refused.status if refused else 200
    return await page(parts, visit, frame, template, status=status, values=values)


HANDLERS = [
    forgotten_page, ask_reset, reset_page, reset, verify_page, verify, applications_page, decide,
    invite_tree,
]
