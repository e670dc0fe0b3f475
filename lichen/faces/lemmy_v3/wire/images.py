"""Uploaded pictures as the Lemmy API shows them."""

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    Answer,
    Ask,
    PageLength,
    PageNumber,
    Time,
)
from lichen.faces.lemmy_v3.wire.people import Person


class ListMedia(Ask, frozen=True, kw_only=True):
    """Ask for a page of pictures, newest first."""

    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT


class LocalImage(Answer, frozen=True, kw_only=True):
    """An uploaded picture: its file name, and the token that deletes it."""

    local_user_id: int | None = None
    pictrs_alias: str
    pictrs_delete_token: str
    published: Time


class LocalImageView(Answer, frozen=True, kw_only=True):
    """A picture with who uploaded it."""

    local_image: LocalImage
    person: Person


class ListMediaResponse(Answer, frozen=True, kw_only=True):
    """A page of pictures."""

    images: list[LocalImageView]
