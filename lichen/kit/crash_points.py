"""Crash points: named places where a test may kill the process, at every durable boundary.

`crash_point(name)` does nothing, unless the environment variable LICHEN_CRASH_AT names the point:
then the process dies there by SIGKILL, as in a power cut that spares the page cache.
`LICHEN_CRASH_AT=log.after_write:3` dies at the third hit. The table in docs/crash_points.md lists
the same names; a test compares the two.
"""

import itertools
import os
import signal
from typing import NamedTuple

VARIABLE = "LICHEN_CRASH_AT"


class CrashPoint(NamedTuple):
    """A place to die at: its name, and what holds at that moment."""

    name: str
    meaning: str


CRASH_POINTS = (
    CrashPoint("log.before_write", "A batch was given its sequences; nothing of it is written."),
    CrashPoint("log.after_write", "A batch is written, but not yet synced to the disk."),
    CrashPoint("log.after_sync", "A batch is durable, but its callers were not told yet."),
    CrashPoint("log.before_swap", "A rewritten segment is durable under its temporary name."),
    CrashPoint("log.after_swap", "A rewritten segment has its name; the folder is not synced."),
    CrashPoint("log.before_roll", "A new segment is durable under its temporary name."),
    CrashPoint("log.after_roll", "A new segment has its name and is durable, but still empty."),
    CrashPoint("log.during_trim", "An old segment was removed; the folder is not synced."),
    CrashPoint("store.before_commit",
               "A command's statements were executed; nothing is committed."),
    CrashPoint("store.after_commit",
               "A command is committed with its events; its caller was not told yet."),
    CrashPoint("relay.before_append",
               "Committed events were read from the outbox; the log has none of them."),
    CrashPoint("relay.after_append", "The log has the events; the outbox still has them too."),
    CrashPoint("relay.after_delete", "The events are in the log, and no longer in the outbox."),
    CrashPoint("columns.before_checkpoint",
               "The columns are on the disk, but their checkpoint is still the old one."),
    CrashPoint("columns.before_swap", "A new, empty column file has only its temporary name."),
    CrashPoint("columns.during_build", "New column files have their names, but hold no rows yet."),
    CrashPoint("migration.before_commit", "The tables were changed; nothing is committed."),
    CrashPoint("migration.after_commit", "The tables are changed; nothing serves yet."),
    CrashPoint("backup.before_rename", "A backup is whole, but still called unfinished."),
    CrashPoint("restore.before_rows", "The log is restored; the rows are not."),
    CrashPoint("restore.before_finish",
               "Rows and log are restored; the folder is still marked as unfinished."),
    CrashPoint("inbox.before_append", "An activity was believed; it is not in the log `inbox`."),
    CrashPoint("inbox.after_append",
               "An activity is durable in `inbox`; its peer was not answered."),
    CrashPoint("ingest.decided",
               "A batch of `inbox` was decided and staged; nothing is committed."),
    CrashPoint("ingest.after_commit",
               "A batch is applied with its checkpoint; the door was not told."),
    CrashPoint("parked.before_release", "What activities waited for is there; they still wait."),
    CrashPoint("parked.after_release", "What waited is applied, its rows gone with it."),
    CrashPoint("composing.before_append",
               "Events were made into activities; `outgoing` has none of them."),
    CrashPoint("composing.after_append",
               "Activities are durable in `outgoing`; the checkpoint is before them."),
    CrashPoint("composing.after_checkpoint",
               "Activities are in `outgoing`, and the checkpoint is behind them."),
    CrashPoint("sending.delivered", "A peer took an activity; where it stands was not noted."),
    CrashPoint("sending.before_note", "Where the peers stand is to be written."),
    CrashPoint("sending.after_note", "Where the peers stand is written."),
    CrashPoint("peers.before_flush", "What was noted of peers is to be written."),
    CrashPoint("peers.after_flush", "What was noted of peers is written."),
    CrashPoint("stream.before_write", "Events are encoded for the stream; nothing is written."),
    CrashPoint("stream.after_write", "Events are in the stream's journal, but not yet synced."),
    CrashPoint("stream.after_sync", "Events are durable in the journal; no reader was told."),
    CrashPoint("stream.before_seal", "A block is full; it stands in the journals alone."),
    CrashPoint("stream.after_seal", "A block is in a segment, and in the journals still."),
    CrashPoint("stream.before_swap", "A segment is durable under its temporary name."),
    CrashPoint("stream.after_swap", "A segment has its name; the folder is not synced."),
    CrashPoint("stream.during_trim", "An old segment was removed; the folder is not synced."),
    CrashPoint("graph.after_commit", "Changes are in the graph's journal; nobody sees them."),
    CrashPoint("graph.before_swap", "A new base is durable; the old one is the current one."),
    CrashPoint("graph.after_swap", "The new base is the current one; the old one is there too."),
    CrashPoint("timeline.before_swap",
               "A checkpoint of the timelines is durable under its temporary name."),
    CrashPoint("timeline.after_swap",
               "A checkpoint of the timelines has its name; the folder is not synced."),
)

_NAMES = frozenset(point.name for point in CRASH_POINTS)
# Hits of the one point that the environment names: dying needs no state that anybody reads later.
_hits = itertools.count(1)


def crash_point(name: str) -> None:
    """Die here by SIGKILL when the environment says so; one look-up otherwise."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    assert name in _NAMES, f"crash point {name} is not registered"
    wanted_name, _, number = wanted.partition(":")
    if wanted_name == name and next(_hits) == int(number or 1):
        os.kill(os.getpid(), signal.SIGKILL)
