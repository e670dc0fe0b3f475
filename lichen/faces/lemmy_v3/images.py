"""The calls about uploaded pictures; uploading itself is the room's own route, as in Lemmy."""

from lichen.accounts import Actor
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.kit import Forbidden
from lichen.media import Picture
from lichen.store import Unit


async def list_media(
    parts: Parts, caller: Caller, asked: wire.ListMedia
) -> wire.ListMediaResponse:
    """Return a page of the caller's own pictures."""
    viewer = caller.person()
    return await _listed(parts, viewer.id, asked, account_id=viewer.account_id)


async def list_all_media(
    parts: Parts, caller: Caller, asked: wire.ListMedia
) -> wire.ListMediaResponse:
    """Return a page of everybody's pictures, for administrators."""
    viewer = caller.person()
    if not viewer.admin:
        raise Forbidden("not_an_admin", "Only administrators may do this.")
    return await _listed(parts, None, asked)


async def _listed(
    parts: Parts, uploader_id: int | None, asked: wire.ListMedia, *, account_id: int | None = None
) -> wire.ListMediaResponse:
    media = parts.pictures.media

    def query(unit: Unit) -> tuple[list[Picture], dict[int, Actor]]:
        pictures = media.uploads(unit, uploader_id, page=asked.page, limit=asked.limit)
        return pictures, parts.accounts.actors(unit, {one.uploader_id for one in pictures})

    pictures, people = await parts.store.read(query)
    return wire.ListMediaResponse(images=[
        wire.LocalImageView(
            local_image=wire.LocalImage(
                local_user_id=account_id, pictrs_alias=one.alias,
                pictrs_delete_token=media.token_of(one.alias),
                published=wire.time_of(one.published_us),
            ),
            person=views.person(people[one.uploader_id]),
        )
        for one in pictures if one.uploader_id in people
    ])
