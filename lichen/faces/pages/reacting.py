"""Reactions: the picker, and putting an emoji on a post or comment or taking it off."""

from litestar import Response, get, post
from markupsafe import Markup

from lichen.faces.pages.answers import fragment, page, see_other
from lichen.faces.pages.emoji_row import emoji_row, picker
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Visit, typed
from lichen.forum import Reaction, SubjectKind
from lichen.kit import Refused
from lichen.store import Unit


@get("/post/{post_id:int}/react")
async def pick_for_post(
    parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Offer emoji for a post."""
    return await _pick(parts, visit, SubjectKind.POST, post_id)


@post("/post/{post_id:int}/react", status_code=200)
async def react_to_post(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Put an emoji on a post, or take it off."""
    return await _react(request, parts, visit, SubjectKind.POST, post_id)


@get("/comment/{comment_id:int}/react")
async def pick_for_comment(
    parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Offer emoji for a comment."""
    return await _pick(parts, visit, SubjectKind.COMMENT, comment_id)


@post("/comment/{comment_id:int}/react", status_code=200)
async def react_to_comment(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Put an emoji on a comment, or take it off."""
    return await _react(request, parts, visit, SubjectKind.COMMENT, comment_id)


async def _pick(
    parts: Parts, visit: Visit, kind: SubjectKind, subject_id: int
) -> Response[bytes]:
    visit.required()
    path, _ = _place(parts, kind, subject_id)
    html = picker(path, parts.accounts.current_emoji)
    if visit.is_fragment:
        return fragment(parts, html, target="next .u", swap="innerHTML")
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "react.html", values={
        "back": path, "picker": Markup(html),
    })


async def _react(
    request: PageRequest, parts: Parts, visit: Visit, kind: SubjectKind, subject_id: int
) -> Response[bytes]:
    viewer = visit.required()
    fields = await typed(request)
    off = fields.text("off")
    emoji = off or fields.text("on") or fields.text("other")
    if not emoji:
        raise Refused("invalid_emoji", "Choose an emoji, or write one.")

    def command(unit: Unit) -> tuple[Reaction, ...]:
        return parts.forum.react(unit, viewer, kind, subject_id, emoji, on=not off)

    reactions = await parts.store.write(command)
    path, row_id = _place(parts, kind, subject_id)
    if not visit.is_fragment:
        back = visit.came_from or path
        return see_other(visit, path if back.endswith("/react") else f"{back}#{row_id}")
    html = emoji_row(path, row_id, reactions, parts.accounts.current_emoji)
    return fragment(parts, html, target=f"#{row_id}")


def _place(parts: Parts, kind: SubjectKind, subject_id: int) -> tuple[str, str]:
    """Return the path of what is reacted to, and the id of its row on a page."""
    if kind is SubjectKind.POST:
        return parts.addresses.post(subject_id), f"rp{subject_id}"
    return parts.addresses.comment(subject_id), f"rc{subject_id}"


HANDLERS = [pick_for_post, react_to_post, pick_for_comment, react_to_comment]
