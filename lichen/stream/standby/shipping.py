"""Shipping: a server sends what it stores to its standbys, as it is stored.

    GET /stream/ship?cursor=N&known=S:D,…      Authorization: Bearer KEY
    ──▶ 200, parcels for as long as both live; 409 with the reason where the histories differ

One loop from what is old to what is new, like every reader's: records from the cursor on, erasures
in between, a heartbeat when there is nothing. All erasures that the server remembers come first:
they are few, and a standby passes over what it does not hold.

A standby gets everything this server serves, and nothing more; the key keeps strangers from making
it send both forms of everything.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from hmac import compare_digest
from typing import Final

from lichen.kit import Forbidden, Refused, TooMany, Unauthenticated
from lichen.stream.engine import Store
from lichen.stream.layout import decode_record_head
from lichen.stream.limits import (
    SHIP_ERASED_MAX,
    SHIP_HEARTBEAT_S,
    SHIP_RECORD_BYTES,
    STANDBYS_MAX,
)
from lichen.stream.serving.http import Request, Response, Routes
from lichen.stream.standby.history import compare, parse_marks
from lichen.stream.standby.parcels import RECORD, Parcel, Standing, erased_parcel, state_parcel

PATH: Final = "/stream/ship"


class Shipping:
    """What a server does for its standbys; `?source=` chooses among its stores."""

    def __init__(self, stores: Mapping[str, Store], *, key: str,
                 heartbeat_s: float = SHIP_HEARTBEAT_S,
                 record_bytes: int = SHIP_RECORD_BYTES) -> None:
        assert stores, "there is something to ship"
        self._stores = stores
        self._key = key
        self._heartbeat_s = heartbeat_s
        self._record_bytes = record_bytes
        self.standbys = 0

    def routes(self) -> Routes:
        """Return the one call by its method and path."""
        return {f"GET {PATH}": self.ship}

    async def ship(self, request: Request) -> Response:
        """Answer a standby with parcels without end; raises Refused."""
        self._authorize(request.header("authorization"))
        if self.standbys >= STANDBYS_MAX:
            raise TooMany("too_many_standbys", f"{STANDBYS_MAX} standbys follow already; stop one.",
                          retry_after_s=10)
        cursor = request.first_of("cursor") or "1"
        if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
            raise Refused("invalid_request", f"Expected cursor to be a sequence, got "
                          f"{cursor[:80]!r}.")
        store = self._store_of(request.first_of("source"))
        compare(store, parse_marks(request.first_of("known")), next_seq=int(cursor))
        headers = (("content-type", "application/octet-stream"), ("cache-control", "no-store"))
        return Response(200, headers, self._shipment(store, int(cursor)))

    def _store_of(self, source: str) -> Store:
        store = self._stores.get(source) if source else next(iter(self._stores.values()))
        if store is None:
            known = ", ".join(one for one in self._stores if one) or "none by name"
            raise Refused("invalid_request", f"source is one of: {known}; got {source[:80]!r}.")
        return store

    def _authorize(self, header: str) -> None:
        if not self._key:
            raise Forbidden("shipping_is_off", "This server ships to nobody: it has no key for "
                            "standbys.")
        scheme, _, key = header.partition(" ")
        # RFC 6750 §2.1: the key comes as a bearer token.
        if scheme.lower() != "bearer" or not compare_digest(key.strip().encode(),
                                                            self._key.encode()):
            raise Unauthenticated("wrong_key", "Expected the key for standbys as a bearer token.")

    async def _shipment(self, store: Store, seq: int) -> AsyncIterator[bytes]:
        self.standbys += 1
        rung = asyncio.Event()
        leave = store.subscribe_bell(rung.set)
        try:
            erasure = 0
            yield _standing(store, seq)
            while True:
                rung.clear()
                for number, seqs in store.erasures_after(erasure):
                    yield _erased(seqs)
                    erasure = number
                record = store.record_from(seq, bytes_max=self._record_bytes)
                if record:
                    head = decode_record_head(record)
                    assert head is not None
                    seq = head.last_seq + 1
                    yield Parcel(RECORD, record).tobytes()
                    continue
                # There is nothing from `seq` on, though the sequence may have moved by a jump.
                has_moved, seq = store.next_seq > seq, store.next_seq
                if has_moved or not await self._is_rung(rung):
                    yield _standing(store, seq)
        finally:
            leave()
            self.standbys -= 1

    async def _is_rung(self, rung: asyncio.Event) -> bool:
        """Wait for the bell, no longer than to the next heartbeat."""
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await rung.wait()
        except TimeoutError:
            return False
        return True


def _erased(seqs: list[int]) -> bytes:
    parts = range(0, len(seqs), SHIP_ERASED_MAX)
    return b"".join(
        [erased_parcel(seqs[start : start + SHIP_ERASED_MAX]).tobytes() for start in parts])


def _standing(store: Store, sent_seq: int) -> bytes:
    position = store.position if sent_seq == store.next_seq else 0
    return state_parcel(
        Standing(store.first_seq, sent_seq, store.next_seq, position)).tobytes()
