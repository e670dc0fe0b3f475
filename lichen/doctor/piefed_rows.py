"""What the database of a PieFed says of its federation, read only.

    instance          when one was last heard of and reached, failures in a row, whether given up
    send_queue        what could not be sent and is tried again
    activity_pub_log  a row an activity, in and out, where logging is switched on

Times are UTC without a zone.
"""

import msgspec

from lichen.doctor.reading import Reading

_THERE = "SELECT to_regclass('public.send_queue') IS NOT NULL AS queue, " \
         "to_regclass('public.activity_pub_log') IS NOT NULL AS log"
_INSTANCES = """
SELECT domain, coalesce(failures, 0) AS failures, coalesce(dormant, false) AS dormant,
       coalesce(gone_forever, false) AS gone,
       extract(epoch FROM (now() AT TIME ZONE 'utc') - last_successful_send)::float8 AS sent_s_ago
  FROM instance
 WHERE id <> 1
 ORDER BY failures DESC
"""
_QUEUE = """
SELECT destination_domain AS domain, count(*) AS count, max(retries) AS retries,
       extract(epoch FROM (now() AT TIME ZONE 'utc') - min(created))::float8 AS lag_s
  FROM send_queue
 GROUP BY 1
 ORDER BY 2 DESC
"""
_LOGGED = """
SELECT direction, count(*) AS count, count(*) FILTER (WHERE result = 'failure') AS failed
  FROM activity_pub_log
 WHERE created_at > (now() AT TIME ZONE 'utc') - make_interval(secs => %s)
 GROUP BY 1
"""


class Unreached(msgspec.Struct, frozen=True):
    """A server that this PieFed fails to reach."""

    domain: str
    failures: int
    given_up: bool
    sent_s_ago: float | None


class Delayed(msgspec.Struct, frozen=True):
    """What waits to be sent to a server once more."""

    domain: str
    count: int
    retries: int
    lag_s: float


class Logged(msgspec.Struct, frozen=True):
    """How many activities a second went one way lately, and the share that failed."""

    per_s: float
    failed_share: float


class PiefedRows:
    """The questions to a PieFed."""

    def __init__(self, rows: Reading) -> None:
        self._rows = rows
        (there,) = rows.select(_THERE)
        self.is_there, self.has_log = bool(there["queue"]), bool(there["log"])

    def unreached(self) -> list[Unreached]:
        """Return the servers that were not reached last time."""
        return [
            Unreached(str(row["domain"]), int(row["failures"] or 0),
                      bool(row["dormant"]) or bool(row["gone"]),
                      None if row["sent_s_ago"] is None else float(row["sent_s_ago"]))
            for row in self._rows.select(_INSTANCES) if row["failures"] or row["dormant"]
        ]

    def delayed(self) -> list[Delayed]:
        """Return what waits to be sent once more, by server."""
        return [Delayed(str(row["domain"]), int(row["count"] or 0), int(row["retries"] or 0),
                        float(row["lag_s"] or 0)) for row in self._rows.select(_QUEUE)]

    def logged(self, window_s: int) -> dict[str, Logged]:
        """Return how much went `in` and `out` lately; empty where nothing is logged."""
        if not self.has_log:
            return {}
        return {
            str(row["direction"]): Logged(
                int(row["count"] or 0) / window_s,
                int(row["failed"] or 0) / max(1, int(row["count"] or 0)))
            for row in self._rows.select(_LOGGED, window_s)
        }
