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
    GET  /api/graph/followers /following           ?did= &limit= &cursor=         {"dids", "cursor"}
    GET  /api/graph/counts /suggestions            ?did=
    GET  /api/graph/followed_by                    ?actor_did= &target_did=       {"count", "dids"}
    GET  /api/graph/unite_followers /…_following   ?did= &did= …                  [did, …]
    POST /api/graph/does_follow                    {pairs: [[actor, target], …]}  [true, …]

Where a key is set, /api/ and every POST ask for it. Errors are a text in JSON, in every place:
GraphD gave `{}` where Go could not write one down.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import numpy as np
import structlog

from lichen.graph.asked import (
    Asked,
    Follows,
    Pair,
    Query,
    Scope,
    Unfollows,
    check_body,
    check_key,
    cursor_of,
    letters_in,
    limit_of,
    parsed,
    value_of,
)
from lichen.graph.asking import Questions
from lichen.graph.base import Direction
from lichen.graph.changes import ChangeKind
from lichen.graph.engine import Change, Graph
from lichen.graph.errors import ActorUnknown, ChangesRefused, GraphUnavailable
from lichen.graph.limits import (
    ANSWER_ACTORS_MAX,
    CHANGES_MAX,
    PAIRS_MAX,
    QUERY_SETS_MAX,
    REBUILD_CHANGES,
)
from lichen.graph.sets import Numbers
from lichen.kit import LichenError, NotFound, Refused, Unauthenticated, Unavailable

JSON: Final = [("content-type", "application/json")]
TEXT: Final = [("content-type", "text/plain; charset=utf-8")]
GETTING: Final = ("GET", "HEAD")
AT_ONCE: Final = 5_000  # names or pairs between two turns of the others: some 5 ms
UNKNOWN: Final = "uid not found"  # as GraphD says it, on its own paths

logger = structlog.get_logger("lichen.graph")


class Listed(NamedTuple):
    """An answer that is a list of actors, not yet written down."""

    numbers: Numbers
    before: bytes = b""
    after: bytes = b""


Answer = bytes
Ask = Callable[["GraphApp", Query], "Answer | Listed"]


class Transport(Protocol):
    """How RSGI is answered."""

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        """Answer with a text."""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer with bytes."""

    async def __call__(self) -> bytes:
        """Return the body."""


class GraphApp:
    """The RSGI application of one graph, opened when the worker starts."""

    def __init__(self, folder: Path, *, key: str = "",
                 rebuild_changes: int = REBUILD_CHANGES) -> None:
        self._folder, self._key, self._rebuild_changes = folder, key, rebuild_changes
        self._graph: Graph | None = None
        self._rebuilding: asyncio.Task[None] | None = None

    @property
    def graph(self) -> Graph:
        """Return the open graph."""
        assert self._graph is not None, "the worker has started"
        return self._graph

    def __rsgi_init__(self, loop: Any) -> None:
        """Open the graph before the first request."""
        self._graph = Graph.open(self._folder)

    def __rsgi_del__(self, loop: Any) -> None:
        """Close it after the last one; a base that is being built is left to the next start."""
        loop.run_until_complete(self.graph.close())

    async def __rsgi__(self, scope: Scope, transport: Transport) -> None:
        """Answer one request."""
        path = scope.path
        if path == "/_health":
            transport.response_str(200, TEXT, "ok")
            return
        try:
            ask = _GETS.get(path)
            if ask is not None and scope.method in GETTING:
                if self._key and path.startswith("/api/"):
                    check_key(scope, self._key)
                answer = ask(self, parsed(scope.query_string))
                if isinstance(answer, Listed):
                    answer = await self._written(answer)
            else:
                answer = await self._post(scope, transport)
        except LichenError as error:
            status, headers, text = _told(error, path)
            transport.response_bytes(status, headers, msgspec.json.encode(text))
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

    def followers(self, query: Query) -> Listed:
        """Return who follows somebody."""
        return Listed(self.graph.overlay.row(self._one(query), Direction.FOLLOWERS))

    def following(self, query: Query) -> Listed:
        """Return whom somebody follows."""
        return Listed(self.graph.overlay.row(self._one(query), Direction.FOLLOWING))

    def moots(self, query: Query) -> Listed:
        """Return who follows somebody and is followed back."""
        return Listed(self._questions.mutuals(self._one(query)))

    def followers_not_following(self, query: Query) -> Listed:
        """Return who follows somebody and is not followed back."""
        found = self._questions.followers_not_followed(self._one(query))
        return Listed(found, b'{"dids":', b"}")

    def intersect_followers(self, query: Query) -> Listed:
        """Return who follows all of them."""
        return Listed(self._questions.in_all(self._several(query), Direction.FOLLOWERS))

    def intersect_following(self, query: Query) -> Listed:
        """Return whom all of them follow."""
        return Listed(self._questions.in_all(self._several(query), Direction.FOLLOWING))

    def unite_followers(self, query: Query) -> Listed:
        """Return who follows any of them."""
        return Listed(self._questions.in_any(self._several(query), Direction.FOLLOWERS))

    def unite_following(self, query: Query) -> Listed:
        """Return whom any of them follows."""
        return Listed(self._questions.in_any(self._several(query), Direction.FOLLOWING))

    def follows_following(self, query: Query) -> Listed:
        """Return whom the actor follows who also follow the target."""
        return Listed(self._questions.followed_who_follow(*self._two(query)))

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
        found = self._questions.followed_by(*self._two(query), first=limit_of(query))
        return msgspec.json.encode({
            "count": found.total, "dids": self.graph.overlay.names_of(found.first)})

    def suggestions(self, query: Query) -> Answer:
        """Return whom somebody may want to follow, with the reason."""
        found = self._questions.suggestions(self._one(query), limit=limit_of(query))
        names = self.graph.overlay.names_of(np.array([one.number for one in found], np.uint32))
        return msgspec.json.encode([
            {"did": name, "followedBy": one.shared, "likeness": round(one.likeness, 4)}
            for name, one in zip(names, found, strict=True)])

    @property
    def _questions(self) -> Questions:
        return Questions(self.graph.overlay)

    def _one(self, query: Query) -> int:
        return self._number(value_of(query, "did"))

    def _two(self, query: Query) -> tuple[int, int]:
        return (self._number(value_of(query, "actor_did")),
                self._number(value_of(query, "target_did")))

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

    async def _written(self, listed: Listed) -> Answer:
        """Write the names of a list; of a long one in parts, and others have their turn."""
        numbers = listed.numbers
        if len(numbers) > ANSWER_ACTORS_MAX:
            raise ChangesRefused(f"The answer has {len(numbers)} actors, more than "
                                 f"{ANSWER_ACTORS_MAX}; ask /api/graph/ by pages.")
        overlay, parts = self.graph.overlay, []
        for at in range(0, len(numbers), AT_ONCE):
            if at:
                await asyncio.sleep(0)
            parts.append(msgspec.json.encode(overlay.names_of(numbers[at : at + AT_ONCE]))[1:-1])
        return b"%b[%b]%b" % (listed.before, b",".join(parts), listed.after)

    def _page(self, query: Query, direction: Direction) -> Answer:
        page = self._questions.page(self._one(query), direction, after=cursor_of(query),
                                    limit=limit_of(query))
        answer: dict[str, Any] = {"dids": self.graph.overlay.names_of(page.numbers)}
        if page.cursor is not None:
            answer["cursor"] = str(page.cursor)
        return msgspec.json.encode(answer)

    async def _post(self, scope: Scope, transport: Transport) -> Answer:
        post = _POSTS.get(scope.path)
        if post is None and scope.path not in _GETS:
            raise NotFound("no_such_path", f"Nothing is at {scope.path[:80]}; see "
                           "`lichen graph serve --help`.")
        if post is None or scope.method != "POST":
            raise Refused("method_not_allowed", f"Expected {_allowed(scope.path)}, got "
                          f"{scope.method[:20]}.", status=405)
        check_key(scope, self._key)
        check_body(scope, self._key)
        try:
            return await post(self, await transport())
        except msgspec.MsgspecError as error:
            raise ChangesRefused(f"Expected JSON as documented: {error}.") from error

    async def _changed(self, pairs: Sequence[Pair], kind: ChangeKind) -> Answer:
        if len(pairs) > CHANGES_MAX:
            raise ChangesRefused(f"Expected at most {CHANGES_MAX} changes, got {len(pairs)}.")
        await self.graph.commit(Change(one.actor_did, one.target_did, kind) for one in pairs)
        if self.graph.overlay.changes >= self._rebuild_changes and self._rebuilding is None:
            self._rebuilding = asyncio.create_task(self._rebuild())
        return b'"ok"'

    async def _rebuild(self) -> None:
        """Build a new base beside the answering; a failure is told, and tried after more changes.
        """
        try:
            await self.graph.rebuild()
        except GraphUnavailable as error:
            self._rebuild_changes += REBUILD_CHANGES
            logger.warning("graph.not_rebuilt", reason=str(error))
        finally:
            self._rebuilding = None

    async def rebuilt(self) -> None:
        """Wait for a base that is being built, if one is."""
        if self._rebuilding is not None:
            await self._rebuilding

    async def follow(self, body: bytes) -> Answer:
        """Let somebody follow somebody."""
        return await self._changed([msgspec.json.decode(body, type=Pair)], ChangeKind.FOLLOW)

    async def unfollow(self, body: bytes) -> Answer:
        """Let somebody follow somebody no longer."""
        return await self._changed([msgspec.json.decode(body, type=Pair)], ChangeKind.UNFOLLOW)

    async def follows(self, body: bytes) -> Answer:
        """Let many follow."""
        return await self._changed(msgspec.json.decode(body, type=Follows).follows,
                                   ChangeKind.FOLLOW)

    async def unfollows(self, body: bytes) -> Answer:
        """Let many follow no longer."""
        return await self._changed(msgspec.json.decode(body, type=Unfollows).unfollows,
                                   ChangeKind.UNFOLLOW)

    async def does_follow_many(self, body: bytes) -> Answer:
        """Say of many pairs whether the first follows the second; unknown ones follow nobody."""
        letters = letters_in(body)
        if letters is None:
            names = list(chain.from_iterable(msgspec.json.decode(body, type=Asked).pairs))
        pairs = len(names if letters is None else letters) // 2
        if pairs > PAIRS_MAX:
            raise ChangesRefused(f"Expected at most {PAIRS_MAX} pairs, got {pairs}.")
        found: list[bool] = []
        for at in range(0, 2 * pairs, 2 * AT_ONCE):
            if at:
                await asyncio.sleep(0)
            part, overlay = slice(at, at + 2 * AT_ONCE), self.graph.overlay
            numbers = (overlay.numbers_of(names[part]) if letters is None
                       else overlay.numbers_of_letters(letters[part]))
            found += self._questions.follow_many(numbers[::2], numbers[1::2]).tolist()
        return msgspec.json.encode(found)


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


def _allowed(path: str) -> str:
    return "POST" if path in _POSTS else ", ".join(GETTING)


def _told(error: LichenError, path: str) -> tuple[int, list[tuple[str, str]], str]:
    """Return status, headers and text of an error."""
    match error:
        case ActorUnknown() if not path.startswith("/api/"):
            return error.status, JSON, UNKNOWN
        case Refused(status=405):
            # RFC 9110 §15.5.6: the answer names the methods that are allowed.
            return 405, [*JSON, ("allow", _allowed(path))], error.text
        case Unauthenticated():
            # RFC 9110 §15.5.2: the answer says how to authenticate.
            return error.status, [*JSON, ("www-authenticate", "Bearer")], error.text
        case Refused():
            return error.status, JSON, error.text
        case Unavailable():
            return 503, JSON, str(error)
    raise error
