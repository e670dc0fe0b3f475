"""What a server of NATS must promise before a log is trusted to it, read back from the server.

An acknowledgement of JetStream alone does not say that anything is on a disk: by default a server
syncs its files every two minutes, and Jepsen's analysis of NATS 2.12.1 lost acknowledged messages
to a power cut. So the running server is asked how it really syncs (`/jsz` of its monitoring port),
and the stream how many copies it has; less than the settings ask for is refused, in words.
"""

import http.client
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from lichen.log.errors import LogUnavailable, ServerRefused
from lichen.log.jetstream_link import Server
from lichen.log.limits import CONNECT_S_MAX, SERVER_MESSAGE_BYTES_MIN

VERSION_MIN = (2, 10)  # the first with `sync_interval: always`
VERSION_OF_BATCHES = (2, 11)  # the first that answers one question with many messages
REPLICAS_MIN = 3  # with fewer, one machine that fails takes an acknowledged record along

Durability = Literal["disk", "process"]


class StreamConfig(msgspec.Struct, frozen=True):
    """What JetStream says a stream is set to; as the API names it."""

    name: str = ""
    subjects: tuple[str, ...] = ()
    storage: str = "file"
    retention: str = "limits"
    discard: str = "new"
    num_replicas: int = 1
    max_age: int = 0
    max_msgs: int = -1
    max_bytes: int = -1
    max_msgs_per_subject: int = -1
    max_msg_size: int = -1
    allow_direct: bool = True
    deny_delete: bool = False
    deny_purge: bool = False
    sealed: bool = False
    persist_mode: str = "default"


class _Syncing(msgspec.Struct, frozen=True):
    """How a server syncs; JetStream leaves out what is false."""

    sync_always: bool = False
    sync_interval: int = 0  # ns


class Monitored(msgspec.Struct, frozen=True):
    """The part of `/jsz` that says how durable an acknowledgement is."""

    server_id: str
    config: _Syncing = _Syncing()


class Promises(NamedTuple):
    """Everything that is judged."""

    server: Server
    stream: StreamConfig
    leader: str  # the name of the server that holds the stream, or leads it


def check_server(server: Server) -> None:
    """Refuse a server that is too old or takes too small messages."""
    if server.version < VERSION_MIN:
        raise ServerRefused(
            f"NATS {_words(server.version)} at the address of the log is too old, expected "
            f"{_words(VERSION_MIN)} or newer; install a newer nats-server (Debian 12 has 2.9).")
    if server.message_bytes_max < SERVER_MESSAGE_BYTES_MIN:
        raise ServerRefused(
            f"NATS takes messages of {server.message_bytes_max} bytes, the log needs "
            f"{SERVER_MESSAGE_BYTES_MIN} at least; set `max_payload: 8MB` in its configuration.")


def check_durability(promises: Promises, *, durability: Durability, monitor_url: str) -> None:
    """Refuse a stream that forgets by itself, or is less durable than asked for.

    Asks the server's monitoring port, unless copies on other machines make up for it.
    """
    server, stream, leader = promises
    _check_stream(stream)
    if durability == "process" or stream.num_replicas >= REPLICAS_MIN:
        return
    if not monitor_url:
        raise ServerRefused(
            "Whether NATS syncs what it acknowledges can only be read from its monitoring port: "
            "start it with `http: 127.0.0.1:8222` and set `log.nats_monitor_url` to "
            "http://127.0.0.1:8222, or keep three replicas.")
    told = read_monitor(monitor_url)
    if told.server_id != server.id or (leader and leader != server.name):
        raise ServerRefused(
            f"The monitoring port at {monitor_url} is of server {told.server_id}, the log is on "
            f"{leader or server.id}; set `log.nats_monitor_url` and `log.nats_url` to the same.")
    if not told.config.sync_always:
        raise ServerRefused(
            f"NATS syncs its files every {told.config.sync_interval // 10**9} s, so a power cut "
            "would take acknowledged events along; set `sync_interval: always` in the section "
            "jetstream of its configuration, keep three replicas, or accept that with "
            "`log.durability = \"process\"`.")


def read_monitor(monitor_url: str) -> Monitored:
    """Ask a server's monitoring port how it syncs."""
    place = urlsplit(monitor_url)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname or "", place.port, timeout=CONNECT_S_MAX)
    try:
        connection.request("GET", f"{place.path.rstrip('/')}/jsz")
        return msgspec.json.decode(connection.getresponse().read(), type=Monitored)
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise LogUnavailable(f"The monitoring port of NATS at {monitor_url} does not say how it "
                             f"syncs ({error}); mend `log.nats_monitor_url`.") from error
    finally:
        connection.close()


def _check_stream(stream: StreamConfig) -> None:
    """Refuse a stream that loses records, or would not let them be erased."""
    expected = StreamConfig(name=stream.name, subjects=stream.subjects,
                            num_replicas=stream.num_replicas, allow_direct=stream.allow_direct)
    found = {key: value for key, value in msgspec.structs.asdict(stream).items()
             if value != getattr(expected, key)}
    if found:
        words = ", ".join(f"{key} = {value} (expected {getattr(expected, key)})"
                          for key, value in found.items())
        raise ServerRefused(f"The stream {stream.name} on NATS is not as a log needs it: {words}; "
                            "mend it with `nats stream edit`, or name another one.")


def _words(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
