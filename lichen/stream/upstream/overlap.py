"""The overlap: what two relays both sent is stored once.

Another relay is begun a little before the last event of the one before (`SLACK_S`), because relays
do not send in the same order. What the store already holds is known by what it is: account,
revision, operation and path of a commit. News of an account carry no such name, only its state;
they count as known where the relay sent them before the change, so that no true news is lost.

Memory is spent only while there is an overlap: when it begins, the keys are read from the store.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final

import msgspec

from lichen.kit.clock import from_isoformat
from lichen.stream.engine import Store
from lichen.stream.limits import CHUNK_BYTES_MAX
from lichen.stream.model import EVERYTHING, Arrival, Form, Kind, Wire
from lichen.stream.pulling import pull
from lichen.stream.upstream.limits import OVERLAP_EVENTS_MAX, SLACK_S

_FORM: Final = Form(Wire.V2, is_framed=False)
_DATA: Final = b"\ndata: "


class _Body(msgspec.Struct):
    """What an event is known by, of whatever kind."""

    rev: str = ""
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    handle: str = ""
    status: str = ""
    active: bool = False
    time: str = ""


class _Payload(_Body, kw_only=True):
    """One event of the second wire; what is no commit has an object of its own."""

    did: str
    identity: _Body | None = None
    account: _Body | None = None
    sync: _Body | None = None


class _Message(msgspec.Struct):
    payload: _Payload


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_message = msgspec.json.Decoder(_Message).decode


class Overlap:
    """Knows what was stored last, while another relay repeats some of it."""

    def __init__(self, known: Iterable[int], *, until_us: int) -> None:
        self.until_us = until_us
        self._known = frozenset(known)

    def fresh(self, arrivals: Iterable[Arrival]) -> list[Arrival]:
        """Return what is not known."""
        return [one for one in arrivals if not self._is_known(one)]

    def is_over(self, time_us: int) -> bool:
        """Say whether a relay that sends what happened then repeats nothing any more."""
        return time_us > self.until_us + 2 * SLACK_S * 1_000_000

    def _is_known(self, arrival: Arrival) -> bool:
        body = _decode_body(arrival.body)
        if _key(arrival.did, body) not in self._known:
            return False
        return arrival.kind in (Kind.COMMIT, Kind.SYNC) or from_isoformat(
            body.time) <= self.until_us


async def stored_lately(store: Store) -> AsyncIterator[int]:
    """Yield the keys of the last OVERLAP_EVENTS_MAX events of a store; others run in between."""
    seq = max(store.first_seq, store.next_seq - OVERLAP_EVENTS_MAX)
    while seq < store.next_seq:
        pulled = pull(store, seq, EVERYTHING, _FORM, bytes_max=CHUNK_BYTES_MAX)
        if pulled.next_seq <= seq:
            break
        seq = pulled.next_seq
        for event in bytes(pulled.data).split(b"\n\n"):
            if event:
                yield _key_of_message(event.partition(_DATA)[2])
        await asyncio.sleep(0)


def _key_of_message(message: bytes) -> int:
    told = _decode_message(message).payload
    return _key(told.did, told.identity or told.account or told.sync or told)


def _key(did: str, body: _Body) -> int:
    return hash((did, body.rev, body.operation, body.collection, body.rkey, body.handle,
                 body.status, body.active))
