"""The one who writes to a log on JetStream: appends, erases, trims.

All methods are synchronous and wait for the server; those that change something must be called by
one thread at a time (the engine's own). Three things can go wrong that no disk of our own does:

* *Two appenders.* Every message says which position it expects to follow, so of two that append
  at once one is refused and stops for good (`LogFenced`). Whoever opens asks first whether anybody
  appends already (`LogLocked`), and then puts a mark: it fences off one that is only slow.
* *An acknowledgement that does not come.* Whether the message was stored is then unknown, and it
  may still be under way. So before anything else is written a mark is put where the message would
  have gone: either the mark is stored, then the message can be no more, or the message stands
  there already. What was stored although its caller was told that it failed becomes a hole.
* *A server that is not what it was.* Another start of the server may sync otherwise, so its
  promises are read back at each new connection before anything is written.

An erasure writes the block anew without the records, behind everything else and under a subject
that names the old one's position, and then has the old one overwritten. Dying in between leaves
both: the new one counts, and whoever opens next removes the old one.
"""

import contextlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import structlog

from lichen.kit import Clock, LichenError, Refused
from lichen.log.contract import Appended
from lichen.log.erasure import Seqs, without
from lichen.log.errors import LogDamaged, LogFenced, LogLocked, LogUnavailable
from lichen.log.format import (
    BLOCK_HEAD_BYTES,
    DAMAGED,
    ROW,
    intact,
    is_body_whole,
    pack_block,
    read_table,
)
from lichen.log.jetstream_chain import Chain, End, Shape
from lichen.log.jetstream_link import Server
from lichen.log.jetstream_marks import Again, Placed, placed
from lichen.log.jetstream_opening import find_chain, still_there
from lichen.log.jetstream_server import (
    Durability,
    Promises,
    check_durability,
    check_server,
)
from lichen.log.jetstream_stream import Message, Post, Stream, StreamTold
from lichen.log.limits import (
    BLOCK_BYTES_MAX,
    BLOCK_RECORDS_MAX,
    JUMP_BLOCKS_MAX,
    PAYLOAD_BYTES_MAX,
)
from lichen.log.payloads import blocks_of

logger = structlog.get_logger()

WRONG_POSITION = 10_071  # JetStream: "wrong last sequence"

_SPAN_MAX = (1 << 32) - 1  # the field of a block's header has 32 bits
_AROUND_LINES_BYTES = BLOCK_HEAD_BYTES + BLOCK_RECORDS_MAX * ROW.itemsize + 4_096  # and headers


class Terms(NamedTuple):
    """What the server must promise, and who appends."""

    owner: str
    replicas: int
    durability: Durability
    monitor_url: str


class StreamWriter(Chain):
    """The chain of a stream that this process appends to, alone."""

    def __init__(self, stream: Stream, *, clock: Clock, terms: Terms) -> None:
        self._clock = clock
        self._terms = terms
        self._mark = Post(stream.mark_subject, terms.owner.encode())
        self._approved: Server | None = None
        self._fenced: LogFenced | None = None
        self._unsure: Sequence[Post] = ()  # sent, and never heard of again
        self._strays: list[Message] = []  # stored, though their caller was told they were not
        self._unfinished: list[Again] = []  # written anew, the old one still to be overwritten
        super().__init__(stream, Shape(1, 1, ()), End(0, 0, 0))
        check_server(stream.link.server)
        told = stream.open(terms.replicas)
        self._approve(told)
        if other := stream.who():
            raise LogLocked(f"The stream {stream.name} at {stream.link.place}", other)
        self._position = told.state.last_seq
        self._post([self._mark])
        found = find_chain(stream)
        self._shape, self._end = found.shape, found.end
        self._unfinished = list(found.unfinished)
        self._ready()
        for again in found.trimmed:
            stream.purge(subject=again.subject(stream.name))
        stream.say_who(terms.owner)

    @property
    def server(self) -> Server:
        """Return the server that was connected to last."""
        return self._stream.link.server

    def commit(self, payloads: Sequence[bytes]) -> Appended:
        """Put the payloads into the stream, durably, in as few messages as they fit into."""
        self._ready()
        end, now_us = self._end, self._clock()
        first_seq, first_time_us = end.last_seq + 1, max(end.last_time_us + 1, now_us)
        room = self._stream.link.server.message_bytes_max - _AROUND_LINES_BYTES - PAYLOAD_BYTES_MAX
        contents = [b"".join(parts) for parts in blocks_of(
            payloads, first_seq, first_time_us, bytes_enough=min(BLOCK_BYTES_MAX, room))]
        self._append(contents)
        count = len(payloads)
        return Appended(first_seq, first_seq + count - 1, first_time_us, first_time_us + count - 1)

    def skip_to(self, seq: int) -> None:
        """Make `seq` the next sequence. Raises Refused when it was given already."""
        self._ready()
        if seq <= self.last_seq:
            raise Refused("sequence_in_use", f"Sequence {seq} was given already; the log is at "
                          f"{self.last_seq}, skip to a later one.")
        if seq - self.last_seq > JUMP_BLOCKS_MAX * _SPAN_MAX:
            raise Refused("jump_too_far", f"Sequence {seq} is too far from {self.last_seq}, where "
                          "the log is; skip to a nearer one.")
        contents, next_seq = [], self.last_seq + 1
        while next_seq < seq:
            span = min(seq - next_seq, _SPAN_MAX)
            contents.append(_empty(next_seq, span, self._end.last_time_us))
            next_seq += span
        if contents:
            self._append(contents)

    def erase_at(self, wanted: Seqs, index: int) -> int:
        """Erase what the block of `wanted[index]` holds of `wanted`; return the index after it.

        Writes the block anew: two messages and their syncs.
        """
        self._ready()
        seq = int(wanted[index])
        if seq > self.last_seq:
            return len(wanted)
        if seq < self._shape.floor_seq:
            return int(np.searchsorted(wanted, self._shape.floor_seq))
        one = next(self._reaching(self._shape, seq))
        assert one.block is not None
        head = one.block.head
        _check_what_stays(one, wanted)
        (parts, is_changed), = without([one.block], wanted)
        if is_changed:
            self._write_anew(Again(one.position, head.first_seq, head.last_seq), b"".join(parts))
        return int(np.searchsorted(wanted, head.last_seq + 1))

    def trim(self, *, floor_seq: int, age_us_max: int, bytes_max: int) -> int:
        """Forget the oldest blocks that are too old or too much; return the new first sequence."""
        self._ready()
        oldest_us = self._clock() - age_us_max
        last = self._first_from(self._shape, self._end.position, self._end)
        is_empty = last is None or last.block is None or last.block.head.span == 0
        if not is_empty and self._end.last_time_us < oldest_us:
            # One without records at the end remembers where the log was when all else is gone.
            self._append([_empty(self.last_seq + 1, 0, self._end.last_time_us)])
        excess = self._stream.told().state.bytes - bytes_max
        shape = cut = self._shape
        for one in self._walk(shape, shape.first_position, expected=None):
            assert one.block is not None
            head = one.block.head
            is_unwanted = excess > 0 or head.last_time_us < oldest_us
            is_last = one.position == self._end.position
            if head.kind == DAMAGED or is_last or not is_unwanted or head.last_seq > floor_seq:
                break
            cut = cut._replace(floor_seq=head.last_seq + 1, first_position=one.position + 1)
            excess -= head.size
        if cut is not shape:
            self._forget(cut)
        return self.first_seq

    def close(self) -> None:
        """Settle what is still unsure, if NATS is there, and end the connection. Idempotent."""
        if self._unsure or self._strays or self._unfinished:
            # Where that fails, whoever opens next finds what was stored, as after a crash.
            with contextlib.suppress(LichenError):
                self._ready()
        self._stream.link.close()

    def _ready(self) -> None:
        """Make sure that what is written next goes where it should, and would last."""
        if self._fenced is not None:
            raise self._fenced
        if self._stream.link.server != self._approved or not self._stream.link.is_connected:
            self._approve(self._stream.told())
            # JetStream does not sync its marks of what is gone: a power cut may bring it back.
            self._unfinished += still_there(self._stream, self._shape.again)
        if self._unsure:
            self._take_back(self._settle())
        while self._strays:
            self._hide(self._strays[0])
        while self._unfinished:
            self._finish(self._unfinished[0])

    def _approve(self, told: StreamTold) -> None:
        """Check what the server promises, unless it is the one that was checked before."""
        server = self._stream.link.server
        check_server(server)
        check_durability(Promises(server, told.config, told.cluster.leader),
                         durability=self._terms.durability, monitor_url=self._terms.monitor_url)
        self._approved = server

    def _append(self, contents: Sequence[bytes]) -> None:
        """Put blocks at the end of the chain and let them be read."""
        position = self._position
        self._post([Post(self._stream.block_subject, content) for content in contents])
        end = self._end
        for number, content in enumerate(contents, 1):
            one = placed(position + number, content)
            assert one.block is not None and one.block.head.first_seq == end.last_seq + 1
            end = End(one.block.head.last_seq, one.block.head.last_time_us, one.position)
            self._keep(self._shape, one)
        self._end = end

    def _post(self, posts: Sequence[Post]) -> None:
        """Put messages behind the last one. Raises LogUnavailable, LogFenced: then none counts."""
        assert self._approved is not None
        try:
            outcomes = self._stream.publish(posts, after=self._position, server=self._approved)
            words = next((one.description for one in outcomes if not isinstance(one, int)), "")
        except LogUnavailable as error:
            outcomes, words = [], str(error)
        expected = range(self._position + 1, self._position + 1 + len(posts))
        if outcomes == list(expected):
            self._position = expected[-1]
            return
        self._unsure = tuple(posts)
        try:
            stored = self._settle()
        except LogUnavailable as error:
            words, stored = words or str(error), []
        if len(stored) < len(posts):
            self._take_back(stored)
            raise LogUnavailable(f"NATS did not take it ({words}); nothing of it can be read. "
                                 "Mend NATS, then try again.")

    def _settle(self) -> list[Message]:
        """Find out what became of messages that were not acknowledged; return those stored.

        Afterwards none of them is under way any more.
        """
        assert self._approved is not None
        stored: list[Message] = []
        while len(stored) < len(self._unsure):
            after = self._position + len(stored)
            outcome, = self._stream.publish([self._mark], after=after, server=self._approved)
            if isinstance(outcome, int):
                self._position = outcome
                break
            if outcome.err_code != WRONG_POSITION:
                raise LogUnavailable(f"JetStream refused ({outcome.err_code}): "
                                     f"{outcome.description}; mend it, then try again.")
            there, = self._stream.at([after + 1])
            if there is not None and there[1:] == self._unsure[len(stored)]:
                stored.append(there)
            elif there is not None and there[1:] == self._mark:
                self._position = there.position  # a mark that was not acknowledged either
                break
            else:
                raise self._give_up(after, there)
        else:
            self._position += len(stored)
        self._unsure = ()
        return stored

    def _give_up(self, after: int, there: Message | None) -> LogFenced:
        """Never write again: the stream is no longer as this process left it."""
        last = self._stream.told().state.last_seq
        if last <= after:
            words = (f"ends at position {last}, though position {after} was acknowledged: the "
                     "server has lost what it promised to keep. Restore the log")
        else:
            words = (f"holds at position {after + 1} what another process wrote "
                     f"({there.subject if there else 'and erased'}). Stop one of the two")
        self._fenced = LogFenced(f"The stream {self._stream.name} at {self._stream.link.place} "
                                 f"{words}, then start again.")
        logger.critical("log.fenced", stream=self._stream.name, position=after)
        return self._fenced

    def _take_back(self, stored: Sequence[Message]) -> None:
        """Note what was stored though its caller is told that it was not."""
        for message in stored:
            if message.subject == self._stream.block_subject:
                self._strays.append(message)
            elif message.subject != self._stream.mark_subject:
                self._adopt(Again.of(message.subject))  # an erasure that did happen

    def _hide(self, stray: Message) -> None:
        """Make a hole of a block that must never be read."""
        one = placed(stray.position, stray.content)
        assert one.block is not None
        head = one.block.head
        self._write_anew(Again(stray.position, head.first_seq, head.last_seq),
                         _empty(head.first_seq, head.span, head.last_time_us))
        self._end = End(head.last_seq, head.last_time_us, stray.position)
        self._strays.remove(stray)

    def _write_anew(self, again: Again, content: bytes) -> None:
        """Put a block in the place of another, which is overwritten."""
        self._post([Post(again.subject(self._stream.name), content)])
        self._adopt(again)
        self._finish(again)

    def _adopt(self, again: Again) -> None:
        """Have a block that was written anew read in the place of the old one."""
        shape = self._shape
        anew = tuple(sorted({*shape.again, again}))
        self._reshape(shape._replace(again=anew), changed=again.position)
        if again not in self._unfinished:
            self._unfinished.append(again)

    def _finish(self, again: Again) -> None:
        """Overwrite what a block written anew stands for. Idempotent."""
        stream, subject = self._stream, again.subject(self._stream.name)
        old, newest = stream.at([again.position])[0], stream.last_of([subject])[0]
        if old is not None and old.subject == stream.block_subject:
            stream.erase(old.position)
        older = stream.next_of(subject, 1)
        while older is not None and newest is not None and older.position < newest.position:
            stream.erase(older.position)
            older = stream.next_of(subject, older.position + 1)
        self._unfinished.remove(again)

    def _forget(self, cut: Shape) -> None:
        """Remove everything before a new beginning; readers are told of it first."""
        anew = self._shape.again
        kept_from = self._shape.again_from(cut.first_position)
        self._reshape(cut._replace(again=anew[kept_from:]))
        self._stream.purge(before=cut.first_position)
        for again in anew[:kept_from]:
            self._stream.purge(subject=again.subject(self._stream.name))


def _empty(first_seq: int, span: int, last_time_us: int) -> bytes:
    """Return a block without records: a hole."""
    return b"".join(pack_block(np.zeros(0, ROW), b"", first_seq=first_seq, span=span,
                               last_time_us=last_time_us))


def _check_what_stays(one: Placed, wanted: Seqs) -> None:
    """Refuse to write a block anew with records that are bad: they would pose as good ones."""
    assert one.block is not None
    head, body = one.block.head, one.block.body()
    if head.kind == DAMAGED or is_body_whole(head, body):
        return
    table = read_table(one.block.rows)
    bad = table["seq"][~intact(table, bytes(body))]
    stays = bad[~np.isin(bad, wanted)]
    if len(stays):
        raise LogDamaged(int(stays[0]), int(stays[-1]), quarantined=False)
