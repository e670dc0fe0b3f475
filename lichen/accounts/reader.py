"""What accounts keep in memory, current by following the log: sessions, the site, flags.

A memory reader: it has no checkpoint. It is loaded from rows while nothing else runs and then
hears of every change. Sessions are loaded one by one when their tokens first come, and *dropped*
when an event touches their person; the site's settings, lists and flags are small, so their
events are folded in; the screen for words and addresses is compiled when they change.

    token ──► Viewer ◄── loaded from rows on a miss, unless an event came meanwhile
      ▲
      └── dropped by: session delete · profile · settings · application · second factor · role · ban
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from lichen.accounts.limits import SESSION_FRESH_US, SESSIONS_CACHED_MAX
from lichen.accounts.model import SessionId, Site, SiteSettings, Viewer
from lichen.accounts.site_lists import Emoji, SiteLists
from lichen.events import Event, collection_of, decode_events
from lichen.events.accounts import (
    Application,
    Move,
    Profile,
    Role,
    SecondFactor,
    Session,
    Settings,
    SiteBan,
    SiteEmoji,
    SiteFlag,
)
from lichen.events.accounts import SiteLists as SiteListsRecord
from lichen.events.accounts import SiteSettings as SiteSettingsRecord
from lichen.kit import from_isoformat
from lichen.kit.flags import MEANINGS, Flag, Flags
from lichen.log import Batch
from lichen.rules import Screen

_SESSION = collection_of(Session)
_OF_A_PERSON = frozenset(
    collection_of(record) for record in (Profile, Settings, Application, SecondFactor, Role, Move)
)
_SITE = collection_of(SiteSettingsRecord)
_BAN = collection_of(SiteBan)
_FLAG = collection_of(SiteFlag)
_EMOJI = collection_of(SiteEmoji)
_LISTS = collection_of(SiteListsRecord)


class _Kept(NamedTuple):
    viewer: Viewer
    loaded_us: int


class Sessions:
    """The viewers of the tokens last seen, the least used dropped first; about 1 µs a look-up.

    `drops` counts the drops so far. Whoever loads a viewer from rows notes it before and hands it
    to `keep`, so that a state read before a change is never kept after it.
    """

    def __init__(self, *, count_max: int = SESSIONS_CACHED_MAX) -> None:
        self._count_max = count_max
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._token_of: dict[SessionId, str] = {}
        self._sessions_of: dict[str, set[SessionId]] = {}
        self.drops = 0

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, token: str, now_us: int) -> Viewer | None:
        """Return the viewer of a token, None where it must be loaded."""
        kept = self._kept.get(token)
        if kept is None or now_us - kept.loaded_us > SESSION_FRESH_US:
            return None
        self._kept.move_to_end(token)
        return kept.viewer

    def keep(self, token: str, viewer: Viewer, *, loaded_us: int, drops: int) -> None:
        """Keep a viewer that was loaded when `drops` was what is given here."""
        if drops != self.drops:
            return
        self._drop(viewer.session_id)
        self._kept[token] = _Kept(viewer, loaded_us)
        self._token_of[viewer.session_id] = token
        self._sessions_of.setdefault(viewer.actor.did, set()).add(viewer.session_id)
        if len(self._kept) > self._count_max:
            self._drop(next(iter(self._kept.values())).viewer.session_id)

    def drop_session(self, session_id: SessionId) -> None:
        """Forget one session."""
        self.drops += 1
        self._drop(session_id)

    def drop_person(self, did: str) -> None:
        """Forget every session of a person."""
        self.drops += 1
        for session_id in tuple(self._sessions_of.get(did, ())):
            self._drop(session_id)

    def viewers(self) -> dict[str, Viewer]:
        """Return what is kept, by token."""
        return {token: kept.viewer for token, kept in self._kept.items()}

    def _drop(self, session_id: SessionId) -> None:
        token = self._token_of.pop(session_id, None)
        if token is None:
            return
        did = self._kept.pop(token).viewer.actor.did
        self._sessions_of[did].discard(session_id)
        if not self._sessions_of[did]:
            del self._sessions_of[did]


class AccountsReader:
    """Follows the log for the room; events that say nothing new change nothing."""

    name = "accounts"
    serves_pages = True

    def __init__(
        self, site: Site, flags: Flags, *, position: int = 0, lists: SiteLists | None = None,
        emoji: Iterable[Emoji] = (),
    ) -> None:
        self.sessions = Sessions()
        self.site = site
        self.lists = lists or SiteLists()
        self.emoji = {one.shortcode: one for one in emoji}
        self.screen = self._screen()
        self._flags = flags
        self._position = position

    def position(self) -> int:
        """Return the sequence of the last event that the state holds."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Apply a batch of the log."""
        for event in decode_events(batch.lines()):
            self.apply_event(event)
        self._position = batch.next_seq - 1

    def apply_event(self, event: Event) -> None:
        """Apply one event; those of other rooms are passed over."""
        collection = event.collection
        if collection in _OF_A_PERSON:
            self.sessions.drop_person(event.did)
        elif collection == _SESSION and event.operation == "delete":
            self.sessions.drop_session(SessionId(event.rkey))
        elif collection == _BAN:
            self.sessions.drop_person(msgspec.json.decode(event.record, type=SiteBan).subject)
        elif collection == _SITE:
            before, self.site = self.site, _folded(self.site, event)
            if before.settings.slur_filter_regex != self.site.settings.slur_filter_regex:
                self.screen = self._screen()
        elif collection == _LISTS:
            record = msgspec.json.decode(event.record, type=SiteListsRecord)
            self.lists = SiteLists(
                taglines=record.taglines, blocked_urls=record.blocked_urls,
                allowed_instances=record.allowed_instances,
                blocked_instances=record.blocked_instances,
            )
            self.screen = self._screen()
        elif collection == _EMOJI:
            self._keep_emoji(event)
        elif collection == _FLAG:
            flag = msgspec.json.decode(event.record, type=SiteFlag)
            if flag.name in MEANINGS:
                self._flags.change(Flag(flag.name), on=flag.on)

    def _keep_emoji(self, event: Event) -> None:
        kept = {name: one for name, one in self.emoji.items() if name != event.rkey}
        if event.operation != "delete":
            kept[event.rkey] = _emoji(event)
        self.emoji = kept  # replaced, never changed: threads may be reading it

    def _screen(self) -> Screen:
        """Return the screen for what is set now; compiled here and nowhere else."""
        return Screen(self.site.settings.slur_filter_regex, self.lists.blocked_urls)


def _folded(site: Site, event: Event) -> Site:
    """Return the site as the event says it is."""
    record = msgspec.json.decode(event.record, type=SiteSettingsRecord)
    said = {
        "name": record.name, "description": record.description, "sidebar": record.sidebar,
        "icon": record.icon, "banner": record.banner,
    }
    return Site(
        actor=site.actor,
        settings=msgspec.convert({**record.choices, **said}, SiteSettings),
        published_us=site.published_us,
        updated_us=from_isoformat(record.updated_at) if record.updated_at else None,
    )


def _emoji(event: Event) -> Emoji:
    record = msgspec.json.decode(event.record, type=SiteEmoji)
    return Emoji(
        id=event.row, shortcode=record.shortcode, image_url=record.image,
        alt_text=record.alt_text, category=record.category, keywords=record.keywords,
        published_us=from_isoformat(record.created_at),
        updated_us=from_isoformat(record.updated_at) if record.updated_at else None,
    )
