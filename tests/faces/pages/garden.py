"""A garden for the tests of the pages: a whole house, and people who come to it by HTTP."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path

import httpx

from lichen.house import House
from lichen.kit.config import Config
from tests.houses import opened_house

URL = "http://garden.example"
PASSWORD = "three odd words"
HTMX = {"HX-Request": "true"}


class Guest:
    """Somebody at a browser: cookies of their own, forms as browsers send them."""

    def __init__(self, house: House, name: str | None) -> None:
        self.name = name
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=house.application, raise_app_exceptions=False),
            base_url=URL,
        )

    async def see(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers={"accept": "text/html", **headers})

    async def ask(self, path: str, **query: str) -> httpx.Response:
        return await self.http.get(path, params=query, headers={"accept": "text/html"})

    async def send(
        self, path: str, fields: dict[str, str] | None = None, *, htmx: bool = False,
        came_from: str | None = None, **headers: str,
    ) -> httpx.Response:
        headers = {"origin": URL, "sec-fetch-site": "same-origin", **headers}
        if htmx:
            headers |= HTMX
        if came_from is not None:
            headers["referer"] = URL + came_from
        return await self.http.post(path, data=fields or {}, headers=headers)

    async def join(self) -> "Guest":
        assert self.name is not None
        answer = await self.send("/signup", {"name": self.name, "password": PASSWORD})
        assert 303 == answer.status_code, answer.text
        return self


class Garden:
    """The house, and what tests plant in it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._names = 0

    def stranger(self) -> Guest:
        return Guest(self.house, None)

    async def person(self) -> Guest:
        self._names += 1
        return await Guest(self.house, f"person_{self._names}").join()

    async def community(self, founder: Guest) -> str:
        self._names += 1
        name = f"place_{self._names}"
        answer = await founder.send("/create_community", {"name": name, "title": f"The {name}"})
        assert f"/c/{name}" == answer.headers.get("location"), answer.text
        return name

    async def post(self, author: Guest, *, title: str = "What grows here?", **fields: str) -> str:
        """Write a post in a community of its own and return its path."""
        community = await self.community(author)
        answer = await author.send(
            "/create_post", {"community": community, "name": title, **fields}
        )
        assert 303 == answer.status_code, answer.text
        return answer.headers["location"]

    async def comment(self, author: Guest, path: str, content: str) -> int:
        """Write a comment below a post's or a comment's path and return its id."""
        deed = "comment" if path.startswith("/post/") else "reply"
        answer = await author.send(f"{path}/{deed}", {"content": content})
        assert 303 == answer.status_code, answer.text
        return int(answer.headers["location"].rpartition("#c")[2])


@asynccontextmanager
async def opened(folder: Path, **settings: str) -> AsyncIterator[Garden]:
    """Open a house in a folder, with an administrator and no ports; settings by variable."""
    config = Config.load(None, {
        "LICHEN_DATA": str(folder), "LICHEN_PUBLIC_URL": URL, "LICHEN_METRICS_PORT": "0", "LICHEN_STREAM_PORT": "0",
        "LICHEN_ADMIN_NAME": "gardener", "LICHEN_ADMIN_PASSWORD": PASSWORD,
        "LICHEN_LIMITS_RATES": "false", "LICHEN_LIMITS_NEWCOMERS": "false",
        "LICHEN_OUTBOUND_PRIVATE_ADDRESSES": "true", "LICHEN_OUTBOUND_PLAIN_HTTP": "true",
        **settings,
    })
    house = await opened_house(config)
    try:
        yield Garden(house)
    finally:
        await house.close()


def words(html: str) -> str:
    """Return what a page says, without its marks."""
    body = re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))
