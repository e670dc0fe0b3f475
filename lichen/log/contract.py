"""What a log is, whichever engine keeps it.

A log is one sequence of records. A record is a payload (a JSON object on one line), a sequence from
1 on, and a strictly increasing time in µs. Sequences are dense, but for erased records and for the
jump after a restore: readers pass such holes. Durable before visible: nothing can be read
before it would survive a power cut.

Two engines fit: segments of our own (`lichen.log.engine`) and NATS JetStream
(`lichen.log.jetstream`). The tests in tests/log/test_contract.py are written against this protocol
alone.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lichen.log.limits import READ_RECORDS_MAX


class Entry(NamedTuple):
    """One record with its place in the log."""

    seq: int
    time_us: int
    payload: bytes


class Appended(NamedTuple):
    """Where an append went: its sequences are consecutive, its times increase."""

    first_seq: int
    last_seq: int
    first_time_us: int
    last_time_us: int


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A run of records as a read returns it.

    `body` holds the payloads as lines, each ended by a newline. `next_seq` is where to read on; it
    lies past every hole that was passed, so an empty batch can still move a reader forward.
    """

    next_seq: int
    seqs: NDArray[np.int64]
    times_us: NDArray[np.int64]
    body: bytes

    def __len__(self) -> int:
        return len(self.seqs)

    @property
    def first_seq(self) -> int:
        """Return the sequence of the first record, or `next_seq` when there is none."""
        return int(self.seqs[0]) if len(self.seqs) else self.next_seq

    def lines(self) -> bytes:
        """Return the payloads as newline-separated JSON, for `decode_lines`; no copy."""
        return self.body

    def payloads(self) -> list[bytes]:
        """Return the payloads, one by one."""
        return self.body[:-1].split(b"\n") if self.body else []

    def entries(self) -> Iterator[Entry]:
        """Iterate over the records with their sequences and times."""
        return map(Entry, self.seqs.tolist(), self.times_us.tolist(), self.payloads())


class Log(Protocol):
    """A durable, append-only sequence of records."""

    @property
    def first_seq(self) -> int:
        """Return the lowest sequence that can be read, 0 when nothing is kept."""

    @property
    def last_seq(self) -> int:
        """Return the last sequence used up, by a record or by a jump; 0 at the very start."""

    async def append(self, payloads: Sequence[bytes]) -> Appended:
        """Append the payloads and return once they are durable.

        All appends that wait share one sync. Raises PayloadRefused, or LogUnavailable: then none of
        the payloads can be read. A cancelled append may or may not have happened.
        """

    def read(self, from_seq: int, *, limit: int = READ_RECORDS_MAX) -> Batch:
        """Return up to `limit` records from `from_seq` on, every checksum verified.

        Thread-safe. Beyond the end the batch is empty. Raises LogTrimmed, LogDamaged,
        LogUnavailable.
        """

    def follow(self, from_seq: int, *, limit: int = READ_RECORDS_MAX) -> AsyncIterator[Batch]:
        """Iterate over batches from `from_seq` on for ever; ends when the log is closed.

        One pull loop serves past and present, so there is no seam between them.
        """

    def seq_at(self, time_us: int) -> int:
        """Return the first sequence whose time is not before `time_us`, else the next one."""

    async def erase(self, seqs: Iterable[int]) -> None:
        """Remove the payloads of these sequences for good; they stay as holes.

        Idempotent; sequences that are not kept are passed over. Costs the rewriting of every
        segment touched: gather sequences, and erase them together.
        """

    async def retain(self, *, floor_seq: int, age_us_max: int, bytes_max: int) -> int:
        """Forget the oldest records that are too old or too many; return the new first sequence.

        `floor_seq` is the lowest position of all readers: nothing after it is forgotten.
        """

    async def skip_to(self, seq: int) -> None:
        """Make `seq` the next sequence to be given, after a restore; leaves a hole."""

    async def close(self) -> None:
        """Finish what is waiting and close; reads still work, followers end. Idempotent."""
