"""The facts that a rule may ask of a new or edited post or comment, as one flat table.

    Item     what was written, by whom, where                known without asking
    Around   what its author wrote before, duplicates, …     asked for, only if a rule reads it

A fact is a name, a type and a pure function of the two, so the live check, a trial on the past and
the menus all speak of the same things.
"""

import re
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from functools import cached_property
from mimetypes import guess_type
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
import xxhash

from lichen.accounts import Actor
from lichen.automod import limits
from lichen.forum import LANGUAGES
from lichen.forum.markdown import mentions
from lichen.rules import FieldType, words_of

NUMBER, TEXT, BOOLEAN = FieldType.NUMBER, FieldType.TEXT, FieldType.BOOLEAN
SET = FieldType.SET_OF_TEXT
Value = float | int | str | bool | frozenset[str]

_LINK = re.compile(r"https?://[^\s<>\"')\]]+", re.IGNORECASE)
_PICTURE = re.compile(r"!\[[^\]]*\]\(")
_DAY_US = 24 * 3_600 * 1_000_000


class Need(StrEnum):
    """What must be asked for before some facts are known."""

    EARLIER = "earlier"
    DUPLICATES = "duplicates"
    TRUST = "trust"
    PICTURES = "pictures"


class Around(msgspec.Struct, frozen=True):
    """What is known around an item; what no rule reads was not asked for and is 0."""

    posts: int = 0
    comments: int = 0
    lately: int = 0
    duplicates: int = 0
    duplicates_own: int = 0
    trust: int = 0
    picture_hits: int = 0


class Item(msgspec.Struct, frozen=True, dict=True):
    """A post or comment, new, edited or past, as the facts see it."""

    is_post: bool
    id: int
    title: str
    body: str
    url: str | None
    nsfw: bool
    language_id: int
    depth: int
    author: Actor
    moderates: bool
    community_id: int
    community: str
    at_us: int
    is_edit: bool = False

    @cached_property
    def text(self) -> str:
        """Everything that was written, title first."""
        return "\n".join(part for part in (self.title, self.body) if part)

    @cached_property
    def links(self) -> list[str]:
        """Every address in it."""
        found = _LINK.findall(self.text) if "://" in self.text else []
        return [self.url, *found] if self.url else found

    @cached_property
    def text_key(self) -> int:
        """The 64-bit hash by which the same words are found again."""
        return xxhash.xxh3_64_intdigest(words_of(self.text).encode()) - (1 << 63)

    @cached_property
    def pictures(self) -> list[str]:
        """The addresses in it that are pictures by their names."""
        return [each for each in self.links if _is_picture(each)]


class Fact(NamedTuple):
    """One fact: its name in programs, its type, its words in menus, and how it is found.

    Of a fact that counts what others wrote (`of_others`), an author is not told the value.
    """

    name: str
    type: FieldType
    label: str
    of: Callable[[Item, Around], Value]
    need: Need | None = None
    of_others: bool = False


_ALL = (
    Fact("text", TEXT, "all its words", lambda item, _: item.text),
    Fact("title", TEXT, "title", lambda item, _: item.title),
    Fact("domain", TEXT, "domain of its link", lambda item, _: _host(item.url or "")),
    Fact("domains", SET, "domains linked to", lambda item, _: _domains(item.links)),
    Fact("links", NUMBER, "number of links", lambda item, _: len(item.links)),
    Fact("has_link", BOOLEAN, "has a link", lambda item, _: bool(item.links)),
    Fact("has_picture", BOOLEAN, "has a picture",
         lambda item, _: bool(_PICTURE.search(item.body)) or bool(item.pictures)),
    Fact("words", NUMBER, "number of words", lambda item, _: len(item.text.split())),
    Fact("capitals", NUMBER, "share of capitals (0 to 1)", lambda item, _: _capitals(item.text)),
    Fact("mentions", NUMBER, "people mentioned",
         lambda item, _: len(mentions(item.body)) if "@" in item.body else 0),
    Fact("language", TEXT, "language (code)", lambda item, _: LANGUAGES[item.language_id].code),
    Fact("nsfw", BOOLEAN, "marked NSFW", lambda item, _: item.nsfw),
    Fact("is_post", BOOLEAN, "is a post", lambda item, _: item.is_post),
    Fact("is_comment", BOOLEAN, "is a comment", lambda item, _: not item.is_post),
    Fact("is_edit", BOOLEAN, "is an edit", lambda item, _: item.is_edit),
    Fact("depth", NUMBER, "levels below the post", lambda item, _: item.depth),
    Fact("community", TEXT, "community's name", lambda item, _: item.community),
    Fact("author", TEXT, "author's name", lambda item, _: item.author.name),
    Fact("author_age_days", NUMBER, "age of the author's account in days",
         lambda item, _: max(0, item.at_us - item.author.published_us) / _DAY_US),
    Fact("author_posts", NUMBER, "posts the author wrote before",
         lambda _, around: around.posts, Need.EARLIER),
    Fact("author_comments", NUMBER, "comments the author wrote before",
         lambda _, around: around.comments, Need.EARLIER),
    Fact("first_post", BOOLEAN, "is the author's first post or comment",
         lambda _, around: not (around.posts or around.comments), Need.EARLIER),
    Fact("rate", NUMBER, "things the author wrote in the last hour",
         lambda _, around: around.lately, Need.EARLIER),
    Fact("author_trust", NUMBER, "author's trust level",
         lambda _, around: around.trust, Need.TRUST),
    Fact("author_is_moderator", BOOLEAN, "author is a moderator",
         lambda item, _: item.moderates),
    Fact("author_is_bot", BOOLEAN, "author is a bot", lambda item, _: item.author.bot),
    Fact("author_is_local", BOOLEAN, "author is from here", lambda item, _: item.author.local),
    Fact("duplicates", NUMBER, "same words by anybody this week",
         lambda _, around: around.duplicates, Need.DUPLICATES, of_others=True),
    Fact("duplicates_own", NUMBER, "same words by the author this week",
         lambda _, around: around.duplicates_own, Need.DUPLICATES),
    Fact("picture_hits", NUMBER, "pictures known as bad",
         lambda _, around: around.picture_hits, Need.PICTURES),
)

FACTS: Final[Mapping[str, Fact]] = MappingProxyType({fact.name: fact for fact in _ALL})
FIELDS: Final[Mapping[str, FieldType]] = MappingProxyType(
    {fact.name: fact.type for fact in _ALL})


def needs_of(names: Collection[str]) -> frozenset[Need]:
    """Return what must be asked for before the named facts are known."""
    return frozenset(need for name in names if (need := FACTS[name].need) is not None)


def facts_of(item: Item, around: Around, names: Collection[str]) -> dict[str, Value]:
    """Return the named facts of an item."""
    return {name: FACTS[name].of(item, around) for name in names}


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:  # RFC 3986 §3.2.2: a bracket that is not closed
        return ""


def _domains(links: list[str]) -> frozenset[str]:
    """Return the hosts of the links and the domains above them, so that one name catches all."""
    found: set[str] = set()
    for host in {_host(link) for link in links}:
        labels = host.split(".")
        found.update(".".join(labels[start:]) for start in range(len(labels) - 1))
    return frozenset(found)


def _capitals(text: str) -> float:
    letters = sum(map(str.isalpha, text))
    return sum(map(str.isupper, text)) / letters if letters else 0.0


def _is_picture(url: str) -> bool:
    return (guess_type(url.split("?", 1)[0])[0] or "").startswith("image/")


assert limits.DUPLICATE_AGE_US_MAX == 7 * _DAY_US, "the labels say a week"
