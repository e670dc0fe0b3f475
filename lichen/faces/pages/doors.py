"""The doors: joining, coming in, going out, and the very first time.

Joining takes a name and a password. Whoever wrote a comment as a stranger finds it on the joining
page and it is published the moment they are in: shared link, joining page, their own words.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from lichen.accounts import BannedFromSite, Login
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.rates import address_of
from lichen.faces.pages.turned_away import turned_away
from lichen.faces.pages.visit import (
    GivenVisit,
    PageRequest,
    Typed,
    Visit,
    safe_path,
    typed,
    whole_number,
)
from lichen.kit import Refused
from lichen.web import ended_cookie, session_cookie

# Somebody banned comes back to the door where a code would let them read why.
_CODES = ("missing_totp_token", "incorrect_totp_token", "site_ban")
_JOIN_LEAD = "A lichen will grow for you."
_PRIVATE_LEAD = "Only members see what is here."

AGENT_LENGTH_MAX = 200  # characters of a browser's own description that the list of logins keeps


class Other(NamedTuple):
    """The way to the other door."""

    href: str
    lead: str
    word: str


class Door(NamedTuple):
    """A page with a name and a password: what it says, and what was typed."""

    action: str
    heading: str
    button: str
    joining: bool
    lead: str = ""
    other: Other | None = None
    name: str = ""
    answer: str = ""
    email: str = ""
    invite: str = ""
    next: str = "/"
    draft: str = ""
    draft_at: str = ""
    is_asked: bool = True


@get("/login")
async def login_page(
    parts: GivenParts, visit: GivenVisit, next: FromQuery[str] = ""
) -> Response[bytes]:
    """Offer the way in."""
    return await _door_page(parts, visit, _login_door(parts)._replace(next=safe_path(next)))


@post("/login", status_code=200)
async def log_in(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Let a person in."""
    fields = await typed(request)
    door = _filled(_login_door(parts), fields)
    if fields.flag("ask"):  # they came from the other door, with their words
        return await _door_page(parts, visit, door)
    address, agent = where_from(parts, request)

    async def enter() -> Login:
        return await parts.accounts.log_in(
            door.name, fields.raw("password"), address=address, agent=agent,
            code=fields.text("code") or None,
        )

    return await _enter(parts, visit, door, enter)


@get("/signup")
async def signup_page(
    parts: GivenParts, visit: GivenVisit, next: FromQuery[str] = "", invite: FromQuery[str] = ""
) -> Response[bytes]:
    """Offer a name here."""
    door = joining_door(parts)._replace(next=safe_path(next), invite=invite)
    return await _door_page(parts, visit, door)


@post("/signup", status_code=200)
async def sign_up(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Give a person a name here and let them in."""
    fields = await typed(request)
    door = _filled(joining_door(parts), fields)
    if fields.flag("ask"):
        return await _door_page(parts, visit, door)
    address, agent = where_from(parts, request)

    async def enter() -> Login:
        return await parts.accounts.register(
            door.name, fields.raw("password"), answer=door.answer or None,
            email=door.email or None, invite=door.invite or None,
            captcha=(fields.text("captcha_id"), fields.text("captcha")),
            address=address, agent=agent,
        )

    return await _enter(parts, visit, door, enter)


@get("/setup/{token:str}")
async def setup_page(parts: GivenParts, visit: GivenVisit, token: FromPath[str]) -> Response[bytes]:
    """Welcome the first administrator, who has the link from the terminal."""
    return await _door_page(parts, visit, _setup_door(parts, token))


@post("/setup/{token:str}", status_code=200)
async def set_up(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, token: FromPath[str]
) -> Response[bytes]:
    """Make the first administrator."""
    fields = await typed(request)
    door = _filled(_setup_door(parts, token), fields)
    address, agent = where_from(parts, request)

    async def enter() -> Login:
        return await parts.accounts.set_up(
            token, door.name, fields.raw("password"), address=address, agent=agent
        )

    return await _enter(parts, visit, door, enter)


@post("/logout", status_code=200)
async def log_out(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """End this session."""
    viewer = visit.viewer
    if viewer is not None:
        await parts.store.write(lambda unit: parts.accounts.log_out(unit, viewer))
    cookie = ended_cookie(is_secure=parts.addresses.is_secure)
    return see_other(visit, parts.addresses.front, cookies=[cookie])


async def ask_to_join(parts: Parts, visit: Visit, *, draft: str, draft_at: str) -> Response[bytes]:
    """Answer a stranger's comment with the joining page, which keeps it.

    `draft_at` is the post's id and the parent comment's, or 0, with a dot between.
    """
    door = joining_door(parts)._replace(
        next=safe_path(visit.came_from), draft=draft, draft_at=draft_at
    )
    return await _door_page(parts, visit, door)


async def _enter(
    parts: Parts, visit: Visit, door: Door, enter: Callable[[], Awaitable[Login]]
) -> Response[bytes]:
    """Open a door, publish what was written before it, and go on; or say why not."""
    try:
        login = await enter()
    except BannedFromSite as banned:
        if banned.ticket is None:
            return await _door_page(parts, visit, door, banned)
        return await turned_away(parts, visit, banned.ticket)
    except Refused as refused:
        return await _door_page(parts, visit, door, refused)
    if login.token is None:
        asks_answer = parts.accounts.current_site.settings.registration_mode != "Open"
        return await page(parts, visit, await parts.frame(visit), "waiting.html", status=202,
                          values={"reasons": login.holds,
                                  "for_answer": asks_answer and not door.invite,
                                  "for_letter": login.verify_email_sent, "name": door.name})
    onward = door.next
    if door.draft:
        onward = await _publish_draft(parts, login.token, door)
    cookie = session_cookie(login.token, is_secure=parts.addresses.is_secure)
    return see_other(visit, onward, cookies=[cookie])


async def _publish_draft(parts: Parts, token: str, door: Door) -> str:
    """Publish the comment that waited at the door; return the address to go on to."""
    viewer = await parts.accounts.viewer(token)
    post_text, _, parent_text = door.draft_at.partition(".")
    post_id = whole_number(post_text, "draft_at")
    parent_id = whole_number(parent_text or "0", "draft_at") or None
    if viewer is None:
        return parts.addresses.post(post_id)
    try:
        view = await parts.forum.publish_comment(
            viewer, post_id, content=door.draft, parent_id=parent_id
        )
    except Refused:
        # The thread was closed meanwhile: they are in, and the thread itself says why not.
        return parts.addresses.post(post_id)
    return f"{parts.addresses.post(post_id)}#c{view.comment.id}"


async def _door_page(
    parts: Parts, visit: Visit, door: Door, refused: Refused | None = None
) -> Response[bytes]:
    values: dict[str, object] = door._asdict() | await asked_of(parts, door) | {
        "button": f"{door.button} and publish" if door.draft else door.button,
        "error": refused.text if refused else "",
        "asks_code": refused is not None and refused.code in _CODES,
    }
    frame = await parts.frame(visit)
    status = refused.status if refused else 200
    return await page(parts, visit, frame, "login.html", status=status, values=values)


async def asked_of(parts: Parts, door: Door) -> dict[str, object]:
    """Return what the site asks of whoever joins; of whoever logs in, nothing."""
    site = parts.accounts.current_site.settings
    if not (door.joining and door.is_asked):
        return dict.fromkeys(
            ("asks_answer", "captcha", "asks_invite", "asks_email", "is_closed"), ""
        )
    asks_answer = site.registration_mode == "RequireApplication" and not door.invite
    captcha = None
    if site.captcha_enabled:
        captcha = await parts.accounts.captchas.make(site.captcha_difficulty)
    question = site.application_question or "Why would you like to join?"
    asks = (asks_answer, site.captcha_enabled, site.invite_only, site.require_email_verification)
    return {
        "asks_answer": question if asks_answer else "", "captcha": captcha,
        "asks_invite": site.invite_only or bool(door.invite),
        "asks_email": site.require_email_verification,
        "is_closed": site.registration_mode == "Closed",
        "lead": _JOIN_LEAD if any(asks) else door.lead,
    }


def _login_door(parts: Parts) -> Door:
    return Door(
        action=parts.addresses.login, heading="Log in", button="Log in", joining=False,
        lead=_PRIVATE_LEAD if parts.accounts.current_site.settings.private_instance else "",
        other=Other(parts.addresses.signup, "New here?", "Join"),
    )


def joining_door(parts: Parts) -> Door:
    """Return the door by which one joins."""
    name = parts.accounts.current_site.settings.name
    return Door(
        action=parts.addresses.signup, heading=f"Join {name}", button="Join", joining=True,
        lead="A name and a password, nothing else. A lichen will grow for you.",
        other=Other(parts.addresses.login, "Been here before?", "Log in"),
    )


def _setup_door(parts: Parts, token: str) -> Door:
    return Door(
        action=parts.addresses.setup_by(token), heading="The first stone", button="Begin",
        joining=True,
        lead="Choose your name and password: you will be this site's administrator.",
        is_asked=False,
    )


def _filled(door: Door, fields: Typed) -> Door:
    draft = fields.raw("draft").strip()
    return door._replace(
        name=fields.text("name"), answer=fields.raw("answer").strip(),
        email=fields.text("email"), invite=fields.text("invite"),
        next=safe_path(fields.text("next")), draft=draft, draft_at=fields.text("draft_at"),
    )


def where_from(parts: Parts, request: PageRequest) -> tuple[str | None, str | None]:
    """Return the address and the program of a browser, for the list of logins."""
    address = address_of(parts, request) or None
    agent = request.headers.get("user-agent")
    return address, agent[:AGENT_LENGTH_MAX] if agent else None


HANDLERS = [login_page, log_in, signup_page, sign_up, setup_page, set_up, log_out]
