"""Small deeds: vote, save, hide, delete, join, block; one button each, one fragment back."""

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath

from lichen.accounts import Viewer
from lichen.faces.pages import tree
from lichen.faces.pages.answers import fragment, page, see_other
from lichen.faces.pages.lists import downvotes
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import (
    DENSITIES,
    DENSITY_COOKIE,
    GivenVisit,
    Number,
    PageRequest,
    Visit,
    typed,
)
from lichen.forum import CommentView, CommunityView, PostView
from lichen.store import Unit

LOOK_AGE_S_MAX = 365 * 86_400  # how long a browser remembers the look that was chosen


@post("/post/{post_id:int}/vote", status_code=200)
async def vote_on_post(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Vote on a post."""
    viewer = visit.required()
    value = (await typed(request)).number("value")
    view = await parts.forum.judge_post(viewer, post_id, value=value)
    path = parts.addresses.post(post_id)
    if not visit.is_fragment:
        return see_other(visit, visit.came_from or path)
    html = tree.votes(view.post.score, view.my_vote, downvotes=downvotes(parts))
    return fragment(parts, html, target="find .v")


@post("/post/{post_id:int}/save", status_code=200)
async def save_post(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Keep a post for later, or no longer."""
    viewer = visit.required()
    save = (await typed(request)).flag("value")
    view = await parts.store.write(
        lambda unit: parts.forum.save_post(unit, viewer, post_id, save=save)
    )
    path = parts.addresses.post(post_id)
    if not visit.is_fragment:
        return see_other(visit, visit.came_from or path)
    return fragment(parts, tree.save_button(path, saved=view.saved), target="find .s")


@post("/post/{post_id:int}/hide", status_code=200)
async def hide_post(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Take a post out of my lists, or put it back."""
    viewer = visit.required()
    hide = (await typed(request)).flag("value")
    await parts.store.write(
        lambda unit: parts.forum.hide_posts(unit, viewer, [post_id], hide=hide)
    )
    return see_other(visit, visit.came_from or parts.addresses.front)


@post("/post/{post_id:int}/delete", status_code=200)
async def delete_post(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Take a post of mine away, or put it back."""
    viewer = visit.required()
    deleted = (await typed(request)).flag("value")
    await parts.store.write(
        lambda unit: parts.forum.delete_post(unit, viewer, post_id, deleted=deleted)
    )
    return see_other(visit, parts.addresses.post(post_id))


@get("/post/{post_id:int}/more")
async def more_about_post(
    parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Offer what else can be done with a post."""
    view = await parts.store.read(lambda unit: parts.forum.post_view(unit, visit.viewer, post_id))
    path = parts.addresses.post(post_id)
    links, deeds = _about_post(view, visit.viewer, path)
    values: dict[str, object] = {
        "heading": view.post.name, "back": path, "link": path, "links": links, "deeds": deeds,
    }
    return await _more(parts, visit, values)


@post("/comment/{comment_id:int}/vote", status_code=200)
async def vote_on_comment(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Vote on a comment."""
    viewer = visit.required()
    value = (await typed(request)).number("value")
    view = await parts.forum.judge_comment(viewer, comment_id, value=value)
    if not visit.is_fragment:
        return see_other(visit, _back_to_comment(parts, visit, comment_id))
    html = tree.votes(view.comment.score, view.my_vote, downvotes=downvotes(parts))
    return fragment(parts, html, target="find .v")


@post("/comment/{comment_id:int}/save", status_code=200)
async def save_comment(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Keep a comment for later, or no longer."""
    viewer = visit.required()
    save = (await typed(request)).flag("value")
    view = await parts.store.write(
        lambda unit: parts.forum.save_comment(unit, viewer, comment_id, save=save)
    )
    if not visit.is_fragment:
        return see_other(visit, _back_to_comment(parts, visit, comment_id))
    html = tree.save_button(parts.addresses.comment(comment_id), saved=view.saved)
    return fragment(parts, html, target="find .s")


@get("/comment/{comment_id:int}/more")
async def more_about_comment(
    parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Offer what else can be done with a comment."""
    view = await parts.store.read(
        lambda unit: parts.forum.comment_view(unit, visit.viewer, comment_id)
    )
    path = parts.addresses.comment(comment_id)
    links, deeds = _about_comment(view, visit.viewer, path)
    values: dict[str, object] = {
        "heading": f"A comment by {view.creator.shown_name}", "back": path, "link": path,
        "links": links, "deeds": deeds,
    }
    return await _more(parts, visit, values)


@post("/c/{name:str}/subscribe", status_code=200)
async def subscribe(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Join a community, or leave it."""
    viewer = visit.required()
    follow = (await typed(request)).flag("value")

    def act(unit: Unit) -> CommunityView:
        community = parts.forum.community(unit, viewer, name=name).community
        return parts.forum.subscribe(unit, viewer, community.id, follow=follow)

    view = await parts.store.write(act)
    if not visit.is_fragment:
        return see_other(visit, visit.came_from or parts.addresses.community(name))
    html = parts.drawing.macro("join")(view)
    return fragment(parts, html.strip(), target="closest .j")


@post("/c/{name:str}/block", status_code=200)
async def block_community(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Keep a community out of my lists, or let it in again."""
    viewer = visit.required()
    block = (await typed(request)).flag("value")

    def act(unit: Unit) -> None:
        community = parts.forum.community(unit, viewer, name=name).community
        parts.forum.block_community(unit, viewer, community.id, block=block)

    await parts.store.write(act)
    return see_other(visit, parts.addresses.community(name))


@post("/u/{name:str}/block", status_code=200)
async def block_person(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Keep a person out of my lists, or let them in again."""
    viewer = visit.required()
    blocked = (await typed(request)).flag("value")

    def act(unit: Unit) -> None:
        person = parts.forum.person(unit, viewer, name=name).person
        parts.accounts.block_person(unit, viewer, person.id, blocked=blocked)

    await parts.store.write(act)
    return see_other(visit, parts.addresses.person(name))


@post("/look", status_code=200)
async def look(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Remember how dense lists are: with the account, or in a cookie for a stranger."""
    fields = await typed(request)
    density = fields.one_of("density", DENSITIES)
    onward = fields.text("next", parts.addresses.front)
    viewer = visit.viewer
    if viewer is None:
        cookie = Cookie(DENSITY_COOKIE, value=density, path="/", samesite="lax",
                        max_age=LOOK_AGE_S_MAX, secure=parts.addresses.is_secure, httponly=True)
        return see_other(visit, onward, cookies=[cookie])
    settings = msgspec.structs.replace(viewer.settings, density=density)
    await parts.store.write(lambda unit: parts.accounts.save_settings(unit, viewer, settings))
    return see_other(visit, onward)


def _back_to_comment(parts: Parts, visit: Visit, comment_id: int) -> str:
    page_path = visit.came_from or parts.addresses.comment(comment_id)
    return f"{page_path}#c{comment_id}"


def _about_post(
    view: PostView, viewer: Viewer | None, path: str
) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str, str]]]:
    """Return links (address, words, icon) and deeds (address, value, words, icon)."""
    links: list[tuple[str, str, str]] = [(f"{path}/why", "Why it is here", "list")]
    deeds: list[tuple[str, str, str, str]] = []
    if viewer is None:
        return links, deeds
    if view.hidden:
        deeds.append((f"{path}/hide", "0", "Show again", "eye"))
    else:
        deeds.append((f"{path}/hide", "1", "Hide", "eye-off"))
    links.append((f"{path}/report", "Report", "triangle-alert"))
    if viewer.id == view.creator.id:
        links.append((f"{path}/edit", "Edit", "pencil"))
        deeds.append(_deletion(path, is_deleted=view.post.deleted))
    return links, deeds


def _about_comment(
    view: CommentView, viewer: Viewer | None, path: str
) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str, str]]]:
    if viewer is None:
        return [], []
    if viewer.id != view.creator.id:
        return [(f"{path}/report", "Report", "triangle-alert")], []
    return [(f"{path}/edit", "Edit", "pencil")], [_deletion(path, is_deleted=view.comment.deleted)]


def _deletion(path: str, *, is_deleted: bool) -> tuple[str, str, str, str]:
    if is_deleted:
        return f"{path}/delete", "0", "Bring back", "undo-2"
    return f"{path}/delete", "1", "Take away", "trash-2"


async def _more(
    parts: Parts, visit: Visit, values: dict[str, object]
) -> Response[bytes]:
    if visit.is_fragment:
        html = parts.drawing.draw("pieces/more.html", **values)
        return fragment(parts, html, target="next .u", swap="innerHTML")
    return await page(parts, visit, await parts.frame(visit), "more.html", values=values)


HANDLERS = [
    vote_on_post, save_post, hide_post, delete_post, more_about_post, vote_on_comment,
    save_comment, more_about_comment, subscribe, block_community, block_person, look,
]
