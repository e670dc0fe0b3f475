"""The stream: everything public, stored the way it is sent, for whoever wants to read it.

An engine of its own: it keeps events with a side index and knows nothing of forums. `Store` is one
folder of them, `pull` the one step of every reader.
"""

from lichen.stream.dictionary import Dictionaries
from lichen.stream.encoding import portions
from lichen.stream.engine import Appended, BlockPlace, Sizes, Store
from lichen.stream.errors import ArrivalRefused, StreamTooNew, StreamUnavailable
from lichen.stream.model import EVERYTHING, Arrival, Filter, Form, Kind, Operation, Wire
from lichen.stream.pulling import Pulled, pull
from lichen.stream.recent import newest
from lichen.stream.writing import Options

__all__ = [
    "EVERYTHING", "Appended", "Arrival", "ArrivalRefused", "BlockPlace", "Dictionaries", "Filter",
    "Form", "Kind", "Operation", "Options", "Pulled", "Sizes", "Store", "StreamTooNew",
    "StreamUnavailable", "Wire", "newest", "portions", "pull",
]
