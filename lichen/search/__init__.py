"""Search: everything that can be found by its words, kept by a reader of the log.

The front door: `Search` is the service, built by `lichen.search.room.build`.
"""

from lichen.search.model import Document, Kind, SearchResult
from lichen.search.service import Search

__all__ = ["Document", "Kind", "Search", "SearchResult"]
