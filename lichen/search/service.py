"""What search promises: the things that hold all the words asked for."""

from collections.abc import Sequence

from lichen.accounts import Viewer
from lichen.forum import Listing, Sort
from lichen.kit import Refused
from lichen.kit.flags import Flag, Flags
from lichen.search import tables
from lichen.search.model import (
    PAGE_MAX,
    SHALLOW_PAGES_MAX,
    Kind,
    SearchResult,
    fts5_query,
    tsquery,
    words_of,
)
from lichen.search.reader import SearchReader
from lichen.store import Query, Store, Unit

URLS = "urls"  # asks for posts by their exact address
_QUERIES = {"sqlite": fts5_query, "postgresql": tsquery}
_ORDERS = {Sort.NEW: "new", Sort.OLD: "old"}


class Search:
    """Finds posts, comments, communities and people by words; the reader writes the index."""

    def __init__(self, store: Store, *, reader: SearchReader, flags: Flags) -> None:
        self.reader = reader
        self._engine = store.engine
        self._flags = flags

    def find(  # noqa: PLR0913 - a question's options
        self, unit: Unit, viewer: Viewer | None, question: str, *,
        kinds: Sequence[str] = tuple(Kind), listing: Listing = Listing.ALL,
        community_id: int | None = None, creator_id: int | None = None,
        sort: Sort = Sort.TOP_ALL, page: int = 1, limit: int = 10,
    ) -> SearchResult:
        """Return a page of each kind that holds all the words, the last word as a prefix.

        `kinds` are values of Kind, or "urls" for posts of exactly that address. New and Old order
        by time, every other sort by how well the words match. One round trip.
        """
        words = words_of(question)
        shape = self._shape(page, limit)
        asked = [kind for kind in Kind if kind.value in kinds] if words else []
        statement = tables.FIND[self._engine][_ORDERS.get(sort, "relevance")]
        common = {
            "words": _QUERIES[self._engine](words) if words else "",
            "any_nsfw": viewer is not None and viewer.settings.show_nsfw,
            "only_local": listing is Listing.LOCAL,
            "community_id": community_id or 0, "creator_id": creator_id or 0, **shape,
        }
        queries: list[Query] = [(statement, {**common, "kind": kind.value}) for kind in asked]
        if URLS in kinds:
            queries.append((tables.FIND_ADDRESS, {"url": question.strip(), **shape}))
        answers = unit.fetch_all(*queries) if queries else []
        pairs = zip(asked, answers, strict=False)
        found = {kind: [row.row for row in rows] for kind, rows in pairs}
        if URLS in kinds:
            found[Kind.POST] = [row.row for row in answers[-1]]
        return SearchResult(*(found.get(kind, []) for kind in Kind))

    def tidy(self, unit: Unit) -> None:
        """Merge the index, so that words of what is gone are gone from the file too."""
        unit.stage(tables.OPTIMIZE[self._engine], {})

    def _shape(self, page: int, limit: int) -> dict[str, int]:
        """Return limit and offset, or refuse a page that may not be seen."""
        if not 1 <= limit <= PAGE_MAX or page < 1:
            raise Refused(
                "invalid_page",
                f"A page counts from 1 and holds 1 to {PAGE_MAX}; got {page} of {limit}.",
            )
        if page > SHALLOW_PAGES_MAX and not self._flags.is_on(Flag.DEEP_SEARCH_PAGES):
            raise Refused(
                "search_page_too_deep",
                f"Only the first {SHALLOW_PAGES_MAX} pages can be seen now; add a word instead.",
            )
        return {"limit": limit, "offset": (page - 1) * limit}
