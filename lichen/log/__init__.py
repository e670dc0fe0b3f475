"""The log: what happened, written once, durably, and followed by every reader.

An engine of its own: it keeps lines of JSON in order and knows nothing of forums or events. `Log`
is the contract, `SegmentLog` the engine that keeps segment files, `JetStreamLog` the one on NATS;
`Followers` drives the readers.
"""

from lichen.log.contract import Appended, Batch, Entry, Log
from lichen.log.engine import SegmentLog
from lichen.log.errors import (
    LogDamaged,
    LogFenced,
    LogLocked,
    LogTooNew,
    LogTrimmed,
    LogUnavailable,
    PayloadRefused,
    ServerRefused,
)
from lichen.log.file_system import FileSystem, Part, read_whole, write_new, write_whole
from lichen.log.following import Followers, Reader, ReaderState
from lichen.log.jetstream import JetStreamLog, JetStreamOptions
from lichen.log.opening import OpeningReport, lock_folder, sweep, temporary_path
from lichen.log.salvage import Damage, TornTail
from lichen.log.tail import tail_of
from lichen.log.writing import Options

__all__ = [
    "Appended", "Batch", "Damage", "Entry", "FileSystem", "Followers", "JetStreamLog",
    "JetStreamOptions", "Log", "LogDamaged", "LogFenced", "LogLocked", "LogTooNew", "LogTrimmed",
    "LogUnavailable", "OpeningReport", "Options", "Part", "PayloadRefused", "Reader",
    "ReaderState", "SegmentLog", "ServerRefused", "TornTail", "lock_folder", "read_whole", "sweep",
    "tail_of", "temporary_path", "write_new", "write_whole",
]
