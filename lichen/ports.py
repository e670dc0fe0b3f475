"""What rooms ask of rooms they may not know, answered here for the house.

    moderation ──► MessagesToJudge ──► messages        export  ──► PicturesToTake ──► media
    moderation ──► PicturesToPurge ──► media           erasing ──► PicturesToErase ─► media
    automod    ──► TrustByAge      ──► accounts        plugins ──► BlockedPictures ─► media
    erasing    ──► LettersToErase  ──► federation

Each answers one Protocol of the room that asks; none decides anything.
"""

import tempfile
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path

from lichen.accounts import Accounts
from lichen.erasing import Kind, Request
from lichen.export import Picture
from lichen.federation.forgetting import Forgetting
from lichen.media import Blocklist, Seen
from lichen.media import Picture as Upload
from lichen.media.room import Room as MediaRoom
from lichen.messages import Messages
from lichen.moderation import ReportedMessage
from lichen.plugins import Person, Refuse
from lichen.plugins import Picture as Shown
from lichen.store import Store, Unit
from lichen.web import Addresses

UPLOADS_PAGE = 50  # of one person's pictures, listed at once


class MessagesToJudge:
    """The private messages that moderators are shown because somebody reported them."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def reported(self, unit: Unit, ids: list[int]) -> dict[int, ReportedMessage]:
        """Return messages by id; one round trip."""
        return {
            view.message.id: ReportedMessage(
                id=view.message.id, ap_id=view.message.ap_id, creator=view.creator,
                recipient=view.recipient, content=view.message.content,
                published_us=view.message.published_us, updated_us=view.message.updated_us,
                deleted=view.message.deleted, read=view.message.read, local=view.message.local,
            )
            for view in self._messages.messages_by_id(unit, ids)
        }


class PicturesToPurge:
    """The pictures of what is purged; their files go with the next sweep of the shelf."""

    def __init__(self, pictures: MediaRoom) -> None:
        self._pictures = pictures

    def purge(self, unit: Unit, addresses: list[str]) -> None:
        """Delete the pictures at these addresses; two round trips."""
        found = (self._pictures.reader.alias_in(address) for address in addresses)
        self._pictures.media.forget(unit, [alias for alias in found if alias])


class PicturesToTake:
    """The pictures that somebody takes along in an archive."""

    def __init__(self, pictures: MediaRoom, store: Store) -> None:
        self._pictures = pictures
        self._store = store

    async def of_person(self, person_id: int) -> AsyncIterator[Picture]:
        """Iterate over the files of everything that a person uploaded, one in memory at a time."""
        with tempfile.TemporaryDirectory(prefix="lichen-export-") as folder:
            async for upload in self._uploads(person_id):
                content = await self._pictures.media.shelf.fetch(upload.sha256)
                if content is None:
                    continue
                path = Path(folder) / upload.alias
                path.write_bytes(content)
                yield Picture(upload.alias, path)
                path.unlink()

    async def _uploads(self, person_id: int) -> AsyncIterator[Upload]:
        for page in count(1):
            asked = partial(
                self._pictures.media.uploads, uploader_id=person_id, page=page, limit=UPLOADS_PAGE
            )
            uploads = await self._store.read(asked)
            if not uploads:
                return
            for upload in uploads:
                yield upload


class PicturesToErase:
    """The pictures of a person who is erased."""

    def __init__(self, pictures: MediaRoom, store: Store) -> None:
        self._pictures = pictures
        self._store = store

    async def erase_person(self, person_id: int) -> None:
        """Delete everything that a person uploaded, rows and files; twice is once."""
        media = self._pictures.media
        await self._store.write(lambda unit: media.forget_uploads(unit, person_id))
        await media.shelf.sweep()


class LettersToErase:
    """What other servers were sent, and sent, of things and people that are erased."""

    def __init__(
        self, forgetting: Forgetting, accounts: Accounts, store: Store, addresses: Addresses
    ) -> None:
        self._forgetting = forgetting
        self._accounts = accounts
        self._store = store
        self._addresses = addresses

    async def erase(self, requests: Sequence[Request]) -> None:
        """Remove what quotes them from the logs of federation; twice is once."""
        people = [one.subject_id for one in requests if one.is_person]
        actors = await self._store.read(
            lambda unit: self._accounts.actors(unit, people), apart=True
        ) if people else {}
        ids = {actor.ap_id for actor in actors.values()}
        ids.update(filter(None, map(self._id_of, requests)))
        if ids:
            await self._forgetting.erase(ids)

    def _id_of(self, request: Request) -> str | None:
        """Return the ActivityPub id of a thing of ours; those of others leave by retention."""
        match request.kind:
            case Kind.POST:
                return self._addresses.absolute(self._addresses.post(request.subject_id))
            case Kind.COMMENT:
                return self._addresses.absolute(self._addresses.comment(request.subject_id))
            case Kind.MESSAGE:
                return self._addresses.absolute(self._addresses.message(request.subject_id))
        return None


class BlockedPictures:
    """The blocklist of pictures, as a plugin is asked."""

    def __init__(self, blocklist: Blocklist) -> None:
        self._blocklist = blocklist

    async def check_picture(self, person: Person, picture: Shown) -> Refuse | None:
        """Refuse a picture that is on the list; one round trip. Raises what the store raises."""
        reason = await self._blocklist.judge(Seen(
            sha256=picture.sha256, kept_sha256=picture.kept_sha256, likeness=picture.likeness,
            kind=picture.media_type.partition("/")[2], width=picture.width, height=picture.height,
            uploader_id=person.id or None,
        ), picture.content)
        if reason is None:
            return None
        return Refuse(text="This picture is not taken here.", reason=reason, code="image_blocked")


class TrustByAge:
    """How far people are trusted, as rules may ask; invitations do not count here."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def levels(self, unit: Unit, person_ids: Collection[int]) -> Mapping[int, int]:
        """Return trust levels by person; one round trip."""
        return {
            key: int(self._accounts.newcomers.trust_by_age(actor, unit.clock_us))
            for key, actor in self._accounts.actors(unit, person_ids).items()
        }
