"""The peer of the drill: makes so many activities a second, and sends one after another.

    made ▓▓▓▓▓▓▓▓▓  every third of a second        as Lemmy sends: the next one waits for the answer
    sent ▓▓▓░░░░░░  as fast as the inbox answers   what is left is how far the receiver is behind
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

Send = Callable[[int], Awaitable[None]]  # sends the activity of a number; returns when answered


class Sent(NamedTuple):
    """What became of what a peer made."""

    made: int
    taken: int
    answers_ms: list[float]

    @property
    def behind(self) -> int:
        """How many are not taken yet."""
        return self.made - self.taken


async def send_serially(send: Send, *, per_s: float, for_s: float) -> Sent:
    """Make activities at a rate and send them in order, until the time is over."""
    loop = asyncio.get_running_loop()
    start, taken = loop.time(), 0
    answers: list[float] = []
    while (now := loop.time()) - start < for_s:
        due = start + taken / per_s
        if now < due:
            await asyncio.sleep(min(due, start + for_s) - now)
            continue
        await send(taken)
        taken += 1
        answers.append((loop.time() - now) * 1_000)
    return Sent(max(taken, int(for_s * per_s)), taken, answers)
