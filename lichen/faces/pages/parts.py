"""What every page is made with: the rooms it speaks to, the addresses and the drawing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from litestar.di import NamedDependency

from lichen.accounts import Actor, SiteSettings, Viewer
from lichen.faces.given import Given
from lichen.faces.pages.drawing import Drawing
from lichen.faces.pages.visit import Visit
from lichen.faces.private_site import is_closed_to
from lichen.forum import Forum, Listing, SiteCounts
from lichen.store import Unit

Seen = TypeVar("Seen")

RAIL_COMMUNITIES_MAX = 24  # in the left rail; all are one press further


class Frame(msgspec.Struct, frozen=True):
    """What stands around every page: the site, my communities, how much waits for me.

    `communities` are mine where `mine` is set, else the busiest here; `counts` may be unknown.
    `judges`: the viewer moderates something.
    """

    site: SiteSettings
    counts: SiteCounts | None
    communities: tuple[Actor, ...]
    mine: bool
    unread: int
    judges: bool = False


def bare_frame(site: SiteSettings) -> Frame:
    """Return a frame that tells nothing but whose site it is; made without the store."""
    return Frame(site=site, counts=None, communities=(), mine=False, unread=0)


class Busiest:
    """The busiest communities here, for the rail of whoever follows none.

    Ranking all communities costs more than most pages, so an answer serves for `age_us_max`. One
    page renews it, those that come meanwhile use the old one; an empty answer is not kept.
    """

    def __init__(self, forum: Forum, *, age_us_max: int) -> None:
        self._forum = forum
        self._age_us_max = age_us_max
        self._asked_us = 0
        self._found: tuple[Actor, ...] = ()

    def of(self, unit: Unit) -> tuple[Actor, ...]:
        """Return the communities; two round trips where the answer has grown old."""
        if not self._found or unit.clock_us - self._asked_us > self._age_us_max:
            self._asked_us = unit.clock_us
            views = self._forum.communities(
                unit, None, listing=Listing.LOCAL, limit=RAIL_COMMUNITIES_MAX // 3
            )
            self._found = tuple(view.community.actor for view in views)
        return self._found


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(Given):
    """The rooms that pages speak to, and what pages are drawn with."""

    drawing: Drawing
    busiest: Busiest

    async def framed(self, visit: Visit, query: Callable[[Unit], Seen]) -> tuple[Seen, Frame]:
        """Run a page's query and load its frame, side by side."""
        seen, frame = await asyncio.gather(self.store.read(query), self.frame(visit))
        return seen, frame

    async def frame(self, visit: Visit) -> Frame:
        """Load what stands around a page; one round trip, a few more once a minute."""
        return await self.store.read(lambda unit: self._frame(unit, visit.viewer))

    def now_us(self) -> int:
        """Return the time, for the ages of things."""
        return self.store.clock()

    def _frame(self, unit: Unit, viewer: Viewer | None) -> Frame:
        mine: list[Actor] = []
        unread = 0
        judges = False
        if viewer is not None:
            loading = self.forum.standings.begin(viewer)
            written = self.messages.unread_queries(viewer)
            followed, waiting, *more = unit.fetch_all(
                self.forum.following_query(unit, viewer),
                self.notifications.unread_query(unit, viewer), *written, *loading.queries,
            )
            letters, sets = more[:len(written)], more[len(written):]
            judges = viewer.admin or bool(loading.end(sets).moderates)
            mine = self.forum.following_from(followed)
            counts = self.notifications.counts_from(waiting)
            unread = (counts.replies + counts.mentions + counts.notices
                      + self.messages.unread_from(*letters))
        site = self.accounts.current_site.settings
        if is_closed_to(self.accounts, viewer):
            return bare_frame(site)
        return Frame(
            site=site,
            counts=self.forum.site_counts(unit),
            communities=tuple(mine[:RAIL_COMMUNITIES_MAX]) or self.busiest.of(unit),
            mine=bool(mine),
            unread=unread,
            judges=judges,
        )


GivenParts = NamedDependency[Parts]  # what a handler is handed by its router
