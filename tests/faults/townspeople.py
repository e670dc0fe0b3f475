"""Townspeople: concurrent clients that write over HTTP, and a notebook of what they were told.

    asked     sent, and nothing was heard: it may be there, once
    kept      answered 2xx: it must be there, once
    refused   answered 503: it must not be there

Every text begins with a word of its own, by which the audit finds it again.
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import aiohttp

PASSWORD = "correct horse battery"
ANSWER_S_MAX = 20.0
FILLER = "Rock, rain and patience. " * 8  # so that segments fill up soon


class Fate(Enum):
    """What the people were told of a write."""

    ASKED = "asked"
    KEPT = "kept"
    REFUSED = "refused"


@dataclass
class Written:
    """One thing that somebody tried to write."""

    kind: str
    word: str
    by: str
    fate: Fate = Fate.ASKED
    id: int = 0
    parent: "Written | None" = None  # a post's community, a comment's post or comment
    mentions: str = ""


@dataclass
class Notebook:
    """What all of them tried, and what they were told."""

    written: list[Written] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    votes: dict[tuple[str, str, int], set[int]] = field(default_factory=dict)  # what may be there
    answers: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, kind: str, by: str = "", parent: Written | None = None) -> Written:
        """Note that somebody is about to write."""
        one = Written(kind, f"{kind}{next(self._numbers):05d}", by, parent=parent)
        self.written.append(one)
        return one

    def answered(self) -> None:
        """Note that something was acknowledged."""
        self.answers += 1
        self._more.set()

    def kept(self, *kinds: str) -> list[Written]:
        """Return what was acknowledged of these kinds, in order."""
        return [one for one in self.written if one.fate is Fate.KEPT and one.kind in kinds]

    async def reach(self, answers: int) -> None:
        """Wait until so many writes were acknowledged."""
        while self.answers < answers:
            self._more.clear()
            await self._more.wait()


class Gone(Exception):
    """The server does not answer."""


class Townsperson:
    """One client: signs up once, then writes whatever comes to mind until nobody answers."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, notebook: Notebook, chance: random.Random
    ) -> None:
        self._session = session
        self._url = url
        self._notebook = notebook
        self._chance = chance
        self.name = ""
        self._token = ""

    async def live(self) -> None:
        """Write until the server is gone."""
        try:
            while True:
                await self.act()
        except Gone:
            return

    async def act(self) -> None:
        """Write one thing; the first is to sign up, or to come back as somebody known."""
        if not self._token:
            await self.arrive()
            return
        deeds: list[tuple[Callable[[], Awaitable[None]], int]] = [(self.found, 1)]
        if self._notebook.kept("town"):
            deeds.append((self.post, 5))
        if self._notebook.kept("post"):
            deeds += [(self.comment, 9), (self.vote, 6)]
        ways, weights = zip(*deeds, strict=True)
        await self._chance.choices(ways, weights)[0]()

    async def arrive(self, name: str = "") -> None:
        """Come back as `name`, whose session must still hold, or sign up."""
        if name:
            self.name, self._token = name, self._notebook.tokens[name]
            return
        one = self._notebook.begin("person")
        answer = await self._write(one, "user/register", username=one.word, password=PASSWORD,
                                   password_verify=PASSWORD)
        if answer is not None:
            self.name, self._token = one.word, answer["jwt"]
            self._notebook.tokens[self.name] = self._token

    async def found(self) -> None:
        """Found a community."""
        one = self._notebook.begin("town", self.name)
        await self._write(one, "community", name=one.word, title=f"The town {one.word}")

    async def post(self) -> None:
        """Post to a community."""
        town = self._chance.choice(self._notebook.kept("town"))
        one = self._notebook.begin("post", self.name, town)
        await self._write(one, "post", name=f"{one.word} was seen", community_id=town.id,
                          body=FILLER)

    async def comment(self) -> None:
        """Comment on a post or a comment, and mention somebody at times."""
        above = self._chance.choice(self._notebook.kept("post", "comment")[-60:])
        one = self._notebook.begin("comment", self.name, above)
        asked: dict[str, Any] = {"content": f"{one.word} was said. {FILLER}"}
        if self._chance.random() < 0.2:
            one.mentions = self._chance.choice(sorted(self._notebook.tokens))
            asked["content"] += f"\n\nAsk @{one.mentions}@lichen.example."
        if above.kind == "comment":
            asked["parent_id"] = above.id
        while above.kind == "comment":
            assert above.parent is not None
            above = above.parent
        await self._write(one, "comment", post_id=above.id, **asked)

    async def vote(self) -> None:
        """Vote on a post or a comment, up, down or not at all."""
        on = self._chance.choice(self._notebook.kept("post", "comment")[-60:])
        value = self._chance.choice([1, 1, 1, 0, -1])
        key = (self.name, on.kind, on.id)
        before = self._notebook.votes.get(key)
        if before is None:
            # Lemmy: whoever writes something has voted for it.
            before = {1} if on.by == self.name else {0}
        self._notebook.votes[key] = before | {value}
        one = Written("vote", f"vote{on.word}", self.name)
        await self._write(one, f"{on.kind}/like", score=value, **{f"{on.kind}_id": on.id})
        if one.fate is Fate.KEPT:
            self._notebook.votes[key] = {value}
        elif one.fate is Fate.REFUSED:
            self._notebook.votes[key] = before

    async def _write(self, one: Written, path: str, **asked: Any) -> dict[str, Any] | None:
        """Send one write and note what comes back; raises Gone where nothing does."""
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            async with self._session.post(
                f"{self._url}/api/v3/{path}", json=asked, headers=headers
            ) as answer:
                status, said = answer.status, await answer.json()
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            raise Gone from None
        if status == 503:
            assert said["error"] == "unavailable" and said["message"], said
            one.fate = Fate.REFUSED
            return None
        assert status == 200, (status, said, one)
        one.fate, one.id = Fate.KEPT, _id_in(said)
        self._notebook.answered()
        return said


async def live_in(
    url: str, notebook: Notebook, chance: random.Random, *, people: int = 6
) -> None:
    """Let some people write at once until the server is gone; one of them is new."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_S_MAX)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        crowd = [Townsperson(session, url, notebook, random.Random(chance.random()))
                 for _ in range(people)]
        for person, name in zip(crowd[1:], sorted(notebook.tokens), strict=False):
            await person.arrive(name)
        await asyncio.gather(*(person.live() for person in crowd))


def _id_in(said: dict[str, Any]) -> int:
    """Return the number of what an answer shows, 0 where it shows none."""
    for kind in ("comment", "post", "community"):
        if f"{kind}_view" in said:
            return int(said[f"{kind}_view"][kind]["id"])
    return 0
