"""The service of the room: every command and query about communities, posts and comments.

It is one service in several files, each about one noun: `communities` and `members`, `posts`,
`comments` and `threads`, `votes`, `marks`, `holding`, `past`, `owned`, `departures`, what peers
send (`arrivals`), and what moderators decide: `judges`, `sweeps`, `purges`. All take the open unit
of work, so that other rooms can call them inside their own, but for `publishing`, which asks the hooks first. Commands return
the fresh view, made from what they read and what they wrote, so that a write costs two round trips:
one to learn, one to commit.
"""

from lichen.forum.arrivals import Arrivals
from lichen.forum.departures import Departures
from lichen.forum.holding import Holding
from lichen.forum.marks import Marks
from lichen.forum.model import Link
from lichen.forum.owned import Owned
from lichen.forum.past import Past
from lichen.forum.publishing import Publishing
from lichen.forum.purges import Purges
from lichen.forum.reactions import Reactions
from lichen.forum.sweeps import Sweeps
from lichen.forum.voters import Voters


class Forum(  # each part is a noun; see the docstring above
    Sweeps, Purges, Publishing, Holding, Voters, Reactions, Marks, Owned, Past, Departures,
    Arrivals,
):
    """Everything that may be asked of the forum, or done in it."""

    async def link_of(self, url: str) -> Link:
        """Return what the page at an address says of itself; fetches it, raises Refused."""
        return await self._links.link_of(url)
