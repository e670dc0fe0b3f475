"""The inbox: who answered me and who named me."""

from litestar import Response, get, post
from litestar.params import FromQuery

from lichen.faces.pages.answers import fragment, page, see_other
from lichen.faces.pages.conversations import messages_tab
from lichen.faces.pages.parts import GivenParts
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, typed
from lichen.faces.pages.wording import choices
from lichen.forum import CommentSort
from lichen.notifications import Kind, Notification
from lichen.store import Unit

LETTERS_PER_PAGE = 20
_TABS = ((Kind.REPLY, "Answers"), (Kind.MENTION, "Mentions"))


@get("/inbox")
async def inbox(
    parts: GivenParts, visit: GivenVisit, show: FromQuery[Kind] = Kind.REPLY,
    page_number: FromQuery[int] = 1,
) -> Response[bytes]:
    """Show what waits for me, unread or not, the newest first."""
    viewer = visit.required()

    def find(unit: Unit) -> list[Notification]:
        ask = parts.notifications.replies if show is Kind.REPLY else parts.notifications.mentions
        return ask(unit, viewer, unread_only=False, sort=CommentSort.NEW, page=page_number,
                   limit=LETTERS_PER_PAGE)

    path = parts.addresses.inbox
    values: dict[str, object] = {
        "kind": show.value, "now_us": parts.now_us(),
        "tabs": [*choices(_TABS, show, path, show="{}"), messages_tab(parts, current=False)],
    }
    if visit.is_fragment:
        letters = await parts.store.read(find)
    else:
        (letters, digest, counts, successors), frame = await parts.framed(visit, lambda unit: (
            find(unit), parts.notifications.digest(unit, viewer),
            parts.notifications.unread_counts(unit, viewer),
            parts.federation.successors.questions(unit, viewer),
        ))
        values |= {"digest": digest, "notices": counts.notices,
                   "successors": successors}
    is_last = len(letters) < LETTERS_PER_PAGE
    values["letters"] = letters
    values["next"] = None if is_last else f"{path}?show={show.value}&page_number={page_number + 1}"
    if visit.is_fragment:
        html = parts.drawing.draw("pieces/letters.html", visit=visit, **values)
        return fragment(parts, html, target=".more")
    return await page(parts, visit, frame, "inbox.html", values=values)


@post("/inbox/{letter_id:int}/read", status_code=200)
async def mark_read(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, letter_id: Number
) -> Response[bytes]:
    """Mark one letter as read, or as unread."""
    viewer = visit.required()
    read = (await typed(request)).flag("value")
    await parts.store.write(
        lambda unit: parts.notifications.mark_read(unit, viewer, letter_id, read=read)
    )
    return see_other(visit, visit.came_from or parts.addresses.inbox)


@post("/inbox/read-all", status_code=200)
async def mark_all_read(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Mark everything as read."""
    viewer = visit.required()

    def command(unit: Unit) -> None:
        parts.notifications.mark_all_read(unit, viewer)
        parts.messages.mark_all_read(unit, viewer)

    await parts.store.write(command)
    return see_other(visit, parts.addresses.inbox)


HANDLERS = [inbox, mark_read, mark_all_read]
