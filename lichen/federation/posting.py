"""One signed request to a peer's inbox, and what its answer means.

    2xx                taken
    408, 425, 429      busy: it says when to come back
    3xx, 404, 410, 5xx, silence   failed: the server, not the activity; tried again
    401                once more in the other style of signatures, else refused
    other 4xx          refused: this activity will never be taken; it is counted and left

Every try is signed anew: peers take signatures of the last hour only. An RSA signature takes 0.3 ms
and lets go of the interpreter meanwhile, so it is made on a thread beside the loop.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import partial
from typing import NamedTuple, Protocol

import msgspec
import xxhash

from lichen.federation.deeds import Deeds, encoded
from lichen.federation.documents import CONTENT_TYPE
from lichen.federation.limits import (
    ANSWER_BYTES_MAX,
    FAILURE_LENGTH_MAX,
    SEND_S_MAX,
    SIGNING_THREADS_MAX,
)
from lichen.federation.model import OTHER_STYLE, Peer, SigningKey, Style
from lichen.federation.outgoing import Outgoing
from lichen.federation.signatures import sign
from lichen.kit import Clock, Refused, Unavailable
from lichen.kit.outbound import Fetched, Outbound

# RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4: later, not never.
_BUSY = frozenset({408, 425, 429})
_AWAY = frozenset({404, 410})  # an inbox that is not there: a house that is closed or rebuilt
_RETRY_AFTER_S_MAX = 3_600.0  # what a peer may ask us to wait


class Verdict(Enum):
    """What became of a request."""

    TAKEN = "taken"
    REFUSED = "refused"
    BUSY = "busy"
    FAILED = "failed"


class Answer(NamedTuple):
    """What a peer answered, in plain words where it did not take the activity."""

    verdict: Verdict
    error: str = ""
    retry_after_s: float = 0.0


class SigningKeys(Protocol):
    """Where our actors' keys come from."""

    async def signing_key(self, actor_id: int) -> SigningKey:
        """Return a local actor's key."""


class _Announced(msgspec.Struct):
    """What is inside an Announce, and by whom."""

    actor: str
    inner: msgspec.Raw = msgspec.field(name="object")


_ANNOUNCED = msgspec.json.Decoder(_Announced)


class Posting:
    """Signs activities and posts them; `prefer` is told which style of signatures a peer wants."""

    def __init__(
        self, outbound: Outbound, keys: SigningKeys, deeds: Deeds, clock: Clock, *,
        prefer: Callable[[str, Style], None],
    ) -> None:
        self._outbound = outbound
        self._keys = keys
        self._deeds = deeds
        self._clock = clock
        self._prefer = prefer
        self._threads = ThreadPoolExecutor(SIGNING_THREADS_MAX, thread_name_prefix="signing")
        self.requests = 0

    def close(self) -> None:
        """Let the signing threads go."""
        self._threads.shutdown(wait=False)

    async def send(self, peer: Peer, inbox: str, records: list[Outgoing]) -> Answer:
        """Send one activity, or several votes of one community as one (FEP-1a11)."""
        body = self._body(records)
        style = peer.style
        try:
            key = await self._keys.signing_key(records[0].sender)
            answer = judged(await self._post(inbox, body, key, style))
            if answer.verdict is Verdict.REFUSED and answer.error.startswith("401"):
                style = OTHER_STYLE[style]
                answer = judged(await self._post(inbox, body, key, style))
                if answer.verdict is Verdict.TAKEN:
                    self._prefer(peer.authority, style)
        except Unavailable as error:
            return Answer(Verdict.FAILED, error.text[:FAILURE_LENGTH_MAX])
        except Refused as error:  # the address of its inbox is none that may be called
            return Answer(Verdict.FAILED, error.text[:FAILURE_LENGTH_MAX])
        return answer

    def _body(self, records: list[Outgoing]) -> bytes:
        if len(records) == 1:
            return bytes(records[0].activity)
        announced = [_ANNOUNCED.decode(record.activity) for record in records]
        # The same activities make the same id, so that sending them again is seen as such.
        mark = xxhash.xxh64_hexdigest("".join(record.id for record in records).encode())
        return encoded(self._deeds.announce(
            f"{records[-1].key}-{mark}", group=announced[0].actor,
            object_=[one.inner for one in announced],
        ))

    async def _post(self, inbox: str, body: bytes, key: SigningKey, style: Style) -> Fetched:
        self.requests += 1
        headers = await asyncio.get_running_loop().run_in_executor(self._threads, partial(
            sign, key, method="POST", url=inbox, body=body, now_us=self._clock(), style=style
        ))
        return await self._outbound.post(
            inbox, body, content_type=CONTENT_TYPE, accept=CONTENT_TYPE, headers=headers,
            bytes_max=ANSWER_BYTES_MAX, timeout_s=SEND_S_MAX,
        )


def judged(answer: Fetched) -> Answer:
    """Return what an answer means."""
    status = answer.status
    if 200 <= status < 300:
        return Answer(Verdict.TAKEN)
    said = answer.text().strip().partition("\n")[0]
    error = f"{status} {said}".strip()[:FAILURE_LENGTH_MAX]
    if status in _BUSY:
        return Answer(Verdict.BUSY, error, _retry_after_s(answer))
    if status in _AWAY or not 400 <= status < 500:
        return Answer(Verdict.FAILED, error, _retry_after_s(answer))
    return Answer(Verdict.REFUSED, error)


def _retry_after_s(answer: Fetched) -> float:
    # RFC 9110 §10.2.3: seconds, or a date, which nobody sends here.
    said = answer.headers.get("retry-after", "")
    return min(float(said), _RETRY_AFTER_S_MAX) if said.isdigit() else 0.0
