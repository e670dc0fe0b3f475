"""A standby: a server that holds what another one holds, byte for byte, and can take its place.

    server /stream/ship ──▶ parcels ──▶ verify ──▶ store.append_record ──▶ readers, as anywhere

* It asks for what comes after what it holds, and shows some of it (history.py): a server with
  another history refuses, and the standby says so and stops.
* Records are stored as they came, with both forms and the side index; sequences are the same, so a
  reader that moves over goes on with its cursor.
* What was erased is erased here: what is held already at once, what is still to come when it came.
* What its server no longer keeps it does not keep either, or an erasure of it could be missed.
* It waits for ever: a server that is away is tried again after pauses that grow to 30 s.

Nobody else may append to its store. What it does not do: it does not watch whether its server is
well, and never promotes itself: two servers that both go on is worse than one that stands.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from lichen.kit import LichenError, Refused, Unavailable
from lichen.stream.engine import Store
from lichen.stream.limits import (
    PROMOTION_JUMP,
    SHIP_SILENCE_S,
    STANDBY_ASKED_S,
    STANDBY_PAUSE_S_MAX,
)
from lichen.stream.standby.history import HistoryDiffers, held_below, marks_of, present
from lichen.stream.standby.parcels import ERASED, RECORD, Parcel, Standing, read_parcel
from lichen.stream.standby.promotion import Pause, Promotion
from lichen.stream.standby.shipping import PATH

if TYPE_CHECKING:
    import aiohttp

logger = structlog.get_logger("lichen.stream")

_PAUSE_S_MIN: Final = 0.25
_REFUSAL_BYTES_MAX: Final = 2_000  # of what a server says when it refuses


class Doing(StrEnum):
    """What a standby is doing."""

    CONNECTING = "connecting"
    FOLLOWING = "following"
    WAITING = "waiting"  # for the next attempt
    REFUSED = "refused"  # the histories differ; it stopped
    PROMOTED = "promoted"


class Standby:
    """Follows a server into a store until it is promoted, refused or cancelled."""

    def __init__(self, store: Store, folder: Path, *, primary: str, key: str,
                 source: str = "", pause: Pause = asyncio.sleep, silence_s: float = SHIP_SILENCE_S,
                 jump: int = PROMOTION_JUMP) -> None:
        """`primary` is the address of the server, such as http://10.0.0.1:6008.

        `source` is its name for the store that is followed; empty for the house's, or the only one.
        Raises Conflict for a folder that was promoted.
        """
        self._store = store
        self._promotion = Promotion(folder)
        self._promotion.check_follows()
        self._address = primary.rstrip("/") + PATH
        self._key = key
        self._source = source
        self._pause = pause
        self._silence_s = silence_s
        self._jump = jump
        self._to_erase: set[int] = set()  # what is still to come, and must not stay
        self._taking = asyncio.Lock()
        self.doing = Doing.CONNECTING
        self.reason = ""  # why it waits or stopped
        self.primary_next_seq = 0  # as last heard

    @property
    def lag(self) -> int:
        """Return how many sequences its server is ahead, as last heard."""
        return max(0, self.primary_next_seq - self._store.next_seq)

    async def run(self) -> None:
        """Follow until promoted, or refused: then raises HistoryDiffers."""
        # A quarter of a second that the loop must not stand still, and that only a standby needs.
        await asyncio.to_thread(import_module, "aiohttp")
        asked = asyncio.create_task(self._asked())
        following = asyncio.create_task(self._follow())
        try:
            await asyncio.wait((asked, following), return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                await following  # raises
            await asked
            # What came whole is stored whole, before the jump.
            async with self._taking:
                await _ended(following)
            seq = await self._promotion.carry_out(self._store, jump=self._jump)
            self.doing = Doing.PROMOTED
            logger.warning("stream.promoted", next_seq=seq)
        finally:
            await _ended(following, asked)

    async def _asked(self) -> None:
        while not self._promotion.is_asked_for:
            await self._pause(STANDBY_ASKED_S)

    async def _follow(self) -> None:
        pause_s = _PAUSE_S_MIN
        while True:
            before = self._store.next_seq
            try:
                self.doing = Doing.CONNECTING
                await self._follow_once()
            except HistoryDiffers as error:
                self.doing, self.reason = Doing.REFUSED, error.text
                logger.error("stream.standby_refused", reason=error.text)
                raise
            except _network_errors() as error:
                self.reason = (error.text if isinstance(error, Refused | Unavailable)
                               else repr(error))
                logger.warning("stream.standby_waits", reason=self.reason)
            if self._store.next_seq > before:
                pause_s = _PAUSE_S_MIN
            self.doing = Doing.WAITING
            await self._pause(pause_s)
            pause_s = min(2 * pause_s, STANDBY_PAUSE_S_MAX)

    async def _follow_once(self) -> None:
        """Follow over one connection until it breaks."""
        import aiohttp

        query = {"source": self._source, "cursor": str(self._store.next_seq),
                 "known": ",".join(map(str, marks_of(self._store)))}
        headers = {"Authorization": f"Bearer {self._key}"}
        timeout = aiohttp.ClientTimeout(total=None, connect=self._silence_s,
                                        sock_read=self._silence_s)
        async with (aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
                    session.get(self._address, params=query, headers=headers,
                                allow_redirects=False) as answer):
            if answer.status != 200:
                raise await _refusal_of(answer)
            while True:
                parcel = await read_parcel(answer.content.readexactly)
                async with self._taking:
                    await self._take(parcel)

    async def _take(self, parcel: Parcel) -> None:
        if parcel.kind == RECORD:
            self.doing = Doing.FOLLOWING
            appended = await self._store.append_record(parcel.content)
            await self._erase(self._to_erase.intersection(
                range(appended.first_seq, appended.last_seq + 1)) if self._to_erase else ())
        elif parcel.kind == ERASED:
            seqs = msgspec.json.decode(parcel.content, type=list[int])
            self._to_erase.update(seq for seq in seqs if seq >= self._store.next_seq)
            await self._erase(seqs)
        else:
            await self._stand(msgspec.json.decode(parcel.content, type=Standing))

    async def _stand(self, standing: Standing) -> None:
        """Stand where the server stands: its floor, its jumps, its place in the source."""
        self.doing, self.reason = Doing.FOLLOWING, ""
        self.primary_next_seq = standing.next_seq
        store = self._store
        if store.first_seq < standing.first_seq:
            await store.forget_below(standing.first_seq)
            if held := held_below(store, standing.first_seq):
                await store.erase(held)
        if standing.sent_seq > store.next_seq:
            await store.skip_to(standing.sent_seq)
        if standing.position not in (0, store.position):
            await store.append((), position=standing.position)

    async def _erase(self, seqs: Sequence[int] | set[int]) -> None:
        """Erase what is held of some sequences."""
        held = present(self._store, sorted(seqs)) if seqs else []
        if held:
            await self._store.erase(held)
        self._to_erase.difference_update(held)


def _network_errors() -> tuple[type[Exception], ...]:
    """Return what a following may end with and be tried again."""
    import aiohttp

    return (aiohttp.ClientError, asyncio.IncompleteReadError, OSError, Unavailable, Refused,
            msgspec.DecodeError)


async def _refusal_of(answer: "aiohttp.ClientResponse") -> LichenError:
    """Return what a server means that does not ship."""
    text = (await answer.content.read(_REFUSAL_BYTES_MAX)).decode(errors="replace").strip()
    if answer.status == 409:
        return HistoryDiffers(text)
    return Unavailable(f"The server answered {answer.status}: {text}")


async def _ended(*tasks: "asyncio.Task[None]") -> None:
    """Cancel tasks and wait until they ended."""
    for task in tasks:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
