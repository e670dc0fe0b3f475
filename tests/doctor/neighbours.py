"""Other servers, really listening on loopback, as ill as a test wants; and a house that knows one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

from aiohttp import web

from lichen.federation import Peer
from lichen.federation.outgoing_rows import KEEP_LINE
from lichen.federation.peer_rows import KEEP_PEER, row_of_peer
from lichen.kit import system_clock
from lichen.kit.config import Config
from lichen.log import SegmentLog
from lichen.store import Unit, open_store
from tests.federation.signing import keys

Json = dict[str, Any]
ACTIVITY = "application/activity+json"


class Neighbour:
    """A server whose every step can be made to fail."""

    def __init__(self) -> None:
        self.url = ""
        self.software: Json = {"name": "piefed", "version": "1.6.0"}
        self.capabilities = ["fep-1a11"]
        self.away_s = 0.0
        self.inbox_status, self.inbox_s = 401, 0.0
        self.is_page = False
        self.wants_signed = self.refuses_signed = False
        self.federated: Json = {}
        self.asked: list[str] = []

    @property
    def authority(self) -> str:
        return self.url.removeprefix("http://")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        status, body, kind = await self._content(request)
        return web.Response(
            status=status, body=json.dumps(body).encode(), content_type=kind,
            headers={"Date": formatdate(system_clock() / 1e6 + self.away_s, usegmt=True)})

    async def _content(self, request: web.Request) -> tuple[int, Json, str]:
        if request.method == "POST":
            await asyncio.sleep(self.inbox_s)
            return self.inbox_status, {}, "application/json"
        if self.is_page and request.path.startswith("/.well-known/webfinger"):
            return 200, {}, "text/html"
        is_signed = "Signature" in request.headers
        if request.path == "/" and (self.wants_signed and not is_signed
                                    or self.refuses_signed and is_signed):
            return 401, {}, "application/json"
        found = self._documents().get(request.path)
        return (200, found[0], found[1]) if found else (404, {}, "application/json")

    def _documents(self) -> dict[str, tuple[Json, str]]:
        schema = "http://nodeinfo.diaspora.software/ns/schema/2.1"
        return {
            "/.well-known/nodeinfo": ({"links": [{"rel": schema, "href": f"{self.url}/nodeinfo"}]},
                                      "application/json"),
            "/nodeinfo": ({"software": self.software, "metadata": {
                "capabilities": self.capabilities}}, "application/json"),
            "/": ({"id": f"{self.url}/", "type": "Application", "inbox": f"{self.url}/site_inbox",
                   "publicKey": {"id": f"{self.url}/#main-key", "owner": f"{self.url}/",
                                 "publicKeyPem": keys("peer").public}}, ACTIVITY),
            "/api/v3/federated_instances": (self.federated, "application/json"),
        }

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Neighbour"]:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


def testbed(folder: Path, **more: object) -> Config:
    """Return a house that may call loopback by plain http."""
    return Config.load(words={
        "server.data": folder, "server.profile": "testbed",
        "identity.public_url": "http://127.0.0.1:1", **more})


testbed.__test__ = False  # type: ignore[attr-defined]


async def know(config: Config, peer: Peer, *, cursor: int = 0, head: int = 0,
               blocked: tuple[str, ...] = (), parked: int = 0) -> None:
    """Keep a peer in a house's rows as if the house had run."""
    import sqlalchemy as sa

    from lichen.store import metadata

    tables = metadata.tables

    def command(unit: Unit) -> None:
        unit.stage(KEEP_PEER, row_of_peer(peer))
        unit.stage(KEEP_LINE, {"authority": peer.authority, "cursor": cursor, "since_us": 0},
                   {"authority": "", "cursor": head, "since_us": 0})
        for number, name in enumerate(blocked, 1):
            unit.stage(sa.insert(tables["site_line"]), {
                "id": number, "kind": "blocked_instances", "content": name, "published_us": 1})
        for number in range(1, parked + 1):
            unit.stage(sa.insert(tables["parked"]), {
                "id": number, "seq": number, "peer": peer.authority, "announcer": "",
                "raw": '{"type":"Like"}', "needs": f"https://{peer.authority}/post/{number}",
                "kind": "thing", "subject": "x", "tries": 1, "retry_us": 1})

    store = open_store(config.database.url.reveal(), folder=config.server.data, clock=system_clock)
    try:
        await store.write(command)
    finally:
        await store.close()


async def say(folder: Path, name: str, lines: list[Json]) -> None:
    """Append lines to a log of a house."""
    log = SegmentLog.open(folder / name, clock=system_clock)
    await log.append([json.dumps(one).encode() for one in lines])
    await log.close()
