"""What is asked of a server of NATS, and how it is refused: read back from running ones."""

from collections.abc import Iterator

import msgspec
import pytest

from lichen.log import JetStreamLog, JetStreamOptions, LogUnavailable, ServerRefused
from lichen.log.jetstream_link import Link, Question, Server
from lichen.log.jetstream_server import Promises, StreamConfig, check_durability, check_server
from tests.conftest import FakeClock
from tests.log.test_contract import all_records, lines
from tests.nats import NatsServer, free_ports

pytestmark = pytest.mark.anyio

SERVER = Server("ID", "name", (2, 15, 1), 8 << 20)


@pytest.fixture(scope="module")
def lax_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """Yield a server as it comes: it syncs every two minutes."""
    server = NatsServer(tmp_path_factory.mktemp("nats"), settings="").start()
    yield server
    server.kill()


async def test_a_server_that_syncs_now_and_then_is_refused(
    lax_server: NatsServer, clock: FakeClock
) -> None:
    options = JetStreamOptions(lax_server.url, "refused", lax_server.monitor_url)

    with pytest.raises(ServerRefused) as refused:
        JetStreamLog.open(options, clock=clock)

    assert "every 120 s" in refused.value.text
    assert "sync_interval: always" in refused.value.text
    assert 'durability = "process"' in refused.value.text


async def test_less_is_accepted_from_whoever_says_so(
    lax_server: NatsServer, clock: FakeClock
) -> None:
    options = JetStreamOptions(lax_server.url, "accepted", durability="process")

    log = JetStreamLog.open(options, clock=clock)
    await log.append(lines(1, 2))

    assert all_records(log) == dict(enumerate(lines(1, 2), 1))
    await log.close()


async def test_the_monitoring_port_must_be_of_the_server_that_is_written_to(
    nats_server: NatsServer, lax_server: NatsServer, clock: FakeClock
) -> None:
    """Else a server that syncs could vouch for one that does not."""
    options = JetStreamOptions(lax_server.url, "elsewhere", nats_server.monitor_url)

    with pytest.raises(ServerRefused, match="to the same"):
        JetStreamLog.open(options, clock=clock)


async def test_without_a_monitoring_port_nothing_is_believed(
    nats_server: NatsServer, clock: FakeClock
) -> None:
    (port,) = free_ports(1)

    with pytest.raises(ServerRefused, match="nats_monitor_url"):
        JetStreamLog.open(JetStreamOptions(nats_server.url, "unwatched"), clock=clock)
    with pytest.raises(LogUnavailable, match="nats_monitor_url"):
        JetStreamLog.open(
            JetStreamOptions(nats_server.url, "unwatched", f"http://127.0.0.1:{port}"),
            clock=clock)


async def test_a_server_that_is_not_there_is_said_without_its_password(clock: FakeClock) -> None:
    (port,) = free_ports(1)

    with pytest.raises(LogUnavailable) as unavailable:
        JetStreamLog.open(JetStreamOptions(f"nats://u:secret@127.0.0.1:{port}"), clock=clock)

    assert f"127.0.0.1:{port}" in str(unavailable.value)
    assert "secret" not in str(unavailable.value)


async def test_a_stream_that_forgets_by_itself_is_refused(
    nats_server: NatsServer, clock: FakeClock
) -> None:
    link = Link(nats_server.url)
    config = {"name": "forgets", "subjects": ["forgets.>"], "max_age": 3_600_000_000_000,
              "discard": "new", "allow_direct": True}
    link.ask(Question("$JS.API.STREAM.CREATE.forgets", msgspec.json.encode(config)))
    link.close()

    with pytest.raises(ServerRefused, match="max_age = 3600000000000"):
        JetStreamLog.open(
            JetStreamOptions(nats_server.url, "forgets", nats_server.monitor_url), clock=clock)


def test_old_servers_and_small_messages_are_refused() -> None:
    check_server(SERVER._replace(version=(2, 10, 0)))

    with pytest.raises(ServerRefused, match="NATS 2.9.10 .* expected 2.10"):
        check_server(SERVER._replace(version=(2, 9, 10)))
    with pytest.raises(ServerRefused, match="max_payload: 8MB"):
        check_server(SERVER._replace(message_bytes_max=1 << 20))


def test_three_copies_need_no_sync_and_two_do() -> None:
    three = Promises(SERVER, StreamConfig("log", num_replicas=3), "another")
    check_durability(three, durability="disk", monitor_url="")

    with pytest.raises(ServerRefused, match="three replicas"):
        check_durability(three._replace(stream=StreamConfig("log", num_replicas=2)),
                         durability="disk", monitor_url="")


def test_a_stream_whose_acknowledgements_promise_nothing_is_refused() -> None:
    """JetStream 2.12 can acknowledge before it writes, whatever the server syncs."""
    stream = StreamConfig("log", persist_mode="async")

    with pytest.raises(ServerRefused, match="persist_mode = async"):
        check_durability(Promises(SERVER, stream, ""), durability="process", monitor_url="")
