"""The log: what happened, written once, durably, and followed by every reader.

An engine of its own: it keeps lines of JSON in order and knows nothing of forums or events. `Log`
is the contract, `SegmentLog` the engine that keeps segment files, `Followers` drives the readers.
"""

from lichen.log.contract import Appended, Batch, Entry, Log
from lichen.log.engine import SegmentLog
from lichen.log.errors import (
    LogDamaged,
    LogLocked,
    LogTooNew,
    LogTrimmed,
    LogUnavailable,
    PayloadRefused,
)
from lichen.log.file_system import FileSystem
from lichen.log.following import Followers, Reader, ReaderState
from lichen.log.opening import OpeningReport
from lichen.log.salvage import Damage, TornTail
from lichen.log.tail import tail_of
from lichen.log.writing import Options

__all__ = [
    "Appended", "Batch", "Damage", "Entry", "FileSystem", "Followers", "Log", "LogDamaged",
    "LogLocked", "LogTooNew", "LogTrimmed", "LogUnavailable", "OpeningReport", "Options",
    "PayloadRefused", "Reader", "ReaderState", "SegmentLog", "TornTail", "tail_of",
]
