"""The nouns of search: what is found, what is indexed, and what a person typed.

Pure: nothing here reads a clock, a file or a row.
"""

import re
from enum import StrEnum

import msgspec

WORDS_MAX = 12  # words of a question; more narrow nothing down and cost time
WORD_LENGTH_MAX = 64  # characters of a word that are looked for; longer ones are cut
PAGE_MAX = 50  # things of one kind on one page; Lemmy 0.19: FETCH_LIMIT_MAX
SHALLOW_PAGES_MAX = 5  # pages that can be seen while the flag deep_search_pages is off

_WORD = re.compile(r"\w+")


class Kind(StrEnum):
    """What can be found."""

    POST = "posts"
    COMMENT = "comments"
    COMMUNITY = "communities"
    PERSON = "persons"


# The low bits of a document's id; the rest is the row's number.
KIND_CODES = {Kind.POST: 0, Kind.COMMENT: 1, Kind.COMMUNITY: 2, Kind.PERSON: 3}


class Document(msgspec.Struct, frozen=True):
    """What search keeps of one thing; `title` weighs more than `body`."""

    kind: Kind
    row: int
    title: str
    body: str
    creator_id: int
    community_id: int
    local: bool
    nsfw: bool
    published_us: int
    url: str | None = None

    @property
    def id(self) -> int:
        """The document's number: the same thing always has the same."""
        return document_id(self.kind, self.row)


class SearchResult(msgspec.Struct, frozen=True):
    """Row numbers of what was found, by kind, each in the order asked for."""

    posts: list[int]
    comments: list[int]
    communities: list[int]
    persons: list[int]


def document_id(kind: Kind, row: int) -> int:
    """Return the number of a thing's document."""
    return row << 2 | KIND_CODES[kind]


def words_of(question: str) -> list[str]:
    """Return the words of a question, nothing else: no operator, no quote survives."""
    found = (word[:WORD_LENGTH_MAX].lower() for word in _WORD.findall(question))
    return list(dict.fromkeys(found))[:WORDS_MAX]


def fts5_query(words: list[str]) -> str:
    """Return the words as an FTS5 query: all of them, the last as a prefix."""
    # sqlite.org/fts5.html §3.1: in double quotes a string is never an operator.
    return " ".join(f'"{word}"' for word in words) + "*"


def tsquery(words: list[str]) -> str:
    """Return the words as a PostgreSQL tsquery: all of them, the last as a prefix."""
    # PostgreSQL §8.11.2: in single quotes a lexeme is never an operator.
    return " & ".join(f"'{word}'" for word in words) + ":*"
