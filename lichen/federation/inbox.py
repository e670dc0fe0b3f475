"""The door for other servers: who signed, may it speak, does it fit; then durable, then 202.

    POST ─► size ─► JSON within limits ─► allowed? ─► not too many waiting ─► seen before? ─► 202
                                                                                  │ no
                    202 ◄── durable in the log `inbox` ◄── signature by a key of the actor's server

Constant work and no row: whatever an activity means is for the reader of the log (ingest.py). The
check for what was seen before is only a saving; what holds is the key in the rows.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from itertools import islice

import msgspec

from lichen.federation.activities import kind_of
from lichen.federation.authorising import Keys, signer_of
from lichen.federation.bodies import decoded
from lichen.federation.ingest_rows import key_of
from lichen.federation.limits import (
    INBOX_FULL_MAX,
    INBOX_IDS_KEPT_MAX,
    INBOX_RETRY_S_MAX,
    INBOX_SHARE_MIN,
    INBOX_WAITING_MAX,
    WAITING_LOOKED_MAX,
)
from lichen.federation.model import Claim, Style, authority_of
from lichen.federation.signatures import claimed
from lichen.federation.values import id_of
from lichen.kit import Clock, Forbidden, NotFound, Refused, TooMany, Unavailable
from lichen.kit.crash_points import crash_point
from lichen.log import Log

_RATE_SMOOTHING = 0.2  # of a new measurement of the rate; the last five or so count


class Inbox:
    """Takes in what other servers send; the only appender of the log `inbox`."""

    def __init__(
        self, log: Log, *, keys: Keys, is_allowed: Callable[[str], bool], clock: Clock,
        public_url: str, position: int,
        note_received: Callable[[str], None] = lambda authority: None,
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self.received: Counter[str] = Counter()  # by peer, since the start
        self._log = log
        self._keys = keys
        self._is_allowed = is_allowed
        self._clock = clock
        self._public_url = public_url
        self._note_received = note_received
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._queue = _Queue(position, clock)

    async def receive(
        self, *, method: str, target: str, headers: Mapping[str, str], body: bytes, address: str
    ) -> None:
        """Take in one request; returns once it is durable. No round trip to the database.

        `headers` have names in lower case. Raises Refused (400, 401, 403, 413), TooMany (429) and
        Unavailable.
        """
        try:
            await self._receive(method, target, headers=headers, body=body)
        except Refused as refusal:
            self.outcomes[refusal.code] += 1
            raise
        except Unavailable:
            self.outcomes["unavailable"] += 1
            raise

    def moved(self, position: int) -> None:
        """Note up to where the log has been applied."""
        self._queue.moved(position)

    @property
    def waiting(self) -> dict[str, int]:
        """Return how many activities of each peer are not applied yet."""
        return dict(self._queue.waiting)

    def waiting_of(self, peer: str) -> int:
        """Return how many activities of one peer are not applied yet."""
        return self._queue.waiting.get(peer, 0)

    def oldest_waiting(self) -> dict[str, int]:
        """Return when the first of each peer's that waits came, in µs; looks so far and no further.
        """
        oldest: dict[str, int] = {}
        for _, peer, at_us in islice(self._queue.line, WAITING_LOOKED_MAX):
            oldest.setdefault(peer, at_us)
        return oldest

    async def _receive(
        self, method: str, target: str, *, headers: Mapping[str, str], body: bytes
    ) -> None:
        began_us = self._clock()
        document = decoded(body)
        actor = id_of(document.get("actor"))
        peer = authority_of(actor)
        if not peer:
            raise Refused("no_actor", "An activity names its actor, by an address of the web.")
        if not self._is_allowed(peer):
            raise Forbidden("domain_blocked", "Nothing of your server is taken here.")
        self._queue.check(peer, lag=self._log.last_seq - self._queue.position)
        id = id_of(document.get("id"))
        key = key_of(actor, id) if id else ""
        if key in self._seen:
            self.outcomes["duplicate"] += 1
            return
        claim = claimed(method, target, headers, public_url=self._public_url)
        try:
            await self._verify(claim, peer, body)
        except NotFound:
            if kind_of(document) == "Delete" and id_of(document.get("object")) == actor:
                # Who is gone for ever, and was never seen here, has no key to be fetched any more.
                self.outcomes["gone_before"] += 1
                return
            raise
        crash_point("inbox.before_append")
        await self._append(peer, body, form=claim.style, began_us=began_us)
        crash_point("inbox.after_append")
        self._note_received(peer)
        self.outcomes["accepted"] += 1
        self.received[peer] += 1
        self._note_seen(key)

    async def _verify(self, claim: Claim, peer: str, body: bytes) -> None:
        """Refuse a request that no key of the actor's server has signed."""
        if authority_of(claim.key_id) != peer:
            # Before it is fetched: nobody makes us ask a third server.
            raise Forbidden("foreign_key", "A key signs for actors of its own server alone.")
        key = await signer_of(claim, self._keys, body=body, clock=self._clock)
        if key.authority != peer or authority_of(key.owner) != peer:
            raise Forbidden("foreign_key", "A key signs for actors of its own server alone.")

    async def _append(self, peer: str, body: bytes, *, form: Style, began_us: int) -> None:
        """Append it, with who signed it how, and how long that took to be believed."""
        line = body if b"\n" not in body and b"\r" not in body else msgspec.json.format(
            body, indent=-1
        )
        now_us = self._clock()
        payload = b'{"peer":%b,"receivedUs":%d,"form":"%b","tookUs":%d,"activity":%b}' % (
            msgspec.json.encode(peer), now_us, form.encode(), now_us - began_us, line
        )
        appended = await self._log.append([payload])
        self._queue.joined(peer, appended.first_seq, now_us)

    def _note_seen(self, key: str) -> None:
        if key:
            self._seen[key] = None
            if len(self._seen) > INBOX_IDS_KEPT_MAX:
                self._seen.popitem(last=False)


class _Queue:
    """How many activities wait, of whom, and how fast they are applied."""

    def __init__(self, position: int, clock: Clock) -> None:
        self.position = position
        self.waiting: Counter[str] = Counter()
        self._clock = clock
        self.line: deque[tuple[int, str, int]] = deque()
        self._moved_us = clock()
        self._per_s = 0.0

    def check(self, peer: str, *, lag: int) -> None:
        """Refuse for now a peer that has more than its share of too many.

        The share is equal for all that wait: one that floods is told first, the others go on.
        """
        share = max(INBOX_SHARE_MIN, INBOX_WAITING_MAX // max(1, len(self.waiting)))
        is_over = lag >= INBOX_WAITING_MAX and self.waiting[peer] >= INBOX_SHARE_MIN
        if is_over or self.waiting[peer] >= share or lag >= INBOX_FULL_MAX:
            raise TooMany("too_many_activities", retry_after_s=self._retry_s(lag))
        if not self.waiting[peer]:
            del self.waiting[peer]

    def joined(self, peer: str, seq: int, at_us: int) -> None:
        """Note that an activity waits now, unless the reader was faster."""
        if seq > self.position:
            self.line.append((seq, peer, at_us))
            self.waiting[peer] += 1

    def moved(self, position: int) -> None:
        """Note that everything up to a sequence is applied."""
        now_us = self._clock()
        elapsed_s = (now_us - self._moved_us) / 1_000_000
        if elapsed_s > 0 and position > self.position:
            per_s = (position - self.position) / elapsed_s
            self._per_s += (per_s - self._per_s) * (_RATE_SMOOTHING if self._per_s else 1.0)
        self.position, self._moved_us = position, now_us
        while self.line and self.line[0][0] <= position:
            peer = self.line.popleft()[1]
            self.waiting[peer] -= 1
            if not self.waiting[peer]:
                del self.waiting[peer]

    def _retry_s(self, lag: int) -> float:
        """Return in how many seconds half of what waits will be applied, at the measured rate."""
        if not self._per_s:
            return float(INBOX_RETRY_S_MAX)
        return min(float(INBOX_RETRY_S_MAX), max(1.0, lag / 2 / self._per_s))
