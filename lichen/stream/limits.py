"""The limits of the stream: every size, count and age that bounds it, with its reason."""

from typing import Final

CHUNK_BYTES_MAX: Final = 65_536
"""What one write to a subscriber holds: 64 kB writes were measured faster than 1 MB ones."""

EVENT_BYTES_MAX: Final = 2 << 20
"""The JSON of one event: AT Protocol allows 1 MiB of record as CBOR."""

APPEND_EVENTS_MAX: Final = 10_000
"""Events in one append: what is encoded in some tens of milliseconds."""

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
