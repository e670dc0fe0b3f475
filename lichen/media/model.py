"""The nouns of pictures, and what may be asked of them.

Pure: nothing here reads a clock, a file or a row.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import msgspec

from lichen.kit import NotFound
from lichen.kit.reasons import Reason, Term
from lichen.media.limits import ALIAS_LENGTH_MAX

Form = Literal["webp", "jpg", "png", "avif"]

MEDIA_TYPES = {
    "jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp",
    "avif": "image/avif", "bin": "application/octet-stream",
}
SIZES_STORED = (1024, 512, 96)  # px, made at upload: a column's width, half of it, a list's
# Whatever size is asked for, the next of these is made: nobody fills the disk by counting up.
SIZES = (32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
FORMS: dict[str, Form] = {
    "webp": "webp", "jpg": "jpg", "jpeg": "jpg", "png": "png", "avif": "avif",
}
NO_LOOKS = 0  # the hash of the looks of a picture in which nothing changes
_LOOKS_MASK = (1 << 64) - 1  # 64 bits, kept signed as rows hold them
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LOOKS = re.compile(r"[0-9a-f]{16}")
_ALIAS_LETTERS = frozenset("0123456789abcdefghijklmnopqrstuvwxyz-.")


class Uploader(msgspec.Struct, frozen=True):
    """Who uploads, as much as this room knows: an actor's number and DID.

    `may_purge`: they may take away the pictures of others, and keep the list of those that are not
    taken. `per_day`: how many pictures they may upload in a day, None for any number.
    """

    id: int
    did: str
    admin: bool = False
    may_purge: bool = False
    per_day: int | None = None


Callers = Callable[[str], Awaitable[Uploader | None]]  # a token -> who shows it


class UploadGate(Protocol):
    """Says whether somebody may upload now: the place of the limit on how often."""

    def __call__(self, uploader: Uploader, address: str) -> None:
        """Return, or raise TooMany."""


class Developed(msgspec.Struct, frozen=True):
    """A picture as it came out of the child: clean, measured, with its smaller sisters."""

    kind: str
    width: int
    height: int
    frames: int
    likeness: int
    original: bytes
    variants: dict[int, bytes]


class Picture(msgspec.Struct, frozen=True):
    """A stored picture; `alias` is its file name in addresses, `sha256` its blob."""

    alias: str
    uploader_id: int
    sha256: str
    kind: str
    width: int
    height: int
    bytes: int
    published_us: int

    @property
    def media_type(self) -> str:
        """The type it is served as."""
        return MEDIA_TYPES[self.kind]


class Uploaded(msgspec.Struct, frozen=True):
    """What an upload answers: the picture, and the token that deletes it."""

    picture: Picture
    token: str


class Variant(msgspec.Struct, frozen=True):
    """One size and form of a picture; `size` bounds its longer side, in px."""

    size: int
    form: Form


class Seen(msgspec.Struct, frozen=True):
    """What a check is told of a picture before it is stored or shown.

    `sha256` is of the bytes as they came, `kept_sha256` of the bytes as they are kept, without
    metadata, `likeness` a hash of how it looks (64 bits, signed). `uploader_id` is None for a
    picture that the house fetched itself.
    """

    sha256: str
    kept_sha256: str
    likeness: int
    kind: str
    width: int
    height: int
    uploader_id: int | None


class PictureCheck(Protocol):
    """Looks at a picture before it is stored or shown: the hook for blocklists and classifiers."""

    async def judge(self, seen: Seen, content: bytes) -> Reason | None:
        """Return why the picture is refused, None to let it pass."""


class Blocked(msgspec.Struct, frozen=True):
    """A picture that is not taken: by its bytes, by its looks, or by both; and who says so."""

    id: int
    sha256: str | None
    likeness: int | None
    note: str
    moderator_id: int
    published_us: int

    @property
    def looks(self) -> str | None:
        """The hash of the looks in hexadecimal, as lists of other servers write it."""
        return None if self.likeness is None else f"{self.likeness & _LOOKS_MASK:016x}"


class Named(msgspec.Struct, frozen=True):
    """What somebody names to be blocked: a stored picture by file name, a file's hash, or looks."""

    alias: str | None = None
    sha256: str | None = None
    likeness: int | None = None


class Usage(msgspec.Struct, frozen=True):
    """How much somebody has stored."""

    count: int
    bytes: int


def variant_asked(thumbnail: int | None, form: str | None) -> Variant | None:
    """Return which variant a query asks for, None for the picture itself."""
    if thumbnail is None and not form:
        return None
    known = FORMS.get((form or "webp").lower())
    if known is None:
        raise NotFound("couldnt_find_picture", f"format is one of {', '.join(FORMS)}.")
    wanted = SIZES[-1] if thumbnail is None else thumbnail
    return Variant(next((size for size in SIZES if size >= wanted), SIZES[-1]), known)


def check_alias(alias: str) -> str:
    """Return a file's name, or refuse one that no picture can have."""
    if not 0 < len(alias) <= ALIAS_LENGTH_MAX or not _ALIAS_LETTERS.issuperset(alias):
        raise NotFound("couldnt_find_picture", "There is no picture of this name.")
    return alias


def named(text: str) -> Named:
    """Return what a text names: a SHA-256, 16 digits of looks, else a file name or its address."""
    word = text.strip().lower()
    if _SHA256.fullmatch(word):
        return Named(sha256=word)
    if _LOOKS.fullmatch(word):
        bits = int(word, 16)
        return Named(likeness=bits - (1 << 64) if bits >> 63 else bits)
    return Named(alias=check_alias(word.partition("?")[0].rpartition("/")[2]))


def likest(seen: Seen, blocked: list[Blocked], *, distance_max: int) -> Reason | None:
    """Return why a picture is on the blocklist, by its bytes or by its looks."""
    for one in blocked:
        if one.sha256 is not None and one.sha256 in (seen.sha256, seen.kept_sha256):
            return _reason("the same file", one, 0)
        # A picture of one colour has no looks to go by: all of them would be alike.
        if one.likeness is not None and seen.likeness != NO_LOOKS:
            distance = ((one.likeness ^ seen.likeness) & _LOOKS_MASK).bit_count()
            if distance <= distance_max:
                return _reason("the same looks", one, distance)
    return None


def _reason(how: str, blocked: Blocked, distance: int) -> Reason:
    return Reason(
        rule="picture blocklist",
        terms=(Term("match", how), Term("distance", float(distance), "of 64 bits")),
        value=True,
        decided_by="the administrators",
        change="Ask an administrator: they keep the list of pictures that are not shown here.",
    )
