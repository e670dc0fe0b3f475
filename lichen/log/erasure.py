"""Erasure: the blocks of a segment without certain records. Pure; no I/O of its own."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from lichen.log.file_system import Part
from lichen.log.format import DAMAGED, line_ends, pack_block, read_table
from lichen.log.segment import Block

Seqs = NDArray[np.int64]  # sorted


def without(blocks: Iterable[Block], seqs: Seqs) -> Iterator[tuple[tuple[Part, ...], bool]]:
    """Iterate over the blocks without the records of `seqs`; say of each whether it changed.

    The sequences stay spanned by their block, as holes. A block that stands for damage becomes a
    plain hole once all its sequences are erased.
    """
    for block in blocks:
        head = block.head
        low, high = np.searchsorted(seqs, [head.first_seq, head.last_seq + 1])
        if low == high or (head.kind == DAMAGED and high - low < head.span):
            yield (block.whole(),), False
            continue
        table = read_table(block.rows)
        stays = ~np.isin(table["seq"], seqs[low:high])
        if head.kind != DAMAGED and stays.all():
            yield (block.whole(),), False
            continue
        body = _lines_of(bytes(block.body()), line_ends(table), stays)
        yield pack_block(table[stays], body, first_seq=head.first_seq, span=head.span,
                         last_time_us=head.last_time_us), True


def _lines_of(body: bytes, ends: Seqs, stays: NDArray[np.bool_]) -> bytes:
    """Return the lines that stay."""
    starts = np.concatenate(([0], ends[:-1]))
    return b"".join(body[start:end] for start, end
                    in zip(starts[stays].tolist(), ends[stays].tolist(), strict=True))
