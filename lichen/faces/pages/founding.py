"""Founding a community, and changing what is said of it."""

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from lichen.accounts import Viewer
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.pictures import chosen, typed_with_files
from lichen.faces.pages.visit import GivenVisit, PageRequest, Typed, Visit
from lichen.forum import CommunityDraft, CommunityView
from lichen.kit import Forbidden, Refused
from lichen.store import Unit


class TypedCommunity(msgspec.Struct, frozen=True):
    """A community as it was typed, before anybody judged it."""

    name: str = ""
    title: str = ""
    description: str = ""
    icon: str = ""
    banner: str = ""
    nsfw: bool = False
    restricted: bool = False

    def draft(self) -> CommunityDraft:
        """Return the draft that the forum judges; an empty field empties what was there."""
        return CommunityDraft(
            title=self.title, description=self.description, icon=self.icon, banner=self.banner,
            nsfw=self.nsfw, posting_restricted_to_mods=self.restricted,
        )


@get("/create_community")
async def new_community(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Offer the form for a new community."""
    visit.required()
    return await _form(parts, visit, TypedCommunity(), is_new=True)


@post("/create_community", status_code=200, request_max_body_size=None)
async def create_community(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Found a community, or say why not."""
    viewer = visit.required()
    fields = await typed_with_files(request, parts, visit)
    filled = _typed_community(fields)
    try:
        filled = await _with_pictures(parts, viewer, filled, fields)
        view = await parts.store.write(lambda unit: parts.forum.create_community(
            unit, viewer, filled.name, filled.draft()
        ))
    except Refused as refused:
        return await _form(parts, visit, filled, is_new=True, refused=refused)
    return see_other(visit, parts.drawing.path_of(view.community.actor))


@get("/c/{name:str}/edit")
async def edit_community_form(
    parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Offer the form for what is said of a community."""
    viewer = visit.required()
    view = await parts.store.read(lambda unit: parts.forum.community(unit, viewer, name=name))
    if not view.moderates and not viewer.admin:
        raise Forbidden("not_a_moderator", "Only its moderators change what is said of it.")
    place = view.community
    filled = TypedCommunity(
        title=place.actor.shown_name, description=place.actor.summary or "",
        icon=place.actor.avatar or "", banner=place.actor.banner or "", nsfw=place.nsfw,
        restricted=place.posting_restricted_to_mods,
    )
    return await _form(parts, visit, filled, is_new=False)


@post("/c/{name:str}/edit", status_code=200, request_max_body_size=None)
async def edit_community(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Change what is said of a community, or say why not."""
    viewer = visit.required()
    fields = await typed_with_files(request, parts, visit)
    filled = _typed_community(fields)
    try:
        filled = await _with_pictures(parts, viewer, filled, fields)
        view = await _changed(parts, viewer, name, filled.draft())
    except Refused as refused:
        return await _form(parts, visit, filled, is_new=False, refused=refused)
    return see_other(visit, parts.drawing.path_of(view.community.actor))


async def _changed(
    parts: Parts, viewer: Viewer, name: str, draft: CommunityDraft
) -> CommunityView:
    def change(unit: Unit) -> CommunityView:
        place = parts.forum.community(unit, viewer, name=name).community
        return parts.forum.edit_community(unit, viewer, place.id, draft)

    return await parts.store.write(change)


async def _with_pictures(
    parts: Parts, viewer: Viewer, filled: TypedCommunity, fields: Typed
) -> TypedCommunity:
    """Return what was typed with the pictures that were chosen, if any."""
    return msgspec.structs.replace(
        filled, icon=await chosen(parts, viewer, fields, "icon"),
        banner=await chosen(parts, viewer, fields, "banner"),
    )


async def _form(
    parts: Parts, visit: Visit, filled: TypedCommunity, *, is_new: bool,
    refused: Refused | None = None,
) -> Response[bytes]:
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "write_community.html", values={
        "heading": "New community" if is_new else "Edit the community",
        "button": "Found it" if is_new else "Keep",
        "founding": is_new,
        "typed": filled,
        "preview": "",
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


def _typed_community(fields: Typed) -> TypedCommunity:
    return TypedCommunity(
        name=fields.text("name").removeprefix("!"),
        title=fields.text("title"),
        description=fields.raw("description").strip(),
        icon=fields.text("icon"),
        banner=fields.text("banner"),
        nsfw=fields.flag("nsfw"),
        restricted=fields.flag("posting_restricted_to_mods"),
    )


HANDLERS = [new_community, create_community, edit_community_form, edit_community]
