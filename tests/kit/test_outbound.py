"""The guarded client against real servers on loopback."""

import asyncio
import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web

from lichen.kit import Unavailable
from lichen.kit.config import ConfigRefused
from lichen.kit.config import Outbound as Settings
from lichen.kit.outbound import REDIRECTS_MAX, Outbound
from lichen.kit.outbound_session import GuardedResolver
from lichen.kit.public_addresses import FetchRefused

pytestmark = pytest.mark.anyio

OPEN = Settings(private_addresses=True, plain_http=True, bytes_max=1 << 16)
GUARDED = Settings(plain_http=True)


class Peer:
    """A server on loopback that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.at_once = 0
        self.at_once_max = 0
        self.release = asyncio.Event()
        self.is_asked = asyncio.Event()
        self.url = ""
        self.port = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.is_asked.set()
        self.bodies.append(await request.read())
        return await getattr(self, request.match_info["what"])(request)

    async def hello(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text="grüß", content_type="text/plain", charset="latin-1")

    async def missing(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=410, text="gone")

    async def hop(self, request: web.Request) -> web.StreamResponse:
        left = int(request.query["left"])
        target = f"/hop?left={left - 1}" if left else "/hello"
        return web.Response(status=302, headers={"Location": target})

    async def away(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": request.query["to"]})

    async def large(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * int(request.query["bytes"]))

    async def endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 4_096)

    async def bomb(self, request: web.Request) -> web.StreamResponse:
        encoding = request.query["encoding"]
        zeros = bytes(8 << 20)
        body = gzip.compress(zeros) if encoding == "gzip" else zlib.compress(zeros)
        return web.Response(body=body, headers={"Content-Encoding": encoding})

    async def slow(self, request: web.Request) -> web.StreamResponse:
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        await self.release.wait()
        self.at_once -= 1
        return web.Response(text="at last")

    async def cookie(self, request: web.Request) -> web.StreamResponse:
        return web.Response(headers={"Set-Cookie": "a=b; Path=/"})


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def peer_on(stack: AsyncExitStack) -> Peer:
    peer = Peer()
    application = web.Application()
    application.router.add_route("*", "/{what}", peer.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    peer.port = runner.addresses[0][1]
    peer.url = f"http://127.0.0.1:{peer.port}"
    stack.callback(peer.release.set)
    return peer


@pytest.fixture
async def peer(stack: AsyncExitStack) -> Peer:
    return await peer_on(stack)


def client(stack: AsyncExitStack, settings: Settings = OPEN, **rest: object) -> Outbound:
    outbound = Outbound(settings, **rest)  # type: ignore[arg-type]
    stack.push_async_callback(outbound.close)
    return outbound


async def test_an_answer_carries_status_headers_text_and_address(
    stack: AsyncExitStack, peer: Peer
) -> None:
    outbound = client(stack, sender="https://forum.example")

    fetched = await outbound.fetch(f"{peer.url}/hello#part", accept="text/plain")

    assert (fetched.status, fetched.text(), fetched.content_type) == (200, "grüß", "text/plain")
    assert fetched.url == f"{peer.url}/hello"
    assert peer.asked[0].headers["Accept"] == "text/plain"
    assert "https://forum.example" in peer.asked[0].headers["User-Agent"]


async def test_a_status_that_is_no_success_is_an_answer(stack: AsyncExitStack, peer: Peer) -> None:
    fetched = await client(stack).fetch(f"{peer.url}/missing")

    assert (fetched.status, fetched.body) == (410, b"gone")


async def test_a_post_carries_its_body_and_is_not_redirected(
    stack: AsyncExitStack, peer: Peer
) -> None:
    outbound = client(stack)

    sent = await outbound.post(
        f"{peer.url}/hello", b"{}", content_type="application/activity+json",
        headers={"Signature": "s"})
    redirected = await outbound.post(f"{peer.url}/hop?left=0", b"", content_type="text/plain")

    assert sent.status == 200
    assert peer.bodies[0] == b"{}"
    assert peer.asked[0].headers["Content-Type"] == "application/activity+json"
    assert peer.asked[0].headers["Signature"] == "s"
    assert redirected.status == 302
    assert len(peer.asked) == 2


async def test_redirects_are_followed_up_to_the_limit_and_no_further(
    stack: AsyncExitStack, peer: Peer
) -> None:
    outbound = client(stack)

    fetched = await outbound.fetch(f"{peer.url}/hop?left={REDIRECTS_MAX - 1}")
    with pytest.raises(FetchRefused) as refused:
        await outbound.fetch(f"{peer.url}/hop?left={REDIRECTS_MAX}")

    assert fetched.url == f"{peer.url}/hello"
    assert refused.value.code == "too_many_redirects"


@pytest.mark.parametrize("to", [
    "http://169.254.169.254/latest/meta-data", "http://127.1/", "file:///etc/passwd",
    "http://user@peer.example/", "http://[::ffff:127.0.0.1]/", "http://inside.example/",
])
async def test_every_redirect_is_judged_anew(
    stack: AsyncExitStack, peer: Peer, to: str
) -> None:
    async def lookup(name: str) -> list[str]:
        return ["10.0.0.7"]

    settings = Settings(plain_http=True, hosts={"peer.example": "127.0.0.1"})
    outbound = client(stack, settings, lookup=lookup)

    with pytest.raises(FetchRefused) as refused:
        await outbound.fetch(f"http://peer.example:{peer.port}/away?to={to}")
    assert refused.value.code in ("url_refused", "address_refused")
    assert len(peer.asked) == 1


async def test_a_redirect_to_another_host_loses_what_was_meant_for_the_first(
    stack: AsyncExitStack, peer: Peer
) -> None:
    other = await peer_on(stack)

    await client(stack).fetch(
        f"{peer.url}/away?to={other.url}/hello", headers={"Authorization": "Bearer x"})

    assert peer.asked[0].headers["Authorization"] == "Bearer x"
    assert "Authorization" not in other.asked[0].headers


@pytest.mark.parametrize("host", [
    "127.0.0.1", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "2130706433",
    "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "①②⑦.0.0.1", "１２７.0.0.1", "localhost",
    "[fe80::1%25lo]", "10.0.0.1", "169.254.169.254",
])
async def test_this_machine_and_its_network_are_not_reached_by_any_spelling(
    stack: AsyncExitStack, peer: Peer, host: str
) -> None:
    outbound = client(stack, GUARDED)

    with pytest.raises((FetchRefused, Unavailable)):
        await outbound.fetch(f"http://{host}:{peer.port}/hello")
    assert peer.asked == []


@pytest.mark.parametrize("addresses", [
    ["127.0.0.1"], ["::1"], ["10.0.0.1", "192.168.0.1"], ["::ffff:127.0.0.1"], [],
])
async def test_a_name_that_leads_inside_is_refused(
    stack: AsyncExitStack, peer: Peer, addresses: list[str]
) -> None:
    async def lookup(name: str) -> list[str]:
        return addresses

    outbound = client(stack, GUARDED, lookup=lookup)

    with pytest.raises(FetchRefused) as refused:
        await outbound.fetch(f"http://inside.example:{peer.port}/hello")
    assert refused.value.code == "address_refused"
    assert peer.asked == []


async def test_a_name_is_asked_once_for_check_and_connection_both(
    stack: AsyncExitStack, peer: Peer
) -> None:
    """DNS rebinding: one answer for the check, another for the connection."""
    lookups = []

    async def lookup(name: str) -> list[str]:
        lookups.append(name)
        return ["127.0.0.1"] if len(lookups) == 1 else ["192.0.2.1"]

    fetched = await client(stack, lookup=lookup).fetch(f"http://two.example:{peer.port}/hello")

    assert fetched.status == 200
    assert lookups == ["two.example"]


async def test_of_the_addresses_of_a_name_only_those_are_called_that_may_be(
    stack: AsyncExitStack
) -> None:
    async def lookup(name: str) -> list[str]:
        return ["10.0.0.1", "1.1.1.1", "::1", "2606:4700::1"]

    resolver = GuardedResolver({}, private_addresses=False, lookup=lookup)

    found = await resolver.resolve("mixed.example", 443)

    assert [one["host"] for one in found] == ["1.1.1.1", "2606:4700::1"]


async def test_a_host_that_the_administrator_wrote_down_is_reached_where_it_was_said(
    stack: AsyncExitStack, peer: Peer
) -> None:
    settings = Settings(plain_http=True, hosts={"peer.example": "127.0.0.1"})

    fetched = await client(stack, settings).fetch(f"http://PEER.example:{peer.port}/hello")

    assert fetched.status == 200
    assert peer.asked[0].headers["Host"] == f"peer.example:{peer.port}"


@pytest.mark.parametrize("path", [
    "large?bytes=70000", "endless", "bomb?encoding=gzip", "bomb?encoding=deflate",
])
async def test_a_body_larger_than_the_limit_is_refused_while_it_comes(
    stack: AsyncExitStack, peer: Peer, path: str
) -> None:
    outbound = client(stack)

    with pytest.raises(FetchRefused) as refused:
        await outbound.fetch(f"{peer.url}/{path}")
    assert refused.value.code == "body_too_large"


async def test_a_body_as_large_as_the_limit_is_taken(stack: AsyncExitStack, peer: Peer) -> None:
    outbound = client(stack)

    whole = await outbound.fetch(f"{peer.url}/large?bytes=500", bytes_max=500)
    with pytest.raises(FetchRefused):
        await outbound.fetch(f"{peer.url}/large?bytes=501", bytes_max=500)

    assert len(whole.body) == 500


async def test_a_host_that_does_not_answer_in_time_is_unavailable(
    stack: AsyncExitStack, peer: Peer
) -> None:
    outbound = client(stack)

    with pytest.raises(Unavailable) as unavailable:
        await outbound.fetch(f"{peer.url}/slow", timeout_s=0.05)
    with pytest.raises(Unavailable):
        await outbound.fetch("http://127.0.0.1:1/", timeout_s=5)

    assert unavailable.value.retry_after_s > 0


async def test_one_host_is_asked_only_so_much_at_once_and_delays_no_other(
    stack: AsyncExitStack, peer: Peer
) -> None:
    other = await peer_on(stack)
    settings = Settings(private_addresses=True, plain_http=True, per_host_max=2)
    outbound = client(stack, settings)

    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(outbound.fetch(f"{peer.url}/slow")) for _ in range(6)]
        answer = await outbound.fetch(f"{other.url}/hello")
        peer.release.set()

    assert answer.status == 200
    assert [task.result().status for task in waiting] == [200] * 6
    assert peer.at_once_max == 2


async def test_cookies_are_not_kept(stack: AsyncExitStack, peer: Peer) -> None:
    outbound = client(stack)

    await outbound.fetch(f"{peer.url}/cookie")
    await outbound.fetch(f"{peer.url}/hello")

    assert "Cookie" not in peer.asked[1].headers


async def test_a_cancelled_fetch_is_cancelled(stack: AsyncExitStack, peer: Peer) -> None:
    task = asyncio.create_task(client(stack).fetch(f"{peer.url}/slow"))
    await peer.is_asked.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_overridden_address_is_answered_from_its_file(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text("<title>Moss</title>")
    (tmp_path / "actor.json").write_text('{"type":"Person"}')
    overrides = tmp_path / "overrides.json"
    overrides.write_text(json.dumps({
        "https://moss.example/": "page.html",
        "https://moss.example/u/ada": str(tmp_path / "actor.json"),
        "https://moss.example/lost": "lost.html",
    }))
    outbound = client(stack, Settings(fetch_overrides=str(overrides)))

    page = await outbound.fetch("https://moss.example")
    actor = await outbound.fetch(
        "https://moss.example/u/ada#main-key", accept="application/activity+json, */*")

    assert (page.text(), page.content_type) == ("<title>Moss</title>", "text/html")
    assert (actor.body, actor.content_type) == (
        b'{"type":"Person"}', "application/activity+json")
    with pytest.raises(Unavailable, match="fixture"):
        await outbound.fetch("https://moss.example/lost")


@pytest.mark.parametrize("text", ["[]", '{"https://a.example": 1}', "{"])
def test_overrides_that_make_no_sense_are_refused_at_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "overrides.json"
    path.write_text(text)

    with pytest.raises(ConfigRefused, match="LICHEN_FETCH_OVERRIDES"):
        Outbound(Settings(fetch_overrides=str(path)))


def test_the_http_library_is_not_loaded_before_the_first_fetch() -> None:
    code = (
        "import sys, lichen.kit.ground as g, lichen.kit.config as c; g.ground_of(c.Config());"
        "assert 'aiohttp' not in sys.modules and 'yarl' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
