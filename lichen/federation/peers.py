"""The peers: every other server, what it runs, what we take from it, how sending to it goes.

    at the door, for each sending ─▶ memory (all peers) ─▶ no SQL
    note_success · note_failure · note_received ─▶ memory, marked ─▶ flush: one batch a second
    a new peer, or one not asked for a day ─▶ its NodeInfo, by the task that flushes

Memory is what counts while the process runs; a crash loses at most the last second of notes, and
then something is sent twice. Whom we talk to at all is decided by the site's lists and settings,
which `accounts` keeps in memory.
"""

import asyncio
from collections.abc import Iterable

import msgspec
import structlog

from lichen.accounts import Accounts, Viewer, check_admin
from lichen.federation import peer_rows
from lichen.federation.fetching import Documents
from lichen.federation.limits import (
    ASKED_AT_ONCE_MAX,
    FLUSH_S,
    PEER_AGE_US_MAX,
    PEER_TEXT_LENGTH_MAX,
    PEERS_KEPT_MAX,
)
from lichen.federation.model import Accepts, Peer, Style, authority_of, is_listed
from lichen.federation.nodeinfo import Described, fetch_nodeinfo
from lichen.federation.remembering import Flights
from lichen.kit import Clock, NotFound, Refused, TooMany, Unavailable
from lichen.kit.crash_points import crash_point
from lichen.store import Store, Unit
from lichen.web import Addresses

_log = structlog.get_logger("lichen.federation")


class Peers:
    """Every other server we know, in memory; rows follow in batches."""

    def __init__(
        self, store: Store, accounts: Accounts, *, addresses: Addresses, clock: Clock,
        known: Iterable[Peer] = (),
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._addresses = addresses
        self._clock = clock
        self._peers = {one.authority: one for one in known}
        self._changed: set[str] = set()
        self._to_ask: dict[str, None] = {}
        self._flights: Flights[Peer] = Flights()
        self._documents: Documents | None = None

    def ask_through(self, documents: Documents) -> None:
        """Say how peers are asked; documents are fetched only where `is_allowed` lets us."""
        self._documents = documents

    def is_allowed(self, authority: str) -> bool:
        """Say whether we talk to a server; from memory.

        Lists name an authority or a bare host. Where servers are allowed by name, no others are.
        """
        settings, lists = self._accounts.current_site.settings, self._accounts.current_lists
        if not settings.federation_enabled or authority == self._addresses.authority:
            return False
        if is_listed(authority, lists.blocked_instances):
            return False
        return not lists.allowed_instances or is_listed(authority, lists.allowed_instances)

    def known(self, authority: str) -> Peer | None:
        """Return a peer that we know; from memory."""
        return self._peers.get(authority)

    def all(self) -> list[Peer]:
        """Return every peer by its authority; from memory."""
        return [self._peers[one] for one in sorted(self._peers)]

    def authorities(self) -> list[str]:
        """Return every peer that we federate with, by its authority; from memory."""
        return [one for one in self._peers if self.is_allowed(one)]

    async def peer(self, authority: str) -> Peer:
        """Return a peer, made at its first mention; what it runs is asked a little later."""
        return self.mention(authority)

    def mention(self, authority: str) -> Peer:
        """Return a peer as `peer` does; raises TooMany where there are more than we keep."""
        found = self._peers.get(authority)
        if found is None:
            if len(self._peers) >= PEERS_KEPT_MAX:
                raise TooMany("too_many_peers", f"At most {PEERS_KEPT_MAX} servers are known.")
            found = self._keep(Peer(authority, first_seen_us=self._clock()))
        if self._clock() - found.asked_us >= PEER_AGE_US_MAX:
            self._to_ask[authority] = None
        return found

    async def asked(self, authority: str) -> Peer:
        """Return a peer after asking it what it runs, where that is not known or a day old."""
        found = self.mention(authority)
        if self._clock() - found.asked_us < PEER_AGE_US_MAX:
            return found
        return await self._flights.join(authority, lambda: self._ask(authority))

    def note_success(self, authority: str, *, cursor: int) -> None:
        """Note that a peer has taken everything up to a sequence of `outgoing`."""
        found = self.mention(authority)
        self._keep(msgspec.structs.replace(
            found, cursor=max(found.cursor, cursor), fail_count=0, retry_at_us=0, last_error="",
            last_success_us=self._clock(),
        ))

    def note_failure(self, authority: str, error: str, *, retry_at_us: int) -> None:
        """Note that sending failed, why, and when to try again."""
        found = self.mention(authority)
        self._keep(msgspec.structs.replace(
            found, fail_count=found.fail_count + 1, retry_at_us=retry_at_us,
            last_error=error[:PEER_TEXT_LENGTH_MAX],
        ))

    def note_received(self, authority: str) -> None:
        """Note that a peer sent something that was taken."""
        found = self.mention(authority)
        self._keep(msgspec.structs.replace(found, last_received_us=self._clock()))

    def note_inbox(self, shared_inbox: str) -> None:
        """Note where a peer takes what is for several of its people."""
        authority = authority_of(shared_inbox)
        found = self.mention(authority) if authority else None
        if found is not None and found.shared_inbox != shared_inbox:
            self._keep(msgspec.structs.replace(found, shared_inbox=shared_inbox))

    def style_of(self, authority: str) -> Style:
        """Return how a peer wants requests signed: as it took them last; from memory."""
        found = self._peers.get(authority)
        return "cavage" if found is None else found.style

    def prefer(self, authority: str, style: Style) -> None:
        """Remember how a peer wants requests signed."""
        found = self.mention(authority)
        if found.style != style:
            self._keep(msgspec.structs.replace(found, style=style))

    async def set_accepts(self, viewer: Viewer, authority: str, accepts: Accepts) -> Peer:
        """Decide as an administrator what is taken from a peer."""
        check_admin(viewer)
        found = self._peers.get(authority)
        if found is None:
            raise NotFound("couldnt_find_instance", "No such server is known here.")
        changed = self._keep(msgspec.structs.replace(found, accepts=accepts))
        await self.flush()
        return changed

    async def run(self) -> None:
        """Write what was noted and ask who is new, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
                await self.ask_due()
            except Unavailable as error:
                _log.warning("peers_not_written", reason=error.text)

    async def flush(self) -> None:
        """Write the peers that changed, in one transaction."""
        changed, self._changed = self._changed, set()
        rows = [peer_rows.row_of_peer(self._peers[one]) for one in sorted(changed)]
        if not rows:
            return
        crash_point("peers.before_flush")
        try:
            await self._store.write(
                lambda unit: unit.stage(peer_rows.KEEP_PEER, *rows), apart=True
            )
        except Unavailable:
            self._changed |= changed
            raise
        crash_point("peers.after_flush")

    async def ask_due(self) -> None:
        """Ask those peers what they run that were mentioned and not asked for a day."""
        due = list(self._to_ask)[:ASKED_AT_ONCE_MAX]
        for authority in due:
            del self._to_ask[authority]
        await asyncio.gather(*(self.asked(authority) for authority in due))

    async def close(self) -> None:
        """End what is being asked and write what was noted."""
        await self._flights.close()
        await self.flush()

    async def _ask(self, authority: str) -> Peer:
        """Ask a peer what it runs; one that does not say is asked again in a day."""
        assert self._documents is not None, "the room says how peers are asked"
        described = Described()
        try:
            described = await fetch_nodeinfo(self._documents, self._addresses.scheme, authority)
        except (Refused, Unavailable) as error:
            _log.info("peer_says_nothing", peer=authority, reason=type(error).__name__)
        found = self.mention(authority)
        changes = described._asdict() if described.software else {}
        self._to_ask.pop(authority, None)
        return self._keep(msgspec.structs.replace(found, asked_us=self._clock(), **changes))

    def _keep(self, one: Peer) -> Peer:
        self._peers[one.authority] = one
        self._changed.add(one.authority)
        return one


def load_peers(unit: Unit) -> list[Peer]:
    """Return every peer of the rows; one round trip."""
    return [peer_rows.peer_from(row) for row in unit.fetch(peer_rows.PEERS, limit=PEERS_KEPT_MAX)]
