"""Reading a store to its end, with what every single pull promises asserted on the way."""

from typing import NamedTuple

from lichen.stream import Filter, Form, Store, pull
from tests.stream.histories import TwoDictionaries
from tests.stream.oracle import messages_in


class Read(NamedTuple):
    """What a reader got, and where it stands."""

    messages: list[bytes]
    next_seq: int
    scanned: int


def read_all(store: Store, from_seq: int, wanted: Filter, form: Form, *,
             bytes_max: int = 65_536) -> Read:
    """Pull until nothing new comes; every call progresses and keeps its bounds."""
    found: list[bytes] = []
    seq, scanned = from_seq, 0
    while seq < store.next_seq:
        pulled = pull(store, seq, wanted, form, bytes_max=bytes_max)
        assert pulled.next_seq > seq
        messages = messages_in(bytes(pulled.data), form, TwoDictionaries())
        assert len(messages) == pulled.events
        assert len(pulled.data) <= bytes_max or len(messages) == 1
        found += messages
        seq, scanned = pulled.next_seq, scanned + pulled.scanned
    assert pull(store, seq, wanted, form) == (b"", 0, seq, 0)
    return Read(found, seq, scanned)
