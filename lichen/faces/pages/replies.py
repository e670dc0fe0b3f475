"""Comments: writing, editing, taking away. A stranger's words are kept while they join."""

from litestar import Response, get, post

from lichen.accounts import Viewer
from lichen.faces.pages.answers import fragment, page, see_other
from lichen.faces.pages.doors import ask_to_join
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.pictures import NOTHING_ADDED, Added, added, typed_with_files
from lichen.faces.pages.threads import scene_of
from lichen.faces.pages.tree import Branch, drawn
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Visit, typed
from lichen.forum import CommentView
from lichen.kit import Forbidden, Refused, Unauthenticated


@post("/post/{post_id:int}/comment", status_code=200, request_max_body_size=None)
async def comment_on_post(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Answer a post."""
    here = parts.addresses.post(post_id)
    return await _publish(request, parts, visit, post_id=post_id, parent_id=None, here=here)


@get("/comment/{comment_id:int}/reply")
async def reply_form(
    parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Offer the form for an answer to a comment."""
    view = await _view(parts, visit, comment_id)
    if visit.is_fragment:
        html = parts.drawing.macro("comment_form")(
            f"{parts.addresses.comment(comment_id)}/reply", draft=f"comment-{comment_id}",
            label=f"Answer {view.creator.shown_name}", anonymous=visit.viewer is None,
            autofocus=True,
        )
        return fragment(parts, html, target="next .u", swap="innerHTML")
    return await _form(parts, visit, view, heading="Write an answer", above=view.comment.content)


@post("/comment/{comment_id:int}/reply", status_code=200, request_max_body_size=None)
async def reply(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Answer a comment."""
    view = await _view(parts, visit, comment_id)
    return await _publish(
        request, parts, visit, post_id=view.post.id, parent_id=comment_id,
        here=parts.addresses.comment(comment_id),
    )


@get("/comment/{comment_id:int}/edit")
async def edit_form(
    parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Offer the form for an edit."""
    viewer = visit.required()
    view = await _view(parts, visit, comment_id)
    _check_author(view, viewer)
    return await _form(parts, visit, view, heading="Edit your comment", value=view.comment.content,
                       button="Keep")


@post("/comment/{comment_id:int}/edit", status_code=200, request_max_body_size=None)
async def edit(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Change a comment of mine, or say why not."""
    viewer = visit.required()
    fields = await typed_with_files(request, parts, visit)
    content = fields.raw("content")
    if fields.flag("picture_add"):
        view = await _view(parts, visit, comment_id)
        one = await added(parts, viewer, fields)
        return await _form(parts, visit, view, heading="Edit your comment",
                           value=one.into(content), button="Keep", added=one)
    if fields.flag("preview"):
        view = await _view(parts, visit, comment_id)
        return await _form(parts, visit, view, heading="Edit your comment", value=content,
                           button="Keep", preview=content)
    try:
        await parts.forum.revise_comment(viewer, comment_id, content=content)
    except Refused as refused:
        view = await _view(parts, visit, comment_id)
        return await _form(parts, visit, view, heading="Edit your comment", value=content,
                           button="Keep", refused=refused)
    return see_other(visit, f"{parts.addresses.comment(comment_id)}#c{comment_id}")


@post("/comment/{comment_id:int}/delete", status_code=200)
async def delete(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Take a comment of mine away, or put it back."""
    viewer = visit.required()
    deleted = (await typed(request)).flag("value")
    await parts.store.write(
        lambda unit: parts.forum.delete_comment(unit, viewer, comment_id, deleted=deleted)
    )
    return see_other(visit, f"{parts.addresses.comment(comment_id)}#c{comment_id}")


async def _publish(
    request: PageRequest, parts: Parts, visit: Visit, *, post_id: int, parent_id: int | None,
    here: str,
) -> Response[bytes]:
    """Publish a comment, or keep it while a stranger joins, or say why not."""
    fields = await typed_with_files(request, parts, visit)
    content = fields.raw("content").strip()
    viewer = visit.viewer
    if fields.flag("picture_add"):
        one = await added(parts, visit.required(), fields)
        return await _previewed(parts, visit, post_id, parent_id, one.into(content), added=one)
    if fields.flag("preview"):
        return await _previewed(parts, visit, post_id, parent_id, content)
    if viewer is None and visit.is_fragment:
        raise Unauthenticated()
    if viewer is None:
        draft_at = f"{post_id}.{parent_id or 0}"
        return await ask_to_join(parts, visit, draft=content, draft_at=draft_at)
    try:
        view = await parts.forum.publish_comment(
            viewer, post_id, content=content, parent_id=parent_id
        )
    except Refused as refused:
        return await _refused(parts, visit, here, content, refused)
    if not visit.is_fragment:
        return see_other(visit, f"{parts.addresses.post(post_id)}#c{view.comment.id}")
    return await _grown(parts, visit, view, parent_id)


async def _grown(
    parts: Parts, visit: Visit, view: CommentView, parent_id: int | None
) -> Response[bytes]:
    """Answer htmx with the new comment, where its form was."""
    html = drawn([Branch(view, [])], scene_of(parts, visit, view))
    if parent_id is None:
        return fragment(parts, html, target="#thread", swap="afterbegin")
    # The form's place is emptied, and the new comment stands below it.
    return fragment(parts, f'<div class="u"></div>{html}', target="closest .u")


async def _refused(
    parts: Parts, visit: Visit, here: str, content: str, refused: Refused
) -> Response[bytes]:
    frame = await parts.frame(visit)
    if visit.is_fragment:
        html = parts.drawing.macro("said")(refused.text)
        return fragment(parts, html, target="#notice", swap="innerHTML",
                              status=refused.status)
    return await page(parts, visit, frame, "write_comment.html", status=refused.status, values={
        "heading": "Write a comment", "back": here, "back_word": "Back", "above": "",
        "value": content, "draft": "", "error": refused.text, "button": "Publish", "preview": "",
        "added": NOTHING_ADDED,
    })


async def _previewed(
    parts: Parts, visit: Visit, post_id: int, parent_id: int | None, content: str, *,
    added: Added = NOTHING_ADDED,
) -> Response[bytes]:
    frame = await parts.frame(visit)
    back = parts.addresses.comment(parent_id) if parent_id else parts.addresses.post(post_id)
    return await page(parts, visit, frame, "write_comment.html", values={
        "heading": "Write a comment", "back": back, "back_word": "Back", "above": "",
        "value": content, "draft": "", "error": "", "button": "Publish", "added": added,
        "preview": parts.drawing.markdown(content),
    })


async def _form(  # noqa: PLR0913 - what a form shows
    parts: Parts, visit: Visit, view: CommentView, *, heading: str, above: str = "",
    value: str = "", button: str = "Publish", preview: str = "", refused: Refused | None = None,
    added: Added = NOTHING_ADDED,
) -> Response[bytes]:
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "write_comment.html", values={
        "heading": heading, "back": parts.addresses.comment(view.comment.id),
        "added": added, "back_word": view.post.name, "above": above, "value": value,
        "button": button,
        "draft": "" if value else f"comment-{view.comment.id}",
        "error": refused.text if refused else "",
        "preview": parts.drawing.markdown(preview) if preview else "",
    }, status=refused.status if refused else 200)


async def _view(parts: Parts, visit: Visit, comment_id: int) -> CommentView:
    return await parts.store.read(
        lambda unit: parts.forum.comment_view(unit, visit.viewer, comment_id)
    )


def _check_author(view: CommentView, viewer: Viewer) -> None:
    if view.creator.id != viewer.id:
        raise Forbidden("no_comment_edit_allowed", "Only its author edits it.")


HANDLERS = [comment_on_post, reply_form, reply, edit_form, edit, delete]
