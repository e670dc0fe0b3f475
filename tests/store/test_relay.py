"""The relay carries every committed event into the log once, in order, through any restart."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from lichen.events import decode_events
from lichen.kit import Unavailable
from lichen.log.limits import COMMIT_BYTES_MAX
from lichen.store import Relay, Store
from tests.store.test_unit import event

pytestmark = pytest.mark.anyio


class ListLog:
    """A log in a list; it can be told to fail."""

    class Appended:
        def __init__(self, first: int, last: int) -> None:
            self.first_seq, self.last_seq = first, last

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.failures = 0

    async def append(self, payloads: Sequence[bytes]) -> "ListLog.Appended":
        if self.failures:
            self.failures -= 1
            raise Unavailable("disk full")
        assert sum(map(len, payloads)) <= COMMIT_BYTES_MAX, "the log refuses that"
        self.lines += payloads
        return self.Appended(len(self.lines) - len(payloads) + 1, len(self.lines))

    def read_back(self, count: int) -> bytes:
        return b"\n".join(self.lines[-count:])

    @property
    def ids(self) -> list[str]:
        return [found.id for found in decode_events(b"\n".join(self.lines))] if self.lines else []


async def applied(seq: int) -> None:
    assert seq > 0


def relay_of(store: Store, log: ListLog) -> Relay:
    return Relay(store, append=log.append, read_back=log.read_back, wait_applied=applied)


async def test_committed_events_reach_the_log_before_the_command_answers(store: Store) -> None:
    log = ListLog()
    relay = relay_of(store, log)
    running = asyncio.create_task(relay.run())

    await store.write(lambda unit: unit.emit(event(1), event(2)))

    assert log.ids == [event(1).id, event(2).id]
    await store.write(lambda unit: unit.emit(event(3)))
    await relay.drain()
    await running
    assert await relay.pending() == 0


async def test_events_left_by_a_crash_after_the_append_are_not_doubled(store: Store) -> None:
    log = ListLog()
    store.settle = None
    await store.write(lambda unit: unit.emit(*(event(number) for number in range(10))))
    relay = relay_of(store, log)
    await relay.drain()
    # The crash: the log has them all, the outbox still has the last three and one more.
    store.settle = None
    await store.write(lambda unit: unit.emit(event(7), event(8), event(9), event(10)))

    restarted = relay_of(store, log)
    await restarted.start()
    await restarted.drain()

    assert log.ids == [event(number).id for number in range(11)]
    assert await restarted.pending() == 0


async def test_a_full_disk_delays_the_events_and_loses_none(store: Store) -> None:
    log = ListLog()
    log.failures = 1
    relay = relay_of(store, log)
    running = asyncio.create_task(relay.run())

    await asyncio.gather(
        *(store.write(lambda unit, n=number: unit.emit(event(n))) for number in range(20))
    )
    await relay.drain()
    await running

    assert sorted(log.ids) == sorted(event(number).id for number in range(20))


async def test_a_backlog_that_fits_into_no_append_is_relayed_in_several(store: Store) -> None:
    """A full disk lets events gather; taken as one batch they were refused for ever."""
    log = ListLog()
    relay = relay_of(store, log)
    store.settle = None
    long = msgspec.Raw(b'{"name":"' + b"moss " * 40_000 + b'"}')
    events = [msgspec.structs.replace(event(number), record=long) for number in range(60)]
    await store.write(lambda unit: unit.emit(*events))

    await relay.drain()

    assert log.ids == [one.id for one in events]
    assert await relay.pending() == 0


async def test_a_start_writes_nothing_and_what_the_log_has_is_deleted_later(store: Store) -> None:
    """So a house can start on a full disk, and doubles nothing once there is room."""
    log = ListLog()
    relay = relay_of(store, log)
    store.settle = None
    await store.write(lambda unit: unit.emit(event(1)))
    await relay.drain()
    await store.write(lambda unit: unit.emit(event(1), event(2)))

    restarted = relay_of(store, log)
    await restarted.start()
    waiting = await restarted.pending()
    await restarted.drain()

    assert waiting == 2
    assert log.ids == [event(1).id, event(2).id]
    assert await restarted.pending() == 0
