"""The stream as a plain list: what any reader of any history must get, by the contracts alone.

Written from what Jetstream's two wires promise, with `json` and lists; nothing of the engine is used
but its values (Arrival, Filter, Form). Slow and plain on purpose.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import zstandard

from lichen.stream import Arrival, Dictionaries, Filter, Form, Kind, Operation, Wire

V2_TYPE = "network.bsky.jetstream.subscribeEvents"


@dataclass(frozen=True)
class Event:
    """What was acknowledged: its sequence, its time and what came."""

    seq: int
    time_us: int
    arrival: Arrival

    def v1(self) -> bytes:
        """Return the event as the first wire says it."""
        word = self.arrival.kind.name.lower()
        head = json.dumps({"did": self.arrival.did, "time_us": self.time_us, "cursor": self.seq,
                           "kind": word}, separators=(",", ":"))
        return f'{head[:-1]},"{word}":'.encode() + self.arrival.body + b"}"

    def v2(self) -> bytes:
        """Return the event as the second wire says it."""
        word = self.arrival.kind.name.lower()
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.time_us)
        payload = {"$type": f"{V2_TYPE}#{word}", "seq": self.seq, "did": self.arrival.did,
                   "time": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        body = json.loads(self.arrival.body)
        payload |= body if self.arrival.kind == Kind.COMMIT else {word: body}
        text = json.dumps({"$type": "message", "payload": payload}, separators=(",", ":"),
                          ensure_ascii=False)
        return text.encode()

    @cached_property
    def _messages(self) -> tuple[bytes, bytes]:
        return self.v1(), self.v2()

    def message(self, wire: Wire) -> bytes:
        """Return the event as one of the wires says it."""
        return self._messages[wire == Wire.V2]


@dataclass
class Model:
    """What a store holds: its events in order, and where the next one goes."""

    events: list[Event] = field(default_factory=list)
    next_seq: int = 1
    last_time_us: int = 0
    position: int = 0

    def append(self, arrivals: list[Arrival], *, position: int, now_us: int) -> None:
        """Take what the store acknowledged."""
        for arrival in arrivals:
            self.last_time_us = max(self.last_time_us + 1, arrival.time_us or now_us)
            seq = arrival.seq or self.next_seq
            self.events.append(Event(seq, self.last_time_us, arrival))
            self.next_seq = seq + 1
        self.position = position

    def erase(self, seqs: set[int]) -> None:
        """Take events out."""
        self.events = [event for event in self.events if event.seq not in seqs]

    def forget_below(self, seq: int) -> None:
        """Take out what retention took."""
        self.events = [event for event in self.events if event.seq >= seq]

    def expected(self, from_seq: int, wanted: Filter, wire: Wire) -> list[Event]:
        """Return the events that a reader must get from a cursor on."""
        return [event for event in self.events
                if event.seq >= from_seq and wants(wanted, event, wire)]

    def seq_at(self, time_us: int) -> int:
        """Return the first sequence not before a time, else the next one."""
        return next((event.seq for event in self.events if event.time_us >= time_us),
                    self.next_seq)


def wants(wanted: Filter, event: Event, wire: Wire) -> bool:
    """Say whether a subscriber of a wire gets an event."""
    came = event.arrival
    by_name = came.collection in wanted.collections or any(
        came.collection.startswith(prefix) for prefix in wanted.prefixes)
    is_named = bool(wanted.collections or wanted.prefixes)
    cap = wanted.message_bytes_max
    return all((
        came.kind != Kind.SYNC or wire == Wire.V2,
        not wanted.kinds or came.kind in wanted.kinds,
        not wanted.dids or came.did in wanted.dids,
        came.kind != Kind.COMMIT or not is_named or not came.collection or by_name,
        not wanted.roots_only or (came.is_root and came.operation != Operation.DELETE),
        not wanted.mentions or not wanted.mentions.isdisjoint(came.mentions),
        not wanted.langs or not wanted.langs.isdisjoint(came.langs),
        not cap or len(event.message(wire)) <= cap,
    ))


def messages_in(data: bytes, form: Form, dictionaries: Dictionaries) -> list[bytes]:
    """Return the messages in a chunk, read as a client reads them."""
    if not form.is_framed:
        return _source_messages(data)
    opcode = 2 if form.dictionary else 1
    found = []
    while data:
        # RFC 6455 §5.2: FIN and opcode, no mask, 7, 16 or 64 bits of length.
        assert data[0] == 0x80 | opcode
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4]), 4
            assert size >= 126
        elif size == 127:
            size, start = int.from_bytes(data[2:10]), 10
            assert size >= 65_536
        assert len(data) >= start + size, "a chunk ends with a whole message"
        found.append(data[start : start + size])
        data = data[start + size :]
    if not form.dictionary:
        return found
    unpack = zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(
        dictionaries.bytes_of(form.dictionary))).decompress
    return [unpack(one) for one in found]


def _source_messages(data: bytes) -> list[bytes]:
    # HTML Standard §9.2.6: an event ends with an empty line; each line is a field.
    assert data.endswith(b"\n\n") or not data
    found = []
    for block in data.split(b"\n\n")[:-1]:
        first, second = block.split(b"\n")
        assert first.startswith(b"id: ") and second.startswith(b"data: ")
        message = second.removeprefix(b"data: ")
        assert json.loads(message).get("cursor", first[4:]) in (int(first[4:]), first[4:])
        found.append(message)
    return found
