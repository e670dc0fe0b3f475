"""A bell: whoever waits for a condition is woken when it may have come true, from any thread."""

import asyncio
import contextlib
import threading
from collections.abc import Callable


class Bell:
    """Wakes asyncio tasks of any loop; `ring` may be called on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake all who wait, so that they look again."""
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            # RuntimeError: that loop was closed, and whoever waited went with it.
            with contextlib.suppress(RuntimeError):
                future.get_loop().call_soon_threadsafe(_wake, future)

    async def wait_until(self, is_true: Callable[[], bool]) -> None:
        """Wait until the condition holds; it is looked at once, and again at every ring."""
        while not is_true():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            with self._lock:
                self._waiting.add(future)
            try:
                # A ring between the first look and the registration must not be lost.
                if is_true():
                    return
                await future
            finally:
                with self._lock:
                    self._waiting.discard(future)


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
