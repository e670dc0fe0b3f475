"""The numbers for Prometheus, under the names that Jetstream's dashboards know.

The registry is our own and its library is imported at the first scrape: a server that nobody
watches does not pay for it.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from lichen.stream.serving.counts import Counts
from lichen.stream.serving.subscriber import Subscriber

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PREFIX: Final = "jetstream_subscribe_"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
RESOLVE_BUCKETS_S: Final = (0.0001, 0.0004, 0.0016, 0.0064, 0.0256, 0.1024, 0.4096)

_COUNTERS: Final = {
    "events_sent": "Events written to subscribers.",
    "bytes_sent": "Bytes of events written to subscribers.",
    "events_filtered": "Events that a subscriber's filter left out.",
    "options_updates": "Filters replaced by options_update.",
    "hot_reads": "Deliveries to live subscribers, out of a round.",
    "cold_reads": "Chunks pulled by subscribers that were behind.",
    "adversarial_drops": "Subscribers dropped: far behind, and hardly moving.",
    "clean_disconnects": "Subscribers that went, or were closed, in order.",
    "read_errors": "Reads of the store that failed.",
    "rounds": "Live rounds.",
    "round_s": "Seconds spent in live rounds.",
    "refused_connects": "Connects refused by a limit.",
}
_LABELLED: Final = {
    "option_errors": ("options_update_errors", "reason", "Messages of subscribers refused."),
    "cursor_requests": ("cursor_requests", "mode", "Subscribers by how their cursor was read."),
    "subprotocols": ("subprotocol_negotiations", "result", "Second-wire subscribers."),
}


def observe_resolve(counts: Counts, seconds: float) -> None:
    """Count how long it took to read a subscriber's terms, its cursor above all."""
    counts.resolve_s[bisect_left(RESOLVE_BUCKETS_S, seconds)] += 1
    counts.resolve_s_total += seconds


def exposition(counts: Counts, subscribers: Sequence[Subscriber],
               gauges: Callable[[], Iterable[tuple[str, str, float]]]) -> bytes:
    """Return everything in Prometheus' text format.

    `gauges` are further numbers: name, help, value.
    """
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    class Stream(Collector):
        """One look at the counts."""

        def collect(self) -> "Iterable[Metric]":
            return _families(counts, subscribers, gauges())

    registry = CollectorRegistry()
    registry.register(Stream())
    return generate_latest(registry)


def _families(counts: Counts, subscribers: Sequence[Subscriber],
              gauges: Iterable[tuple[str, str, float]]) -> "Iterable[Metric]":
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    now = GaugeMetricFamily(f"{PREFIX}subscribers", "Open subscribers.", labels=["compression"])
    words = Counter("dictionary" if one.form.dictionary else "none" for one in subscribers)
    for word in ("none", "dictionary"):
        now.add_metric([word], words[word])
    yield now
    for name, text in _COUNTERS.items():
        yield CounterMetricFamily(PREFIX + name, text, value=getattr(counts, name))
    for field, (name, label, text) in _LABELLED.items():
        family = CounterMetricFamily(PREFIX + name, text, labels=[label])
        for word, count in sorted(getattr(counts, field).items()):
            family.add_metric([word], count)
        yield family
    total, buckets = 0, []
    for bound, count in zip((*RESOLVE_BUCKETS_S, "+Inf"), counts.resolve_s, strict=True):
        total += count
        buckets.append((str(bound), total))
    yield HistogramMetricFamily(f"{PREFIX}cursor_resolve_seconds", "Reading of terms and cursors.",
                                buckets=buckets, sum_value=counts.resolve_s_total)
    for name, text, value in gauges:
        yield GaugeMetricFamily(name, text, value=value)
