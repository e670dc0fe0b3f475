"""What the stream's server counts: plain numbers, since each event is counted somewhere."""

from collections import Counter


class Counts:
    """Everything counted since the start; `metrics.py` shows it."""

    def __init__(self) -> None:
        self.events_sent = 0
        self.bytes_sent = 0
        self.events_filtered = 0
        self.hot_reads = 0
        self.cold_reads = 0
        self.adversarial_drops = 0
        self.clean_disconnects = 0
        self.options_updates = 0
        self.read_errors = 0
        self.connections = 0
        self.refused_connects = 0
        self.rounds = 0
        self.round_s = 0.0
        self.resolve_s: list[int] = [0] * 8  # by bucket, see metrics.RESOLVE_BUCKETS_S
        self.resolve_s_total = 0.0
        self.option_errors: Counter[str] = Counter()
        self.cursor_requests: Counter[str] = Counter()
        self.subprotocols: Counter[str] = Counter()
