"""What the stream's store raises.

    Refused
    ├── ArrivalRefused     an event is not what the stream takes
    └── StreamTooNew       a newer Lichen wrote this folder
    Unavailable
    └── StreamUnavailable  the disk is full or failing, or the store is closed: nothing was stored
"""

from lichen.kit import Refused, Unavailable


class ArrivalRefused(Refused):
    """An event, or a whole append, is not what the stream takes."""

    def __init__(self, text: str) -> None:
        super().__init__("arrival_refused", text)


class StreamTooNew(Refused):
    """A newer Lichen wrote this file; this one must not touch it."""

    def __init__(self, file: str, *, reader: int, supported: int) -> None:
        super().__init__("stream_too_new", f"{file} needs a reader of version {reader}, this "
                         f"Lichen has {supported}; run the newer Lichen.")


class StreamUnavailable(Unavailable):
    """The disk is full or failing, or the store is closed.

    Nothing of the append can be read. Reads go on. A retry succeeds once the disk is well again.
    """
