"""A whole house in this process, spoken to as clients do."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from lichen.house import House
from lichen.kit.config import Config
from tests.databases import databases
from tests.houses import opened_house

PASSWORD = "correct horse battery"
PAGE_URL = "https://example.org/page"
PAGE = "<html><head><title>A page</title></head><body>Words.</body></html>"
_NUMBERS = itertools.count(1)


def fresh_name(stem: str) -> str:
    """Return a name that nobody has had in this run."""
    return f"{stem}_{next(_NUMBERS)}"


async def everybody_heard(house: House) -> None:
    """Wait until every reader has applied the log, and what readers told because of it, too."""
    followers, seq = house.followers, -1
    async with asyncio.timeout(30):
        await house.relay.catch_up()
        while seq < house.log.last_seq:
            seq = house.log.last_seq
            await followers._moved.wait_until(
                lambda seq=seq: min(followers.positions().values()) >= seq)
            await house.relay.catch_up()


@dataclass
class Person:
    """Somebody logged in: calls go out in their name."""

    client: httpx.AsyncClient
    name: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **asked: object) -> httpx.Response:
        return await self.client.get(f"/api/v3{path}", params=asked, headers=self.headers)

    async def post(self, path: str, **asked: object) -> httpx.Response:
        return await self.client.post(f"/api/v3{path}", json=asked, headers=self.headers)

    async def put(self, path: str, **asked: object) -> httpx.Response:
        return await self.client.put(f"/api/v3{path}", json=asked, headers=self.headers)

    async def call(self, method: str, path: str, asked: dict[str, object]) -> httpx.Response:
        if method == "GET":
            return await self.get(path, **asked)
        return await (self.post if method == "POST" else self.put)(path, **asked)


@dataclass
class Town:
    """A house with a stranger at its door and people in it."""

    house: House
    stranger: Person

    async def person(self, stem: str = "person") -> Person:
        """Sign somebody up."""
        name = fresh_name(stem)
        answer = await self.stranger.post(
            "/user/register", username=name, password=PASSWORD, password_verify=PASSWORD
        )
        headers = {"authorization": f"Bearer {answer.json()['jwt']}"}
        return Person(self.stranger.client, name, headers)

    async def keeper(self) -> Person:
        """Sign somebody up who administers the site."""
        person = await self.person("keeper")
        accounts = self.house.rooms.accounts
        viewer = await accounts.viewer(person.headers["authorization"][7:])
        assert viewer is not None
        await self.house.store.write(
            lambda unit: accounts.promote(unit, None, viewer.id, admin=True)
        )
        return person

    async def community(self, founder: Person) -> int:
        """Found a community and return its id."""
        answer = await founder.post("/community", name=fresh_name("place"), title="A place")
        return int(answer.json()["community_view"]["community"]["id"])

    async def post(self, author: Person, community_id: int, **fields: Any) -> int:
        """Write a post and return its id."""
        fields.setdefault("name", fresh_name("A title"))
        answer = await author.post("/post", community_id=community_id, **fields)
        return int(answer.json()["post_view"]["post"]["id"])

    async def comment(self, author: Person, post_id: int, **fields: Any) -> int:
        """Write a comment and return its id."""
        fields.setdefault("content", "Some words.")
        answer = await author.post("/comment", post_id=post_id, **fields)
        return int(answer.json()["comment_view"]["comment"]["id"])


@contextmanager
def database(engine: str) -> Iterator[str]:
    """Yield the address of a database with every table and no row."""
    if engine == "sqlite":
        yield ""
        return
    with databases.furnished() as url:
        yield url


@asynccontextmanager
async def opened(folder: Path, database_url: str, **words: str) -> AsyncIterator[Town]:
    """Open a house as a testbed that knows one page of the world, and close it."""
    (folder / "page.html").write_text(PAGE)
    (folder / "overrides.json").write_text(json.dumps({PAGE_URL: "page.html"}))
    house = await opened_house(Config.load(words={
        "server.data": folder / "data", "server.profile": "testbed", "database.url": database_url,
        "outbound.fetch_overrides": str(folder / "overrides.json"),
        **{f"log.{key}": word for key, word in words.items()},
    }))
    transport = httpx.ASGITransport(app=house.application)
    async with httpx.AsyncClient(transport=transport, base_url="http://lichen.test") as client:
        yield Town(house, Person(client))
    await house.close()


async def browse(person: Person, method: str, path: str, **named: Any) -> httpx.Response:
    """Ask for a page as a browser that is logged in."""
    headers = {"cookie": f"lichen_session={person.headers['authorization'][7:]}",
               "origin": "http://lichen.test", "sec-fetch-site": "same-origin"}
    return await person.client.request(method, path, headers=headers, **named)
