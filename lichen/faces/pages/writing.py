"""Writing: new posts, edits, the preview; what was typed is kept when it is refused."""

import msgspec
from litestar import Response, get, post
from litestar.params import FromQuery

from lichen.accounts import Viewer
from lichen.faces.pages.answers import fragment, page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.pictures import NOTHING_ADDED, Added, added, typed_with_files
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Typed, Visit, typed
from lichen.forum import LANGUAGES, PostDraft
from lichen.kit import Forbidden, Refused


class TypedPost(msgspec.Struct, frozen=True):
    """A post as it was typed, before anybody judged it."""

    community: str = ""
    name: str = ""
    url: str = ""
    alt_text: str = ""
    body: str = ""
    nsfw: bool = False
    language: str = "0"

    def draft(self) -> PostDraft:
        """Return the draft that the forum judges; an empty field empties what was there."""
        return PostDraft(
            name=self.name, url=self.url, body=self.body, alt_text=self.alt_text, nsfw=self.nsfw,
            language_id=int(self.language),
        )


@get("/create_post")
async def new_post(
    parts: GivenParts, visit: GivenVisit, community: FromQuery[str] = "",
    title: FromQuery[str] = "", *, url: FromQuery[str] = "", text: FromQuery[str] = "",
) -> Response[bytes]:
    """Offer the form for a new post; bookmarklets and apps may fill it by the query."""
    visit.required()
    filled = TypedPost(community=community, name=title, url=url, body=text)
    return await _post_form(parts, visit, filled, is_new=True)


@post("/create_post", status_code=200, request_max_body_size=None)
async def create_post(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Publish a post, or show its preview, or say why not."""
    viewer = visit.required()
    fields = await typed_with_files(request, parts, visit)
    filled = _typed_post(fields)
    if fields.flag("preview"):
        return await _post_form(parts, visit, filled, is_new=True, preview=filled.body)
    if fields.flag("picture_add"):
        return await _with_picture(parts, visit, fields, is_new=True)

    name = filled.community.removeprefix("!")
    try:
        where = await parts.store.read(
            lambda unit: parts.forum.community(unit, viewer, name=name)
        )
        view = await parts.forum.publish_post(viewer, where.community.id, filled.draft())
    except Refused as refused:
        return await _post_form(parts, visit, filled, is_new=True, refused=refused)
    return see_other(visit, parts.addresses.post(view.post.id))


@get("/post/{post_id:int}/edit")
async def edit_post_form(
    parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Offer the form for an edit."""
    viewer = visit.required()
    view = await parts.store.read(lambda unit: parts.forum.post_view(unit, viewer, post_id))
    _check_author(view.creator.id, viewer)
    before = view.post
    filled = TypedPost(
        name=before.name, url=before.url or "", alt_text=before.alt_text or "",
        body=before.body or "", nsfw=before.nsfw, language=str(before.language_id),
    )
    return await _post_form(parts, visit, filled, is_new=False)


@post("/post/{post_id:int}/edit", status_code=200, request_max_body_size=None)
async def edit_post(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Change a post of mine, or say why not."""
    viewer = visit.required()
    fields = await typed_with_files(request, parts, visit)
    filled = _typed_post(fields)
    if fields.flag("preview"):
        return await _post_form(parts, visit, filled, is_new=False, preview=filled.body)
    if fields.flag("picture_add"):
        return await _with_picture(parts, visit, fields, is_new=False)
    try:
        await parts.forum.revise_post(viewer, post_id, filled.draft())
    except Refused as refused:
        return await _post_form(parts, visit, filled, is_new=False, refused=refused)
    return see_other(visit, parts.addresses.post(post_id))


@post("/preview", status_code=200)
async def preview(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Show how a text will look; the field may have any of the names texts have."""
    fields = await typed(request)
    text = next(
        (fields.raw(name) for name in ("content", "body", "description", "bio")
         if fields.raw(name)), "",
    )
    html = parts.drawing.markdown(text)
    return fragment(parts, html, target=None, swap="innerHTML")


async def _post_form(
    parts: Parts, visit: Visit, filled: TypedPost, *, is_new: bool, preview: str = "",
    refused: Refused | None = None, added: Added = NOTHING_ADDED,
) -> Response[bytes]:
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "write_post.html", values={
        "added": added,
        "heading": "Write a post" if is_new else "Edit your post",
        "button": "Publish" if is_new else "Keep",
        "typed": filled,
        "communities": frame.communities if is_new else None,
        "languages": [(str(language.id), language.name) for language in LANGUAGES],
        "preview": parts.drawing.markdown(preview) if preview else "",
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


async def _with_picture(
    parts: Parts, visit: Visit, fields: Typed, *, is_new: bool
) -> Response[bytes]:
    """Show the form with a picture in it: as what the post is about, else in its text."""
    filled = _typed_post(fields)
    one = await added(parts, visit.required(), fields)
    if one.markdown and not filled.url:
        filled = msgspec.structs.replace(filled, url=one.url, alt_text=one.alt)
    else:
        filled = msgspec.structs.replace(filled, body=one.into(filled.body))
    return await _post_form(parts, visit, filled, is_new=is_new, added=one)


def _typed_post(fields: Typed) -> TypedPost:
    return TypedPost(
        community=fields.text("community"),
        name=fields.text("name"),
        url=fields.text("url"),
        alt_text=fields.text("alt_text"),
        body=fields.raw("body").rstrip(),
        nsfw=fields.flag("nsfw"),
        language=str(fields.number("language")) if fields.text("language") else "0",
    )


def _check_author(author_id: int, viewer: Viewer) -> None:
    if author_id != viewer.id:
        raise Forbidden("no_post_edit_allowed", "Only its author edits it.")


HANDLERS = [new_post, create_post, edit_post_form, edit_post, preview]
