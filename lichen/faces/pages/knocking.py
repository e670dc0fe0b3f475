"""Knocking: coming in with an account on another server.

    address ─► a code by message ─► typed here ─┐
            └► the other server's own login ────┴► in, or a name is chosen first

The handle of the try is in a cookie of its own, so that only the browser that began can end it.
"""

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromQuery

from lichen.accounts import Knock, Login, Wishes
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.doors import asked_of, joining_door, where_from
from lichen.faces.pages.moving import show_links
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, PageRequest, Typed, Visit, typed
from lichen.federation import Begun
from lichen.kit import Refused, Unavailable
from lichen.web import KNOCK_COOKIE, knock_cookie, session_cookie

_LEAD = (
    "Write its address. You show that it is yours, and come in here with an account of your own "
    "that is linked with it: no password, and next time the same way."
)


@get("/login/elsewhere")
async def knock_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Ask for the address of an account elsewhere."""
    return await _ask(parts, visit)


@post("/login/elsewhere", status_code=200)
async def knock(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Begin to come in with an account elsewhere."""
    fields = await typed(request)
    address = fields.text("address")
    try:
        person = await parts.federation.proving.person(address)
        begun = await parts.federation.proving.begin(
            person, viewer=visit.viewer, by_message=fields.flag("by_message")
        )
    except (Refused, Unavailable) as trouble:
        return await _ask(parts, visit, address=address, trouble=trouble)
    if begun.url:
        return await _lead_home(parts, visit, begun, address)
    return see_other(visit, f"{parts.addresses.login_elsewhere}/code",
                     cookies=[_cookie(parts, begun.handle)])


@get("/login/elsewhere/code")
async def code_page(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Ask for the code that was sent."""
    try:
        known = await parts.accounts.knock(_handle(request))
    except Refused as refused:
        return await _ask(parts, visit, trouble=refused)
    return await _step(parts, visit, "code", known)


@post("/login/elsewhere/code", status_code=200)
async def prove(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Take the code that was sent, and go on."""
    handle, code = _handle(request), (await typed(request)).text("code")
    try:
        known = await parts.accounts.prove(handle, code, method="message")
    except Refused as refused:
        try:
            known = await parts.accounts.knock(handle)
        except Refused as ended:
            return await _ask(parts, visit, trouble=ended)
        return await _step(parts, visit, "code", known, refused=refused)
    return await go_on(request, parts, visit, handle=handle, known=known)


@get("/login/elsewhere/back")
async def back_page(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, *, code: FromQuery[str] = "",
    iss: FromQuery[str] = "",
) -> Response[bytes]:
    """Take somebody back who was at the login of another server."""
    handle = _handle(request)
    state = request.query_params.get("state", "")  # a name that the framework keeps for itself
    try:
        known = await parts.federation.proving.came_back(
            handle, state=state, code=code, issuer=iss
        )
    except (Refused, Unavailable) as trouble:
        return await _ask(parts, visit, trouble=trouble)
    return await go_on(request, parts, visit, handle=handle, known=known)


@get("/login/elsewhere/enter")
async def enter_page(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Ask what is still missing: a name, or a second factor's code."""
    try:
        known = await parts.accounts.knock(_handle(request))
    except Refused as refused:
        return await _ask(parts, visit, trouble=refused)
    return await _step(parts, visit, "enter" if known.proved else "code", known)


@post("/login/elsewhere/enter", status_code=200)
async def enter(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Let in whoever proved an account elsewhere."""
    fields = await typed(request)
    return await _enter(request, parts, visit, handle=_handle(request), fields=fields)


async def go_on(
    request: PageRequest, parts: Parts, visit: Visit, *, handle: str, known: Knock
) -> Response[bytes]:
    """Go on from a proof: link it, come in, or ask what is missing."""
    if known.for_account is not None:
        try:
            await parts.accounts.link_proved(visit.required(), handle)
        except Refused as refused:
            return await show_links(parts, visit, trouble=refused)
        return see_other(visit, f"{parts.addresses.settings_elsewhere}?done=linked",
                         cookies=[_cookie(parts, "")])
    if known.is_known and not known.asks_code:
        return await _enter(request, parts, visit, handle=handle, fields=None)
    return see_other(visit, f"{parts.addresses.login_elsewhere}/enter")


async def _enter(
    request: PageRequest, parts: Parts, visit: Visit, *, handle: str, fields: Typed | None
) -> Response[bytes]:
    address, agent = where_from(parts, request)
    wishes = Wishes() if fields is None else Wishes(
        name=fields.text("name"), code=fields.text("code"), email=fields.text("email"),
        answer=fields.raw("answer").strip(), invite=fields.text("invite"),
        captcha=(fields.text("captcha_id"), fields.text("captcha")),
    )
    try:
        login = await parts.accounts.enter(handle, wishes, address=address, agent=agent)
    except Refused as refused:
        try:
            known = await parts.accounts.knock(handle)
        except Refused:
            return await _ask(parts, visit, trouble=refused)
        return await _step(parts, visit, "enter", known, refused=refused, wishes=wishes)
    if login.token is None:
        return await _waits(parts, visit, login, wishes)
    return see_other(visit, parts.addresses.front, cookies=[
        session_cookie(login.token, is_secure=parts.addresses.is_secure), _cookie(parts, ""),
    ])


async def _waits(parts: Parts, visit: Visit, login: Login, wishes: Wishes) -> Response[bytes]:
    asks_answer = parts.accounts.current_site.settings.registration_mode != "Open"
    return await page(parts, visit, await parts.frame(visit), "waiting.html", status=202, values={
        "reasons": login.holds, "for_answer": asks_answer and not wishes.invite,
        "for_letter": login.verify_email_sent, "name": wishes.name,
    })


async def _ask(
    parts: Parts, visit: Visit, *, address: str = "",
    trouble: Refused | Unavailable | None = None,
) -> Response[bytes]:
    return await page(parts, visit, await parts.frame(visit), "knock.html", values={
        "step": "address", "lead": _LEAD, "address": address,
        "error": trouble.text if trouble else "",
    }, status=_status(trouble))


async def _lead_home(
    parts: Parts, visit: Visit, begun: Begun, address: str
) -> Response[bytes]:
    """Answer with the way to another server's login: a link, for a form may not lead there."""
    answer = await page(parts, visit, await parts.frame(visit), "knock.html", values={
        "step": "home", "person": begun.person, "url": begun.url, "address": address, "error": "",
    })
    answer.headers["cache-control"] = "no-store"
    answer.cookies.append(_cookie(parts, begun.handle))
    return answer


async def _step(
    parts: Parts, visit: Visit, step: str, known: Knock, *, refused: Refused | None = None,
    wishes: Wishes | None = None,
) -> Response[bytes]:
    """Answer with what one who knocks does next."""
    wishes = wishes or Wishes(name=_offered(known))
    door = joining_door(parts)._replace(invite=wishes.invite)
    answer = await page(parts, visit, await parts.frame(visit), "knock.html", values={
        **await asked_of(parts, door), "step": step, "knock": known, "wishes": wishes,
        "error": refused.text if refused else "",
    }, status=_status(refused))
    answer.headers["cache-control"] = "no-store"
    return answer


def _offered(known: Knock) -> str:
    """Return the name that is offered first: the one that the person has elsewhere."""
    return known.person.name if known.person.name.isidentifier() else ""


def _status(trouble: Refused | Unavailable | None) -> int:
    if trouble is None:
        return 200
    return trouble.status if isinstance(trouble, Refused) else 503


def _handle(request: PageRequest) -> str:
    return request.cookies.get(KNOCK_COOKIE, "")


def _cookie(parts: Parts, handle: str) -> Cookie:
    return knock_cookie(handle, is_secure=parts.addresses.is_secure)


HANDLERS = [
    knock_page, knock, code_page, prove, back_page, enter_page, enter,
]
