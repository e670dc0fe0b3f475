"""What the database of a Lemmy says of its federation, read only.

    sent_activity            a row an activity, ids rising; kept a week
    federation_queue_state   a row a server: the last id that arrived, tries that failed since
    received_activity        a row an activity taken in; kept a week

0.19 calls its times `published` and `last_retry`, 1.0 `published_at` and `last_retry_at`: which
it is, is asked first. Lemmy walks every id for every server, so a difference of ids is what one
misses.
"""

from collections.abc import Iterator

import msgspec

from lichen.doctor.reading import Reading, Value

_COLUMNS = """
SELECT table_name AS table, column_name AS column
  FROM information_schema.columns
 WHERE table_schema = 'public'
   AND table_name IN ('sent_activity', 'received_activity', 'federation_queue_state')
"""
# The newest by the primary key; both read its end alone.
_NEWEST = "SELECT id, {published} AS at FROM sent_activity ORDER BY id DESC LIMIT 1"
_QUEUES = """
SELECT i.domain AS domain, q.last_successful_id AS last_id, q.fail_count AS fail_count,
       extract(epoch FROM now() - q.{retry})::float8 AS retried_s_ago,
       extract(epoch FROM now() - coalesce(
           (SELECT s.{published} FROM sent_activity s
             WHERE s.id > q.last_successful_id ORDER BY s.id LIMIT 1), now()))::float8 AS lag_s
  FROM federation_queue_state q
  JOIN instance i ON i.id = q.instance_id
 ORDER BY i.domain
"""
# By the index on its time where there is one; the time limit of the session guards the rest.
_RECEIVED = """
SELECT substring(ap_id FROM '^https?://([^/]+)') AS domain, count(*) AS count
  FROM received_activity
 WHERE {published} > now() - make_interval(secs => %s)
 GROUP BY 1
 ORDER BY 2 DESC
"""
_SENT = """
SELECT count(*) AS count
  FROM sent_activity
 WHERE {published} > now() - make_interval(secs => %s)
"""


class Queue(msgspec.Struct, frozen=True):
    """How far a server is behind with what this Lemmy sends."""

    domain: str
    behind: int
    lag_s: float
    fail_count: int
    retried_s_ago: float | None


class LemmyRows:
    """The questions, in the words of the release that is found."""

    def __init__(self, rows: Reading) -> None:
        self._rows = rows
        found = {(str(row["table"]), str(row["column"])) for row in rows.select(_COLUMNS)}
        self.is_there = ("federation_queue_state", "fail_count") in found
        self._words = {
            "published": "published_at" if ("sent_activity", "published_at") in found
            else "published",
            "retry": "last_retry_at" if ("federation_queue_state", "last_retry_at") in found
            else "last_retry",
        }

    def newest_id(self) -> int:
        """Return the id of the newest activity that is to be sent; 0 where there is none."""
        found = self._select(_NEWEST)
        return int(found[0]["id"] or 0) if found else 0

    def queues(self) -> Iterator[Queue]:
        """Yield how far each server is behind."""
        newest = self.newest_id()
        for row in self._select(_QUEUES):
            last = row["last_id"]
            if last is None:
                continue  # nothing was ever for it
            retried = row["retried_s_ago"]
            yield Queue(
                str(row["domain"]), max(0, newest - int(last)), float(row["lag_s"] or 0),
                int(row["fail_count"] or 0), None if retried is None else float(retried),
            )

    def received_per_s(self, window_s: int) -> dict[str, float]:
        """Return how many activities a second came in lately, by the server they came from."""
        return {str(row["domain"]): int(row["count"] or 0) / window_s
                for row in self._select(_RECEIVED, window_s)}

    def sent_per_s(self, window_s: int) -> float:
        """Return how many activities a second this Lemmy made lately."""
        return int(self._select(_SENT, window_s)[0]["count"] or 0) / window_s

    def _select(self, sql: str, *values: Value) -> list[dict[str, Value]]:
        return self._rows.select(sql.format(**self._words), *values)
