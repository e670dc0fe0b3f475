"""The page of lag and rates: how the stream is, for people as HTML and for programs as JSON.

It shows kinds of subscribers and never who they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape

import msgspec

from lichen.kit import isoformat
from lichen.stream.serving.subscriber import Subscriber
from lichen.stream.serving.subscribers import Subscribers


class Readers(msgspec.Struct, frozen=True):
    """Subscribers of one kind at one pace."""

    kind: str
    pace: str
    subscribers: int
    lag_max: int  # sequences


class Standing(msgspec.Struct, frozen=True):
    """One source: what is kept, and who reads it."""

    source: str
    floor: int
    tip: int
    events: int
    plain_bytes: int
    compressed_bytes: int
    index_bytes: int
    oldest: str
    newest: str
    readers: tuple[Readers, ...]


class Rates(msgspec.Struct, frozen=True):
    """What happens in a second, as measured over the last ones."""

    appended: float
    sent: float
    sent_bytes: float


class Overview(msgspec.Struct, frozen=True):
    """Everything on the page."""

    subscribers: int
    rates: Rates
    sources: tuple[Standing, ...]


def standing_of(source: str, hub: Subscribers) -> Standing:
    """Return how a source stands."""
    store, sizes = hub.store, hub.store.sizes()
    tip = store.next_seq - 1
    return Standing(
        source=source or "default", floor=store.first_seq, tip=tip, events=sizes.events,
        plain_bytes=sizes.plain_bytes, compressed_bytes=sizes.compressed_bytes,
        index_bytes=sizes.index_bytes,
        oldest=isoformat(sizes.oldest_us) if sizes.events else "",
        newest=isoformat(sizes.newest_us) if sizes.events else "",
        readers=_readers(hub.everybody, tip + 1),
    )


def _readers(everybody: Iterable[Subscriber], next_seq: int) -> tuple[Readers, ...]:
    lags: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in everybody:
        lags[(one.kind, one.pace.value)].append(max(0, next_seq - one.seq_reached))
    return tuple([Readers(kind, pace, len(found), max(found))
                  for (kind, pace), found in sorted(lags.items())])


def page_of(overview: Overview) -> bytes:
    """Return the page as HTML without scripts; it asks for itself again after ten seconds."""
    rates = overview.rates
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=10>"
        "<meta name=viewport content='width=device-width'><title>The stream</title>"
        "<style>body{font:1rem/1.5 system-ui;margin:2rem;max-width:60rem}"
        "td,th{padding:.1rem 1rem .1rem 0;text-align:right}"
        "td:first-child,th:first-child{text-align:left}</style><h1>The stream</h1>",
        f"<p>{overview.subscribers} subscribers; {rates.appended:,.1f} events a second come in, "
        f"{rates.sent:,.1f} go out ({rates.sent_bytes / 1e6:,.2f} MB).",
        *(_section(one) for one in overview.sources),
    ]
    return "".join(parts).encode()


def _section(one: Standing) -> str:
    kept: Sequence[tuple[str, str]] = [
        ("floor", f"{one.floor}"), ("tip", f"{one.tip}"), ("events", f"{one.events:,}"),
        ("plain", f"{one.plain_bytes / 1e6:,.1f} MB"),
        ("compressed", f"{one.compressed_bytes / 1e6:,.1f} MB"),
        ("index", f"{one.index_bytes / 1e6:,.1f} MB"),
        ("oldest", one.oldest or "none"), ("newest", one.newest or "none"),
    ]
    rows = "".join(f"<tr><th>{name}<td>{value}" for name, value in kept)
    readers = "".join(
        f"<tr><td>{escape(reader.kind)}<td>{reader.pace}<td>{reader.subscribers}"
        f"<td>{reader.lag_max:,}" for reader in one.readers)
    return (f"<h2>{escape(one.source)}</h2><table>{rows}</table>"
            f"<table><tr><th>readers<th>pace<th>number<th>largest lag{readers}</table>")
