"""Asking a peer what every peer is asked, and judging the answers.

It is asked as the house asks: by the guarded client, a document at a time. What is sent to its
inbox is an empty object that nobody signed, which every server refuses; only the time of the
refusal counts.
"""

import statistics
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from lichen.doctor.findings import Finding, Health
from lichen.doctor.stopwatch import now_s
from lichen.doctor.styles import Styles
from lichen.federation import Documents, SigningKey, sign
from lichen.federation.actors import key_in
from lichen.federation.fetching import ACCEPT, decoded
from lichen.federation.limits import DOCUMENT_BYTES_MAX, SKEW_US_MAX
from lichen.federation.model import Style, authority_of
from lichen.federation.nodeinfo import fetch_nodeinfo
from lichen.federation.signatures import check_public_key
from lichen.federation.values import text_of
from lichen.kit import Refused, Unavailable
from lichen.kit.ground import Ground
from lichen.kit.outbound import Fetched
from lichen.web import Addresses

INBOX_TIMES = 7  # its inbox is measured; the median is told
INBOX_MS_WORRY = 1_000.0  # a serial sender then reaches one a second
INBOX_MS_ILL = 9_000.0  # Lemmy's senders give up then
CLOCK_S_WORRY = 30.0  # far from any time service
ASK_S_MAX = 10.0  # of one question
ANSWER_BYTES_MAX = 8 << 20  # the list of servers that a large Lemmy knows


class _Told(NamedTuple):
    """What a step found, before its time is put beside it."""

    health: Health
    text: str
    advice: str = ""


class Asking:
    """One peer, asked step by step."""

    def __init__(self, ground: Ground, scheme: str, authority: str, *,
                 key: SigningKey | None) -> None:
        self._ground, self._key, self._authority = ground, key, authority
        self._base = f"{scheme}://{authority}"
        self._scheme = scheme
        self._inbox = f"{self._base}/inbox"
        self._software = ""
        self._away_s: float | None = None
        self._documents = Documents(
            ground.outbound, is_allowed=lambda _authority: True, signer=self._signed,
            preferences=Styles())

    async def walk(self) -> AsyncIterator[Finding]:
        """Yield what each question brought."""
        for about, step in (
            ("WebFinger", self._webfinger), ("host-meta", self._host_meta),
            ("our WebFinger", self._own_webfinger), ("NodeInfo", self._nodeinfo),
            ("site actor", self._site_actor), ("signed GET", self._signed_get),
            ("clock", self._clock), ("inbox", self._inbox_time),
            ("what it says of us", self._said_of_us),
        ):
            started = now_s()
            try:
                told = await step()
            except (Refused, Unavailable) as error:
                told = _Told(Health.ILL, error.text, "See what answers there in a browser.")
            if told is not None:
                yield Finding(about, told.health, told.text, told.advice,
                              (now_s() - started) * 1_000)

    async def _webfinger(self) -> _Told:
        # RFC 7033: whoever is asked for may be unknown (404), but the question must be understood.
        answer = await self._get(
            f"{self._base}/.well-known/webfinger?resource=acct:{self._authority}@{self._authority}")
        if answer.status == 200 and "json" not in answer.content_type:
            return _Told(Health.ILL, f"A page ({answer.content_type}) is where WebFinger belongs.",
                         "Its proxy must pass /.well-known on to the forum.")
        if answer.status in (200, 400, 404):
            return _Told(Health.WELL, f"It answers ({answer.status}).")
        return _Told(Health.ILL, f"It answers {answer.status}: its people cannot be looked up.",
                     "Its proxy or its forum refuses this server; ask its administrator.")

    async def _host_meta(self) -> _Told:
        answer = await self._get(f"{self._base}/.well-known/host-meta")
        told = "It is there." if answer.status == 200 else "There is none, and none is needed."
        return _Told(Health.WELL, told)

    async def _own_webfinger(self) -> _Told:
        ours = Addresses(self._ground.config.public_url)
        name = f"acct:{ours.authority}@{ours.authority}"
        url = ours.absolute(f"/.well-known/webfinger?resource={name}")
        try:
            answer = await self._get(url)
        except (Refused, Unavailable) as error:
            return _Told(Health.WORRY, f"This house is not reached from here: {error.text}",
                         "Peers must reach it by its public address to fetch its key.")
        if answer.status == 200 and "json" in answer.content_type:
            return _Told(Health.WELL, f"{ours.authority} is found by its public address.")
        return _Told(Health.WORRY, f"{ours.public_url} answers {answer.status} "
                     f"({answer.content_type or 'nothing'}).",
                     "Let your proxy pass /.well-known on to Lichen.")

    async def _nodeinfo(self) -> _Told:
        found = await fetch_nodeinfo(self._documents, self._scheme, self._authority)
        self._software = found.software
        if not found.software:
            return _Told(Health.WORRY, "It does not say what it runs.")
        can = f"; it says it can {', '.join(found.capabilities)}" if found.capabilities else ""
        return _Told(Health.WELL, f"{found.software} {found.version}{can}.")

    async def _site_actor(self) -> _Told:
        document = await self._documents.fetch(f"{self._base}/")
        inbox = text_of(_table(document.get("endpoints")).get("sharedInbox")) or text_of(
            document.get("inbox"))
        if authority_of(inbox) == self._authority:
            self._inbox = inbox
        key_id, key = key_in(document)
        if key is None:
            return _Told(Health.WORRY, "Its document holds no key.",
                         "It cannot ask us as a site; activities of people are not concerned.")
        check_public_key(key.public_pem)
        return _Told(Health.WELL, f"{text_of(document.get('type'))} with the key {key_id}.")

    async def _signed_get(self) -> _Told | None:
        if self._key is None:
            return None
        url = f"{self._base}/"
        bare = await self._get(url, accept=ACCEPT)
        signed = await self._get(url, accept=ACCEPT, headers=await self._signed(url))
        if signed.status in (401, 403):
            return _Told(Health.ILL, f"It answers {signed.status} to our signature.",
                         f"It could not fetch {self._key.key_id}, blocks this site, or its clock "
                         "is wrong.")
        if bare.status in (401, 403):
            return _Told(Health.WELL, "It asks who fetches, and takes our signature.")
        return _Told(Health.WELL, f"It answers {signed.status}; it does not ask who fetches.")

    async def _clock(self) -> _Told:
        if self._away_s is None:
            return _Told(Health.WELL, "It does not say what time it has.")
        told = f"It is {self._away_s:+.0f} s away from ours."
        if abs(self._away_s) * 1e6 > SKEW_US_MAX:
            return _Told(Health.ILL, told, "Signatures count for an hour: neither takes what the "
                         "other signs. Run a time service on both.")
        if abs(self._away_s) > CLOCK_S_WORRY:
            return _Told(Health.WORRY, told, "Run a time service on both.")
        return _Told(Health.WELL, told)

    async def _inbox_time(self) -> _Told:
        times, status = [], 0
        for _ in range(INBOX_TIMES):
            started = now_s()
            answer = await self._ground.outbound.post(
                self._inbox, b"{}", content_type="application/activity+json",
                timeout_s=ASK_S_MAX)
            times.append((now_s() - started) * 1_000)
            status = answer.status
        middle = statistics.median(times)
        told = (f"It refuses what nobody signed ({status}) after {middle:.0f} ms: who sends one "
                f"after another reaches at most {1_000 / middle:.1f} a second.")
        if status in (404, 405, 410) or not 400 <= status < 500:
            return _Told(Health.ILL, f"{self._inbox} answers {status} after {middle:.0f} ms; "
                         "expected a refusal.", "No inbox is there, or its forum is ill.")
        if middle > INBOX_MS_WORRY:
            health = Health.ILL if middle > INBOX_MS_ILL else Health.WORRY
            return _Told(health, told, "It works before it answers: `lichen doctor foreign` says "
                         "whether its database is far away.")
        return _Told(Health.WELL, told)

    async def _said_of_us(self) -> _Told | None:
        if self._software != "lemmy":
            return None
        # Imported here: only a Lemmy says this.
        from lichen.doctor.lemmy import said_of

        answer = await self._get(f"{self._base}/api/v3/federated_instances",
                                 accept="application/json", bytes_max=ANSWER_BYTES_MAX)
        if answer.status != 200:
            return None
        ours = Addresses(self._ground.config.public_url).authority
        state = said_of(decoded(answer.body), ours)
        if state is None:
            return _Told(Health.WORRY, f"It does not know {ours}.",
                         "Follow a community there, or let somebody there follow one here.")
        health = Health.ILL if state.fail_count else Health.WELL
        return _Told(health, state.told(self._ground.clock()),
                     "It fails to reach us: see our own inbox and proxy." if state.fail_count
                     else "")

    async def _signed(self, url: str, style: Style = "cavage") -> dict[str, str]:
        if self._key is None:
            return {}
        return sign(self._key, method="GET", url=url, body=b"", now_us=self._ground.clock(),
                    style=style)

    async def _get(self, url: str, *, accept: str = "application/jrd+json, application/json",
                   headers: dict[str, str] | None = None,
                   bytes_max: int = DOCUMENT_BYTES_MAX) -> Fetched:
        answer = await self._ground.outbound.fetch(
            url, accept=accept, headers=headers, timeout_s=ASK_S_MAX, bytes_max=bytes_max)
        if self._away_s is None and authority_of(answer.url) == self._authority:
            self._away_s = _away_s(answer, self._ground.clock())
        return answer


def _away_s(answer: Fetched, now_us: int) -> float | None:
    """Return how far the server's clock is from ours, by its Date (RFC 9110 §6.6.1)."""
    try:
        said = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    away_s = said.timestamp() - now_us / 1e6
    return 0.0 if -1.5 <= away_s <= 0.5 else away_s  # a Date is cut to whole seconds


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
