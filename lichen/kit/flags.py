"""Feature flags: parts of the house that an administrator may switch off while it runs.

A flag is typed, on by default, and says what switching it off costs. A flag with the known-safe
mark may be switched off at any moment, under load, without losing anything: the first thing to do
when the house is in trouble. Flags change by events (`lichen.site.flag`); whoever follows them
calls `Flags.change`, everybody else asks `is_on` at the moment of use.
"""

from enum import StrEnum
from typing import NamedTuple

from lichen.kit.errors import NotFound


class Flag(StrEnum):
    """The names of the flags, as in events and on the page of flags."""

    DEEP_SEARCH_PAGES = "deep_search_pages"
    LIVE_PREVIEWS = "live_previews"
    LIVE_THREADS = "live_threads"
    PICTURE_PROXY = "picture_proxy"


class Meaning(NamedTuple):
    """What a flag does when it is on, what it costs to be without, and whether that is safe."""

    text: str
    cost_when_off: str
    known_safe: bool


MEANINGS: dict[Flag, Meaning] = {
    Flag.DEEP_SEARCH_PAGES: Meaning(
        "Search results can be paged to any depth.",
        "Only the first pages of a search can be seen.",
        known_safe=True,
    ),
    Flag.LIVE_PREVIEWS: Meaning(
        "Links are fetched for title, description and picture while somebody writes a post.",
        "New link posts have no preview; titles are typed by hand.",
        known_safe=True,
    ),
    Flag.LIVE_THREADS: Meaning(
        "Open pages of posts are told of new comments as they come.",
        "A page shows what there was when it was loaded; loading it again shows the rest.",
        known_safe=True,
    ),
    Flag.PICTURE_PROXY: Meaning(
        "Outside pictures are fetched by the house and served from here.",
        "Readers' browsers call strangers' servers, which learn the readers' addresses.",
        known_safe=False,
    ),
}


class Flags:
    """The state of every flag in this process; all are on until an event says otherwise."""

    def __init__(self) -> None:
        self._off: frozenset[Flag] = frozenset()

    def is_on(self, flag: Flag) -> bool:
        """Say whether a flag is on now."""
        return flag not in self._off

    def change(self, flag: Flag, *, on: bool) -> None:
        """Switch a flag; switching twice changes nothing."""
        self._off = self._off - {flag} if on else self._off | {flag}


def flag_named(name: str) -> Flag:
    """Return the flag of that name, or refuse."""
    try:
        return Flag(name)
    except ValueError:
        known = ", ".join(Flag)
        raise NotFound(
            "flag_not_found", f"There is no flag {name[:40]!r}; known: {known}.") from None
