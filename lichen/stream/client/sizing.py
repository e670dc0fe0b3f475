"""What is kept and what an event of it takes, in lines for people."""

from lichen.stream.engine import Sizes
from lichen.stream.predicting import DAY_US, size_told

HOUR_US = 3_600 * 1_000_000


def told_sizes(sizes: Sizes) -> list[str]:
    """Return what is kept, for people."""
    if not sizes.events:
        return ["Nothing is kept yet."]
    total = total_bytes(sizes)
    hours = (sizes.newest_us - sizes.oldest_us) / HOUR_US
    ratio = sizes.compressed_bytes / sizes.plain_bytes
    return [
        f"{sizes.events:,} events of {hours:,.1f} hours take {size_told(total)}:",
        f"  plain       {size_told(sizes.plain_bytes):>10}  "
        f"{sizes.plain_bytes / sizes.events:,.0f} bytes an event, as it is sent",
        f"  compressed  {size_told(sizes.compressed_bytes):>10}  "
        f"{sizes.compressed_bytes / sizes.events:,.0f} bytes an event, {ratio:.2f} of plain",
        f"  index       {size_told(sizes.index_bytes):>10}  "
        f"{sizes.index_bytes / sizes.events:,.1f} bytes an event",
    ]


def total_bytes(sizes: Sizes) -> int:
    """Return what all of it takes: both forms as they are sent, and the side index."""
    return sizes.plain_bytes + sizes.compressed_bytes + sizes.index_bytes


def at_rate(sizes: Sizes, events_per_s: float) -> Sizes:
    """Return the same events as if they had come within a day at another rate, to predict from."""
    a_day = round(events_per_s * DAY_US / 1_000_000)
    share = a_day / sizes.events
    return Sizes(
        a_day, round(sizes.plain_bytes * share), round(sizes.compressed_bytes * share),
        round(sizes.index_bytes * share), 0, DAY_US)
