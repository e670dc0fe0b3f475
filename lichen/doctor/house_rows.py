"""What a house's own rows and logs say of its peers; read beside a house that runs, or does not.

    rows ─► peer, outgoing_line, parked, site_line ─┐
                                                    ├─► PeerStanding: both ways, in activities and s
    logs ─► outgoing: what is after its cursor ─────┤
            inbox: what is after the checkpoint ────┘

Where a peer stands is noted every five seconds, so a lag of a moment means nothing. `owed` counts
activities of everybody's: at most as many are for this peer.
"""

from collections import Counter
from pathlib import Path

import msgspec

from lichen.doctor.reading import Reading
from lichen.federation import SigningKey
from lichen.federation.model import is_listed
from lichen.kit import LichenError
from lichen.log import SegmentLog

LINES_MAX = 50_000  # of the log `inbox` looked through for who waits; its size is told in any case
_LOGS = ("log", "inbox", "outgoing")
_HEAD = ""  # the line of `outgoing_line` that says how far all others are

PEERS = "SELECT * FROM peer ORDER BY authority"
LINES = "SELECT authority, cursor FROM outgoing_line"
PARKED = "SELECT peer, kind, needs, tries FROM parked ORDER BY id"
LISTS = "SELECT kind, content FROM site_line WHERE kind LIKE '%instances'"
CHECKPOINTS = "SELECT reader, seq FROM checkpoint ORDER BY reader"
SETTINGS = "SELECT settings FROM site"
OUTBOX = "SELECT count(*) AS waiting FROM outbox"
SITE_KEY = """
SELECT a.ap_id AS ap_id, k.private_key AS private_pem
  FROM site s
  JOIN actor a ON a.id = s.actor_id
  JOIN actor_key k ON k.actor_id = a.id
"""


class LogPlace(msgspec.Struct, frozen=True):
    """How far a log goes."""

    name: str
    first_seq: int
    last_seq: int
    last_us: int


class PeerStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where a peer stands, both ways; times are 0 where nothing happened yet."""

    authority: str
    software: str
    version: str
    fail_count: int
    retry_at_us: int
    last_success_us: int
    last_received_us: int
    last_error: str
    owed: int  # activities after its cursor, at most
    owed_since_us: int  # the oldest of them
    waiting: int  # of its activities: accepted, not applied
    parked: int


class Lists(msgspec.Struct, frozen=True):
    """Whom the site talks to, by its lists and its switch."""

    enabled: bool
    allowed: frozenset[str]
    blocked: frozenset[str]

    def refusal_of(self, authority: str) -> str:
        """Return why we do not talk to a server, "" where we do."""
        if not self.enabled:
            return "Federation is switched off here."
        if is_listed(authority, self.blocked):
            return "It is on this site's list of blocked servers."
        if self.allowed and not is_listed(authority, self.allowed):
            return "This site names the servers that it talks to, and this is none of them."
        return ""


class _Line(msgspec.Struct):
    """Who sent a line of the log `inbox`."""

    peer: str


_PEER_OF = msgspec.json.Decoder(_Line)


def place_of(folder: Path, name: str) -> LogPlace | None:
    """Return how far a log of the data folder goes, None where there is none yet."""
    if name not in _LOGS or not (folder / name).is_dir():
        return None
    try:
        log = SegmentLog.open_reader(folder / name)
        last = log.read(max(1, log.last_seq), limit=1)
    except LichenError:  # nothing was written yet, or what is there cannot be read
        return None
    return LogPlace(name, log.first_seq, log.last_seq, int(last.times_us[-1]) if len(last) else 0)


def places(folder: Path) -> list[LogPlace]:
    """Return how far each log of the data folder goes."""
    return [place for name in _LOGS if (place := place_of(folder, name)) is not None]


def checkpoints(rows: Reading) -> dict[str, int]:
    """Return how far each reader has come."""
    return {str(row["reader"]): int(row["seq"] or 0) for row in rows.select(CHECKPOINTS)}


def lists_of(rows: Reading) -> Lists:
    """Return whom the site talks to."""
    found: dict[str, set[str]] = {"allowed_instances": set(), "blocked_instances": set()}
    for row in rows.select(LISTS):
        found.setdefault(str(row["kind"]), set()).add(str(row["content"]))
    settings = [msgspec.json.decode(str(row["settings"])) for row in rows.select(SETTINGS)]
    return Lists(
        all(one.get("federation_enabled", True) for one in settings),
        frozenset(found["allowed_instances"]), frozenset(found["blocked_instances"]),
    )


def site_key(rows: Reading) -> SigningKey | None:
    """Return the site's own key, None where it was never needed yet."""
    found = rows.select(SITE_KEY)
    if not found:
        return None
    return SigningKey(f"{found[0]['ap_id']}#main-key", str(found[0]["private_pem"]))


def standings(rows: Reading, folder: Path) -> list[PeerStanding]:
    """Return where every peer stands, both ways."""
    cursors = {str(row["authority"]): int(row["cursor"] or 0) for row in rows.select(LINES)}
    head = cursors.get(_HEAD, 0)
    parked = Counter(str(row["peer"]) for row in rows.select(PARKED))
    waiting = _waiting(folder, checkpoints(rows).get("ingest", 0))
    outgoing = place_of(folder, "outgoing")
    found = []
    for row in rows.select(PEERS):
        authority = str(row["authority"])
        cursor = cursors.get(authority, head)
        owed = max(0, outgoing.last_seq - cursor) if outgoing else 0
        found.append(msgspec.convert({
            **row, "owed": owed, "owed_since_us": _time_after(folder, cursor) if owed else 0,
            "waiting": waiting[authority], "parked": parked[authority],
        }, PeerStanding))
    return found


def _time_after(folder: Path, cursor: int) -> int:
    """Return the time of the first activity after a cursor in `outgoing`, 0 where it is gone."""
    try:
        log = SegmentLog.open_reader(folder / "outgoing")
        batch = log.read(max(cursor + 1, log.first_seq), limit=1)
    except LichenError:
        return 0
    return int(batch.times_us[0]) if len(batch) else 0


def _waiting(folder: Path, position: int) -> Counter[str]:
    """Return how many activities of each peer are accepted and not applied; at most LINES_MAX."""
    place, counted = place_of(folder, "inbox"), Counter[str]()
    if place is None:
        return counted
    log, seq = SegmentLog.open_reader(folder / "inbox"), max(position + 1, place.first_seq)
    while seq <= place.last_seq and counted.total() < LINES_MAX:
        batch = log.read(seq)
        counted.update(_PEER_OF.decode(line).peer for line in batch.payloads())
        seq = batch.next_seq
    return counted
