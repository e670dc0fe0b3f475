"""The part that the others of the forum's service stand on."""

from typing import Protocol

from lichen.accounts import Accounts, Viewer
from lichen.forum.activity import Activity
from lichen.forum.checks import ContentCheck
from lichen.forum.ledger import Ledger
from lichen.forum.model import CommunityView, Link, PostQuery, Sort
from lichen.forum.permissions import no_such_community
from lichen.forum.standing import Standing, Standings
from lichen.forum.views import Views
from lichen.kit import Reason, TidGenerator
from lichen.plugins import Hooks
from lichen.store import Store, Unit
from lichen.web import Addresses


class Ranks(Protocol):
    """What the forum asks of the rank columns; see reader.py."""

    def page(
        self, query: PostQuery, *, now_us: int, viewer_standing: Standing
    ) -> tuple[list[int], str | None]:
        """Return the ids of a page of posts in order, and the cursor of the next page."""

    def explain(self, post_id: int, sort: Sort, now_us: int) -> Reason:
        """Return why a post stands where it stands."""


class Links(Protocol):
    """What the forum asks of pages elsewhere; see links.py."""

    async def link_of(self, url: str) -> Link:
        """Return what the page at an address says of itself."""


class Part:
    """What every part of the forum works with."""

    def __init__(  # noqa: PLR0913 - what all parts of the forum share
        self, *, accounts: Accounts, addresses: Addresses, tids: TidGenerator, ranks: Ranks,
        standings: Standings, activity: Activity, links: Links, store: Store, hooks: Hooks,
        check: ContentCheck,
    ) -> None:
        self.standings = standings
        self.activity = activity
        self.ranks = ranks
        self._accounts = accounts
        self._addresses = addresses
        self._tids = tids
        self._links = links
        self._store = store
        self._hooks = hooks
        self._check = check
        self._views = Views(accounts, standings, activity)

    def _ledger(self, unit: Unit) -> Ledger:
        return Ledger(unit, self._tids)

    def _community_view(
        self, unit: Unit, viewer: Viewer | None, community_id: int
    ) -> CommunityView:
        """Return a community as the viewer sees it; one round trip."""
        queries = self._views.community_queries(unit, viewer, [community_id])
        flush = self._views.fetch(unit, viewer, *queries)
        found = self._views.communities(flush.rows, flush.standing).get(community_id)
        if found is None:
            raise no_such_community()
        return found
