"""How much disk the stream takes, and which of its two limits cuts first: pure functions.

What is kept now says how much a day takes; the settings say how long and how much may be kept. From
both follows what the page and the command say, in words that need no table.
"""

from typing import Final, NamedTuple, Protocol

DAY_US: Final = 86_400 * 1_000_000
_HOUR_US: Final = 3_600 * 1_000_000
# A quarter of an hour of a day says little about the day; below it nothing is predicted.
_SPAN_US_MIN: Final = 15 * 60 * 1_000_000


class Kept(Protocol):
    """What is kept now: `Store.sizes()` is one."""

    @property
    def events(self) -> int:
        """How many events."""

    @property
    def plain_bytes(self) -> int:
        """Their plain frames."""

    @property
    def compressed_bytes(self) -> int:
        """Their compressed frames."""

    @property
    def index_bytes(self) -> int:
        """Their side index, names and filters."""

    @property
    def oldest_us(self) -> int:
        """The time of the first."""

    @property
    def newest_us(self) -> int:
        """The time of the last."""


class Prediction(NamedTuple):
    """What the disk will hold if it goes on like this; all zero while too little is known."""

    events_per_day: int = 0
    bytes_per_day: int = 0
    bytes_at_most: int = 0  # on the disk once the limits cut
    kept_us: int = 0  # how far back one can read then
    cut_by_bytes: bool = False  # before the limit of age
    cut_in_us: int = 0  # from now until the first is cut; 0 when that is so already

    @property
    def is_known(self) -> bool:
        """Say whether enough is kept to predict from."""
        return self.bytes_per_day > 0


def predict(kept: Kept, *, age_us_max: int, bytes_max: int) -> Prediction:
    """Return what follows from what is kept and from the two limits."""
    span_us = kept.newest_us - kept.oldest_us
    size = kept.plain_bytes + kept.compressed_bytes + kept.index_bytes
    if span_us < _SPAN_US_MIN or size == 0:
        return Prediction()
    full_us = bytes_max * span_us // size  # what the limit of bytes has room for
    kept_us = min(full_us, age_us_max)
    return Prediction(
        events_per_day=kept.events * DAY_US // span_us,
        bytes_per_day=size * DAY_US // span_us,
        bytes_at_most=size * kept_us // span_us, kept_us=kept_us,
        cut_by_bytes=full_us < age_us_max, cut_in_us=max(0, kept_us - span_us),
    )


def told(prediction: Prediction, *, age_us_max: int, bytes_max: int) -> str:
    """Return the prediction as sentences, for the page and the command."""
    if not prediction.is_known:
        return "Too little is kept yet to say how much a day takes; look again in a quarter hour."
    day = (f"A day takes {size_told(prediction.bytes_per_day)} "
           f"({prediction.events_per_day:,} events).")
    when = f" in {span_told(prediction.cut_in_us)}" if prediction.cut_in_us else " now"
    if prediction.cut_by_bytes:
        return (f"{day} The limit of {size_told(bytes_max)} cuts{when} and keeps "
                f"{span_told(prediction.kept_us)}, less than the {span_told(age_us_max)} of the "
                f"limit of age: {size_told(needed_bytes(prediction, age_us_max))} would keep all.")
    return (f"{day} The limit of age cuts{when} and keeps {span_told(prediction.kept_us)} in "
            f"{size_told(prediction.bytes_at_most)} of the {size_told(bytes_max)} allowed.")


def needed_bytes(prediction: Prediction, age_us: int) -> int:
    """Return the bytes that so much time takes."""
    return -(-prediction.bytes_per_day * age_us // DAY_US)


def size_told(size: int) -> str:
    """Return bytes as people say them, in powers of ten, as disks are sold: 1.5 GB."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        # From half a unit's last digit on, so that 999,960 is not told as 1,000.0 kB.
        if size >= unit - unit // 20_000:
            return f"{size / unit:,.1f} {name}"
    return f"{size} bytes"


def span_told(span_us: int) -> str:
    """Return a span as people say it, in minutes, hours or days."""
    if span_us < 2 * _HOUR_US:
        return f"{round(span_us / 60_000_000)} min"
    if span_us < 3 * DAY_US:
        return f"{round(span_us / _HOUR_US)} h"
    return f"{round(span_us / DAY_US)} days"
