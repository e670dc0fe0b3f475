"""Hostile HTTP at the door of the running house: a 4xx or a cut connection, never a 5xx, no write.

Raw bytes over sockets, because every HTTP client mends what is tried here. The addresses are those
of docs/routes.md, which a test of its own holds to the code.

Fifty thousand requests: `make sim` makes them all. `make test` makes a fifth of them, others on
each engine: every route, every segment, every field and every text that is typed, not each with
each.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import aiohttp
import pytest

from lichen.events import Event
from tests.faults.audit import records_of
from tests.faults.serving import Place, Serving, place_of, until
from tests.sampling import sample

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.sampled]

ROUTES = Path(__file__).parents[2] / "docs" / "routes.md"
ANSWER_S_MAX = 20.0
AT_ONCE = 8
LONG = "a" * 7_000
BODY_BYTES = 10_000_000
PASSWORD = "correct horse battery"

# Lone surrogates, NUL, invalid UTF-8, traversal in many spellings, line ends, no numbers.
SEGMENTS = (
    "%00", "a%00b", "%ed%a0%80", "%ff%fe", "%c0%ae%c0%ae%c0%af", "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cwindows", "%252e%252e%252fetc%252fpasswd",
    "/etc/passwd", "../../../../../../etc/passwd", "....//....//etc/passwd",
    "x%0d%0ax-injected:%201", "x%0ax-injected:%201", LONG, "-1", "0", "9" * 30,
    "9223372036854775807", "9223372036854775808", "1e5", "1.0", "%D9%A3", "0x10",
    "%20", "%", "%zz", "%F0%9F%8D%84", "a@b@c", "@", "!", "'",
    "%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "%E2%80%AE", "..", ".", "null", "%7B%7D", "*",
)
VALUES = (
    "%00", "%ed%a0%80", "%ff", LONG, "-1", "9" * 30, "1e5", "%0d%0ax-injected:%201", "%", "'",
    "%22", "%7Bx%7D", "..%2f..%2fetc%2fpasswd", "%E2%80%AE", "//evil.example", "%5c%5cevil.example",
    "javascript:alert(1)", "http://[", "",
)
PARAMETERS = ("page", "sort", "listing", "q", "type", "type_", "next", "url", "title", "body",
              "limit", "community", "cursor", "page_cursor", "order", "kind", "show", "id", "name",
              "username", "community_name", "max_depth", "post_id", "unread")
# Of forms: what no text may hold, and more than any field takes.
TYPED = ("%00", "a%00b", "%ed%a0%80", "%ed%b0%80x", "a" * 60_001)
FIELDS = ("name", "password", "content", "body", "title", "community", "url", "alt_text", "bio",
          "description", "display_name", "avatar", "icon", "banner", "next", "draft", "answer",
          "old", "new", "languages", "language", "value", "session", "density", "theme", "sort",
          "listing", "nsfw", "preview", "ask")
HERE = r"/(?![/\\])|http://lichen.example/"
FORM = "application/x-www-form-urlencoded"


class Answer(NamedTuple):
    """What came back; a status of 0 for a connection that was closed without a word."""

    status: int
    head: str
    body: bytes


class Door(NamedTuple):
    """A running house, and the cookie of somebody who lives there."""

    place: Place
    cookie: str

    @property
    def first(self) -> int:
        """Where a sample begins: the engines take different ones."""
        return 3 if self.place.database_url else 0

    async def ask(self, request: bytes) -> Answer:
        """Send raw bytes and return the answer."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await self._ask(request)
        except (ConnectionError, asyncio.IncompleteReadError):
            return Answer(0, "", b"")

    async def _ask(self, request: bytes) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.place.port)
        try:
            sending = asyncio.create_task(_send(writer, request))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            # A stream of events has no end; its head is all that an address decides.
            body = b"" if "text/event-stream" in head else await reader.read()
            await sending
        finally:
            writer.close()
        return Answer(int(head.split()[1]), head, body)

    async def get(self, target: str, *headers: str) -> Answer:
        """Ask for an address, just as it is spelt."""
        return await self.ask(self.head("GET", target, *headers) + b"\r\n")

    async def post(self, target: str, body: bytes, *, kind: str = FORM) -> Answer:
        """Send a body."""
        headers = [f"content-length: {len(body)}", *([f"content-type: {kind}"] if kind else [])]
        return await self.ask(self.head("POST", target, *headers) + b"\r\n" + body)

    def head(self, method: str, target: str, *headers: str) -> bytes:
        """Return the head of a request, without the empty line that ends it."""
        lines = [f"{method} {target} HTTP/1.1", "host: lichen.example", "connection: close",
                 f"cookie: lichen_session={self.cookie}", *headers]
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1")

    async def written(self) -> list[Event]:
        """Return everything that was ever written."""
        async def is_relayed() -> bool:
            return (await self.get("/ready")).status == 200

        await until(is_relayed, within_s=ANSWER_S_MAX, what=lambda: "an empty outbox")
        return [one.event for one in records_of(self.place)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def door(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Door]:
    with place_of(request.param, tmp_path_factory.mktemp("hostile")) as place:
        serving = Serving(place)
        try:
            await serving.ready()
            door = Door(place, await _settle(place.url))
            assert (await door.get("/post/1")).status == 200
            # That it was read is noted once, after the page has gone out.
            await until(lambda: any(one.event.collection == "lichen.forum.read"
                                    for one in records_of(place)),
                        within_s=ANSWER_S_MAX, what=lambda: "the post to be noted as read")
            yield door
            assert "page_broke" not in serving.said(), serving.said()
            assert "Traceback" not in serving.said(), serving.said()
        finally:
            serving.end()


async def _settle(url: str) -> str:
    """Make a person, a community, a post and a comment, all with the number that comes."""
    async with aiohttp.ClientSession() as session:
        async def write(path: str, **asked: object) -> dict[str, object]:
            async with session.post(f"{url}/api/v3/{path}", json=asked) as answer:
                assert answer.status == 200, await answer.text()
                return dict(await answer.json())

        said = await write("user/register", username="resident", password=PASSWORD,
                           password_verify=PASSWORD)
        session.headers["authorization"] = f"Bearer {said['jwt']}"
        town = await write("community", name="town", title="A town")
        town_id = town["community_view"]["community"]["id"]  # type: ignore[index]
        await write("post", name="A post", community_id=town_id)
        await write("comment", content="Words.", post_id=1)
        return str(said["jwt"])


def routes(method: str, *, pages_only: bool = False) -> list[str]:
    """Return the addresses of a method, but for the door out: it takes no field, and ends all."""
    found = re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \|", ROUTES.read_text(), re.MULTILINE)
    assert len(found) > 80
    return [path for verb, path in found
            if verb == method and not (pages_only and path.startswith("/api/"))
            and path != "/logout"]


def filled(route: str) -> str:
    """Return an address that is there."""
    for name, value in (("name", "town"), ("file", "all.xml"), ("seed", "a"), ("kind", "young.svg"),
                        ("token", "x")):
        route = route.replace(f"{{{name}}}", value)
    return re.sub(r"\{[a-z_]+\}", "1", route)


def hostile_addresses() -> Iterator[str]:
    for route in routes("GET"):
        for place in re.findall(r"\{[a-z_]+\}", route):
            before, _, after = route.partition(place)
            for segment in SEGMENTS:
                yield filled(before) + segment + filled(after)
        for value in VALUES:
            yield f"{filled(route)}?" + "&".join(f"{name}={value}" for name in PARAMETERS)
        for name in PARAMETERS:
            yield f"{filled(route)}?{name}=%00&{name}=%ed%a0%80"
        yield f"{filled(route)}?%00=%00&%ed%a0%80=1&=&&&=%"
        yield f"{filled(route)}?" + "&".join(f"a{number}=1" for number in range(2_000))
    for segment in SEGMENTS:
        yield f"/{segment}"
        yield f"/static/{segment}"
        yield f"/static/../{segment}"


async def test_no_address_breaks_the_house(door: Door) -> None:
    before = await door.written()
    addresses = sample(list(hostile_addresses()), every=7, first=door.first)

    answers = await _all(door, addresses)

    for address, answer in zip(addresses, answers, strict=True):
        _assert_safe(answer, address)
        assert b"root:" not in answer.body, address
        location = re.search(r"(?mi)^location: (\S*)", answer.head)
        assert location is None or re.match(HERE, location[1]), address
    assert await door.written() == before


async def _all(door: Door, addresses: Sequence[str]) -> list[Answer]:
    """Ask for all addresses, some at once."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(address: str) -> Answer:
        async with turn:
            return await door.get(address)

    return await asyncio.gather(*map(one, addresses))


@pytest.mark.parametrize("route", routes("POST", pages_only=True))
async def test_no_form_breaks_the_house_or_writes(door: Door, route: str) -> None:
    before = await door.written()
    path = filled(route)
    typed = [f"{field}={value}".encode() for value in TYPED for field in FIELDS]
    bodies = [*sample(typed, every=7, first=door.first + len(route))]
    bodies += ["&".join(f"{field}={value}" for field in FIELDS).encode() for value in TYPED]
    bodies += [b"&".join(b"a%d=1" % number for number in range(5_000)), b"%00=1", b"%ed%a0%80=1"]

    for body in bodies:
        answer = await door.post(path, body)
        _assert_refused(answer, f"{path} {body[:60]!r}")

    assert await door.written() == before


@pytest.mark.parametrize("route", routes("POST", pages_only=True))
async def test_no_body_of_another_kind_breaks_the_house_or_writes(door: Door, route: str) -> None:
    before = await door.written()
    path = filled(route)
    part = (b'--b\r\ncontent-disposition: form-data; name="name"; filename="../../x"\r\n\r\n'
            b"x\r\n--b--\r\n")
    bodies = [
        (b'{"name": "x", "content": "x", "title": "x"}', "application/json"),
        (b"[" * 50_000, "application/json"), (b"<x/>", "text/xml"), (b"\xff\xfe\x00", "text/plain"),
        (b"name=x", ""), (b"name=x", "multipart/form-data"),
        (b"name=x", "multipart/form-data; boundary=b"), (part, "multipart/form-data; boundary=b"),
        (part[:40], "multipart/form-data; boundary=b"),
        (part * 2_000, "multipart/form-data; boundary=b"),
        (b"x", "///;;;"),
    ]
    bodies += sample([
        (b"name=" + b"a" * BODY_BYTES, FORM),
        (b"--b\r\n" + b"a" * BODY_BYTES, "multipart/form-data; boundary=b"),
    ], every=7, first=door.first + len(route))

    for body, kind in bodies:
        answer = await door.post(path, body, kind=kind)
        _assert_refused(answer, f"{path} {kind} {body[:60]!r}")

    assert await door.written() == before


@pytest.mark.parametrize(("route", "field", "rest"), [
    ("/create_post", "url", "name=A+post&community=town"),
    ("/settings/profile", "avatar", "display_name=x"),
    ("/create_community", "icon", "name=village&title=A+village"),
    ("/create_community", "banner", "name=village&title=A+village"),
])
@pytest.mark.parametrize("address", [
    "http://[", "http://[::1", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd",
    "http://", "//evil.example/x", "http://a\u202eb/", "http://a b/", "http://a/\nb", "http://a:b/",
    "http://user:pass@[/", "http://" + "a" * 3_000,
])
async def test_no_strange_address_in_a_form_is_kept(
    door: Door, route: str, field: str, rest: str, address: str
) -> None:
    before = await door.written()

    answer = await door.post(route, f"{rest}&{field}={quote(address)}".encode())

    _assert_refused(answer, address)
    assert await door.written() == before


HEADS = {
    "line ends in a header": "x-a: b\r\n x-injected: folded",
    "a bare line feed": "x-a: b\nx-injected: 1",
    "a NUL": "x-a: b\0c",
    "a header of 500 KB": "x-a: " + "a" * 500_000,
    "5,000 headers": "\r\n".join(f"x-{number}: 1" for number in range(5_000)),
    "no name": ": a",
    "a space in the name": "x a: b",
    "a negative length": "content-length: -1",
    "two lengths": "content-length: 1\r\ncontent-length: 2",
    "a length and chunks": "content-length: 5\r\ntransfer-encoding: chunked",
    "an unknown coding": "transfer-encoding: rot13",
    "a strange host": "host: evil.example",
    "a host that is none": "host: ../../%00",
    "a strange token": "authorization: Bearer \xff\xfe..%00",
    "a long token": "authorization: Bearer " + "a." * 5_000,
    "tokens of another kind": "authorization: Basic YTpi",
    "a cookie jar": "cookie: " + "; ".join(f"a{number}=b" for number in range(2_000)),
    "a cookie that is none": "cookie: lichen_session=%00; ;=;lichen_theme=\xff",
    "a strange referer": "referer: http://[::1",
    "a strange agent": "user-agent: \xed\xa0\x80",
    "conditions": "if-none-match: \"\xff\", *\r\nif-modified-since: yesterday",
    "a date far away": "if-modified-since: Fri, 99 Dec 9999 99:99:99 GMT",
    "ranges": "range: bytes=-1-,9-1",
    "codings": "accept-encoding: gzip;q=x,,,;",
    "languages": "accept-language: \xff," + "a" * 4_000,
    "kinds": "accept: */*;q=9,/;,application/activity+json",
    "a strange fragment": "hx-request: true\r\nhx-current-url: http://[",
    "an upgrade": "upgrade: websocket\r\nconnection: upgrade",
    "forwarding": "x-forwarded-for: ' OR 1=1, \xff\r\nforwarded: for=\"",
    "an expectation": "expect: 200-maybe",
}


@pytest.mark.parametrize("about", HEADS)
async def test_no_header_breaks_the_house(door: Door, about: str) -> None:
    before = await door.written()

    for target in ("/", "/post/1", "/feeds/all.xml", "/api/v3/site", "/static/none.css"):
        _assert_safe(await door.get(target, HEADS[about]), target)
    for target in ("/login", "/post/1/comment"):
        head = door.head("POST", target, HEADS[about], f"content-type: {FORM}")
        _assert_safe(await door.ask(head + b"content-length: 3\r\n\r\na=%"), target)

    assert await door.written() == before


REST = b"host: a\r\nconnection: close\r\n\r\n"
BEGINNINGS = {
    "HTTP/0.9": b"GET /\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(200) + b"\r\n\r\n",
    "no method": b" / HTTP/1.1\r\nhost: a\r\n\r\n",
    "an unknown method": b"GROW / HTTP/1.1\r\n" + REST,
    "TRACE": b"TRACE / HTTP/1.1\r\n" + REST,
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\n" + REST,
    "a star": b"OPTIONS * HTTP/1.1\r\n" + REST,
    "an address elsewhere": b"GET http://evil.example/ HTTP/1.1\r\n" + REST,
    "two slashes": b"GET //evil.example/%2f.. HTTP/1.1\r\n" + REST,
    "no host": b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
    "no slash": b"GET index HTTP/1.1\r\n" + REST,
    "raw bytes": b"GET /\xff\xfe\xed\xa0\x80 HTTP/1.1\r\n" + REST,
    "a raw NUL": b"GET /\0 HTTP/1.1\r\n" + REST,
    "a space": b"GET /a b HTTP/1.1\r\n" + REST,
    "another version": b"GET / HTTP/9.9\r\n" + REST,
    "a long address": b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\n" + REST,
    "a bad chunk": b"POST /login HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
                   b"transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a chunk without end": b"POST /login HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
                           b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n\r\n",
}


@pytest.mark.parametrize("about", BEGINNINGS)
async def test_no_beginning_breaks_the_house(door: Door, about: str) -> None:
    _assert_safe(await door.ask(BEGINNINGS[about]), about)

    assert (await door.get("/health")).status == 200


async def _send(writer: asyncio.StreamWriter, request: bytes) -> None:
    """Send all of it, unless the house has heard enough."""
    try:
        writer.write(request)
        await writer.drain()
    except ConnectionError:
        return


def _assert_safe(answer: Answer, about: str) -> None:
    # RFC 9110 §15.6.2, §15.6.6: 501 for a method, 505 for a version, are the protocol's own.
    assert answer.status < 500 or answer.status in (501, 505), f"{about[:200]}: {answer.head}"
    assert "\nx-injected" not in answer.head.lower(), about


def _assert_refused(answer: Answer, about: str) -> None:
    _assert_safe(answer, about)
    assert answer.status == 0 or 300 <= answer.status < 500, f"{about}: {answer.head[:200]}"
