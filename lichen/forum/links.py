"""Links: what is known of the page a post points to.

`Links` asks a page for its title, description, picture and video. `LinkReader` does so for the new
posts of our own people, after they are published: nobody waits for somebody else's server.

    post created or edited here ──► fetch, some at once ──► written to the post, with the checkpoint

A reader of the *outside* kind: at least once. Fetching again finds what is there now, and a link is
kept only while its post still points to that address; so coming twice does no harm. A slow or
hostile server holds up a few other previews by the time limit, and nothing else.
"""

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import msgspec

from lichen.events import LOCAL, decode_events
from lichen.forum.ledger import POST
from lichen.forum.model import Link, PostView
from lichen.forum.page_head import page_head
from lichen.forum.posts import Posts
from lichen.kit import NotFound, Refused, Unavailable
from lichen.kit.outbound import Fetched, Outbound
from lichen.log import Batch
from lichen.store import Store, Unit, advance_checkpoint, checkpoint_of

NAME = "links"
FETCHES_AT_ONCE_MAX = 16  # of the reader; each may wait for a server that does not answer
TIMEOUT_S_MAX = 5.0  # of one fetch, redirects included
PAGE_BYTES_MAX = 4 << 20  # a longer page, or a larger picture, is known by its address alone
UNMARKED_EVENTS_MAX = 50_000  # without a new link; then the checkpoint moves for its own sake

_ACCEPT = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
_PAGES = frozenset(("text/html", "application/xhtml+xml"))


Previews = Callable[[str], Awaitable[str | None]]  # a picture's address -> where it is shown from


async def unkept(url: str) -> str | None:
    """Return the address itself: nothing is kept of others' pictures."""
    return url


class Links:
    """Finds what is known of a page."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def link_of(self, url: str) -> Link:
        """Return what the page at an address says of itself; little where it does not answer.

        Raises Refused for an address that is not fetched.
        """
        try:
            answer = await self._outbound.fetch(
                url, accept=_ACCEPT, bytes_max=PAGE_BYTES_MAX, timeout_s=TIMEOUT_S_MAX
            )
        except Unavailable:
            return _unseen(url)
        if answer.status != 200:
            return _unseen(url)
        return await asyncio.to_thread(_seen, url, answer)


class LinkReader:
    """Follows the log and fills in the links of new posts of our own people."""

    name = NAME
    serves_pages = False

    def __init__(
        self, store: Store, forum: Posts, links: Links, *, position: int,
        previews: Previews = unkept,
    ) -> None:
        self._previews = previews
        self._store = store
        self._forum = forum
        self._links = links
        self._position = position
        self._marked = position

    @classmethod
    async def open(
        cls, store: Store, forum: Posts, links: Links, *, log_first_seq: int, log_last_seq: int,
        previews: Previews = unkept,
    ) -> "LinkReader":
        """Go on from the checkpoint; a house that has none yet begins at the end of its log."""
        position = await store.read(lambda unit: checkpoint_of(unit, NAME)) or log_last_seq
        first = max(position, log_first_seq - 1)
        return cls(store, forum, links, position=first, previews=previews)

    def position(self) -> int:
        """Return the sequence of the last event whose link was looked for."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Look at the pages that the batch's posts point to, so many at once."""
        events = decode_events(batch.lines())
        wanted = [
            (seq, event.row) for seq, event in zip(batch.seqs.tolist(), events, strict=True)
            if event.collection == POST and event.origin == LOCAL and event.operation != "delete"
        ]
        for start in range(0, len(wanted), FETCHES_AT_ONCE_MAX):
            chunk = wanted[start:start + FETCHES_AT_ONCE_MAX]
            await self._look([row for _, row in chunk], seq=chunk[-1][0])
        self._position = batch.next_seq - 1
        if self._position - self._marked > UNMARKED_EVENTS_MAX:
            await self._keep([], seq=self._position)

    async def _look(self, rows: list[int], *, seq: int) -> None:
        views = await self._store.read(
            lambda unit: self._forum.post_views(unit, None, rows), apart=True
        )
        unseen = [view for view in views if _wants_link(view)]
        async with asyncio.TaskGroup() as group:
            tasks = [(view, group.create_task(self._found(str(view.post.url)))) for view in unseen]
        await self._keep([(view, task.result()) for view, task in tasks], seq=seq)

    async def _found(self, url: str) -> Link | None:
        try:
            link = await self._links.link_of(url)
        except Refused:  # an address that is not fetched
            return None
        if link.thumbnail is None:
            return link
        try:
            shown = await self._previews(link.thumbnail)
        except Unavailable:  # our own disk or bucket: the post has no preview, but its words
            shown = None
        return msgspec.structs.replace(link, thumbnail=shown)

    async def _keep(self, found: list[tuple[PostView, Link | None]], *, seq: int) -> None:
        """Write the links and the checkpoint, in one transaction."""
        def command(unit: Unit) -> None:
            for view, link in found:
                try:
                    self._forum.attach_link(unit, view.post.id, link)
                except NotFound:
                    continue  # the post is gone meanwhile
            advance_checkpoint(unit, NAME, seq)

        await self._store.write(command, apart=True)
        self._marked = seq


def _wants_link(view: PostView) -> bool:
    post = view.post
    if post.url is None or urlsplit(post.url).scheme not in ("http", "https"):
        return False
    return post.link is None or post.link.url != post.url


def _seen(url: str, answer: Fetched) -> Link:
    if answer.content_type not in _PAGES:
        return Link(url=url, content_type=answer.content_type or _unseen(url).content_type)
    head = page_head(
        answer.body, content_type=answer.headers.get("content-type", ""), url=answer.url
    )
    return Link(
        url=url, title=head.title, description=head.description, thumbnail=head.picture,
        embed_video_url=head.video, content_type=answer.content_type,
    )


def _unseen(url: str) -> Link:
    """Return what the address alone says: a picture's kind, by its name."""
    return Link(url=url, content_type=mimetypes.guess_type(urlsplit(url).path)[0])
