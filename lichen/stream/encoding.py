"""From arrivals to a record: messages in both stored forms, with their side index.

Costs about 10 µs an event, most of it compression; runs on the store's writing thread alone.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import zstandard

from lichen.kit import Clock
from lichen.stream.columns import (
    COLLECTIONS_MAX,
    DELTA_MAX,
    LANGS_OTHER,
    TYPES,
    Columns,
    actor_hash,
    marks_of,
)
from lichen.stream.errors import ArrivalRefused
from lichen.stream.frames import BINARY, TEXT, frame_head, v1_message
from lichen.stream.layout import Names, Record, names_bytes
from lichen.stream.limits import (
    ACTORS_KNOWN_MAX,
    APPEND_BYTES_MAX,
    APPEND_EVENTS_MAX,
    BLOCK_AGE_US_MAX,
    EVENT_BYTES_MAX,
    NAMES_BYTES_MAX,
    SPAN_MAX,
    TIME_US_MAX,
)
from lichen.stream.model import Arrival, Kind

# AT Protocol, DID syntax; nothing in it needs escaping in JSON.
_DID: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]{1,2000}")


_HEAD_BYTES_MAX: Final = 160  # a message of the first wire without its DID and its body


class Place(NamedTuple):
    """Where the next event goes: after this sequence and this time."""

    last_seq: int
    last_time_us: int


class _Run:
    """A record in the making."""

    def __init__(self, dictionary: int, compressor: zstandard.ZstdCompressor) -> None:
        self.dictionary = dictionary
        self.compress = compressor.compress
        self.plain: list[bytes] = []
        self.packed: list[bytes] = []
        self.plain_bytes = self.packed_bytes = 0
        self.rows: list[tuple[int, ...]] = []
        self.collections: dict[str, int] = {}
        self.langs: dict[tuple[str, ...], int] = {}
        self.mentions: list[tuple[int, int]] = []
        self.base = Place(0, 0)
        self.last = Place(0, 0)

    def add(self, arrival: Arrival, actor: tuple[bytes, int], *, seq: int, time_us: int) -> None:
        if not self.rows:
            self.base = Place(seq, time_us)
        self.last = Place(seq, time_us)
        did, actor_number = actor
        message = v1_message(did, arrival.kind, arrival.body, seq=seq, time_us=time_us)
        packed = self.compress(message)
        plain_head, packed_head = frame_head(TEXT, len(message)), frame_head(BINARY, len(packed))
        self.plain += (plain_head, message)
        self.packed += (packed_head, packed)
        self.plain_bytes += len(plain_head) + len(message)
        self.packed_bytes += len(packed_head) + len(packed)
        self.mentions += [(len(self.rows), actor_hash(one)) for one in arrival.mentions]
        self.rows.append((
            seq - self.base.last_seq, time_us - self.base.last_time_us,
            self.plain_bytes, self.packed_bytes, actor_number,
            self._collection(arrival.collection if arrival.kind == Kind.COMMIT else ""),
            marks_of(arrival.kind, arrival.operation, is_root=arrival.is_root,
                     has_mentions=bool(arrival.mentions)),
            self._langs(arrival.langs),
        ))

    def record(self, position: int, after: Place) -> Record:
        if not self.rows:
            self.base, self.last = Place(after.last_seq + 1, after.last_time_us), after
        table = np.array(self.rows, np.int64).reshape(len(self.rows), len(TYPES))
        columns = Columns._make(table[:, number].astype(one) for number, one in enumerate(TYPES))
        return Record(
            first_seq=self.base.last_seq, last_seq=self.last.last_seq,
            base_time_us=self.base.last_time_us, position=position, dictionary=self.dictionary,
            names=Names(list(self.collections), [list(one) for one in self.langs], self.mentions),
            columns=columns, plain=b"".join(self.plain), packed=b"".join(self.packed),
        )

    def _collection(self, name: str) -> int:
        if not name:
            return 0
        number = self.collections.setdefault(name, len(self.collections) + 1)
        assert number <= COLLECTIONS_MAX
        return number

    def _langs(self, langs: tuple[str, ...]) -> int:
        if not langs:
            return 0
        if langs in self.langs or len(self.langs) < LANGS_OTHER - 1:
            return self.langs.setdefault(langs, len(self.langs) + 1)
        return LANGS_OTHER


class Encoder:
    """Encodes arrivals, and remembers the actors it has seen; for one thread."""

    def __init__(self, clock: Clock, *, dictionary: int,
                 compressor: zstandard.ZstdCompressor) -> None:
        self.dictionary = dictionary
        self._clock = clock
        self._compressor = compressor
        self._actors: dict[str, tuple[bytes, int]] = {}

    def record(self, arrivals: Sequence[Arrival], after: Place, *, position: int) -> Record:
        """Return an append as one record; raises ArrivalRefused, also when it is too much."""
        run = _Run(self.dictionary, self._compressor)
        seq, time_us = after
        for arrival in arrivals:
            if arrival.seq and arrival.seq <= seq:
                raise ArrivalRefused(f"Expected a sequence after {seq}, got {arrival.seq}.")
            seq = arrival.seq or seq + 1
            time_us = max(time_us + 1, arrival.time_us or self._clock())
            run.add(arrival, self._actor(arrival.did), seq=seq, time_us=time_us)
        record = run.record(position, after)
        if (time_us - record.base_time_us > DELTA_MAX or seq - record.first_seq > SPAN_MAX
                or names_bytes(record.names) > NAMES_BYTES_MAX):
            raise ArrivalRefused("Expected events of one hour in an append, with fewer mentions; "
                                 "split it with `portions`.")
        return record

    def _actor(self, did: str) -> tuple[bytes, int]:
        known = self._actors.get(did)
        if known is None:
            if len(self._actors) >= ACTORS_KNOWN_MAX:
                self._actors.clear()
            known = self._actors[did] = (b'"%b"' % did.encode(), actor_hash(did))
        return known


def check(arrivals: Sequence[Arrival]) -> None:
    """Raise ArrivalRefused when an append is not acceptable."""
    if len(arrivals) > APPEND_EVENTS_MAX:
        raise ArrivalRefused(f"Expected at most {APPEND_EVENTS_MAX} events in an append, got "
                             f"{len(arrivals)}; split it with `portions`.")
    for arrival in arrivals:
        _check(arrival)
    if sum(map(_bytes_max, arrivals)) > APPEND_BYTES_MAX:
        raise ArrivalRefused(f"Expected at most {APPEND_BYTES_MAX} bytes in an append; split it "
                             "with `portions`.")
    times = [arrival.time_us for arrival in arrivals if arrival.time_us]
    seqs = [arrival.seq for arrival in arrivals if arrival.seq]
    is_late = bool(times) and times[-1] - times[0] > BLOCK_AGE_US_MAX
    if is_late or (seqs and seqs[-1] - seqs[0] > SPAN_MAX):
        raise ArrivalRefused("Expected events of one hour in an append; split it with `portions`.")


def portions(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    """Split events into portions that can be appended one by one."""
    portion: list[Arrival] = []
    size = 0
    for arrival in arrivals:
        if portion and (
            len(portion) >= APPEND_EVENTS_MAX or size + _bytes_max(arrival) > APPEND_BYTES_MAX
            or arrival.time_us - portion[0].time_us > BLOCK_AGE_US_MAX
            or arrival.seq - portion[0].seq > SPAN_MAX
        ):
            yield portion
            portion, size = [], 0
        portion.append(arrival)
        size += _bytes_max(arrival)
    if portion:
        yield portion


def _bytes_max(arrival: Arrival) -> int:
    """Return what an event takes at most as a message of the first wire."""
    return len(arrival.body) + len(arrival.did) + _HEAD_BYTES_MAX


def _check(arrival: Arrival) -> None:
    did, body = arrival.did, arrival.body
    if _DID.fullmatch(did) is None:
        raise ArrivalRefused(f"Expected a DID, got {did[:80]!r}.")
    if not 2 <= len(body) <= EVENT_BYTES_MAX - 4_096 or body[:1] != b"{" or body[-1:] != b"}":
        raise ArrivalRefused(f"Expected an object of JSON of at most {EVENT_BYTES_MAX - 4_096} "
                             f"bytes, got {len(body)} bytes.")
    # A line break would end the field of a Server-Sent Event; the second wire puts keys before
    # those of a commit, which must not be without any.
    if b"\n" in body or b"\r" in body or (arrival.kind == Kind.COMMIT and len(body) == 2):
        raise ArrivalRefused("Expected JSON on one line, of a commit with its keys, got "
                             f"{body[:80]!r}.")
    if not 0 <= arrival.time_us <= TIME_US_MAX:
        raise ArrivalRefused(f"Expected µs up to the year 9999, got {arrival.time_us}.")
