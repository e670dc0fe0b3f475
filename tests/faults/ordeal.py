"""An ordeal: people write, the house is killed, it starts again, and the audit looks at it all.

    start ──► people write ──► kill at some moment ──► start again ──► audit ──► people write …

Each life audits the death before it, so a death costs one start.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import psycopg

from lichen.kit.crash_points import VARIABLE
from tests.faults.audit import audit
from tests.faults.serving import END_S_MAX, Place, Serving, until
from tests.faults.townspeople import Notebook, live_in

STOPS_MAX = 5  # until one has something to note
ANSWERS_MAX = 40  # acknowledged writes before a random death
MOMENT_S_MAX = 0.03  # after the last of them: so long several writes are under way
# So small that a few writes fill a segment.
SMALL_SEGMENTS = {"LICHEN_LOG_SEGMENT_BYTES_MAX": "4096"}
# What a life must be told for a point to be passed at all.
BEFORE = {"log.during_trim": {"LICHEN_LOG_RETENTION_S": "0"}}
VICTIMS: dict[str, Callable[[Serving], None]] = {
    "parent": Serving.kill_parent, "worker": Serving.kill_worker, "both": Serving.kill_both,
}


class Ordeal:
    """One house with its people, over many lives."""

    def __init__(self, place: Place, *, seed: int) -> None:
        self.place = place
        self.notebook = Notebook()
        self.chance = random.Random(seed)
        self.deaths: list[str] = []

    @asynccontextmanager
    async def life(self, **environ: str) -> AsyncIterator[Serving]:
        """Start the house and wait until it is ready; at the end, nothing of it is left."""
        serving = Serving(self.place, environ=SMALL_SEGMENTS | environ)
        try:
            yield serving
        finally:
            serving.end()
            await serving.gone()
            await self._let_go()

    async def audit(self) -> None:
        """Look at everything; fail where anything is amiss, and say after which deaths."""
        try:
            await audit(self.place, self.notebook)
        except AssertionError as error:
            error.add_note(f"after the deaths {self.deaths[-3:]} in {self.place.folder}")
            raise

    async def killed_at_random(self, victim: str, *, answers_min: int = 1) -> None:
        """One life: audit the death before, write, and kill the victim at some moment."""
        async with self.life() as serving:
            await serving.ready()
            await self.audit()
            await self._write_until_killed(serving, victim, answers_min)
            self.deaths.append(victim)
            if victim == "worker":
                # The parent starts another, and the house is whole again.
                await serving.ready()
                await self.audit()

    async def killed_at(self, point: str, hit: int = 1) -> None:
        """One life that ends at a crash point, under load or before that."""
        self.deaths.append(f"{point}:{hit}")
        async with self.life(**BEFORE.get(point, {}), **{VARIABLE: self.deaths[-1]}) as serving:
            worker = await serving.ready_or_dead()
            if worker is not None:
                if point not in BEFORE:  # else it works on the log while the audit reads it
                    with suppress(aiohttp.ClientError):  # it may die of its own work meanwhile
                        await self.audit()
                await self.write_until(serving, lambda: serving.worker_ended(worker))

    async def killed_stopping(self, point: str, hit: int = 1) -> None:
        """One life that ends at a crash point that only a stop passes for sure.

        A stop that has nothing to note passes none: what was written since the last note changed
        no rank. Then there is another life.
        """
        self.deaths.append(f"{point}:{hit}")
        for _ in range(STOPS_MAX):
            async with self.life(**{VARIABLE: self.deaths[-1]}) as serving:
                await serving.ready()
                await self.audit()
                wanted = self.notebook.answers + self.chance.randint(1, ANSWERS_MAX)
                await self.write_until(serving, lambda: self.notebook.reach(wanted))
                serving.parent.terminate()
                await serving.gone()
                if "closed" not in serving.said():
                    return
        raise AssertionError(f"it was not killed at {point} in {STOPS_MAX} stops")

    def tear_tail(self) -> None:
        """Damage the end of the log as a torn write does, so that the next start must mend it."""
        last = max((self.place.data / "log").glob("*.log"))
        with last.open("ab") as segment:
            segment.write(self.chance.randbytes(200))

    async def recover(self) -> None:
        """A last life: audit the death before, and stop."""
        async with self.life() as serving:
            await serving.ready()
            await self.audit()
            assert await serving.stop() == 0, serving.said()

    async def _write_until_killed(
        self, serving: Serving, victim: str, answers_min: int
    ) -> None:
        wanted = self.notebook.answers + self.chance.randint(answers_min, ANSWERS_MAX)

        async def moment() -> None:
            await self.notebook.reach(wanted)
            # The moment itself is random, between any two steps of what is under way.
            await asyncio.sleep(self.chance.uniform(0, MOMENT_S_MAX))
            VICTIMS[victim](serving)

        await self.write_until(serving, moment)

    async def write_until(self, serving: Serving, end: Callable[[], object]) -> None:
        """Let people write until `end` has come; whoever still waits then goes home."""
        crowd = asyncio.create_task(live_in(serving.place.url, self.notebook, self.chance))
        ending = asyncio.ensure_future(end())
        try:
            await asyncio.wait({crowd, ending}, return_when=asyncio.FIRST_COMPLETED,
                               timeout=END_S_MAX)
            if crowd.done():
                await crowd  # it ends by itself only when nobody answers any more, or at a fault
            await asyncio.wait_for(ending, END_S_MAX)
        finally:
            ending.cancel()
            crowd.cancel()
            await asyncio.gather(crowd, ending, return_exceptions=True)

    async def _let_go(self) -> None:
        """Wait until PostgreSQL has noticed that its client is dead: it may still be committing."""
        if not self.place.database_url:
            return
        with psycopg.connect(self.place.database_url, autocommit=True) as connection:
            def is_alone() -> bool:
                found = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()").fetchone()
                return found is not None and found[0] == 0

            await until(is_alone, within_s=END_S_MAX, what=lambda: "PostgreSQL to let go")
