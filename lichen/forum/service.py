"""The service of the room: every command and query about communities, posts and comments.

It is one service in several files, each about one noun: `communities` and `members`, `posts`,
`comments` and `threads`, `votes`, `marks`, and what moderators decide: `judges`, `sweeps`,
`purges`. All take the open unit of work, so that other rooms can call them inside their own.
Commands return the fresh view, made from what they read and what they wrote, so that a write costs
two round trips: one to learn, one to commit.
"""

from lichen.forum.marks import Marks
from lichen.forum.model import Link
from lichen.forum.purges import Purges
from lichen.forum.sweeps import Sweeps
from lichen.forum.votes import Votes


class Forum(Sweeps, Purges, Votes, Marks):
    """Everything that may be asked of the forum, or done in it."""

    async def link_of(self, url: str) -> Link:
        """Return what the page at an address says of itself; fetches it, raises Refused."""
        return await self._links.link_of(url)
