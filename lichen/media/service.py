"""What the room promises: pictures taken, shown, listed, and gone when they are deleted.

    upload: gate ─► quota ─► child: clean, measure, sizes ─► checks ─► blobs ─► rows + event
    show:   row ─► variant kept? ─► blob         else ─► child, once for all who wait ─► kept
    delete: rows + event ─► blobs that nobody names are removed before the answer
"""

import asyncio
import base64
import hmac
import uuid
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Protocol

from lichen.events import collection_of, deletion_of, event_of
from lichen.events import media as records
from lichen.kit import NotFound, Refused, isoformat
from lichen.kit.ground import Ground
from lichen.media import tables
from lichen.media.darkroom import Darkroom
from lichen.media.errors import PictureRefused, QuotaReached
from lichen.media.limits import PAGE_MAX, TOKEN_LENGTH_MAX
from lichen.media.model import (
    MEDIA_TYPES,
    Developed,
    Picture,
    PictureCheck,
    Seen,
    Uploaded,
    Uploader,
    UploadGate,
    Usage,
    Variant,
    check_alias,
)
from lichen.media.shelf import Shelf, let_go
from lichen.store import Row, Store, Unit

_PICTURE = collection_of(records.Picture)
_Key = tuple[str, int, str]


class UploadTally(Protocol):
    """Counts what somebody uploads in a day who may not upload any number."""

    def __call__(
        self, unit: Unit, person_id: int, per_day: int, *, check_only: bool
    ) -> None:
        """Count a picture, or raise TooMany; with `check_only` only the latter."""


class Media:
    """Uploads, variants, deletions and lists of pictures.

    `checks` are asked in order before anything is stored; `gate` is asked first of all, and `tally`
    counts the pictures of those who may upload only so many in a day.
    """

    def __init__(
        self, ground: Ground, store: Store, shelf: Shelf, darkroom: Darkroom, *,
        checks: Sequence[PictureCheck], gate: UploadGate, tally: UploadTally, token_key: bytes,
    ) -> None:
        self.shelf = shelf
        self._settings = ground.config.media
        self._ground = ground
        self.store = store
        self._darkroom = darkroom
        self._checks = checks
        self._gate = gate
        self._tally = tally
        self._token_key = token_key
        self._deriving: dict[_Key, asyncio.Task[bytes]] = {}

    @property
    def upload_bytes_max(self) -> int:
        """The largest picture taken."""
        return self._settings.upload_bytes_max

    async def upload(self, uploader: Uploader, content: bytes, *, address: str = "") -> Uploaded:
        """Take a picture and return it with the token that deletes it; durable on return.

        Raises PictureRefused, QuotaReached, and what the gate and the tally raise.
        """
        self._gate(uploader, address)
        if not content:
            raise PictureRefused("invalid_image_upload", "The file is empty; choose a picture.")
        self.check_bytes(len(content))
        await self.store.read(lambda unit: self._check_allowed(unit, uploader, len(content)))
        developed = await self.developed(content)
        await self.check(developed, content, uploader_id=uploader.id)
        sizes = sorted(developed.variants)
        contents = [developed.original, *(developed.variants[size] for size in sizes)]
        return await self.shelf.keep(
            contents, lambda unit, names: self._keep(unit, uploader, developed, names)
        )

    def check_bytes(self, count: int) -> None:
        """Refuse more bytes than a picture has."""
        if count > self._settings.upload_bytes_max:
            raise Refused(
                "image_too_large",
                f"A picture has {self._settings.upload_bytes_max:,} bytes at most.", status=413,
            )

    async def developed(self, content: bytes) -> Developed:
        """Return a picture from the child; on a testbed any bytes are one."""
        try:
            return await self._darkroom.develop(content)
        except PictureRefused:
            if not self._settings.any_bytes:
                raise
            return Developed(kind="bin", width=0, height=0, frames=1, likeness=0,
                             original=content, variants={})

    async def check(
        self, developed: Developed, content: bytes, *, uploader_id: int | None
    ) -> None:
        """Ask every check, and refuse with the reason of the first that refuses.

        They see the picture without its metadata.
        """
        came, kept = await asyncio.to_thread(lambda: [
            sha256(one).hexdigest() for one in (content, developed.original)])
        seen = Seen(
            sha256=came, kept_sha256=kept, likeness=developed.likeness, kind=developed.kind,
            width=developed.width, height=developed.height, uploader_id=uploader_id,
        )
        for check in self._checks:
            reason = await check.judge(seen, developed.original)
            if reason is not None:
                raise PictureRefused(
                    "image_blocked", f"This picture is not taken here: {reason.rule}. "
                    f"{reason.change}", reason=reason,
                )

    async def picture(self, alias: str) -> Picture:
        """Return a picture by its file name; one round trip."""
        check_alias(alias)
        rows = await self.store.read(lambda unit: unit.fetch(tables.PICTURES, aliases=[alias]))
        if not rows:
            raise NotFound("couldnt_find_picture", "There is no picture of this name.")
        return _picture(rows[0])

    async def content(
        self, source: str, kind: str, variant: Variant | None
    ) -> tuple[bytes, str]:
        """Return the bytes of a picture or of a variant, and their media type."""
        if variant is None or kind == "bin":
            return await self._blob(source), MEDIA_TYPES[kind]
        rows = await self.store.read(lambda unit: unit.fetch(
            tables.VARIANT, source=source, size=variant.size, form=variant.form
        ))
        found = await self.shelf.fetch(rows[0].sha256) if rows else None
        if found is None:
            found = await self._derived(source, variant)
        return found, MEDIA_TYPES[variant.form]

    async def delete(self, alias: str, token: str) -> None:
        """Delete a picture by its token; its blobs are gone on return."""
        check_alias(alias)
        digest = _hash(token) if len(token) <= TOKEN_LENGTH_MAX and token.isascii() else ""

        def command(unit: Unit) -> None:
            rows = unit.fetch(tables.PICTURES_LOCKED, aliases=[alias])
            if not rows or not hmac.compare_digest(rows[0].token_hash, digest):
                raise NotFound("couldnt_find_picture", "No picture has this name and this token.")
            self._remove(unit, rows)

        await self.store.write(command)
        await self.shelf.sweep()

    async def delete_own(self, uploader: Uploader, alias: str) -> None:
        """Delete a picture of one's own, or who may purge pictures anybody's."""
        check_alias(alias)

        def command(unit: Unit) -> None:
            rows = unit.fetch(tables.PICTURES_LOCKED, aliases=[alias])
            if not rows or (rows[0].uploader_id != uploader.id and not uploader.may_purge):
                raise NotFound("couldnt_find_picture", "You have no picture of this name.")
            self._remove(unit, rows)

        await self.store.write(command)
        await self.shelf.sweep()

    def forget(self, unit: Unit, aliases: Iterable[str]) -> None:
        """Delete pictures in somebody else's transaction; sweep the shelf after it. Unknown: none.

        For purges, and for pictures that another took the place of.
        """
        self._remove(unit, unit.fetch(tables.PICTURES_LOCKED, aliases=sorted(set(aliases))))

    def forget_file(self, unit: Unit, sha256: str) -> None:
        """Delete a file however often it was uploaded, or fetched from outside; as `forget`."""
        uploaded, fetched = unit.fetch_all(
            (tables.ALIASES_OF_BLOB, {"sha256": sha256}),
            (tables.PROXIED_OF_BLOB, {"sha256": sha256}),
        )
        self.forget(unit, [row.alias for row in uploaded])
        if fetched:
            unit.stage(tables.DELETE_PROXIED, {"urls": [row.url for row in fetched]})
            let_go(unit, [sha256])

    def forget_uploads(self, unit: Unit, uploader_id: int) -> None:
        """Delete everything that somebody uploaded, in somebody else's transaction; as `forget`."""
        rows = unit.fetch(tables.ALIASES_OF, uploader_id=uploader_id)
        self.forget(unit, [row.alias for row in rows])

    def uploads(
        self, unit: Unit, uploader_id: int | None, *, page: int = 1, limit: int = 10
    ) -> list[Picture]:
        """Return a page of somebody's pictures, or of everybody's, newest first."""
        limit = max(1, min(limit, PAGE_MAX))
        asked = {"limit": limit, "offset": (max(1, page) - 1) * limit}
        if uploader_id is None:
            rows = unit.fetch(tables.PAGE_OF_ALL, **asked)
        else:
            rows = unit.fetch(tables.PAGE_OF, uploader_id=uploader_id, **asked)
        return [_picture(row) for row in rows]

    def usage(self, unit: Unit, uploader_id: int) -> Usage:
        """Return how much somebody has stored."""
        (row,) = unit.fetch(tables.USAGE, uploader_id=uploader_id)
        return Usage(count=int(row.count), bytes=int(row.bytes))

    def token_of(self, alias: str) -> str:
        """Return the token that deletes a picture: drawn from a secret, so rows keep its hash only.

        Lemmy's clients list their pictures with the tokens, and delete by them.
        """
        drawn = hmac.digest(self._token_key, b"delete " + alias.encode(), "sha256")
        return base64.b32encode(drawn[:20]).decode().lower()

    def _check_allowed(self, unit: Unit, uploader: Uploader, count: int) -> None:
        """Refuse what would be refused later anyway, before a child decodes it."""
        self._check_quota(unit, uploader, count)
        if uploader.per_day is not None:
            self._tally(unit, uploader.id, uploader.per_day, check_only=True)

    def _check_quota(self, unit: Unit, uploader: Uploader, count: int) -> None:
        if uploader.admin:
            return
        used = self.usage(unit, uploader.id)
        settings = self._settings
        if used.count >= settings.quota_count or used.bytes + count > settings.quota_bytes:
            raise QuotaReached(
                f"You have {used.count} pictures of {used.bytes:,} bytes here; "
                f"{settings.quota_count} of {settings.quota_bytes:,} bytes fit. Delete some first."
            )

    def _keep(
        self, unit: Unit, uploader: Uploader, developed: Developed, names: list[str]
    ) -> Uploaded:
        """Stage the rows of an upload whose blobs are kept; two round trips."""
        self._check_quota(unit, uploader, len(developed.original))
        if uploader.per_day is not None:
            self._tally(unit, uploader.id, uploader.per_day, check_only=False)
        drawn = uuid.UUID(bytes=self._ground.randomness.randbytes(16), version=4)
        picture = Picture(
            alias=f"{drawn}.{developed.kind}", uploader_id=uploader.id, sha256=names[0],
            kind=developed.kind, width=developed.width, height=developed.height,
            bytes=len(developed.original), published_us=unit.clock_us,
        )
        token = self.token_of(picture.alias)
        tid = self._ground.tids.next()
        unit.stage(tables.INSERT_PICTURE, {
            "alias": picture.alias, "tid": tid, "token_hash": _hash(token),
            "uploader_id": uploader.id, "uploader_did": uploader.did, "sha256": picture.sha256,
            "kind": picture.kind, "width": picture.width, "height": picture.height,
            "bytes": picture.bytes, "likeness": developed.likeness,
            "published_us": picture.published_us,
        })
        unit.stage(tables.KEEP_VARIANT, *(
            {"source": names[0], "size": size, "form": "webp", "sha256": name}
            for size, name in zip(sorted(developed.variants), names[1:], strict=True)
        ))
        unit.emit(event_of(
            records.Picture(
                file=picture.alias, kind=picture.kind, width=picture.width, height=picture.height,
                bytes=picture.bytes, created_at=isoformat(unit.clock_us),
            ),
            id=tid, did=uploader.did, operation="create", rkey=tid, row=uploader.id,
        ))
        return Uploaded(picture=picture, token=token)

    def _remove(self, unit: Unit, rows: list[Row]) -> None:
        """Stage the end of pictures; one round trip."""
        if not rows:
            return
        unit.stage(tables.DELETE_PICTURES, {"aliases": [row.alias for row in rows]})
        let_go(unit, [row.sha256 for row in rows])
        for row in rows:
            unit.emit(deletion_of(
                _PICTURE, id=self._ground.tids.next(), did=row.uploader_did, rkey=row.tid,
                row=row.uploader_id,
            ))

    async def _blob(self, name: str) -> bytes:
        found = await self.shelf.fetch(name)
        if found is None:
            raise NotFound("couldnt_find_picture", "This picture is gone.")
        return found

    async def _derived(self, source: str, variant: Variant) -> bytes:
        """Return a variant made now, once for everybody who waits for it."""
        key = (source, variant.size, variant.form)
        task = self._deriving.get(key)
        if task is None:
            task = asyncio.create_task(self._derive(source, variant))
            self._deriving[key] = task
            task.add_done_callback(lambda _: self._deriving.pop(key))
        # Shielded: one who goes away does not take it from the others.
        return await asyncio.shield(task)

    async def _derive(self, source: str, variant: Variant) -> bytes:
        made = await self._darkroom.derive(await self._blob(source), variant)
        await self.shelf.keep([made], lambda unit, names: _keep_variant(
            unit, source, variant, names[0]
        ))
        return made


def _keep_variant(unit: Unit, source: str, variant: Variant, name: str) -> None:
    """Stage a variant, unless its picture has gone meanwhile."""
    if unit.fetch(tables.SOURCES, in_pictures=[source], in_proxied=[source]):
        unit.stage(tables.KEEP_VARIANT, {
            "source": source, "size": variant.size, "form": variant.form, "sha256": name,
        })
    else:
        raise NotFound("couldnt_find_picture", "This picture is gone.")


def _picture(row: Row) -> Picture:
    return Picture(
        alias=row.alias, uploader_id=row.uploader_id, sha256=row.sha256, kind=row.kind,
        width=row.width, height=row.height, bytes=row.bytes, published_us=row.published_us,
    )


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
