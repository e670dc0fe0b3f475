"""Every bench, one after the other, each in a process of its own, then one table: `make bench`.

The table holds what the house promises beside what this machine has just shown.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent


class Promise(NamedTuple):
    """One line of the table: where its figure is kept, and what it has to be."""

    what: str
    bench: str
    figure: str
    wanted: float
    unit: str
    is_least: bool = True


PROMISES = (
    Promise("durable append, against SQLite WAL FULL", "log", "append_ratio_to_sqlite", 2.5, "x"),
    Promise("append commit p99", "log", "append_commit_p99_ms", 10, "ms", is_least=False),
    Promise("reading the log back", "log", "read_events_per_s", 900_000, "/s"),
    Promise("post list, strangers", "http", "list_anonymous_per_s", 2_000, "/s"),
    Promise("  p99 at half that rate", "http", "list_anonymous_p99_ms", 40, "ms", is_least=False),
    Promise("post list, logged in", "http", "list_logged_in_per_s", 500, "/s"),
    Promise("  p99 at half that rate", "http", "list_logged_in_p99_ms", 40, "ms", is_least=False),
    Promise("post page, 500 comments, p50", "http", "thread_page_p50_ms", 25, "ms",
            is_least=False),
    Promise("comments written, 32 clients", "http", "comments_per_s", 300, "/s"),
    Promise("200 rules for a new comment", "automod", "live_p50_ms", 2, "ms", is_least=False),
    Promise("a rule on 100,000 past comments", "automod", "trial_s_max", 10, "s", is_least=False),
    Promise("ready, large data", "http", "ready_s", 3, "s", is_least=False),
    Promise("moderation queue, 5,000 waiting", "moderation", "queue_page_p50_ms", 30, "ms",
            is_least=False),
    Promise("idle memory, empty data", "start", "idle_rss_anon_mb", 150, "MB", is_least=False),
    Promise("round trips: post list", "trips", "long_list_trips", 3, "", is_least=False),
    Promise("round trips: post, comments", "trips", "long_post_trips", 4, "", is_least=False),
    Promise("round trips: one vote", "trips", "one_vote_trips", 2, "", is_least=False),
    Promise("upload of 12 megapixels, one core", "media", "upload_s", 1.5, "s", is_least=False),
    Promise("  the loop blocked for", "media", "loop_blocked_ms", 10, "ms", is_least=False),
    Promise("hostile picture refused", "media", "hostile_worst_s", 1, "s", is_least=False),
    Promise("  memory of its child", "media", "child_peak_mb", 512, "MB", is_least=False),
    Promise("front page, 50 ms from its rows", "trips", "front_page_ms", 250, "ms",
            is_least=False),
    Promise("stream: replay, all events", "stream", "replay_per_s", 2e6, "/s"),
    Promise("  against websockets' send", "stream", "replay_discarded_ratio_to_websockets", 30,
            "x"),
    Promise("  compressed", "stream", "replay_compressed_per_s", 2e6, "/s"),
    Promise("  scanned, 1 in 100 wanted", "stream", "filter_one_in_100_scanned_per_s", 5e6, "/s"),
    Promise("  scanned, one actor of 10,000", "stream", "filter_one_actor_scanned_per_s", 2e7,
            "/s"),
    Promise("  10 readers, against one", "stream", "readers_10_ratio_to_1", 0.8, "x"),
    Promise("  50 readers, against one", "stream", "readers_50_ratio_to_1", 0.8, "x"),
    Promise("  12 consumers at 15,000/s", "stream", "rate_12_consumers_cores", 0.5, " cores",
            is_least=False),
    Promise("stream: 2,000 live, p99", "stream_live", "everything_p99_ms_worst", 250, "ms",
            is_least=False),
    Promise("  memory of each", "stream_live", "memory_kb_a_subscriber", 64, "kB",
            is_least=False),
    Promise("  durable to visible, p99", "stream_live", "alone_p99_ms", 20, "ms", is_least=False),
    Promise("stream alone, 100 subscribers", "stream_memory", "with_subscribers_mb", 96, "MB",
            is_least=False),
    Promise("frames to stored events, one core", "stream_upstream", "stored_frames_core_s", 20_000,
            "/s"),
    Promise("our dictionary, of plain JSON", "stream_sizes", "v1_ratio", 0.4, "",
            is_least=False),
    Promise("a day of the surge, both forms", "stream_day", "both_gb_by_frames", 60, "GB",
            is_least=False),
    Promise("  compressed alone", "stream_day", "packed_gb_by_frames", 18, "GB", is_least=False),
    Promise("posts only, of relay frames", "stream_day", "posts_to_frames_percent", 1, "%",
            is_least=False),
    Promise("a post reaches a subscriber, p99", "stream_post", "post_to_subscriber_p99_ms", 100,
            "ms", is_least=False),
    Promise("who follows whom, against an empty answer", "graph", "does_follow_to_health", 0.7,
            "x"),
    Promise("who follows whom, in batches", "graph", "batch_look_ups_per_s", 1_000_000, "/s"),
    Promise("follows, durable", "graph", "follows_durable_per_s", 50_000, "/s"),
)


def main() -> int:
    """Run every module here that is a command; return how many failed."""
    failed = 0
    for path in sorted(FOLDER.glob("[a-z]*.py")):
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8"):
            print(f"── bench.{path.stem} ──", flush=True)
            run = subprocess.run([sys.executable, "-m", f"bench.{path.stem}"], check=False)
            failed += run.returncode != 0
    tell()
    return failed


def tell() -> None:
    """Print the table of the promises, each with the last figure that was kept."""
    print(f"\n{'what':42} {'wanted':>20} {'found':>12}")
    for promise in PROMISES:
        found = last(promise.bench).get(promise.figure)
        if found is None:
            print(f"{promise.what:42} {_said(promise, promise.wanted):>20} {'-':>12}")
            continue
        is_kept = found >= promise.wanted if promise.is_least else found <= promise.wanted
        mark = "" if is_kept else "  short"
        print(f"{promise.what:42} {_said(promise, promise.wanted):>20} {found:>12,}{mark}")


def last(bench: str) -> dict[str, float]:
    """Return the figures that a bench kept last."""
    path = FOLDER / "results" / f"{bench}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    figures: dict[str, float] = json.loads(lines[-1]) if lines else {}
    return figures


def _said(promise: Promise, value: float) -> str:
    limit = "at least" if promise.is_least else "at most"
    return f"{limit} {value:,g}{promise.unit}"


if __name__ == "__main__":
    sys.exit(main())
