"""A siege: a running house, people in it, two servers it knows, and what may be seen from outside.

    attack ─► answer ─► counted? ─► rows as before? ─► still ready?

`peer.example` and `evil.example` are files (LICHEN_FETCH_OVERRIDES), so that ids are those of real
servers; what must really be called is `hostile_server`, the one name that LICHEN_HOSTS allows.
"""

import asyncio
import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from multidict import CIMultiDict

from lichen.federation import SigningKey
from lichen.federation.signatures import sign
from tests.databases import furnish
from tests.faults.hostile_server import NAME, HostileServer
from tests.faults.serving import Place, Serving, free_port, until
from tests.federation.incoming import ANN, MOSS, PUBLIC, STONES, Json, act, announced, page
from tests.federation.signing import keys

OURS = "https://lichen.example"
EVE, MAL, DEN = (f"https://evil.example/{path}" for path in ("u/eve", "u/mal", "c/den"))
THIEF, FORGED = "https://evil.example/u/thief", "https://evil.example/keys/1"
PASSWORD = "correct horse battery"
SETTLED_S_MAX = 8.0
# What may change while an attack is refused: what is remembered of it, of servers, of time.
REMEMBERED = frozenset({
    "received", "parked", "peer", "peer_key", "checkpoint", "stamp", "outbox", "number", "seen",
    "outgoing_line", "outgoing_standing", "session", "login", "heard_offer",
})


class Answer(NamedTuple):
    """What the house answered; a status of 0 where it cut the connection."""

    status: int
    body: bytes = b""


class Siege:
    """The house under attack."""

    def __init__(self, folder: Path, hostile: HostileServer) -> None:
        self.hostile = hostile
        self.place = Place(folder)
        furnish(self.place.data)
        self.here = self.there = ""  # a post of ann's in our stones, one in peer's moss
        self.heard: tuple[Mapping[str, str], bytes] = ({}, b"")  # a request that was taken
        self.jwt = ""
        self.session: aiohttp.ClientSession
        self.slow: list[asyncio.Task[int]] = []
        self._metrics_port = free_port()
        self._overrides = folder / "elsewhere.json"
        self._write_elsewhere(folder)

    def start(self) -> Serving:
        """Start the house: private addresses are closed to it, but for the hostile server."""
        self.serving = Serving(self.place, environ={
            "LICHEN_PUBLIC_URL": OURS, "LICHEN_HOSTS": f"{NAME}=127.0.0.1",
            "LICHEN_OUTBOUND_PRIVATE_ADDRESSES": "false",
            "LICHEN_FETCH_OVERRIDES": str(self._overrides),
            "LICHEN_METRICS_PORT": str(self._metrics_port),
            "PYTHONPATH": str(Path(__file__).parent / "names"),
        })
        return self.serving

    async def settle(self) -> None:
        """Let mira found stones and follow moss, and ann write in both."""
        said = await self.api("POST", "/user/register", username="mira", password=PASSWORD,
                              password_verify=PASSWORD)
        self.jwt = said["jwt"]
        said = await self.api("POST", "/community", name="stones", title="Stones")
        self.stones = said["community_view"]["community"]["id"]
        for one in (MOSS, DEN, ANN, EVE, MAL):
            found = await self.resolve(one)
            if one == MAL:
                await self.api("POST", "/user/block", block=True,
                               person_id=found["person"]["person"]["id"])
            if one == MOSS:
                await self.api("POST", "/community/follow", follow=True,
                               community_id=found["community"]["community"]["id"])
        there, here = page(ANN, MOSS), page(ANN, STONES)
        self.there, self.here = there["id"], here["id"]
        await self.speak(announced(MOSS, act("Create", ANN, there)), key_of=MOSS)
        await self.speak(act("Create", ANN, here), key_of=ANN)
        await self.speak(act("Like", EVE, self.here))
        await self.speak(act("Flag", EVE, self.here, summary="Not nice."))
        await self.counted("ingest_applied_total", since=0, times=4)

    async def api(self, method: str, path: str, **asked: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.jwt}"} if self.jwt else {}
        sent = {"params": asked} if method == "GET" else {"json": asked}
        async with self.session.request(
            method, f"{self.place.url}/api/v3{path}", headers=headers, **sent
        ) as answer:
            said = await answer.json()
            return {"status": answer.status, **said}

    async def resolve(self, url: str) -> dict[str, Any]:
        """Let mira look for an address."""
        return await self.api("GET", "/resolve_object", q=url)

    async def speak(self, activity: Any, *, key_of: str = EVE, key_id: str = "") -> Answer:
        """Send a well-signed activity; everybody of a server has one key here."""
        body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        headers = signed(body, key_of=key_of, key_id=key_id)
        answer = await self.post(headers, body)
        if answer.status == 202:
            self.heard = (headers, body)
        return answer

    async def post(self, headers: Any, body: Any, path: str = "/inbox") -> Answer:
        """Send a request as it is; `headers` may hold a name several times."""
        sent = CIMultiDict(headers)
        sent.setdefault("Host", "lichen.example")
        sent.setdefault("Content-Type", "application/activity+json")
        try:
            async with self.session.post(self.place.url + path, data=body, headers=sent) as answer:
                return Answer(answer.status, await answer.read())
        except (aiohttp.ClientError, ConnectionError):
            return Answer(0)

    async def figures(self) -> dict[str, float]:
        """Return the metrics by name."""
        async with self.session.get(f"http://127.0.0.1:{self._metrics_port}/") as answer:
            found = re.findall(r"^lichen_(\w+) ([\d.e+]+)$", await answer.text(), re.MULTILINE)
        return {name: float(value) for name, value in found}

    async def counted(self, name: str, *, since: float, times: int = 1) -> None:
        """Wait until a counter, if any, has gone up and everything that came is applied."""
        figures: dict[str, float] = {}

        async def is_so() -> bool:
            nonlocal figures
            figures = await self.figures()
            return ((not name or figures.get(name, 0) >= since + times)
                    and figures["inbox_lag_activities"] == 0)

        await until(is_so, within_s=SETTLED_S_MAX, what=lambda: f"{name} in {figures}")

    def fingerprint(self) -> dict[str, str]:
        """Return a digest of every table but those that remember attacks."""
        with sqlite3.connect(f"file:{self.place.data / 'lichen.sqlite'}?mode=ro", uri=True) as rows:
            names = [name for name, in rows.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
            return {
                name: hashlib.sha256(repr(sorted(
                    rows.execute(f'SELECT * FROM "{name}"'), key=repr)).encode()).hexdigest()
                for name in names if name not in REMEMBERED
            }

    async def is_ready(self) -> bool:
        """Say whether the house gets ready again once it has told of what was written."""
        async def is_so() -> bool:
            async with self.session.get(f"{self.place.url}/ready") as answer:
                return answer.status == 200

        await until(is_so, within_s=SETTLED_S_MAX, what=lambda: "the house to be ready")
        return True

    async def page(self, path: str) -> str:
        """Return a page as mira sees it."""
        headers = {"cookie": f"lichen_session={self.jwt}", "accept": "text/html"}
        async with self.session.get(self.place.url + path, headers=headers) as answer:
            assert answer.status == 200, path
            return await answer.text()

    def memory_bytes(self) -> int:
        """Return the most memory that the worker has had."""
        status = Path(f"/proc/{self.serving.worker_pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1_024

    def _write_elsewhere(self, folder: Path) -> None:
        """Write what peer.example and evil.example serve."""
        documents = {one: _actor(one) for one in (ANN, MOSS, EVE, MAL, DEN)}
        documents[THIEF] = _actor(THIEF, owner=ANN)
        documents[FORGED] = {"id": FORGED, "owner": EVE, "publicKeyPem": keys("eve").public}
        found = {}
        for number, (address, document) in enumerate(documents.items()):
            (folder / f"{number}.json").write_text(json.dumps(document))
            found[address] = f"{number}.json"
        self._overrides.write_text(json.dumps(found))


def pair_of(actor: str) -> Any:
    """Return the keys of an actor: everybody of a server has the same."""
    return keys("anna" if "//peer.example/" in actor else "eve")


def signed(
    body: bytes, *, key_of: str = EVE, key_id: str = "", url: str = f"{OURS}/inbox",
    method: str = "POST", later_s: int = 0, style: Any = "cavage",
) -> dict[str, str]:
    """Return the headers of a request that is signed as it should be."""
    key = SigningKey(key_id or f"{key_of}#main-key", pair_of(key_of).private)
    now_us = int((time.time() + later_s) * 1_000_000)
    return sign(key, method=method, url=url, body=body, now_us=now_us, style=style)


def _actor(ap_id: str, owner: str = "") -> Json:
    kind = "Group" if "/c/" in ap_id else "Person"
    return {
        "@context": ["https://www.w3.org/ns/activitystreams"], "type": kind, "id": ap_id,
        "preferredUsername": ap_id.rpartition("/")[2], "inbox": f"{ap_id}/inbox",
        "outbox": f"{ap_id}/outbox", "to": [PUBLIC],
        "publicKey": {"id": f"{ap_id}#main-key", "owner": owner or ap_id,
                      "publicKeyPem": pair_of(ap_id).public},
    }


async def gathered(*waiting: Any) -> list[Any]:
    """Wait for several at once."""
    return list(await asyncio.gather(*waiting))
