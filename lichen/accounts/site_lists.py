"""What a site keeps as lists: taglines, blocked addresses, servers it allows or blocks, emoji.

Pure: types and checks.
"""

import re
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from lichen.accounts.limits import (
    BLOCKED_URLS_MAX,
    EMOJI_TEXT_LENGTH_MAX,
    EMOJI_WORDS_MAX,
    INSTANCE_NAME_LENGTH_MAX,
    INSTANCES_LISTED_MAX,
    TAGLINE_LENGTH_MAX,
    TAGLINES_MAX,
)
from lichen.accounts.model import check_picture
from lichen.kit import Refused
from lichen.rules import blocked_address

LineKind = Literal["taglines", "blocked_urls", "allowed_instances", "blocked_instances"]

# Lemmy 0.19, custom_emoji: a shortcode is what stands between two colons.
_SHORTCODE = re.compile(r"[a-z0-9_-]{2,60}")
_INSTANCE = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?")


class SiteLists(msgspec.Struct, frozen=True):
    """The four lists whole, each in the order that the administrators gave."""

    taglines: tuple[str, ...] = ()
    blocked_urls: tuple[str, ...] = ()
    allowed_instances: tuple[str, ...] = ()
    blocked_instances: tuple[str, ...] = ()


class SiteLine(msgspec.Struct, frozen=True):
    """One entry of one of the lists; its id stays while the entry does."""

    id: int
    kind: LineKind
    content: str
    published_us: int


class EmojiDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that people may use by its shortcode."""

    shortcode: str
    image_url: str
    alt_text: str
    category: str
    keywords: tuple[str, ...] = ()


class Emoji(msgspec.Struct, frozen=True, kw_only=True):
    """A custom emoji of this site; `keywords` are found when somebody looks for one."""

    id: int
    shortcode: str
    image_url: str
    alt_text: str
    category: str
    keywords: tuple[str, ...]
    published_us: int
    updated_us: int | None


def check_lists(lists: SiteLists) -> SiteLists:
    """Return the lists as they will be kept, each entry once, or refuse the first wrong one."""
    return SiteLists(
        taglines=_checked(lists.taglines, _tagline, TAGLINES_MAX),
        blocked_urls=_checked(lists.blocked_urls, blocked_address, BLOCKED_URLS_MAX),
        allowed_instances=_checked(lists.allowed_instances, _instance, INSTANCES_LISTED_MAX),
        blocked_instances=_checked(lists.blocked_instances, _instance, INSTANCES_LISTED_MAX),
    )


def check_emoji(draft: EmojiDraft) -> EmojiDraft:
    """Return the draft as it will be kept, or refuse the first wrong field."""
    shortcode = draft.shortcode.strip().strip(":").lower()
    if not _SHORTCODE.fullmatch(shortcode):
        raise Refused("invalid_field", "A shortcode has 2 to 60 letters, digits, - or _; got "
                                       f"{draft.shortcode[:40]!r}.")
    if not draft.image_url:
        raise Refused("invalid_url", "An emoji has a picture; give its address.")
    check_picture(draft.image_url)
    if len(draft.keywords) > EMOJI_WORDS_MAX:
        raise Refused("too_many_items", f"At most {EMOJI_WORDS_MAX} keywords, please.")
    for text in (draft.alt_text, draft.category, *draft.keywords):
        if len(text) > EMOJI_TEXT_LENGTH_MAX:
            raise Refused("invalid_field", f"At most {EMOJI_TEXT_LENGTH_MAX} characters, please.")
    words = dict.fromkeys(word.strip().lower() for word in draft.keywords if word.strip())
    return EmojiDraft(
        shortcode=shortcode, image_url=draft.image_url, alt_text=draft.alt_text.strip(),
        category=draft.category.strip(), keywords=tuple(words),
    )


def _checked(
    texts: Iterable[str], check: Callable[[str], str], count_max: int
) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(check(text) for text in texts if text.strip()))
    if len(kept) > count_max:
        raise Refused("too_many_items", f"This list has at most {count_max} entries.")
    return kept


def _tagline(text: str) -> str:
    if len(text) > TAGLINE_LENGTH_MAX:
        raise Refused("invalid_body_field",
                      f"A tagline has at most {TAGLINE_LENGTH_MAX} characters.")
    return text.strip()


def _instance(text: str) -> str:
    name = text.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    if len(name) > INSTANCE_NAME_LENGTH_MAX or not _INSTANCE.fullmatch(name):
        raise Refused("invalid_url", f"A server is named by its host; got {text[:60]!r}.")
    return name
