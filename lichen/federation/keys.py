"""Keys: those of our own actors, to sign with, and those of peers, to verify by.

    public_key(key_id) ─▶ memory ─▶ row ─▶ the owner's document, fetched once for all who wait
                            ▲  a new one after a week, or at once where a signature failed

A key is known by its id; it belongs to the actor in whose document it stands, on the same server.
At the door of the inbox this costs nothing after the first time: no row is read for a known key.
"""

from collections import OrderedDict
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urldefrag

from lichen.accounts import Accounts
from lichen.federation import peer_rows
from lichen.federation.actors import key_in, key_owner_of
from lichen.federation.fetching import Document, Documents, Gone
from lichen.federation.limits import (
    KEY_AGE_US_MAX,
    KEY_ID_LENGTH_MAX,
    KEY_REFRESH_US_MIN,
    KEYS_KEPT_MAX,
    MISSING_KEPT_MAX,
    MISSING_US_MAX,
    SIGNING_KEYS_MAX,
)
from lichen.federation.model import PeerKey, SigningKey, authority_of, unsigned
from lichen.federation.remembering import Absences, Flights
from lichen.federation.signatures import check_public_key
from lichen.kit import Clock, NotFound, Refused, Unavailable
from lichen.store import Store, Unit


class SigningKeys:
    """The keys of our own actors, kept in memory once they were needed."""

    def __init__(self, store: Store, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts
        self._kept: OrderedDict[int, SigningKey] = OrderedDict()

    async def signing_key(self, actor_id: int) -> SigningKey:
        """Return a local actor's key; made at the first need. Raises NotFound for remote actors."""
        kept = self._kept.get(actor_id)
        if kept is not None:
            self._kept.move_to_end(actor_id)
            return kept
        keys = await self._accounts.keys(actor_id)
        found = await self._store.read(lambda unit: self._accounts.actors(unit, [actor_id]))
        if keys.private is None:
            raise NotFound("couldnt_find_object", "This actor's key is not ours.")
        fresh = SigningKey(key_id_of(found[actor_id].ap_id), keys.private)
        self._kept[actor_id] = fresh
        if len(self._kept) > SIGNING_KEYS_MAX:
            self._kept.popitem(last=False)
        return fresh


class _Kept(NamedTuple):
    """A key in memory: since when, and when its owner was last asked."""

    key: PeerKey
    fetched_us: int
    asked_us: int


class KeyRing:
    """The public keys of peers; memory before rows before the network."""

    def __init__(
        self, store: Store, documents: Documents, own: SigningKeys, *, clock: Clock
    ) -> None:
        self._store = store
        self._documents = documents
        self._own = own
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._flights: Flights[PeerKey] = Flights()
        self._absent = Absences(clock, age_us_max=MISSING_US_MAX, kept_max=MISSING_KEPT_MAX)

    async def signing_key(self, actor_id: int) -> SigningKey:
        """Return a local actor's key, with which it signs."""
        return await self._own.signing_key(actor_id)

    async def public_key(self, key_id: str, *, refresh: bool = False) -> PeerKey:
        """Return a peer's key; `refresh` where a signature failed, in case it is a new one now.

        A key is refreshed at most once in five minutes, whoever asks. Raises Refused (401 for what
        is no key), Gone where its owner is no longer there, Unavailable.
        """
        if not authority_of(key_id) or len(key_id) > KEY_ID_LENGTH_MAX:
            raise unsigned("key_refused", f"A keyId is an address; got {key_id[:100]!r}.")
        kept = self._kept.get(key_id)
        if kept is not None and not self._is_due(kept, refresh=refresh):
            self._kept.move_to_end(key_id)
            return kept.key
        if kept is None and self._absent.has(key_id):
            raise Gone(key_id)
        return await self._flights.join(key_id, lambda: self._load(key_id))

    def keep(self, key_id: str, key: PeerKey) -> None:
        """Keep a key that came with its owner's document, fetched for another reason."""
        now_us = self._clock()
        self._absent.forget(key_id)
        self._kept[key_id] = _Kept(key, now_us, now_us)
        self._kept.move_to_end(key_id)
        if len(self._kept) > KEYS_KEPT_MAX:
            self._kept.popitem(last=False)

    async def close(self) -> None:
        """End what is being fetched."""
        await self._flights.close()

    def _is_due(self, kept: _Kept, *, refresh: bool) -> bool:
        age_us_max = KEY_REFRESH_US_MIN if refresh else KEY_AGE_US_MAX
        # What was asked lately is not asked again: its owner may be unreachable, or a forger busy.
        now_us = self._clock()
        return (now_us - kept.fetched_us >= age_us_max
                and now_us - kept.asked_us >= KEY_REFRESH_US_MIN)

    async def _load(self, key_id: str) -> PeerKey:
        """Return a key from its row where memory had none, else from its owner."""
        kept = self._kept.get(key_id)
        if kept is None:
            rows = await self._store.read(
                lambda unit: unit.fetch(peer_rows.KEY, key_id=key_id), apart=True
            )
            if rows:
                key = PeerKey(rows[0].owner, rows[0].public_key, authority_of(rows[0].owner))
                kept = self._kept[key_id] = _Kept(key, rows[0].fetched_us, 0)
                if not self._is_due(kept, refresh=False):
                    return key
        try:
            return await self._fetch(key_id)
        except Gone:
            self._absent.note(key_id)
            self._kept.pop(key_id, None)
            raise
        except Unavailable:
            if kept is None:
                raise
            # The owner cannot be asked now; the key that we have has served so far.
            self._kept[key_id] = kept._replace(asked_us=self._clock())
            return kept.key

    async def _fetch(self, key_id: str) -> PeerKey:
        document = await self._documents.fetch(key_id)
        owner = key_owner_of(document)
        if owner:
            # The id led to the key alone: its owner's document must name it too.
            if authority_of(owner) != authority_of(key_id):
                raise unsigned("key_refused", "A key and its owner are on one server.")
            document = await self._documents.fetch(owner)
        key = _checked(document, key_id)
        self.keep(key_id, key)
        with suppress(Unavailable):  # memory has it; the next process may ask again
            await self._store.write(lambda unit: stage_key(unit, key_id, key), apart=True)
        return key


def key_id_of(ap_id: str) -> str:
    """Return the id of a local actor's key, as Lemmy and Mastodon name theirs."""
    return f"{ap_id}#main-key"


def stage_key(unit: Unit, key_id: str, key: PeerKey) -> None:
    """Stage a peer's key, new or changed."""
    unit.stage(peer_rows.KEEP_KEY, {
        "key_id": key_id, "owner": key.owner, "public_key": key.public_pem,
        "fetched_us": unit.clock_us,
    })


def _checked(document: Document, key_id: str) -> PeerKey:
    _, key = key_in(document, key_id)
    if key is None or key.authority != authority_of(key_id):
        raise unsigned("key_refused", f"The owner of {key_id[:200]} does not name this key.")
    try:
        check_public_key(key.public_pem)
    except Refused as refused:
        raise unsigned("key_refused", refused.text) from None
    return key
