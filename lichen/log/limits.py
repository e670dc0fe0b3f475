"""The limits of the log: every size, count and age that bounds it, with its reason."""

from typing import Final

PAYLOAD_BYTES_MAX: Final = 1 << 20
"""One payload: the longest post with its record fits several times."""

APPEND_RECORDS_MAX: Final = 10_000
"""One append: what is validated on the caller's thread in a few milliseconds."""

COMMIT_BYTES_MAX: Final = 8 << 20
"""One append, and all appends that share one sync: a disk writes this in well under a second."""

PENDING_BYTES_MAX: Final = 64 << 20
"""All appends that wait: memory that a stuck disk may cost; beyond it appends are refused."""

BLOCK_RECORDS_MAX: Final = 4_096
"""Records in one block: a block is read, checked and decoded as a whole."""

BLOCK_BYTES_MAX: Final = 4 << 20
"""Lines in one block; holds at least one record of any allowed size."""

SEGMENT_BYTES_MAX: Final = 16 << 20
"""A segment that reached this is closed: an erasure rewrites one segment, so it stays small."""

SEGMENT_AGE_US_MAX: Final = 24 * 3_600 * 1_000_000
"""A segment older than a day is closed, so that retention by age works on a quiet log too."""

READ_RECORDS_MAX: Final = 4_096
"""Records in one batch that a read returns: a few milliseconds of work for a reader."""

READ_BYTES_ENOUGH: Final = 256 << 10
"""A batch with so many bytes of lines ends with its block: larger ones leave the fast caches."""

MARK_BYTES: Final = 16 << 10
"""One entry of a segment's sparse index per this many bytes: a look-up skips at most so much."""

ERASE_TRIES_MAX: Final = 5
"""Tries to rewrite one segment while damage in it is being mended."""

RESTARTS_MAX: Final = 5
"""Restarts in a row that a reader gets after failures of its own before it is left stopped."""

BACKOFF_MS_MIN: Final = 100
"""The first pause before a failed reader is tried again; it doubles."""

BACKOFF_MS_MAX: Final = 30_000
"""The longest pause before a failed reader is tried again."""

ANSWER_S_MAX: Final = 10
"""How long NATS may take to answer: a sync of a busy disk takes seconds, not more."""

WHO_S_MAX: Final = 1
"""How long whoever appends to a stream on NATS may take to say so: it only has to be alive."""

CONNECT_S_MAX: Final = 2
"""How long a connection to one server of NATS may take to be made."""

PING_INTERVAL_S: Final = 5
"""How often NATS is asked whether it is there; without two answers the connection is lost."""

RECONNECT_INTERVAL_S: Final = 0.25
"""How soon a lost connection to NATS is made again."""

SERVER_MESSAGE_BYTES_MIN: Final = 2 << 20
"""What a server of NATS must take as one message: one payload with its block, and some more."""

FETCH_BLOCKS_MAX: Final = 256
"""Blocks asked of NATS in one question: so many small ones fill a batch."""

CACHE_BYTES_MAX: Final = 16 << 20
"""Blocks of NATS kept in memory: whoever follows closely reads what was appended from here."""

MARKS_MAX: Final = 65_536
"""Known positions of blocks on NATS; beyond it every second one is forgotten."""

NEAR_POSITIONS: Final = 64
"""Positions on NATS that are walked over in one question instead of halved further."""

JUMP_BLOCKS_MAX: Final = 1_000
"""Blocks that one jump may take, of 2**32 sequences each: beyond, it is a mistake."""

SUBJECTS_PAGE_MAX: Final = 100_000
"""Subjects that NATS lists in one answer; JetStream's own limit."""
