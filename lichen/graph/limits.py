"""The limits of the graph: every size and count that bounds it, with its reason."""

from typing import Final

ANSWER_ACTORS_MAX: Final = 2_000_000
"""Actors in one answer of GraphD's own paths, which know no pages: 80 MB of JSON."""

BODY_BYTES_MAX: Final = 32 << 20
"""The body of one request: a batch of look-ups of the largest allowed size fits."""

CHANGES_MAX: Final = 50_000
"""Changes in one request: they are applied in half a second."""

NAME_LETTERS_MAX: Final = 2_048
"""Letters of an actor's name: no DID may be longer."""

PAGE_ACTORS: Final = 100
"""Actors on a page when nobody says otherwise."""

PAGE_ACTORS_MAX: Final = 10_000
"""Actors on one page at most."""

PAIRS_MAX: Final = 200_000
"""Pairs in one batch of look-ups: some tens of milliseconds."""

QUERY_SETS_MAX: Final = 100
"""Actors whose rows are intersected or united in one question."""

REBUILD_CHANGES: Final = 1_000_000
"""Changes above a base after which a new one is built: they take some 5 s when a folder is opened.
"""
