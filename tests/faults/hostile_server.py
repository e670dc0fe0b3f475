"""A hostile server on loopback: documents, and answers that no honest server gives.

It writes down by which name it was called. Every name but its own is an address that only the house
may reach, so a call by any other is a hole.
"""

import asyncio
import gzip
import json
from collections import Counter
from contextlib import suppress
from typing import Any

from aiohttp import web

from tests.federation.signing import keys

NAME = "hostile.example"
ACTIVITY = "application/activity+json"
BOMB_BYTES = 64 << 20


class HostileServer:
    """Listens on a port of loopback; `calls` counts its paths, `holes` what called it otherwise."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.holes: list[str] = []
        self.port = 0
        self._bomb = gzip.compress(bytes(BOMB_BYTES), 1)

    async def start(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    def at(self, path: str, host: str = NAME) -> str:
        return f"http://{host}:{self.port}{path}"

    def actor(self, path: str, kind: str = "Person", **fields: Any) -> dict[str, Any]:
        return {
            "@context": ["https://www.w3.org/ns/activitystreams"], "type": kind,
            "id": self.at(path), "preferredUsername": path.rpartition("/")[2],
            "inbox": self.at("/inbox"), "outbox": self.at(f"{path}/outbox"),
            "publicKey": {"id": self.at(f"{path}#main-key"), "owner": self.at(path),
                          "publicKeyPem": keys("eve").public}, **fields,
        }

    def note(self, path: str, answers: str) -> dict[str, Any]:
        return {
            "@context": ["https://www.w3.org/ns/activitystreams"], "type": "Note",
            "id": self.at(path), "attributedTo": self.at("/u/writer"), "content": "<p>And on.</p>",
            "to": ["https://www.w3.org/ns/activitystreams#Public"], "inReplyTo": answers,
        }

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.calls[path] += 1
        if request.host != f"{NAME}:{self.port}":
            self.holes.append(f"{request.host}{path}")
        if path == "/u/bomb":
            return web.Response(body=self._bomb, headers={
                "Content-Type": ACTIVITY, "Content-Encoding": "gzip"})
        if path in ("/u/slow", "/u/endless", "/u/trickle"):
            return await self._dawdle(request)
        if path.startswith("/to/"):
            where = request.query.get("host", "127.0.0.1")
            return web.Response(status=302, headers={
                "Location": self.at("/u/inside", "" if where == "-" else where)})
        document = self._document(path)
        if document is None:
            return web.Response(status=404)
        return web.Response(body=json.dumps(document).encode(), headers={"Content-Type": ACTIVITY})

    async def _dawdle(self, request: web.Request) -> web.StreamResponse:
        """Answer without end: nothing, a little now and then, or all that is taken."""
        response = web.StreamResponse(headers={"Content-Type": ACTIVITY})
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                if request.path == "/u/endless":
                    await response.write(b" " * 65_536)
                else:
                    await asyncio.sleep(0.5)
                    await response.write(b" " if request.path == "/u/trickle" else b"")
        return response

    def _document(self, path: str) -> dict[str, Any] | None:
        kind, _, name = path.lstrip("/").partition("/")
        if kind == "u":
            return self.actor(path)
        if kind == "cycle":
            return self.note(path, self.at("/cycle/b" if name == "a" else "/cycle/a"))
        if kind == "chain":
            return self.note(path, self.at(f"/chain/{int(name) + 1}"))
        if kind == "c" and name == "endless":
            return self.actor(path, "Group", featured=self.at("/pages/1"),
                              outbox=self.at("/pages/1"))
        if kind == "c" and name == "inside":
            return self.actor(path, "Group", inbox=self.at("/inbox", "127.0.0.1"))
        if kind == "pages":
            return {"id": self.at(path), "type": "OrderedCollectionPage", "orderedItems": [],
                    "next": self.at(f"/pages/{int(name) + 1}")}
        if kind == "deep":
            return {**self.actor(path), "name": _nested(40)}
        return None


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value
