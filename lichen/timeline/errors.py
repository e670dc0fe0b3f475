"""What the timelines raise.

    Refused
    ├── TimelineRefused      400  a value is not what the timelines take
    └── TimelineTooNew       400  a newer Lichen wrote this checkpoint
    Unavailable
    └── TimelineUnavailable  the disk is full or failing
"""

from lichen.kit import Refused, Unavailable


class TimelineRefused(Refused):
    """A value is not what the timelines take; the text says what is."""

    def __init__(self, text: str) -> None:
        super().__init__("timeline_refused", text)


class TimelineTooNew(Refused):
    """A newer Lichen wrote this checkpoint; this one must not replace it."""

    def __init__(self, path: str, *, reader: int, supported: int) -> None:
        super().__init__("timeline_too_new", f"{path} needs a reader of version {reader}, this "
                         f"Lichen has {supported}; run the newer Lichen.")


class TimelineUnavailable(Unavailable):
    """The disk is full or failing: nothing was replaced, the old checkpoint stands."""
