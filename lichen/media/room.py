"""Assembles the room."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from lichen.kit.ground import Ground
from lichen.media.blobs import Blobs, DiskBlobs, name_of
from lichen.media.blocklist import Blocklist, check_keeper
from lichen.media.buckets import BucketBlobs
from lichen.media.copying import FOLDER
from lichen.media.darkroom import Darkroom
from lichen.media.errors import PictureRefused
from lichen.media.growth import Grown
from lichen.media.model import Blocked, PictureCheck, Uploader, UploadGate, named
from lichen.media.proxy import Proxy
from lichen.media.reader import NAME, UsesReader
from lichen.media.service import Media, UploadTally
from lichen.media.shelf import Shelf
from lichen.store import Store, Unit, checkpoint_of, set_stamp, stamp_of
from lichen.web import Addresses

KEY_BYTES = 32  # RFC 2104 §3: a key as long as the hash
_KEY_STAMP = "media.key"


@dataclass(frozen=True, slots=True)
class Room:
    """The services of the room, its reader of the log, and the pictures that grow."""

    media: Media
    blocklist: Blocklist
    proxy: Proxy
    reader: UsesReader
    darkroom: Darkroom
    grown: Grown
    any_bytes: bool

    async def remove_and_block(self, by: Uploader, alias: str, *, note: str) -> Blocked:
        """Block a stored picture by file name or address, and delete it wherever it was uploaded.

        One command.
        """
        alias = named(alias).alias or alias

        def command(unit: Unit) -> Blocked:
            line = self.blocklist.block_picture(unit, by, alias, note=note)
            assert line.sha256 is not None, "a stored picture has bytes"
            self.media.forget_file(unit, line.sha256)
            return line

        line = await self.media.store.write(command)
        await self.media.shelf.sweep()
        return line

    async def block_content(self, by: Uploader, content: bytes, *, note: str) -> Blocked:
        """Block a picture that somebody picked, without storing it, by its bytes and its looks."""
        check_keeper(by)
        if not content:
            raise PictureRefused("invalid_image_upload", "The file is empty; choose a picture.")
        self.media.check_bytes(len(content))
        developed = await self.media.developed(content)
        return await self.media.store.write(lambda unit: self.blocklist.block(
            unit, by, sha256=name_of(content), likeness=developed.likeness, note=note
        ))

    async def close(self) -> None:
        """End the children and let go of the blobs."""
        await self.darkroom.close()
        await self.media.shelf.close()


async def build(  # noqa: PLR0913 - what a room of pictures is made of
    ground: Ground, store: Store, *, addresses: Addresses, site_did: str,
    checks: Sequence[PictureCheck] | None = None, gate: UploadGate | None = None,
    tally: UploadTally | None = None, log_first_seq: int = 0, log_last_seq: int = 0,
) -> Room:
    """Return the room; `checks` are asked before a picture is stored, `gate` before anything.

    Without `checks` the blocklist is asked by itself; who gives some sees to it that it is one.

    A house without a checkpoint begins at the end of its log. The house closes the room at its end.
    """
    settings = ground.config.media
    blobs: Blobs
    if settings.keep_in == "s3":
        blobs = BucketBlobs(settings, ground.clock)
    else:
        blobs = DiskBlobs(ground.config.server.data / FOLDER)
    key = await store.write(lambda unit: _key(unit, ground))
    blocklist = Blocklist(
        store, ground.tids, site_did=site_did, distance_max=settings.blocked_distance
    )
    darkroom = Darkroom()
    media = Media(
        ground, store, Shelf(store, blobs), darkroom, gate=gate or _open_gate, token_key=key,
        tally=tally or _uncounted,
        checks=(blocklist,) if checks is None else checks,
    )
    position = await store.read(lambda unit: checkpoint_of(unit, NAME)) or log_last_seq
    reader = UsesReader(
        store, media, addresses=addresses, position=max(position, log_first_seq - 1)
    )
    return Room(
        media=media, blocklist=blocklist,
        proxy=Proxy(ground, store, media, addresses=addresses, key=key),
        reader=reader, darkroom=darkroom, grown=Grown(), any_bytes=settings.any_bytes,
    )


def _open_gate(uploader: Uploader, address: str) -> None:
    """Let everybody upload: how often one may is counted elsewhere, and handed in as `gate`."""


def _uncounted(unit: Unit, person_id: int, per_day: int, *, check_only: bool) -> None:
    """Count nothing: a room by itself knows nobody who is new."""


def _key(unit: Unit, ground: Ground) -> bytes:
    """Return the key of delete tokens and of the proxy's signatures, made at the first start."""
    kept = stamp_of(unit, _KEY_STAMP)
    if kept:
        return base64.b64decode(kept)
    key = ground.randomness.randbytes(KEY_BYTES)
    set_stamp(unit, _KEY_STAMP, base64.b64encode(key).decode())
    return key
