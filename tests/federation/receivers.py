"""Other servers as HTTP receivers: quick, hanging, broken, trickling, or refusing some."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Behaviour = Callable[["Receiver", web.Request, bytes], Awaitable[web.StreamResponse]]


class Receiver:
    """An inbox on a port of its own; `got` are the activities that it took, in order."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._runner: web.AppRunner | None = None
        self.authority = ""
        self.got: list[dict[str, Any]] = []
        self.requests = 0
        self.under_way = 0
        self.under_way_max = 0
        self.moved = asyncio.Event()
        self.headers: list[dict[str, str]] = []

    async def start(self) -> "Receiver":
        """Listen on a free port of loopback."""
        app = web.Application()
        app.router.add_post("/inbox", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.authority = f"127.0.0.1:{port}"
        return self

    async def stop(self) -> None:
        """Stop listening and drop what hangs."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def has(self, count: int, *, timeout_s: float = 10.0) -> None:
        """Wait until so many activities were taken."""
        async with asyncio.timeout(timeout_s):
            while len(self.got) < count:
                self.moved.clear()
                await self.moved.wait()

    def take(self, body: bytes) -> web.Response:
        """Take an activity, or each of a batch."""
        activity = json.loads(body)
        inner = activity.get("object")
        self.got += inner if isinstance(inner, list) else [activity]
        self.moved.set()
        return web.Response(status=202)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        self.headers.append(dict(request.headers))
        self.under_way += 1
        self.under_way_max = max(self.under_way_max, self.under_way)
        try:
            return await self._behaviour(self, request, await request.read())
        finally:
            self.under_way -= 1
            self.moved.set()


async def quick(receiver: Receiver, _request: web.Request, body: bytes) -> web.StreamResponse:
    """Take everything at once."""
    return receiver.take(body)


async def hanging(_receiver: Receiver, _request: web.Request, _body: bytes) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def broken(_receiver: Receiver, _request: web.Request, _body: bytes) -> web.StreamResponse:
    """Answer that something is wrong inside."""
    return web.Response(status=500, text="no database\nat line 7")


async def trickling(
    _receiver: Receiver, request: web.Request, _body: bytes
) -> web.StreamResponse:
    """Answer one byte now and then, without end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b".")
        await asyncio.sleep(0.05)


def failing_first(times: int, status: int = 500, **headers: str) -> Behaviour:
    """Return a behaviour that fails so often, then takes everything."""
    async def behave(receiver: Receiver, _request: web.Request, body: bytes) -> web.StreamResponse:
        if receiver.requests <= times:
            return web.Response(status=status, headers=headers)
        return receiver.take(body)

    return behave


def refusing(word: str) -> Behaviour:
    """Return a behaviour that refuses every request in which a word stands."""
    async def behave(receiver: Receiver, _request: web.Request, body: bytes) -> web.StreamResponse:
        if word.encode() in body:
            return web.Response(status=400, text="I do not know what this is.")
        return receiver.take(body)

    return behave
