"""What fetching remembers: that something was not there, and that somebody is asking already.

Two small things that keep a crowd from asking one peer the same: `Absences` says no for a while
after a no; `Flights` lets everybody who asks for a thing wait for the one who went to get it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from lichen.kit import Clock

T = TypeVar("T")


class Absences:
    """Addresses that led nowhere, each for a while; bounded, the oldest are forgotten first."""

    def __init__(self, clock: Clock, *, age_us_max: int, kept_max: int) -> None:
        self._clock = clock
        self._age_us_max = age_us_max
        self._kept_max = kept_max
        self._since: OrderedDict[str, int] = OrderedDict()

    def note(self, address: str) -> None:
        """Remember that nothing is there now."""
        self._since[address] = self._clock()
        self._since.move_to_end(address)
        if len(self._since) > self._kept_max:
            self._since.popitem(last=False)

    def forget(self, address: str) -> None:
        """Forget it, because somebody says that there is something now."""
        self._since.pop(address, None)

    def has(self, address: str) -> bool:
        """Say whether nothing was there a short while ago."""
        since = self._since.get(address)
        return since is not None and self._clock() - since < self._age_us_max


class Flights(Generic[T]):
    """Single flight: what is being done for a key is done once, for all who ask meanwhile.

    One who gives up waiting ends nothing for the others. What is under way is owned here and ends
    with `close`.
    """

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[T]] = {}

    async def join(self, key: str, do: Callable[[], Awaitable[T]]) -> T:
        """Return what `do` returns, or raise what it raises; done once for all who wait."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.ensure_future(_run(do))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _landed(self, key: str, task: "asyncio.Task[T]") -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen by whoever waited; nobody may be left


async def _run(do: Callable[[], Awaitable[T]]) -> T:
    return await do()
