"""Following a relay: its frames become the stream's events, each once, whatever breaks.

    relay ══ WebSocket ══▶ batch ──▶ child: decode, verify ──▶ portions ──▶ Store.append(position)
      ▲                                                                          │
      └──────────────── the next one, or the same, after a pause ◀── lost ◀──────┘

* The cursor is stored with the data, in one append: what was read is what is kept. After any end,
  `kill -9` too, the relay is asked for what comes after it.
* Another relay numbers otherwise: it is begun by time, a little early, and what it repeats is
  dropped (`cursors.py`, `finding.py`, `overlap.py`).
* A relay that is quiet is left in peace: only pings that it does not answer end a connection.
* Nothing that a relay sends ends more than its connection. What was refused is counted, by reason.

What it does not do: it checks no signatures (`frames.py`), and asks no repository for what a relay
no longer has. Such a gap is counted as `info_OutdatedCursor`, and told.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from random import Random
from typing import Final, NamedTuple

import structlog

from lichen.kit.errors import Refused, Unavailable
from lichen.stream.encoding import check
from lichen.stream.engine import Store
from lichen.stream.limits import APPEND_BYTES_MAX, APPEND_EVENTS_MAX
from lichen.stream.model import Arrival
from lichen.stream.upstream.connection import LOST, Connection, TooBig, address_of, connected
from lichen.stream.upstream.cursors import Cursors, parts_of, position_of
from lichen.stream.upstream.decoder import Decoder
from lichen.stream.upstream.finding import Sighting, cursor_before
from lichen.stream.upstream.frames import Decoded, Verdict
from lichen.stream.upstream.limits import PROBE_S_MAX, SLACK_S, UPSTREAMS_MAX
from lichen.stream.upstream.overlap import Overlap, stored_lately
from lichen.stream.upstream.turns import Outcome, Turns

FUTURE_CURSOR: Final = "FutureCursor"
# AT Protocol, the lexicon's errors and infos; whatever else a relay says is counted as "other".
TOLD: Final = frozenset((FUTURE_CURSOR, "ConsumerTooSlow", "OutdatedCursor"))
PROBE_FRAMES: Final = 8  # of which one has a time, unless a relay sends nothing but remarks

_log = structlog.get_logger("lichen.stream")


class RelayEnded(Exception):
    """The relay sent an error frame, its last one."""


class Portion(NamedTuple):
    """What is appended at once: whole frames, up to a sequence and its time."""

    arrivals: list[Arrival]
    seq: int
    time_us: int


def portions_of(decoded: Iterable[Decoded], after_seq: int) -> Iterator[Portion]:
    """Yield what frames bring that come after a sequence; a frame never stands in two portions."""
    arrivals: list[Arrival] = []
    seq, time_us, size = after_seq, 0, 0
    for one in decoded:
        # Also what a relay repeats after a reconnect, and what has no sequence.
        if one.seq <= seq:
            continue
        more = sum([len(arrival.body) for arrival in one.arrivals])
        count = len(arrivals) + len(one.arrivals)
        if arrivals and (count > APPEND_EVENTS_MAX or size + more > APPEND_BYTES_MAX):
            yield Portion(arrivals, seq, time_us)
            arrivals, size = [], 0
        arrivals += one.arrivals
        size += more
        seq, time_us = one.seq, one.time_us or time_us
    if seq > after_seq:
        yield Portion(arrivals, seq, time_us)


class Upstream:
    """Follows one of several relays into a store, for as long as `run` is awaited.

    `counts`: what came, by what became of it. `first_cursor` is where an empty store begins: 0 is
    all that the relay still has, None what comes from now on.
    """

    def __init__(self, addresses: Sequence[str], store: Store, *, decoder: Decoder,
                 cursors: Cursors, chance: Random, first_cursor: int | None = None,
                 pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
                 probe_s_max: float = PROBE_S_MAX) -> None:
        if not 0 < len(addresses) <= UPSTREAMS_MAX:
            raise Refused("bad_upstream", f"expected 1 to {UPSTREAMS_MAX} upstreams, got "
                          f"{len(addresses)}")
        self.counts: Counter[str] = Counter()
        self.address = ""  # of the relay that is connected
        self.time_us = 0  # the relay's time of the last frame taken
        self._addresses = [address_of(one) for one in addresses]
        self._store = store
        self._decoder = decoder
        self._cursors = cursors
        self._first_cursor = first_cursor
        self._pause = pause
        self._probe_s_max = probe_s_max
        self._overlap: Overlap | None = None
        self._leap = 0  # sequences passed over because a frame there is too big
        self._turns = Turns(len(self._addresses), first=self._last_used(), chance=chance)

    async def run(self) -> None:
        """Follow until cancelled; raises what is broken in the house itself."""
        await self._recall()
        try:
            while True:
                outcome = await self._try(self._addresses[self._turns.current])
                await self._pause(self._turns.pass_on(outcome))
        finally:
            await self._cursors.save()

    async def _try(self, address: str) -> Outcome:
        """Follow one relay until it is lost; return how it went."""
        taken, opened = self.counts["frames"], self.counts["connections"]
        try:
            await self._follow(address)
            reason = "closed"
        except TooBig:
            self._leap = self._leap * 2 or 1
            reason = "too_big"
        except (RelayEnded, *LOST) as error:
            reason = type(error).__name__
        except Unavailable as error:
            self.counts["waits"] += 1
            _log.warning("upstream_waits", reason=error.text)
            return Outcome.OURS
        finally:
            self.address = ""
        self.counts["lost"] += 1
        _log.info("upstream_lost", address=address, reason=reason)
        if self.counts["frames"] > taken:
            return Outcome.FRUITFUL
        return Outcome.FRUITLESS if self.counts["connections"] > opened else Outcome.UNREACHED

    async def _follow(self, address: str) -> None:
        cursor = await self._cursor_for(address)
        async with connected(address, cursor) as connection:
            self.counts["connections"] += 1
            self.address = address
            _log.info("upstream_followed", address=address, cursor=cursor)
            number = self._cursors.number_of(address)
            if number is None:
                number = await self._cursors.begin_anew(address, at_least=self._numbers_used())
            while frames := await connection.take():
                await self._keep(number, await self._decoder.decode(frames))

    async def _cursor_for(self, address: str) -> int | None:
        """Return the cursor after which a relay is to send, None for what comes from now on."""
        if not self._store.position:
            return self._first_cursor
        at_number, at_seq = parts_of(self._store.position)
        if self._cursors.number_of(address) == at_number:
            return at_seq + self._leap
        until_us = self._cursors.time_us_of(at_number) or self._store.sizes().newest_us
        cursor = await cursor_before(
            until_us - SLACK_S * 1_000_000, partial(self._probe, address))
        await self._expect_overlap(until_us)
        self.counts["falls"] += 1
        return cursor

    async def _probe(self, address: str, cursor: int) -> Sighting | None:
        """Return the first frame after a cursor; nothing where none comes in time."""
        async with connected(address, cursor) as connection:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._probe_s_max):
                    return await self._sight(connection)
        return None

    async def _sight(self, connection: Connection) -> Sighting | None:
        while frames := await connection.take():
            for one in await self._decoder.decode(frames[:PROBE_FRAMES]):
                if one.time_us:
                    return Sighting(one.seq, one.time_us)
                if one.verdict is Verdict.ERROR:
                    return None  # the cursor is in the future
        return None

    async def _keep(self, number: int, decoded: list[Decoded]) -> None:
        """Append what a batch brings; raises RelayEnded where the relay says that it ends."""
        at_number, at_seq = parts_of(self._store.position)
        errors = [self._count(one) for one in decoded if one.verdict is not Verdict.TAKEN]
        self.counts["frames"] += len(decoded)
        self.counts["taken"] += len(decoded) - len(errors)
        after_seq = at_seq if number == at_number else 0
        for portion in portions_of(decoded, after_seq):
            await self._append(number, portion)
        if FUTURE_CURSOR in errors and number == at_number:
            # The relay began its numbers anew; what we have of the old ones fits nowhere.
            await self._cursors.begin_anew(self.address)
        if any(errors):
            raise RelayEnded

    def _count(self, one: Decoded) -> str:
        """Count a frame that brought no events; return the name of an error, or nothing."""
        word = one.word
        if one.verdict in (Verdict.INFO, Verdict.ERROR):
            word = word if word in TOLD else "other"
            _log.warning("upstream_says", address=self.address, name=one.word)
        elif one.verdict is Verdict.UNKNOWN:
            word = "kind"
        self.counts[f"{one.verdict.name.lower()}_{word}"] += 1
        return word if one.verdict is Verdict.ERROR else ""

    async def _append(self, number: int, portion: Portion) -> None:
        arrivals = portion.arrivals
        if self._overlap is not None:
            arrivals = self._overlap.fresh(arrivals)
            self.counts["repeated"] += len(portion.arrivals) - len(arrivals)
            self._overlap = None if self._overlap.is_over(portion.time_us) else self._overlap
        position = position_of(number, portion.seq)
        try:
            stored = await self._store.append(arrivals, position=position)
        except Refused:
            # The child lets through what the store takes; were it not so, nothing may stand still.
            arrivals = [one for one in arrivals if _is_storable(one)]
            self.counts["refused_by_store"] += len(portion.arrivals) - len(arrivals)
            stored = await self._store.append(arrivals, position=position)
        self.counts["events"] += stored.events
        self._leap = 0
        self.time_us = portion.time_us or self.time_us
        await self._cursors.note(number, self.time_us)

    async def _recall(self) -> None:
        """Expect what another relay repeats, if there was another before the last end."""
        at_number, _ = parts_of(self._store.position)
        if at_number:
            await self._expect_overlap(self._cursors.time_us_of(at_number))

    async def _expect_overlap(self, until_us: int) -> None:
        known = [key async for key in stored_lately(self._store)]
        self._overlap = Overlap(known, until_us=until_us)

    def _numbers_used(self) -> int:
        """Return the lowest number that no position has; more than the table's, if it was lost."""
        position = self._store.position
        return parts_of(position)[0] + 1 if position else 0

    def _last_used(self) -> int:
        """Return which upstream the stored cursor is of, the first one where it is of none."""
        address = self._cursors.address_of(parts_of(self._store.position)[0])
        return self._addresses.index(address) if address in self._addresses else 0


def _is_storable(arrival: Arrival) -> bool:
    try:
        check([arrival])
    except Refused:
        return False
    return True
