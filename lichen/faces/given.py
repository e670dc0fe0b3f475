"""What every face is given: the rooms that it speaks to, and where it stands."""

from dataclasses import dataclass, fields
from typing import Any

from lichen.accounts import Accounts, Permission, Viewer, is_permitted
from lichen.automod import Automod
from lichen.export import Exports
from lichen.federation import Standings, Trails
from lichen.federation.room import Room as FederationRoom
from lichen.forum import Forum
from lichen.kit.config import Config
from lichen.kit.flags import Flags
from lichen.media import Uploader
from lichen.media.room import Room as MediaRoom
from lichen.messages import Messages
from lichen.moderation import Moderation
from lichen.notifications import Notifications
from lichen.plugins.room import Plugins
from lichen.search import Search
from lichen.store import Store
from lichen.stream.room import Room as StreamRoom
from lichen.web import Addresses, Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The rooms of a house as its faces see them; a face adds what is its own."""

    store: Store
    accounts: Accounts
    forum: Forum
    messages: Messages
    search: Search
    notifications: Notifications
    automod: Automod
    moderation: Moderation
    plugins: Plugins
    exports: Exports
    pictures: MediaRoom
    addresses: Addresses
    gate: Gate
    config: Config
    flags: Flags
    federation: FederationRoom
    standings: Standings
    trails: Trails
    stream: StreamRoom | None

    def uploader(self, viewer: Viewer) -> Uploader:
        """Return a viewer as the room of pictures knows people."""
        per_day = self.accounts.newcomers.pictures_per_day(viewer, now_us=self.store.clock())
        return Uploader(
            id=viewer.id, did=viewer.actor.did, admin=viewer.admin, per_day=per_day,
            may_purge=is_permitted(viewer, Permission.PURGE_PICTURES),
        )

    @property
    def all(self) -> dict[str, Any]:
        """Every field by its name, for the face's own class that extends this one."""
        return {one.name: getattr(self, one.name) for one in fields(Given)}
