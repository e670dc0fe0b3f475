"""The stage: a running house, who is there, and which fields were filled with spells."""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import aiohttp

from tests.faults.serving import Place
from tests.faults.spells import MARK, Spells, cast_in
from tests.faults.test_hostile_input import routes

PASSWORD = "correct horse battery"
OURS = ("/rule", "/reaction", "/proposal", "/remark", "/picture", "/appeal", "/user/site_ban")


@dataclass
class Stage:
    """A running house, who is there, and which fields were filled."""

    place: Place
    session: aiohttp.ClientSession
    spells: Spells = field(default_factory=Spells)
    cookies: dict[str, str] = field(default_factory=dict)
    filled: set[tuple[str, str]] = field(default_factory=set)  # "POST /post", "name"
    answers: list[tuple[str, str]] = field(default_factory=list)  # pages that came back at once
    ids: dict[str, int] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)  # pages that no link leads to
    uploads: list[int] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)  # by mark, what should be seen somewhere

    async def api(
        self, who: str, call: str, *, is_kept: bool = True, **asked: Any
    ) -> dict[str, Any]:
        """Make a call of an API; what is no spell must be taken, a spell may be refused."""
        method, _, path = call.partition(" ")
        face = "/api/lichen" if path.startswith(OURS) else "/api/v3"
        headers = {"authorization": f"Bearer {self.cookies[who]}"} if who else {}
        async with self.session.request(
            method, f"{self.place.url}{face}{path}", json=asked, headers=headers
        ) as answer:
            status, said = answer.status, await answer.json()
        self._note(call, asked, is_kept=is_kept, status=status, said=str(said))
        return dict(said) if isinstance(said, dict) else {"": said}

    async def form(self, who: str, path: str, *, is_kept: bool = True, **asked: str) -> str:
        """Send a form as a browser does; return where it leads."""
        async with self.session.post(
            f"{self.place.url}{path}", data=asked, allow_redirects=False,
            headers={"cookie": f"lichen_session={self.cookies[who]}" if who else "",
                     "origin": self.place.url, "sec-fetch-site": "same-origin"},
        ) as answer:
            status, said = answer.status, await answer.text()
            onward = answer.headers.get("location", "")
        assert "x-zqx" not in answer.headers
        if said:
            self.answers.append((path, said))
        refusal = re.findall(r'class="said[^>]*>(.*)', said)
        self._note(f"form {route_of('POST', path)}", asked, is_kept=is_kept, status=status, said=str(refusal))
        return onward

    def _note(
        self, call: str, asked: dict[str, Any], *, is_kept: bool, status: int, said: str
    ) -> None:
        assert (status < 400) == is_kept and status < 500, (call, [*asked], status, said[:300])
        for name, text in cast_in(asked):
            self.filled.add((call, name))
            if is_kept:
                self.kept |= dict.fromkeys(MARK.findall(text), f"{call} {name}")

    async def join(self, name: str) -> int:
        """Give somebody a name here and return their number."""
        said = await self.api("", "POST /user/register", username=name, password=PASSWORD,
                              password_verify=PASSWORD)
        self.cookies[name] = said["jwt"]
        async with self.session.get(f"{self.place.url}/api/v3/user?username={name}") as answer:
            return int((await answer.json())["person_view"]["person"]["id"])


@cache
def _patterns(method: str) -> list[tuple[str, "re.Pattern[str]"]]:
    """Return the routes of a method as patterns, those with fewer open parts first."""
    found = sorted(routes(method), key=lambda route: route.count("{"))
    return [(route, re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(route))))
            for route in found]


def route_of(method: str, path: str) -> str:
    """Return the route that answers a path, the path itself where none does."""
    path = path.partition("?")[0]
    return next((route for route, one in _patterns(method) if one.fullmatch(path)), path)


async def page_of(stage: Stage, who: str, path: str) -> str:
    headers = {"cookie": f"lichen_session={stage.cookies[who]}", "accept": "text/html"}
    async with stage.session.get(stage.place.url + path, headers=headers) as answer:
        assert answer.status == 200, (path, await answer.text())
        return await answer.text()
