"""Looking for what is due: at once when somebody wakes it, else every few seconds, for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from lichen.kit import Unavailable

_log = structlog.get_logger("lichen.federation")


async def keep_looking(
    look: Callable[[], Awaitable[bool]], woken: asyncio.Event, *, every_s: float, what: str
) -> None:
    """Look until cancelled; again at once while there was something. A failing database is waited
    for.
    """
    while True:
        try:
            while await look():
                pass
        except Unavailable as error:
            _log.warning("looking_waits", what=what, reason=error.text)
        with suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await woken.wait()
        woken.clear()
