"""The limits of the stream: every size, count and age that bounds it, with its reason."""

from typing import Final

CHUNK_BYTES_MAX: Final = 65_536
"""What one write to a subscriber holds: 64 kB writes were measured faster than 1 MB ones."""

EVENT_BYTES_MAX: Final = 2 << 20
"""The JSON of one event: AT Protocol allows 1 MiB of record as CBOR."""

APPEND_EVENTS_MAX: Final = 4_096
"""Events in one append: what is encoded in some tens of milliseconds, and half a block."""

APPEND_BYTES_MAX: Final = 3 << 20
"""JSON in one append: with heads and the largest event it fits an empty block."""

SPAN_MAX: Final = 1 << 31
"""Sequences that one append may span, holes included: half of what a column's 32 bits hold."""

BLOCK_EVENTS_MAX: Final = 8_192
"""Events in one block: its side index is scanned in some microseconds."""

BLOCK_BYTES_MAX: Final = 8 << 20
"""Plain frames in one block that is not sealed yet: they are held in memory."""

BLOCK_AGE_US_MAX: Final = 3_600 * 1_000_000
"""A block is sealed after an hour: times in it are offsets of 32 bits, and journals stay short."""

SEGMENT_BYTES_MAX: Final = 64 << 20
"""A segment that reached this is closed: an erasure rewrites one, retention removes one."""

SEGMENT_AGE_US_MAX: Final = 3 * 3_600 * 1_000_000
"""A segment is closed after three hours: retention by age removes whole segments."""

NAMES_BYTES_MAX: Final = 4 << 20
"""The tables of one block: thousands of collections, and a mention in every event."""

JOURNAL_BYTES_MAX: Final = 64 << 20
"""A journal that grew longer is begun anew: it holds one block, and what moved the position."""

BLOCKS_OPEN_MAX: Final = 64
"""Blocks whose tables are kept decoded: what fifty readers in different places look at."""

BLOCKS_PASSED_MAX: Final = 64
"""Blocks that one pull may look through without a match: about a millisecond of the loop."""

ACTORS_KNOWN_MAX: Final = 65_536
"""DIDs whose hash and form are remembered while encoding: some 10 MB."""

FILTER_BLOOM_DIDS_MAX: Final = 64
"""With more DIDs in a filter a block's Bloom filter is hardly ever empty of them."""

MEMO_MESSAGES_MAX: Final = 4_096
"""Messages of the newest block that are kept in derived forms, for readers at the tip to share."""

MATCHERS_MAX: Final = 4_096
"""Filters that are kept prepared: equal ones of many subscribers share one."""
