"""Private messages: one line a person, and the conversation with one of them."""

from typing import NamedTuple

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from lichen.accounts import Actor, Viewer
from lichen.faces.hooked import ask_before_message
from lichen.faces.pages.answers import fragment, page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Visit, typed
from lichen.faces.pages.wording import Choice
from lichen.kit import NotFound, Refused
from lichen.messages import Conversation, MessageView
from lichen.store import Unit

CONVERSATIONS_PER_PAGE = 20
MESSAGES_PER_PAGE = 30


class _Between(NamedTuple):
    """What two people wrote to each other, the oldest of the page first."""

    other: Actor
    messages: list[MessageView]


def messages_tab(parts: Parts, *, current: bool) -> Choice:
    """Return the tab of the inbox that leads to the messages."""
    return Choice("Messages", parts.addresses.messages, current)


@get("/messages")
async def conversations_page(
    parts: GivenParts, visit: GivenVisit, page_number: FromQuery[int] = 1
) -> Response[bytes]:
    """Show whom I write with, the newest first."""
    viewer = visit.required()
    path = parts.addresses.messages

    def find(unit: Unit) -> list[Conversation]:
        return parts.messages.conversations(
            unit, viewer, page=page_number, limit=CONVERSATIONS_PER_PAGE
        )

    if visit.is_fragment:
        found = await parts.store.read(find)
    else:
        found, frame = await parts.framed(visit, find)
    is_last = len(found) < CONVERSATIONS_PER_PAGE
    values: dict[str, object] = {
        "conversations": found, "now_us": parts.now_us(),
        "next": None if is_last else f"{path}?page_number={page_number + 1}",
    }
    if visit.is_fragment:
        html = parts.drawing.draw("pieces/conversations.html", visit=visit, **values)
        return fragment(parts, html, target=".more")
    inbox = parts.addresses.inbox
    values["tabs"] = [
        Choice("Answers", f"{inbox}?show=reply", False),
        Choice("Mentions", f"{inbox}?show=mention", False),
        messages_tab(parts, current=True),
    ]
    return await page(parts, visit, frame, "conversations.html", values=values)


@get("/messages/{name:str}")
async def conversation_page(
    parts: GivenParts, visit: GivenVisit, name: FromPath[str], page_number: FromQuery[int] = 1
) -> Response[bytes]:
    """Show what I and a person wrote to each other; what I see counts as read."""
    return await _page(parts, visit, name, page_number=page_number)


@post("/messages/{name:str}", status_code=200)
async def send(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Send a message, or show its preview, or say why not."""
    viewer = visit.required()
    fields = await typed(request)
    content = fields.raw("content")
    if fields.flag("preview"):
        return await _page(parts, visit, name, content=content, preview=content)

    try:
        other = await parts.store.read(lambda unit: _person(parts, unit, viewer, name))
        said = await ask_before_message(parts, viewer, other.id, content)
        view = await parts.store.write(lambda unit: parts.messages.create_message(
            unit, viewer, other.id, content=said
        ))
    except NotFound:
        raise
    except Refused as refused:
        return await _page(parts, visit, name, content=content, refused=refused)
    return see_other(visit, f"{parts.addresses.conversation(name)}#m{view.message.id}")


@get("/messages/{name:str}/{message_id:int}/edit")
async def edit_page(
    parts: GivenParts, visit: GivenVisit, name: FromPath[str], message_id: Number
) -> Response[bytes]:
    """Offer the form to change one of my messages."""
    return await _page(parts, visit, name, editing=message_id)


@post("/messages/{name:str}/{message_id:int}/edit", status_code=200)
async def edit(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str],
    *, message_id: Number,
) -> Response[bytes]:
    """Change one of my messages."""
    viewer = visit.required()
    fields = await typed(request)
    content = fields.raw("content")
    if fields.flag("preview"):
        return await _page(
            parts, visit, name, editing=message_id, content=content, preview=content
        )
    try:
        await parts.store.write(
            lambda unit: parts.messages.edit_message(unit, viewer, message_id, content=content)
        )
    except NotFound:
        raise
    except Refused as refused:
        return await _page(
            parts, visit, name, editing=message_id, content=content, refused=refused
        )
    return see_other(visit, f"{parts.addresses.conversation(name)}#m{message_id}")


@post("/messages/{name:str}/{message_id:int}/delete", status_code=200)
async def delete(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str],
    *, message_id: Number,
) -> Response[bytes]:
    """Take one of my messages away, or bring it back."""
    viewer = visit.required()
    deleted = (await typed(request)).flag("value")
    await parts.store.write(
        lambda unit: parts.messages.delete_message(unit, viewer, message_id, deleted=deleted)
    )
    return see_other(visit, f"{parts.addresses.conversation(name)}#m{message_id}")


async def _page(
    parts: Parts, visit: Visit, name: str, *, page_number: int = 1, editing: int | None = None,
    content: str = "", preview: str = "", refused: Refused | None = None,
) -> Response[bytes]:
    viewer = visit.required()

    def find(unit: Unit) -> _Between:
        other = _person(parts, unit, viewer, name)
        views = parts.messages.message_list(
            unit, viewer, creator_id=other.id, page=page_number, limit=MESSAGES_PER_PAGE
        )
        return _Between(other, views[::-1])

    found = await parts.store.read(find)
    if any(not view.message.read for view in found.messages):
        # Idempotent, and only marks of the reader's own: a page that was shown was read.
        await parts.store.write(
            lambda unit: parts.messages.mark_conversation_read(unit, viewer, found.other)
        )
    edited = _edited(found, viewer, editing)
    return await page(parts, visit, await parts.frame(visit), "conversation.html", values={
        "other": found.other, "messages": found.messages, "now_us": parts.now_us(),
        "older": _older(parts, name, found, page_number),
        "editing": edited.message.id if edited else None,
        "content": content or (edited.message.content if edited else ""),
        "preview": parts.drawing.markdown(preview) if preview else "",
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


def _older(parts: Parts, name: str, found: _Between, page_number: int) -> str | None:
    if len(found.messages) < MESSAGES_PER_PAGE:
        return None
    return f"{parts.addresses.conversation(name)}?page_number={page_number + 1}"


def _edited(found: _Between, viewer: Viewer, editing: int | None) -> MessageView | None:
    """Return the message that is being edited; one that is not on the page is not there."""
    if editing is None:
        return None
    for view in found.messages:
        if view.message.id == editing and view.message.creator_id == viewer.id:
            return view
    raise NotFound("couldnt_find_private_message", "You have no such message here.")


def _person(parts: Parts, unit: Unit, viewer: Viewer, name: str) -> Actor:
    return parts.forum.person(unit, viewer, name=name).person


HANDLERS = [conversations_page, conversation_page, send, edit_page, edit, delete]
