"""Two real servers, A with a community and B that follows it; one dies, and both must agree again.

    ada on A ──► stones ◄── bob and others on B          post, answer, vote: what was answered 200
                                                          is written down
    a death at a point, of either ──► start ──► the same posts, comments and counts on both

What nobody was told of may be there or not; what somebody was told of is there, once, on both.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

from lichen.kit.crash_points import VARIABLE
from tests.faults.serving import Place, Serving, until

FEDERATION = (
    "inbox.before_append", "inbox.after_append", "ingest.decided", "ingest.after_commit",
    "parked.before_release", "parked.after_release", "composing.before_append",
    "composing.after_append", "composing.after_checkpoint", "sending.delivered",
    "sending.before_note", "sending.after_note", "peers.before_flush", "peers.after_flush",
)
PASSWORD = "correct horse battery"
AGREED_S_MAX = 60.0
DEATH_S_MAX = 45.0
View = dict[str, tuple[Any, ...]]


class Side:
    """One of the two servers, over many lives."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.serving: Serving
        self.tokens: dict[str, str] = {}

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.place.port}"

    async def start(self) -> None:
        self.begin()
        await self.serving.ready()

    def begin(self, **environ: str) -> None:
        """Start, and wait for nothing."""
        self.serving = Serving(self.place, environ={
            "LICHEN_PUBLIC_URL": self.place.url, **environ})

    async def end(self) -> None:
        self.serving.end()
        await self.serving.gone()


class Neighbours:
    """Two servers and what people on them were told is done."""

    def __init__(self, a: Place, b: Place, *, seed: int) -> None:
        self.a, self.b = Side(a), Side(b)
        self.chance = random.Random(seed)
        self.told: Counter[str] = Counter()  # ids of what was written
        self.votes: dict[str, set[str]] = {}  # by post, who has voted
        self.deaths: list[str] = []
        self._numbers = iter(range(1, 1_000_000))

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Start both, and leave nothing of them."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            self._session = session
            try:
                await asyncio.gather(self.a.start(), self.b.start())
                await self._meet()
                yield
            finally:
                await self.a.end()
                await self.b.end()

    async def killed_at(self, point: str, side: str) -> None:
        """Let one of them die at a point while people write; then both must agree."""
        dying = getattr(self, side)
        await dying.end()
        dying.begin(**{VARIABLE: point})
        worker = await dying.serving.ready_or_dead()

        async def death() -> None:
            if worker is not None:  # else it died of what it found at its start
                await dying.serving.worker_ended(worker)

        await self._die(dying, f"{point} of {side}", death)

    async def killed_at_random(self, side: str) -> None:
        """Kill one of them at some moment while people write; then both must agree."""
        dying = getattr(self, side)

        async def moment() -> None:
            await asyncio.sleep(self.chance.uniform(0.05, 0.5))  # any moment: that is the matter
            dying.serving.kill_both()

        await self._die(dying, f"kill of {side}", moment)

    async def write_once(self) -> None:
        """Let everybody write once, so that both servers know them."""
        await self.write_as_ada()
        await self.agree()
        await self.answer_as("bob")
        await self._newcomer()

    async def answer_as(self, name: str) -> str:
        """Let somebody on B answer the newest post; return the answer's id."""
        listed = await self._call(self.b, name, "GET", "/post/list", sort="New", limit=1,
                                  community_id=self._theirs)
        said = await self._call(self.b, name, "POST", "/comment", content="An answer",
                                post_id=listed["posts"][0]["post"]["id"])
        ap_id = str(said["comment_view"]["comment"]["ap_id"])
        self.told[ap_id] += 1
        return ap_id

    async def shows(self, side: Side, ap_id: str) -> None:
        """Wait until a server shows something."""
        community = "stones" if side is self.a else f"stones@{self.a.authority}"

        async def is_so() -> bool:
            return ap_id in await self._view(side, community)

        await until(is_so, within_s=AGREED_S_MAX, what=lambda: f"{ap_id} to be shown")

    async def _die(self, dying: Side, what: str, death: Callable[[], Any]) -> None:
        self.deaths.append(what)
        writing = asyncio.create_task(self._write_on())
        try:
            await asyncio.wait_for(death(), DEATH_S_MAX)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        await dying.end()
        await dying.start()
        await self.agree()

    async def agree(self) -> None:
        """Wait until both show the same, and everything that somebody was told of."""
        found: list[View] = [{}, {}]

        async def is_so() -> bool:
            found[:] = [await self._view(self.a, "stones"),
                        await self._view(self.b, f"stones@{self.a.authority}")]
            return found[0] == found[1] and set(self.told) <= set(found[0]) and all(
                found[0][post][1] >= len(voters) for post, voters in self.votes.items())

        def what() -> str:
            apart = {one: [view.get(one) for view in found] for one in {*found[0], *found[1]}
                     if found[0].get(one) != found[1].get(one)}
            missing = [one for one in self.told if one not in found[0]]
            return f"both to agree after {self.deaths[-1:]}: {apart}, missing {missing}"

        await until(is_so, within_s=AGREED_S_MAX, what=what)
        for post, voters in self.votes.items():  # each vote counts once, its author's too
            assert found[0][post][1] <= len(voters) + len(self._unsure(post)), self.deaths[-1]

    def _unsure(self, post: str) -> set[str]:
        """Return who may have voted without being told so, and the author."""
        return {"ada", *self.b.tokens, *self.a.tokens} - self.votes.get(post, set())

    async def _meet(self) -> None:
        await self._join(self.a, "ada")
        await self._call(self.a, "ada", "POST", "/community", name="stones", title="Stones")
        await self._join(self.b, "bob")
        found = await self._resolve(self.b, "bob", f"!stones@{self.a.authority}")
        self._theirs = found["community"]["community"]["id"]
        ours = await self._call(self.a, "ada", "GET", "/community", name="stones")
        self._ours = ours["community_view"]["community"]["id"]
        await self._call(self.b, "bob", "POST", "/community/follow", community_id=self._theirs,
                         follow=True)

        async def is_subscribed() -> bool:
            said = await self._call(self.b, "bob", "GET", "/community", id=self._theirs)
            return bool(said["community_view"]["subscribed"] == "Subscribed")

        await until(is_subscribed, within_s=AGREED_S_MAX, what=lambda: "bob to be subscribed")

    async def _write_on(self) -> None:
        """Write on both until cancelled; who gets no answer tries something else."""
        while True:
            results = await asyncio.gather(self.write_as_ada(), self._newcomer(), return_exceptions=True)
            for one in results:
                if isinstance(one, AssertionError):
                    raise one
            await asyncio.sleep(0.02)

    async def write_as_ada(self) -> None:
        """Let ada write a post and answer it."""
        number = next(self._numbers)
        said = await self._call(self.a, "ada", "POST", "/post", name=f"Stone {number}",
                                community_id=self._ours)
        post = said["post_view"]["post"]
        self.told[post["ap_id"]] += 1
        self.votes[post["ap_id"]] = {"ada"}
        said = await self._call(self.a, "ada", "POST", "/comment", content=f"First {number}",
                                post_id=post["id"])
        self.told[said["comment_view"]["comment"]["ap_id"]] += 1

    async def _newcomer(self) -> None:
        """Let somebody whom A has never heard of answer and vote."""
        name = f"bob{next(self._numbers)}"
        await self._join(self.b, name)
        listed = await self._call(self.b, name, "GET", "/post/list", sort="New", limit=5,
                                  community_id=self._theirs)
        for view in listed["posts"][:2]:
            post = view["post"]
            said = await self._call(self.b, name, "POST", "/comment", content=f"From {name}",
                                    post_id=post["id"])
            self.told[said["comment_view"]["comment"]["ap_id"]] += 1
            await self._call(self.b, name, "POST", "/post/like", post_id=post["id"], score=1)
            self.votes.setdefault(post["ap_id"], set()).add(name)

    async def _join(self, side: Side, name: str) -> None:
        said = await self._call(side, "", "POST", "/user/register", username=name,
                                password=PASSWORD, password_verify=PASSWORD)
        side.tokens[name] = said["jwt"]

    async def _resolve(self, side: Side, who: str, what: str) -> dict[str, Any]:
        return await self._call(side, who, "GET", "/resolve_object", q=what)

    async def _call(
        self, side: Side, who: str, method: str, path: str, **asked: Any
    ) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {side.tokens[who]}"} if who else {}
        told: dict[str, Any] = {"params": {
            name: str(value) for name, value in asked.items()}} if method == "GET" else {"json": asked}
        async with self._session.request(
            method, f"{side.place.url}/api/v3{path}", headers=headers, **told
        ) as answer:
            said = await answer.json()
            if answer.status != 200:
                raise ConnectionError(f"{path}: {answer.status} {said}")
            return dict(said)

    async def _view(self, side: Side, community: str) -> View:
        """Return what a server shows of the community, by the ids of things."""
        found: View = {}
        with suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
            for page in range(1, 100):
                posts = await self._call(side, "", "GET", "/post/list", sort="Old", limit=50,
                                         page=page, community_name=community)
                for one in posts["posts"]:
                    counts = one["counts"]
                    found[one["post"]["ap_id"]] = (
                        one["post"]["name"], counts["upvotes"], counts["downvotes"],
                        counts["comments"])
                if len(posts["posts"]) < 50:
                    break
            for page in range(1, 100):
                comments = await self._call(side, "", "GET", "/comment/list", sort="Old",
                                            limit=50, page=page, community_name=community,
                                            type_="All")
                for one in comments["comments"]:
                    assert one["comment"]["ap_id"] not in found, "it is there once"
                    found[one["comment"]["ap_id"]] = (
                        one["comment"]["content"], one["counts"]["upvotes"])
                if len(comments["comments"]) < 50:
                    break
        return found
