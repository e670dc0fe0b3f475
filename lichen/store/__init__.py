"""The store: what is, as rows; SQLite or PostgreSQL behind one interface.

Rooms declare tables on `metadata` and statements as `Statement`, and reach rows through a `Unit`
that the `Store` hands to queries and commands. The `Relay` carries committed events to the log.
"""

from lichen.store.opening import open_store
from lichen.store.relay import Relay
from lichen.store.sqlite import SqliteStore
from lichen.store.statement import Parameters, Row, Statement, any_of, metadata, upsert
from lichen.store.store import Store
from lichen.store.unit import (
    Query,
    Unit,
    advance_checkpoint,
    checkpoint_of,
    next_number,
    set_stamp,
    stamp_of,
)

__all__ = [
    "Parameters", "Query", "Relay", "Row", "SqliteStore", "Statement", "Store",
    "Unit", "advance_checkpoint", "any_of", "checkpoint_of", "metadata", "next_number",
    "open_store", "set_stamp", "stamp_of", "upsert",
]
