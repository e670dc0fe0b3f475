"""Keys to my account: its address, second factor, invitations, roles given, and its end."""

import msgspec
from litestar import Response, get, post

from lichen.accounts import Actor, Invite, Permission, Role
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.own import show_settings
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, PageRequest, Visit, typed
from lichen.kit import NotFound, Refused
from lichen.store import Unit
from lichen.web import ended_cookie

_INVITE_DAYS = (1, 7, 30, 90)


@post("/settings/email", status_code=200)
async def save_email(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Keep my address, and send a link to verify it."""
    viewer = visit.required()
    email = (await typed(request)).text("email") or None
    settings = msgspec.structs.replace(viewer.settings, email=email)
    try:
        await parts.store.write(lambda unit: parts.accounts.save_settings(unit, viewer, settings))
    except Refused as refused:
        return await show_settings(parts, visit, refused=refused)
    await parts.accounts.send_verification(viewer.account_id)
    return see_other(visit, f"{parts.addresses.settings}?done=email")


@post("/settings/delete", status_code=200)
async def delete_account(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """End my account for ever, with what I wrote or without."""
    viewer = visit.required()
    fields = await typed(request)
    try:
        await parts.accounts.delete_account(
            viewer, fields.raw("password"), delete_content=fields.flag("delete_content")
        )
    except Refused as refused:
        return await show_settings(parts, visit, refused=refused)
    cookie = ended_cookie(is_secure=parts.addresses.is_secure)
    return see_other(visit, parts.addresses.front, cookies=[cookie])


@get("/settings/second_factor")
async def factor_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Show whether a code is asked beside my password."""
    return await _factor(parts, visit)


@post("/settings/second_factor", status_code=200)
async def change_factor(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Begin, switch on or switch off my second factor."""
    viewer = visit.required()
    fields = await typed(request)
    step = fields.one_of("step", ("begin", "on", "off"))
    address = fields.text("address")

    def command(unit: Unit) -> tuple[str, list[str]]:
        if step == "begin":
            return parts.accounts.begin_second_factor(unit, viewer), []
        parts.accounts.switch_second_factor(
            unit, viewer, fields.text("code"), enabled=step == "on"
        )
        return "", parts.accounts.new_recovery_codes(unit, viewer) if step == "on" else []

    try:
        address, codes = await parts.store.write(command)
    except Refused as refused:
        return await _factor(parts, visit, address=address, refused=refused)
    is_on = step == "on" if step != "begin" else viewer.totp_enabled
    return await _factor(parts, visit, address=address, codes=codes, is_on=is_on)


@get("/settings/invites")
async def invites_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """List my invitations."""
    return await _invites(parts, visit)


@post("/settings/invites", status_code=200)
async def change_invites(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Make an invitation, or revoke one."""
    viewer = visit.required()
    fields = await typed(request)
    code = fields.text("revoke")

    def command(unit: Unit) -> None:
        if code:
            parts.accounts.revoke_invite(unit, viewer, code)
            return
        parts.accounts.create_invite(
            unit, viewer, uses_max=fields.number("uses"), days=fields.number("days")
        )

    try:
        await parts.store.write(command)
    except Refused as refused:
        return await _invites(parts, visit, refused)
    return see_other(visit, parts.addresses.invites)


@get("/admin/roles")
async def roles_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """List who may do what beside moderating."""
    return await _roles(parts, visit)


@post("/admin/roles", status_code=200)
async def give_role(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Give somebody a role, or with no permission take it back."""
    viewer = visit.required()
    fields = await typed(request)
    name = fields.text("name").removeprefix("@")
    permissions = [one for one in Permission if one.value in fields.many("permission")]

    def command(unit: Unit) -> None:
        found = parts.accounts.local_persons_named(unit, [name])
        if not found:
            raise NotFound("couldnt_find_person", f"Nobody here is called {name}.")
        parts.accounts.give_role(
            unit, viewer, found[0].id, title=fields.text("title"), permissions=permissions
        )

    try:
        await parts.store.write(command)
    except Refused as refused:
        return await _roles(parts, visit, refused)
    return see_other(visit, parts.addresses.roles)


async def _factor(
    parts: Parts, visit: Visit, *, address: str = "", codes: list[str] | None = None,
    is_on: bool | None = None, refused: Refused | None = None,
) -> Response[bytes]:
    viewer = visit.required()
    if not address.startswith("otpauth://"):  # it comes back from a form: no other link is drawn
        address = ""
    secret = address.partition("secret=")[2].partition("&")[0]
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "second_factor.html", values={
        "address": address, "codes": codes or [],
        "secret": " ".join(secret[at:at + 4] for at in range(0, len(secret), 4)),
        "is_on": viewer.totp_enabled if is_on is None else is_on,
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


async def _invites(
    parts: Parts, visit: Visit, refused: Refused | None = None
) -> Response[bytes]:
    viewer = visit.required()

    def find(unit: Unit) -> list[Invite]:
        return parts.accounts.invites(unit, viewer)

    invites, frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "invites.html", values={
        "invites": [
            (one, parts.addresses.absolute(parts.addresses.join_by(one.code))) for one in invites
        ],
        "days": [(days, f"{days} days" if days > 1 else "1 day") for days in _INVITE_DAYS],
        "day_us": 86_400_000_000, "now_us": parts.now_us(),
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


async def _roles(parts: Parts, visit: Visit, refused: Refused | None = None) -> Response[bytes]:
    viewer = visit.required()

    def find(unit: Unit) -> list[tuple[Actor, Role]]:
        return parts.accounts.roles(unit, viewer)

    roles, frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "roles.html", values={
        "roles": roles,
        "permissions": [(one.value, one.value.replace("_", " ")) for one in Permission],
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


HANDLERS = [
    save_email, delete_account, factor_page, change_factor, invites_page, change_invites,
    roles_page, give_role,
]
