"""Any history of a log on NATS, with the wire cut at the worst moments and the server killed.

A model knows what was acknowledged; the log must hold exactly that, and go on.
"""

import asyncio
import itertools
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.log import JetStreamLog, JetStreamOptions, LogUnavailable
from tests.conftest import FakeClock
from tests.log.test_contract import all_records, lines
from tests.log.wire import Wire
from tests.nats import NatsServer

ACTS = st.lists(st.one_of(
    st.tuples(st.sampled_from(["append", "answer lost", "question lost", "answer lost, and more",
                               "question lost, and more"]), st.integers(1, 4)),
    st.tuples(st.sampled_from(["erase", "skip", "trim", "open anew", "server dies"]), st.integers(0, 6)),
), max_size=14)


class History:
    """A log beside the model of what it must hold."""

    def __init__(self, server: NatsServer, wire: Wire, clock: FakeClock) -> None:
        self.server = server
        self.wire = wire
        self.options = JetStreamOptions(wire.url, f"log{uuid.uuid4().hex}", server.monitor_url)
        self.clock = clock
        self.log = JetStreamLog.open(self.options, clock=clock)
        self.model: dict[int, bytes] = {}
        self.was_refused = False
        self.numbers = itertools.count()

    async def act(self, kind: str, count: int) -> None:
        match kind.partition(" lost"):
            case ("append", _, _):
                await self.append(count)
            case ("erase", _, _):
                gone = list(self.model)[-count:] if count else []
                await self.log.erase(gone)
                for seq in gone:
                    del self.model[seq]
            case ("skip", _, _):
                await self.log.skip_to(self.log.last_seq + 6 + count)  # past what may be a hole
            case ("trim", _, _):
                first_seq = await self.log.retain(
                    floor_seq=self.log.last_seq - count, age_us_max=0, bytes_max=1 << 40)
                self.model = {seq: line for seq, line in self.model.items()
                              if 0 < first_seq <= seq}
            case ("server dies", _, _):
                self.server.kill()
                self.server.start()
            case ("open anew", _, _):
                await self.log.close()
                self.log = JetStreamLog.open(self.options, clock=self.clock)
            case (what, _, more):
                lose = self.wire.lose_answer if what == "answer" else self.wire.lose_question
                lose(stays_cut=bool(more))
                await self.append(count)
                self.wire.mend()

    def records(self) -> dict[int, bytes]:
        """Return what can be read, from the first record on."""
        return all_records(self.log, self.log.first_seq or self.log.last_seq + 1)

    async def append(self, count: int) -> None:
        number = next(self.numbers) * 10
        payloads = lines(number, number + count - 1)
        last_seq = self.log.last_seq
        try:
            appended = await self.log.append(payloads)
        except LogUnavailable:
            self.was_refused = True
            return
        assert appended.first_seq > last_seq
        assert appended.first_seq == last_seq + 1 or self.was_refused
        self.was_refused = False
        self.model |= dict(enumerate(payloads, appended.first_seq))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """Yield a server that nobody else minds the death of."""
    server = NatsServer(tmp_path_factory.mktemp("nats")).start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def wire(server: NatsServer) -> Iterator[Wire]:
    wire = Wire(server.port)
    yield wire
    wire.close()


@pytest.mark.slow
@given(acts=ACTS)
def test_a_log_on_nats_holds_what_it_acknowledged_whatever_the_wire_does(
    wire: Wire, server: NatsServer, acts: list[tuple[str, int]]
) -> None:
    async def play() -> None:
        clock = FakeClock()
        history = History(server, wire, clock)
        try:
            for kind, count in acts:
                await history.act(kind, count)
                assert history.records() == history.model
                clock.advance(seconds=1)
            await history.act("append", 1)
            await history.act("open anew", 0)
            assert history.records() == history.model
            times = history.log.read(history.log.first_seq).times_us.tolist()
            assert times == sorted(set(times))
        finally:
            wire.mend()
            await history.log.close()

    asyncio.run(play())
