"""The log `outgoing`: each activity composed once, with who shall get it; and the shelf it is read
from.

    house's log ──► composing ──► outgoing: 1 2 3 4 5 6 7 …  ◄── a cursor for each peer
                                  one record: activity, signer, audience, keys

A record is in order by the sequence of the event it tells of (`source`) and its `part`: one event
may become several activities. So the end of this log says how far composing has come, and what a
crash left half done is not appended again.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import NamedTuple

import msgspec

from lichen.federation.limits import CHUNK_RECORDS, CHUNKS_KEPT_MAX, NEAR_RECORDS_MAX, NEAR_US_MAX
from lichen.kit.ids import is_tid, time_us_of_tid
from lichen.log import Log, LogTrimmed


class Outgoing(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One activity to be sent.

    `sender` is the local actor who signs. The audience is the servers of a community's followers,
    the named `peers`, or `everybody`, never `but`. `inbox` is where the one peer takes it, should
    it have no shared inbox. `writes` are the keys of what it changes and `reads` of what must be
    there before it: order is kept among activities that share a key which one of them writes.
    Votes: a later one with the same `vote` overtakes one that still waits; `fresh` is the first of
    a person on a thing; those with the same `batch` (a Group) may go out together.
    """

    source: int
    part: int
    id: str
    sender: int
    activity: msgspec.Raw
    community: int = 0
    peers: tuple[str, ...] = ()
    everybody: bool = False
    but: str = ""
    inbox: str = ""
    public: bool = True
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    vote: str = ""
    fresh: bool = False
    undo: bool = False
    batch: str = ""

    @property
    def key(self) -> str:
        """The TID of the event it tells of: its id's last word, without what parts it from others.
        """
        return self.id.rpartition("/")[2].partition("-")[0]


class Entry(NamedTuple):
    """A record with its sequence in the log."""

    seq: int
    record: Outgoing


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Outgoing)


def encode(record: Outgoing) -> bytes:
    """Return the record as one line of JSON."""
    return _ENCODER.encode(record)


def is_for(
    record: Outgoing, authority: str, followers: Callable[[int], Collection[str]]
) -> bool:
    """Say whether a peer is in a record's audience; `followers` are the servers of a community's.
    """
    if authority == record.but:
        return False
    if record.everybody or authority in record.peers:
        return True
    return bool(record.community) and authority in followers(record.community)


class Shelf:
    """Reads the log in chunks and keeps the latest used ones decoded, for all peers together."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._chunks: OrderedDict[int, tuple[int, list[Entry]]] = OrderedDict()

    @property
    def first_seq(self) -> int:
        """The lowest sequence that is kept."""
        return self._log.first_seq or self._log.last_seq + 1

    @property
    def last_seq(self) -> int:
        """The last sequence there is."""
        return self._log.last_seq

    def entries(self, from_seq: int) -> tuple[list[Entry], int]:
        """Return records from a sequence on, to the end of its chunk, and where to read on.

        Raises LogTrimmed where retention has passed the sequence.
        """
        if from_seq < self.first_seq:
            raise LogTrimmed(from_seq, floor_seq=self.first_seq)
        if from_seq > self.last_seq:
            return [], from_seq
        number = from_seq // CHUNK_RECORDS
        chunk, next_seq = self._chunk(number)
        start = bisect_left(chunk, from_seq, key=lambda entry: entry.seq)
        return chunk[start:], next_seq

    def find(self, key: str) -> list[Outgoing]:
        """Return the records that tell of an event, by its TID, as `find_entries` does."""
        return [entry.record for entry in self.find_entries(key)]

    def find_entries(self, key: str) -> list[Entry]:
        """Return what tells of an event, by its TID; none where none is near its time.

        Records are nearly in the order of their keys' times: a search by halves, then a look
        around; some twenty reads.
        """
        return self._first_near(key, lambda record: record.key == key)

    def find_beginning(self, tid: str, id: str) -> list[Entry]:
        """Return what told first of a thing: `tid` was given to it a moment before that event."""
        return self._first_near(tid, lambda record: id in record.writes)

    def _first_near(self, key: str, is_meant: Callable[[Outgoing], bool]) -> list[Entry]:
        """Return the first record near a TID's time that is meant, with those of its event."""
        if not is_tid(key):
            return []
        low = self._near(time_us_of_tid(key))
        end = min(self.last_seq + 1, low + NEAR_RECORDS_MAX)
        while low < end:
            entries, low = self.entries(low)
            first = next((entry for entry in entries if is_meant(entry.record)), None)
            if first is not None:
                return [entry for entry in entries if entry.record.key == first.record.key]
        return []

    def _near(self, time_us: int) -> int:
        """Return a sequence at or before the records of a time."""
        low, high = self.first_seq, self.last_seq + 1
        while low < high:
            middle = (low + high) // 2
            entry = self._at(middle)
            if entry is None or time_us_of_tid(entry.record.key) >= time_us - NEAR_US_MAX:
                high = middle
            else:
                low = middle + 1
        return low

    def _at(self, seq: int) -> Entry | None:
        """Return the first record from a sequence on, None at the end."""
        while seq <= self.last_seq:
            entries, seq = self.entries(seq)
            if entries:
                return entries[0]
        return None

    def _chunk(self, number: int) -> tuple[list[Entry], int]:
        """Return the records of a chunk as far as they are there, and the next sequence."""
        next_seq, entries = self._chunks.pop(number, (number * CHUNK_RECORDS, []))
        next_seq = max(next_seq, self.first_seq, 1)
        end = (number + 1) * CHUNK_RECORDS
        while next_seq < end and next_seq <= self.last_seq:
            batch = self._log.read(next_seq, limit=end - next_seq)
            records = _DECODER.decode_lines(batch.lines()) if len(batch) else []
            entries += map(Entry, batch.seqs.tolist(), records)
            next_seq = batch.next_seq
        self._chunks[number] = (next_seq, entries)
        while len(self._chunks) > CHUNKS_KEPT_MAX:
            self._chunks.popitem(last=False)
        return entries, min(next_seq, end)

    def forget(self) -> None:
        """Drop what is decoded, after an erasure."""
        self._chunks.clear()


def last_of(log: Log) -> tuple[int, int]:
    """Return the source and part of the last record, (0, 0) of an empty log."""
    seq = log.last_seq
    first = log.first_seq
    while first and seq >= first:
        batch = log.read(seq, limit=1)
        if len(batch):
            record = _DECODER.decode(batch.payloads()[-1])
            return record.source, record.part
        seq -= 1
    return 0, 0
