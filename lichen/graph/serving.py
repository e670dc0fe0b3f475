"""The graph over HTTP: GraphD's paths and shapes, and pages and batches of our own.

RSGI below everything else, because a look-up takes some microseconds and a framework some tens.

    GET  /followers /following /moots              ?did=                          [did, …]
    GET  /followers_not_following                  ?did=                          {"dids": [did, …]}
    GET  /does_follow /are_moots                   ?actor_did= &target_did=       true | false
    GET  /intersect_followers /intersect_following ?did= &did= …                  [did, …]
    GET  /follows_following                        ?actor_did= &target_did=       [did, …]
    POST /follow /unfollow                         {actor_did, target_did}        "ok", once durable
    POST /follows /unfollows                       {follows | unfollows: […]}     "ok", once durable
    GET  /_health                                                                 ok
    GET  /api/graph/…                              pages.py: with a key, by cursor
    POST /api/graph/does_follow                    {pairs: [[actor, target], …]}  [true, …]

Errors are a text in JSON, in every place: GraphD gave `{}` where Go could not write one down.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote

import msgspec
import numpy as np

from lichen.graph.asking import Questions
from lichen.graph.base import Direction
from lichen.graph.changes import ChangeKind
from lichen.graph.engine import Change, Graph
from lichen.graph.errors import ActorUnknown, ChangesRefused
from lichen.graph.limits import (
    ANSWER_ACTORS_MAX,
    BODY_BYTES_MAX,
    CHANGES_MAX,
    PAGE_ACTORS,
    PAGE_ACTORS_MAX,
    PAIRS_MAX,
    QUERY_SETS_MAX,
)
from lichen.graph.sets import Numbers
from lichen.kit import LichenError, NotFound, Refused, Unauthenticated, Unavailable

JSON: Final = [("content-type", "application/json")]
TEXT: Final = [("content-type", "text/plain; charset=utf-8")]

Query = list[tuple[str, str]]
Answer = bytes
Ask = Callable[["GraphApp", Query], Answer]


class Scope(Protocol):
    """What RSGI says of a request."""

    method: str
    path: str
    query_string: str
    headers: Any


class Transport(Protocol):
    """How RSGI is answered."""

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        """Answer with a text."""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer with bytes."""

    async def __call__(self) -> bytes:
        """Return the body."""


class _Pair(msgspec.Struct):
    actor_did: str
    target_did: str


class _Pairs(msgspec.Struct):
    follows: list[_Pair] = []
    unfollows: list[_Pair] = []


class _Asked(msgspec.Struct):
    pairs: list[tuple[str, str]]


class GraphApp:
    """The RSGI application of one graph, opened when the worker starts."""

    def __init__(self, folder: Path, *, key: str = "") -> None:
        self._folder, self._key = folder, key
        self._graph: Graph | None = None

    @property
    def graph(self) -> Graph:
        """Return the open graph."""
        assert self._graph is not None, "the worker has started"
        return self._graph

    def __rsgi_init__(self, loop: Any) -> None:
        """Open the graph before the first request."""
        self._graph = Graph.open(self._folder)

    def __rsgi_del__(self, loop: Any) -> None:
        """Close it after the last one."""
        loop.run_until_complete(self.graph.close())

    async def __rsgi__(self, scope: Scope, transport: Transport) -> None:
        """Answer one request."""
        path = scope.path
        if path == "/_health":
            transport.response_str(200, TEXT, "ok")
            return
        try:
            ask = _GETS.get(path)
            if ask is not None and scope.method == "GET":
                if self._key:
                    self._check(scope, path)
                answer = ask(self, parsed(scope.query_string))
            else:
                answer = await self._post(scope, transport)
        except LichenError as error:
            status, text = _told(error)
            transport.response_bytes(status, JSON, msgspec.json.encode(text))
            return
        transport.response_bytes(200, JSON, answer)

    def does_follow(self, query: Query) -> Answer:
        """Say whether one follows another."""
        actor, target = self._two(query)
        return b"true" if self.graph.overlay.does_follow(actor, target) else b"false"

    def are_moots(self, query: Query) -> Answer:
        """Say whether two follow each other."""
        one, other = self._two(query)
        overlay = self.graph.overlay
        return b"true" if (overlay.does_follow(one, other)
                           and overlay.does_follow(other, one)) else b"false"

    def followers(self, query: Query) -> Answer:
        """Return who follows somebody."""
        return self._names(self.graph.overlay.row(self._one(query), Direction.FOLLOWERS))

    def following(self, query: Query) -> Answer:
        """Return whom somebody follows."""
        return self._names(self.graph.overlay.row(self._one(query), Direction.FOLLOWING))

    def moots(self, query: Query) -> Answer:
        """Return who follows somebody and is followed back."""
        return self._names(self._questions.mutuals(self._one(query)))

    def followers_not_following(self, query: Query) -> Answer:
        """Return who follows somebody and is not followed back."""
        names = self._names(self._questions.followers_not_followed(self._one(query)))
        return b'{"dids":%b}' % names

    def intersect_followers(self, query: Query) -> Answer:
        """Return who follows all of them."""
        return self._names(self._questions.in_all(self._several(query), Direction.FOLLOWERS))

    def intersect_following(self, query: Query) -> Answer:
        """Return whom all of them follow."""
        return self._names(self._questions.in_all(self._several(query), Direction.FOLLOWING))

    def unite_followers(self, query: Query) -> Answer:
        """Return who follows any of them."""
        return self._names(self._questions.in_any(self._several(query), Direction.FOLLOWERS))

    def unite_following(self, query: Query) -> Answer:
        """Return whom any of them follows."""
        return self._names(self._questions.in_any(self._several(query), Direction.FOLLOWING))

    def follows_following(self, query: Query) -> Answer:
        """Return whom the actor follows who also follow the target."""
        return self._names(self._questions.followed_who_follow(*self._two(query)))

    def page_of_followers(self, query: Query) -> Answer:
        """Return a page of who follows somebody."""
        return self._page(query, Direction.FOLLOWERS)

    def page_of_following(self, query: Query) -> Answer:
        """Return a page of whom somebody follows."""
        return self._page(query, Direction.FOLLOWING)

    def counts(self, query: Query) -> Answer:
        """Return how many follow somebody, and how many they follow."""
        number, overlay = self._one(query), self.graph.overlay
        return msgspec.json.encode({
            "followers": overlay.count(number, Direction.FOLLOWERS),
            "following": overlay.count(number, Direction.FOLLOWING)})

    def followed_by(self, query: Query) -> Answer:
        """Return how many of whom the actor follows follow the target, and the first of them."""
        found = self._questions.followed_by(*self._two(query), first=_limit(query))
        return msgspec.json.encode({
            "count": found.total, "dids": self.graph.overlay.names_of(found.first)})

    def suggestions(self, query: Query) -> Answer:
        """Return whom somebody may want to follow, with the reason."""
        found = self._questions.suggestions(self._one(query), limit=_limit(query))
        names = self.graph.overlay.names_of(np.array([one.number for one in found], np.uint32))
        return msgspec.json.encode([
            {"did": name, "followedBy": one.shared, "likeness": round(one.likeness, 4)}
            for name, one in zip(names, found, strict=True)])

    @property
    def _questions(self) -> Questions:
        return Questions(self.graph.overlay)

    def _one(self, query: Query) -> int:
        return self._number(_value(query, "did"))

    def _two(self, query: Query) -> tuple[int, int]:
        return self._number(_value(query, "actor_did")), self._number(_value(query, "target_did"))

    def _several(self, query: Query) -> list[int]:
        names = [value for key, value in query if key == "did"]
        if not 1 <= len(names) <= QUERY_SETS_MAX:
            raise ChangesRefused(f"Expected 1 to {QUERY_SETS_MAX} times did=, got {len(names)}.")
        return [self._number(name) for name in names]

    def _number(self, name: str) -> int:
        number = self.graph.overlay.number_of(name)
        if number is None:
            raise ActorUnknown(name)
        return number

    def _names(self, numbers: Numbers) -> Answer:
        if len(numbers) > ANSWER_ACTORS_MAX:
            raise ChangesRefused(f"The answer has {len(numbers)} actors, more than "
                                 f"{ANSWER_ACTORS_MAX}; ask /api/graph/ by pages.")
        return msgspec.json.encode(self.graph.overlay.names_of(numbers))

    def _page(self, query: Query, direction: Direction) -> Answer:
        after = next((value for key, value in query if key == "cursor"), None)
        if after is not None and not (after.isascii() and after.isdigit()):
            raise ChangesRefused(f"Expected the cursor of a page, got {after[:40]!r}.")
        page = self._questions.page(self._one(query), direction, limit=_limit(query),
                                    after=None if after is None else min(int(after), 2**32 - 1))
        answer: dict[str, Any] = {"dids": self.graph.overlay.names_of(page.numbers)}
        if page.cursor is not None:
            answer["cursor"] = str(page.cursor)
        return msgspec.json.encode(answer)

    async def _post(self, scope: Scope, transport: Transport) -> Answer:
        post = _POSTS.get(scope.path)
        if post is None:
            raise NotFound("no_such_path", f"Nothing is at {scope.path[:80]}; see "
                           "`lichen graph serve --help`.")
        if scope.method != "POST":
            raise Refused("method_not_allowed", f"Expected POST, got {scope.method}.", status=405)
        self._check(scope, scope.path)
        length = scope.headers.get("content-length") or ""
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            raise Refused("body_too_large", f"Expected a body of at most {BODY_BYTES_MAX} bytes "
                          f"with its length, got {length[:20] or 'none'}.", status=413)
        try:
            return await post(self, await transport())
        except msgspec.MsgspecError as error:
            raise ChangesRefused(f"Expected JSON as documented: {error}.") from error

    def _check(self, scope: Scope, path: str) -> None:
        """Ask for the key where one is set; look-ups of GraphD's own paths need none."""
        is_guarded = path.startswith("/api/") or path in _POSTS
        if self._key and is_guarded and (
                scope.headers.get("authorization") != f"Bearer {self._key}"):
            raise Unauthenticated("key_needed", "Expected the key as `Authorization: Bearer …`.")

    async def _changed(self, pairs: Sequence[_Pair], kind: ChangeKind) -> Answer:
        if len(pairs) > CHANGES_MAX:
            raise ChangesRefused(f"Expected at most {CHANGES_MAX} changes, got {len(pairs)}.")
        await self.graph.commit(Change(one.actor_did, one.target_did, kind) for one in pairs)
        return b'"ok"'

    async def follow(self, body: bytes) -> Answer:
        """Let somebody follow somebody."""
        return await self._changed([msgspec.json.decode(body, type=_Pair)], ChangeKind.FOLLOW)

    async def unfollow(self, body: bytes) -> Answer:
        """Let somebody follow somebody no longer."""
        return await self._changed([msgspec.json.decode(body, type=_Pair)], ChangeKind.UNFOLLOW)

    async def follows(self, body: bytes) -> Answer:
        """Let many follow."""
        return await self._changed(msgspec.json.decode(body, type=_Pairs).follows,
                                   ChangeKind.FOLLOW)

    async def unfollows(self, body: bytes) -> Answer:
        """Let many follow no longer."""
        return await self._changed(msgspec.json.decode(body, type=_Pairs).unfollows,
                                   ChangeKind.UNFOLLOW)

    async def does_follow_many(self, body: bytes) -> Answer:
        """Say of many pairs whether the first follows the second; unknown ones follow nobody."""
        pairs = msgspec.json.decode(body, type=_Asked).pairs
        if len(pairs) > PAIRS_MAX:
            raise ChangesRefused(f"Expected at most {PAIRS_MAX} pairs, got {len(pairs)}.")
        numbers = self.graph.overlay.numbers_of([name for pair in pairs for name in pair])
        found = self._questions.follow_many(numbers[::2], numbers[1::2])
        return msgspec.json.encode(found.tolist())


_GETS: Final[dict[str, Ask]] = {
    "/does_follow": GraphApp.does_follow, "/are_moots": GraphApp.are_moots,
    "/followers": GraphApp.followers, "/following": GraphApp.following, "/moots": GraphApp.moots,
    "/followers_not_following": GraphApp.followers_not_following,
    "/intersect_followers": GraphApp.intersect_followers,
    "/intersect_following": GraphApp.intersect_following,
    "/follows_following": GraphApp.follows_following,
    "/api/graph/followers": GraphApp.page_of_followers,
    "/api/graph/following": GraphApp.page_of_following,
    "/api/graph/counts": GraphApp.counts, "/api/graph/followed_by": GraphApp.followed_by,
    "/api/graph/suggestions": GraphApp.suggestions,
    "/api/graph/unite_followers": GraphApp.unite_followers,
    "/api/graph/unite_following": GraphApp.unite_following,
}
_POSTS: Final[dict[str, Callable[[GraphApp, bytes], Awaitable[Answer]]]] = {
    "/follow": GraphApp.follow, "/unfollow": GraphApp.unfollow,
    "/follows": GraphApp.follows, "/unfollows": GraphApp.unfollows,
    "/api/graph/does_follow": GraphApp.does_follow_many,
}


def parsed(query: str) -> Query:
    """Return the pairs of a query; values are percent-decoded once, and `:` may stand raw.

    The `%3A` inside a did:web is sent as `%253A`. A plus sign stays one: no DID has a space.
    """
    if "%" not in query:
        return [part.partition("=")[::2] for part in query.split("&")]
    parts = [part.partition("=")[::2] for part in query.split("&")]
    return [(key, unquote(value)) for key, value in parts]


def _value(query: Query, key: str) -> str:
    for name, value in query:
        if name == key and value:
            return value
    raise ChangesRefused(f"Expected {key}= in the query, got none.")


def _limit(query: Query) -> int:
    value = next((value for key, value in query if key == "limit"), str(PAGE_ACTORS))
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= PAGE_ACTORS_MAX):
        raise ChangesRefused(f"Expected a limit of 1 to {PAGE_ACTORS_MAX}, got {value[:20]!r}.")
    return int(value)


def _told(error: LichenError) -> tuple[int, str]:
    if isinstance(error, Refused):
        return error.status, error.text
    if isinstance(error, Unavailable):
        return 503, error.text
    raise error
