"""The part that the others of the forum's service stand on."""

from collections.abc import Iterable
from typing import Protocol

from pyroaring import BitMap

from lichen.accounts import Accounts, Viewer
from lichen.forum.activity import Activity
from lichen.forum.ledger import Ledger
from lichen.forum.live import LiveThreads
from lichen.forum.markdown import links
from lichen.forum.model import CommunityView, Link, PostQuery, Sort
from lichen.forum.permissions import no_such_community
from lichen.forum.standing import Standing, Standings
from lichen.forum.views import Views
from lichen.kit import Reason, Refused, TidGenerator
from lichen.plugins import Hooks
from lichen.store import Store, Unit
from lichen.web import Addresses


class Ranks(Protocol):
    """What the forum asks of the rank columns; see reader.py."""

    def page(
        self, query: PostQuery, *, now_us: int, viewer_standing: Standing
    ) -> tuple[list[int], str | None]:
        """Return the ids of a page of posts in order, and the cursor of the next page."""

    def programs_among(self, ids: Iterable[int]) -> BitMap:
        """Return which of the people are programs."""

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
        standings: Standings, activity: Activity, links: Links, live: LiveThreads, store: Store,
        hooks: Hooks,
    ) -> None:
        self.standings = standings
        self.live = live
        self.activity = activity
        self.ranks = ranks
        self._accounts = accounts
        self._addresses = addresses
        self._tids = tids
        self._links = links
        self._store = store
        self._hooks = hooks
        self._views = Views(accounts, standings, activity)

    def _screen(self, *texts: str | None, url: str | None = None) -> None:
        """Refuse what the site does not want said, and links to where it sends nobody."""
        screen = self._accounts.screen
        screen.check_words(*texts)
        screen.check_addresses(url)
        for text in texts:
            if text and screen.may_link_to_blocked(text):
                screen.check_addresses(*links(text))

    def _check_spoken(self, language_id: int | None) -> None:
        """Refuse a language that the site has not chosen; none at all is always welcome."""
        chosen = self._accounts.current_site.settings.languages
        if language_id and chosen and language_id not in chosen:
            raise Refused("language_not_allowed", "Choose one of this site's languages.")

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
