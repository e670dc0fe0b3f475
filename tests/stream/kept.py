"""What a store holds, read back in each of its stored forms."""

from collections.abc import Iterator
from typing import Any

import msgspec

from lichen.stream import EVERYTHING, Form, Store, pull


def kept(store: Store, form: Form | None = None) -> list[dict[str, Any]]:
    """Return every event that a store gives, as a subscriber would read it."""
    return [msgspec.json.decode(message) for message in messages(store, form or Form())]


def messages(store: Store, form: Form) -> Iterator[bytes]:
    """Yield the JSON of every event, unpacked."""
    seq = store.first_seq
    unpack = store.dictionaries.decompressor(form.dictionary).decompress if form.dictionary else bytes
    while seq < store.next_seq:
        pulled = pull(store, seq, EVERYTHING, form)
        if pulled.next_seq == seq:
            return
        yield from map(unpack, _frames(bytes(pulled.data)))
        seq = pulled.next_seq


def forms(store: Store) -> dict[str, bytes]:
    """Return everything that a store gives, by the name of the form."""
    return {
        "plain": b"\n".join(messages(store, Form())),
        "compressed": b"\n".join(messages(store, Form(dictionary=store.v1_dictionary))),
    }


def _frames(data: bytes) -> Iterator[bytes]:
    """Yield the payloads of WebSocket frames."""
    at = 0
    while at < len(data):
        # RFC 6455 §5.2: 7 bits of length, or 126 and 16 bits, or 127 and 64 bits.
        size, width = data[at + 1], {126: 2, 127: 8}.get(data[at + 1], 0)
        if width:
            size = int.from_bytes(data[at + 2:at + 2 + width])
        start = at + 2 + width
        yield data[start:start + size]
        at = start + size
