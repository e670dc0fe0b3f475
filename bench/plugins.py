"""What hooks cost: where no plugin is on, with a check of the house, with a plugin in its process.

    python -m bench.plugins

The floor is the same asking without hooks: the branch that a room would not have.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable

from bench.results import record
from lichen.plugins import Hooks, InHouse, Person, Verdict, Writing, hookimpl
from lichen.plugins.judges import Distant

PERSON = Person(id=7, name="mira", did="did:web:lichen.example:u:mira")
TEXT = "A lichen is a partnership that grows on bare rock. " * 10
WRITING = Writing(kind="comment", post_id=3, body=TEXT)
RUNS_BARE, RUNS_HOUSE, RUNS_DISTANT = 200_000, 50_000, 2_000

Asking = Callable[[Hooks], Awaitable[object]]


class Lenient(InHouse):
    """A check that lets everything pass."""

    @hookimpl
    async def before_create(self, person: Person, writing: Writing) -> Verdict | None:
        """Let it pass."""
        return None


async def bare(hooks: Hooks) -> object:
    """Do what a room does that has no hooks."""
    return WRITING


async def asked(hooks: Hooks) -> object:
    """Do what `forum/publishing.py` does."""
    if hooks.asks("before_create"):
        return (await hooks.before_create(PERSON, WRITING)).subject
    return WRITING


async def main() -> None:
    """Measure, print and keep the figures."""
    empty, house, distant = Hooks(), Hooks(), Hooks()
    house.join(Lenient("lenient"))
    plugin = Distant("judging", "tests.plugins.wild.judging", grant=_nothing)  # type: ignore[arg-type]
    await plugin.start()
    distant.join(plugin)
    floor_ns = await per_call_ns(bare, empty, RUNS_BARE)
    none_ns = await per_call_ns(asked, empty, RUNS_BARE)
    house_ns = await per_call_ns(asked, house, RUNS_HOUSE)
    distant_ns = await per_call_ns(asked, distant, RUNS_DISTANT)
    await plugin.close()
    figures: dict[str, object] = {
        "load": round(os.getloadavg()[0], 1),
        "no_hooks_at_all_ns": round(floor_ns), "no_plugin_on_ns": round(none_ns),
        "house_check_us": round(house_ns / 1e3, 1), "plugin_us": round(distant_ns / 1e3, 1),
        "no_plugin_on_more_ns": round(none_ns - floor_ns),
    }
    print(f"hooks, one comment of {len(TEXT)} characters, {os.cpu_count()} cores, "
          f"load {figures['load']}")
    print(f"  without hooks        {floor_ns:>9,.0f} ns   the floor")
    print(f"  no plugin on         {none_ns:>9,.0f} ns   {none_ns - floor_ns:+,.0f} ns")
    print(f"  a check of the house {house_ns:>9,.0f} ns   {house_ns / floor_ns:,.0f} floors")
    print(f"  a plugin, its process {distant_ns:>8,.0f} ns   {distant_ns / 1e6:.2f} ms")
    record("plugins", figures)


async def per_call_ns(asking: Asking, hooks: Hooks, runs: int) -> float:
    """Return the median time of a call over five rounds, in ns."""
    rounds = []
    for _ in range(5):
        began = time.perf_counter_ns()
        for _ in range(runs // 5):
            await asking(hooks)
        rounds.append((time.perf_counter_ns() - began) / (runs // 5))
    return statistics.median(rounds)


async def _nothing(wish: object) -> None:
    raise AssertionError("this plugin has no wishes")


if __name__ == "__main__":
    asyncio.run(main())
