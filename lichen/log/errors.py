"""What the log raises.

    Refused
    ├── LogLocked       another process appends to this log; names its pid
    │   └── LogFenced   another one took the log over while this one was appending to it
    ├── ServerRefused   a server of NATS promises less than a log needs; says what to set
    ├── LogTooNew       a newer Lichen wrote this folder
    ├── LogTrimmed      the sequence asked for is below what retention kept; names the floor
    └── PayloadRefused  a payload is empty, too large or has a raw newline
    Unavailable
    ├── LogUnavailable  the disk is full or failing, or the log is closed: nothing was appended
    └── LogDamaged      these sequences cannot be read; erase them to let readers pass
"""

from lichen.kit import Refused, Unavailable


class LogLocked(Refused):
    """Another process appends to this log."""

    status = 409

    def __init__(self, folder: str, pid: str) -> None:
        super().__init__("log_locked", f"{folder} is in use by process {pid}; stop that one first.")
        self.pid = pid


class LogFenced(LogLocked):
    """Another appender wrote to the stream: this one has lost it and appends no more."""

    def __init__(self, text: str) -> None:
        Refused.__init__(self, "log_fenced", text)
        self.pid = ""


class ServerRefused(Refused):
    """The server, or the stream on it, promises less than a log needs."""

    status = 409

    def __init__(self, text: str) -> None:
        super().__init__("log_server_refused", text)


class LogTooNew(Refused):
    """A newer Lichen wrote this file; this one must not touch it."""

    def __init__(self, file: str, *, reader: int, supported: int) -> None:
        super().__init__("log_too_new", f"{file} needs a reader of version {reader}, this Lichen "
                         f"has {supported}; run the newer Lichen, or its `lichen downgrade`.")


class LogTrimmed(Refused):
    """The sequence asked for is below what retention kept.

    `floor_seq` is the lowest sequence that can be read.
    """

    status = 410

    def __init__(self, from_seq: int, *, floor_seq: int) -> None:
        super().__init__("cursor_too_old", f"Sequence {from_seq} is no longer kept, the log starts "
                         f"at {floor_seq}; rebuild from the rows, then follow from there.")
        self.floor_seq = floor_seq


class PayloadRefused(Refused):
    """A payload, or a whole append, is not what the log takes."""

    def __init__(self, text: str) -> None:
        super().__init__("payload_refused", text)


class LogUnavailable(Unavailable):
    """The disk is full or failing, or the log is closed.

    Nothing of the append can be read. Reads go on. A retry succeeds once the disk is well again.
    """


class LogDamaged(Unavailable):
    """The sequences `first_seq` to `last_seq` cannot be read.

    Damage is the disk's fault, hence Unavailable, but a retry heals nothing: readers stop here
    until somebody restores a backup, rebuilds them from rows past it, or erases these sequences,
    which turns the damage into a plain hole. `quarantined` says that the bytes are kept aside.
    """

    def __init__(self, first_seq: int, last_seq: int, *, quarantined: bool) -> None:
        place = "kept aside" if quarantined else "not yet kept aside"
        super().__init__(f"Sequences {first_seq} to {last_seq} of the log are damaged ({place}); "
                         "restore a backup, or rebuild the readers and erase these sequences.",
                         retry_after_s=60.0)
        self.first_seq = first_seq
        self.last_seq = last_seq
        self.quarantined = quarantined
