"""Replaying: everything from a cursor up to the tip, into a file or nowhere, and on from there.

A file holds one event a line, as JSON. It is its own note of where it ends: a replay into a file
that is there goes on behind its last whole line, so that whatever cut it off, nothing is missing
and nothing is twice.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lichen.kit.clock import Clock
from lichen.kit.errors import Refused, Unavailable
from lichen.stream.client.asking import Open
from lichen.stream.client.consuming import StreamEnded, Subscription
from lichen.stream.limits import FILE_TAIL_BYTES_MAX, QUIET_S_MAX

_HEAD = re.compile(rb'"time_us":(\d+)(?:,"cursor":(\d+))?')
LOOK_S = 0.25  # between two steps of the bar, where nothing comes


class Place(NamedTuple):
    """Where a replay is."""

    events: int = 0
    bytes_received: int = 0
    cursor: int = 0  # of the last event; its time in µs where the server gives no sequences
    time_us: int = 0
    is_at_tip: bool = False


def place_of(message: bytes) -> tuple[int, int]:
    """Return cursor and time of an event; 0 and 0 of what is none."""
    head = _HEAD.search(message)
    if head is None:
        return 0, 0
    time_us = int(head[1])
    return (int(head[2]) if head[2] else time_us), time_us


def resume_file(path: Path) -> int:
    """Cut a file behind its last whole line and return the cursor of that; 0 of an empty one.

    Raises Refused for a file that holds something else, Unavailable where the disk does not answer.
    """
    try:
        with path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            begin = max(0, size - FILE_TAIL_BYTES_MAX)
            file.seek(begin)
            tail = file.read()
            whole = tail.rfind(b"\n") + 1
            if not whole and begin:
                raise Refused("replay_file", f"{path} holds no events; name another file.")
            last = tail[:whole].rstrip(b"\n").rpartition(b"\n")[2]
            cursor = place_of(last)[0]
            if last and not cursor:
                raise Refused("replay_file", f"{path} holds no events; name another file.")
            file.truncate(begin + whole)
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.") from error
    return cursor


class Tip:
    """Knows when a replay has arrived: where the stream ended when it began.

    That is with the last sequence of then, where the server told it; with an event that is later
    than then; or when nothing comes for some seconds (with a filter the last event may not come).
    """

    def __init__(self, *, clock: Clock, tip: int = 0) -> None:
        self._clock = clock
        self._tip = tip
        self._begun_us = self._heard_us = clock()

    def is_reached(self, *, came: int, cursor: int, time_us: int) -> bool:
        """Say whether it is reached, after a look at what came."""
        now_us = self._clock()
        if came:
            self._heard_us = now_us
        return (0 < self._tip <= cursor or time_us >= self._begun_us
                or now_us - self._heard_us > QUIET_S_MAX * 1_000_000)


class Replay:
    """One replay, step by step."""

    def __init__(self, subscription: Subscription, tip: Tip, *,
                 open_message: Open | None = None, out: BinaryIO | None = None) -> None:
        self._subscription = subscription
        self._tip = tip
        self._open_message = open_message
        self._out = out
        self.place = Place()

    def steps(self) -> Iterator[Place]:
        """Yield where it is after each look, up to the tip.

        Raises StreamEnded, Unavailable for a disk that does not take it.
        """
        while not self.place.is_at_tip:
            came = self._step()
            place = self.place
            if self._tip.is_reached(came=came, cursor=place.cursor, time_us=place.time_us):
                self.place = place._replace(is_at_tip=True)
            yield self.place

    def _step(self) -> int:
        subscription = self._subscription
        subscription.fill(LOOK_S)
        if self._out is None:
            count, last = subscription.count(), subscription.last
            last = self._open_message(last) if self._open_message and count else last
        else:
            messages = [bytes(one) if self._open_message is None else self._open_message(one)
                        for one in subscription.messages()]
            count, last = len(messages), messages[-1] if messages else b""
            self._write(self._out, messages)
        if count:
            cursor, time_us = place_of(last)
            self.place = Place(self.place.events + count, subscription.bytes_received,
                               cursor or self.place.cursor, time_us or self.place.time_us)
        return count

    def _write(self, out: BinaryIO, messages: list[bytes]) -> None:
        if not messages:
            return
        try:
            out.write(b"\n".join(messages) + b"\n")
        except OSError as error:
            raise Unavailable(f"The file takes no more: {error.strerror}. Make room and replay "
                              "again: it goes on where it stopped.") from error


def replay(steps: Iterator[Place], show: Callable[[Place], None]) -> StreamEnded | None:
    """Take all steps, showing each; return how the stream ended where it did before the tip."""
    try:
        for place in steps:
            show(place)
    except StreamEnded as ended:
        return ended
    return None
