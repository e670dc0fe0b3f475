"""The tail of a log: what was appended last."""

from lichen.log.contract import Log
from lichen.log.errors import LogDamaged


def tail_of(log: Log, count: int) -> bytes:
    """Return the lines of the last `count` sequences, of which damaged ones are passed over.

    A read may end early, where a block ends or at damage, so it takes as many as it takes.
    """
    lines = []
    last_seq = log.last_seq
    seq = max(log.first_seq, last_seq - count + 1)
    while 0 < seq <= last_seq:
        try:
            batch = log.read(seq, limit=count)
        except LogDamaged as damage:
            seq = damage.last_seq + 1
            continue
        lines.append(batch.lines())
        seq = batch.next_seq
    return b"".join(lines)
