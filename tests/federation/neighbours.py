"""Whole houses in this process that reach each other over loopback, and browsers for them."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from lichen.accounts.passwords import Passwords
from lichen.house import House
from lichen.kit.config import Config
from lichen.messages import MessageView
from tests.databases import furnish

PASSWORD = "three odd words"
WAIT_S_MAX = 10.0
_DROPPED = {"content-length", "transfer-encoding", "connection", "content-encoding"}


class Browser:
    """Somebody at a browser: cookies of their own, forms as browsers send them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.AsyncClient(base_url=url)

    async def see(self, path: str) -> httpx.Response:
        return await self.http.get(path, headers={"accept": "text/html"})

    async def send(self, path: str, **fields: str) -> httpx.Response:
        return await self.http.post(
            path, data=fields, headers={"origin": self.url, "sec-fetch-site": "same-origin"}
        )

    async def join(self, name: str) -> "Browser":
        answer = await self.send("/signup", name=name, password=PASSWORD)
        assert 303 == answer.status_code, answer.text
        return self


class Neighbour:
    """A house that listens."""

    def __init__(self, house: House, url: str) -> None:
        self.house = house
        self.url = url
        self.authority = url.removeprefix("http://")

    def browser(self) -> Browser:
        return Browser(self.url)

    async def viewer(self, browser: Browser) -> Any:
        return await self.house.rooms.accounts.viewer(browser.http.cookies.get("lichen_session"))

    async def letters(self, browser: Browser) -> list[MessageView]:
        """Return what somebody here was sent, the oldest first."""
        viewer = await self.viewer(browser)
        messages = self.house.rooms.messages
        return await self.house.store.read(
            lambda unit: messages.messages_after(unit, viewer.id, after_id=0, limit=50)
        )

    async def letter(self, browser: Browser, *, number: int = 1) -> MessageView:
        """Return the letter of a number, once it is there."""
        async def look() -> MessageView | None:
            found = await self.letters(browser)
            return found[number - 1] if len(found) >= number else None

        return await until(look)


def code_in(letter: MessageView) -> str:
    found = re.search(r"[A-Z2-7]{5}-[A-Z2-7]{5}", letter.message.content)
    assert found is not None, letter.message.content
    return found[0]


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """Return the first answer that says something; what federates takes a moment."""
    async with asyncio.timeout(WAIT_S_MAX):
        while not (found := await look()):  # noqa: ASYNC110 - rows have no event
            await asyncio.sleep(0.02)
        return found


def free_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port


@asynccontextmanager
async def neighbour(
    folder: Path, *, port: int = 0, **settings: str
) -> AsyncIterator[Neighbour]:
    """Open a house in a folder and let it listen on loopback, on a port of its own."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    furnish(folder)
    house = await House.open(Config.load(None, {
        "LICHEN_DATA": str(folder), "LICHEN_PUBLIC_URL": url, "LICHEN_METRICS_PORT": "0", "LICHEN_STREAM_PORT": "0",
        "LICHEN_ADMIN_NAME": "gardener", "LICHEN_ADMIN_PASSWORD": PASSWORD,
        "LICHEN_LIMITS_RATES": "false", "LICHEN_LIMITS_NEWCOMERS": "false",
        "LICHEN_OUTBOUND_PRIVATE_ADDRESSES": "true", "LICHEN_OUTBOUND_PLAIN_HTTP": "true",
        **settings,
    }), passwords=Passwords(memory_kib=64))
    stop = await _listen(house, port)
    try:
        yield Neighbour(house, url)
    finally:
        await stop()
        await house.close()


async def _listen(house: House, port: int) -> Callable[[], Awaitable[None]]:
    inside = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=house.entrance, raise_app_exceptions=False),
        base_url=f"http://127.0.0.1:{port}",
    )

    async def answer(request: web.Request) -> web.Response:
        # A client of its own each time: what one browser is handed, no other one has.
        inside.cookies.clear()
        said = await inside.request(
            request.method, request.raw_path, headers=list(request.headers.items()),
            content=await request.read(),
        )
        headers = [(name, value) for name, value in said.headers.multi_items()
                   if name.lower() not in _DROPPED]
        response = web.Response(status=said.status_code, body=said.content)
        for name, value in headers:
            if name.lower() == "content-type":
                response.headers["content-type"] = value
            else:
                response.headers.add(name, value)
        return response

    application = web.Application(client_max_size=1 << 22)
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()

    async def stop() -> None:
        await runner.cleanup()
        await inside.aclose()

    return stop
