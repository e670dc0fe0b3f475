"""Opening a log on JetStream: where its chain begins and ends, and what a crash left unfinished.

Nothing is walked over: the first and the last block are asked for, and of the blocks written anew
only their subjects, which name the sequences they span.
"""

from typing import NamedTuple

from lichen.log.errors import LogUnavailable
from lichen.log.format import BlockHead
from lichen.log.jetstream_chain import End, Shape
from lichen.log.jetstream_marks import Again, placed
from lichen.log.jetstream_stream import Message, Stream
from lichen.log.limits import FETCH_BLOCKS_MAX


class Found(NamedTuple):
    """What a stream holds.

    `unfinished` are blocks written anew of which an older form is still there; `trimmed` are those
    that retention was about to forget.
    """

    shape: Shape
    end: End
    unfinished: tuple[Again, ...]
    trimmed: tuple[Again, ...]


def find_chain(stream: Stream) -> Found:
    """Return where the chain of a stream begins and ends. Raises LogUnavailable."""
    counts = {Again.of(subject): count for subject, count in stream.subjects_again().items()}
    first, last = stream.next_of(stream.block_subject, 1), stream.last_of([stream.block_subject])[0]
    kept = _kept(sorted(counts), first)
    if not kept and (first is None or last is None):
        return Found(Shape(1, 1, ()), End(0, 0, 0), (), ())
    doubled = [one for one in kept if counts[one] > 1]
    unfinished = tuple(sorted({*doubled, *still_there(stream, kept)}))
    return Found(_shape(kept, first), _end(stream, kept, last), unfinished,
                 tuple(sorted(set(counts) - set(kept))))


def still_there(stream: Stream, kept: tuple[Again, ...]) -> list[Again]:
    """Return the blocks written anew of which the first form is still there, or there again."""
    found = []
    for start in range(0, len(kept), FETCH_BLOCKS_MAX):
        part = kept[start : start + FETCH_BLOCKS_MAX]
        old = stream.at([one.position for one in part])
        found += [one for one, message in zip(part, old, strict=True)
                  if message is not None and message.subject == stream.block_subject]
    return found


def _kept(anew: list[Again], first: Message | None) -> tuple[Again, ...]:
    """Return those that stand in the chain: before its first other block there is no gap.

    Retention forgets the other blocks first, so where it was cut short a gap is left.
    """
    behind = [one for one in anew if first is not None and one.position >= first.position]
    before = [one for one in anew if one not in behind]
    next_seq = _head(first).first_seq if first is not None else None
    while before and next_seq in (None, before[-1].last_seq + 1):
        behind.insert(0, before.pop())
        next_seq = behind[0].first_seq
    return tuple(behind)


def _shape(kept: tuple[Again, ...], first: Message | None) -> Shape:
    if kept and (first is None or kept[0].position <= first.position):
        return Shape(kept[0].first_seq, kept[0].position, kept)
    assert first is not None
    return Shape(_head(first).first_seq, first.position, kept)


def _end(stream: Stream, kept: tuple[Again, ...], last: Message | None) -> End:
    if kept and (last is None or kept[-1].position >= last.position):
        message = stream.last_of([kept[-1].subject(stream.name)])[0]
        assert message is not None
        head, position = _head(message), kept[-1].position
    else:
        assert last is not None
        head, position = _head(last), last.position
    return End(head.last_seq, head.last_time_us, position)


def _head(message: Message) -> BlockHead:
    one = placed(message.position, message.content)
    if one.block is None:
        raise LogUnavailable(f"The message at position {message.position} of the stream is not a "
                             "block of a log; is this another's stream? Name the right one, or "
                             "erase the message.")
    return one.block.head
