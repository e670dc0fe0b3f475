"""What may be written: the checks of titles, bodies, addresses and languages.

Pure. Lengths are counted in characters, codes of refusal are those of the Lemmy API.
"""

import re
from urllib.parse import urlsplit

import msgspec
import xxhash

from lichen.forum.languages import UNDETERMINED, is_language
from lichen.forum.limits import (
    ALT_TEXT_LENGTH_MAX,
    BODY_LENGTH_MAX,
    COMMENT_LENGTH_MAX,
    COMMUNITY_TITLE_LENGTH_MAX,
    DESCRIPTION_LENGTH_MAX,
    PAGE_MAX,
    PAGE_NUMBER_MAX,
    TITLE_LENGTH_MAX,
    TITLE_LENGTH_MIN,
    URL_LENGTH_MAX,
)
from lichen.forum.model import Community, CommunityDraft, PostDraft
from lichen.kit import Refused

# Lemmy 0.19, is_valid_post_title: three characters in a row that are no space.
_WORD = re.compile(r"\S{3}")
_SCHEMES = ("http", "https", "magnet")  # Lemmy 0.19, ALLOWED_POST_URL_SCHEMES
_URL_BREAKERS = re.compile(r"[\s<>\"]")


def check_title(title: str | None) -> str:
    """Return a post's title without space around it, or refuse it."""
    cut = (title or "").strip()
    if len(cut) > TITLE_LENGTH_MAX or "\n" in cut or not _WORD.search(cut):
        raise Refused(
            "invalid_post_title",
            f"A title is one line of {TITLE_LENGTH_MIN} to {TITLE_LENGTH_MAX} characters, three of "
            f"them in a row without a space; this one has {len(cut)}.",
        )
    return cut


def check_url(url: str | None) -> str | None:
    """Return an address a post may point to, None for none, or refuse it."""
    cut = (url or "").strip()
    if not cut:
        return None
    if len(cut) > URL_LENGTH_MAX:
        raise _too_long("url_length_overflow", "An address", URL_LENGTH_MAX, len(cut))
    try:
        parts = urlsplit(cut)
        named = (bool(parts.hostname) and parts.port != 0) or parts.scheme == "magnet"
    except ValueError:  # RFC 3986 §3.2.2: a bracket that is not closed, a port that is no number
        named = False
    if not named or _URL_BREAKERS.search(cut) or not cut.isprintable():
        raise Refused("invalid_url", "An address starts with https:// and a host, without spaces.")
    if parts.scheme.lower() not in _SCHEMES:
        raise Refused("invalid_url_scheme", "An address starts with http://, https:// or magnet:.")
    return cut


def url_key(url: str | None) -> int | None:
    """Return the 64-bit hash by which posts of the same address are found."""
    if url is None:
        return None
    return xxhash.xxh3_64_intdigest(url.encode()) - (1 << 63)


def check_body(body: str | None, *, length_max: int = BODY_LENGTH_MAX) -> str | None:
    """Return a body, None for an empty one, or refuse its length."""
    if body and len(body) > length_max:
        raise _too_long("invalid_body_field", "A body", length_max, len(body))
    return body or None


def check_comment(content: str) -> str:
    """Return a comment's text, or refuse an empty or too long one."""
    if not content.strip():
        raise Refused("invalid_body_field", "A comment holds at least one character.")
    if len(content) > COMMENT_LENGTH_MAX:
        raise _too_long("invalid_body_field", "A comment", COMMENT_LENGTH_MAX, len(content))
    return content


def check_language(language_id: int | None, community: Community) -> int:
    """Return the language's id, 0 for none, or refuse one that is not spoken in the community."""
    chosen = UNDETERMINED if language_id is None else language_id
    spoken = community.languages
    if not is_language(chosen) or (spoken and chosen not in spoken):
        raise Refused("language_not_allowed", "Choose one of the community's languages.")
    return chosen


def check_post(draft: PostDraft, community: Community) -> PostDraft:
    """Return a whole post's draft as it will be stored, or refuse the first wrong field."""
    alt_text = draft.alt_text or None
    if alt_text and len(alt_text) > ALT_TEXT_LENGTH_MAX:
        raise _too_long("alt_text_length_overflow", "An alternative text", ALT_TEXT_LENGTH_MAX,
                        len(alt_text))
    return PostDraft(
        name=check_title(draft.name), url=check_url(draft.url), body=check_body(draft.body),
        alt_text=alt_text, nsfw=bool(draft.nsfw),
        language_id=check_language(draft.language_id, community),
    )


def fitting_title(*candidates: str) -> str:
    """Return the first of the candidates that can be a title, cut to its length.

    For what comes from peers, whose titles keep other rules; the last candidate must fit.
    """
    for candidate in candidates:
        line = " ".join(candidate.split())
        cut = line if len(line) <= TITLE_LENGTH_MAX else f"{line[:TITLE_LENGTH_MAX - 1].rstrip()}…"
        if _WORD.search(cut):
            return cut
    raise AssertionError("the last candidate fits")


def fitting_url(url: str | None) -> str | None:
    """Return an address that a post may point to, None for what is none."""
    try:
        return check_url(url)
    except Refused:
        return None


def fitting_draft(draft: PostDraft, community: Community) -> PostDraft:
    """Return a post's draft cut to what may be stored, whatever a peer sent."""
    alt_text = draft.alt_text[:ALT_TEXT_LENGTH_MAX] if draft.alt_text and draft.url else None
    return msgspec.structs.replace(
        draft, body=draft.body[:BODY_LENGTH_MAX] if draft.body else "", alt_text=alt_text or "",
        url=draft.url or "", language_id=fitting_language(draft.language_id, community),
    )


def fitting_comment(content: str) -> str:
    """Return a comment's text cut to what may be stored; an empty one says so."""
    return content[:COMMENT_LENGTH_MAX] if content.strip() else "…"


def fitting_language(language_id: int | None, community: Community) -> int:
    """Return a language that may be written in the community, the given one where it may."""
    spoken = community.languages
    chosen = language_id or UNDETERMINED
    if not spoken or chosen in spoken:
        return chosen
    return UNDETERMINED if UNDETERMINED in spoken else spoken[0]


def check_community(draft: CommunityDraft) -> CommunityDraft:
    """Return a community's draft, or refuse the first wrong field."""
    title = draft.title
    if title is not None and not 1 <= len(title.strip()) <= COMMUNITY_TITLE_LENGTH_MAX:
        raise Refused(
            "invalid_community_title",
            f"A community's title has 1 to {COMMUNITY_TITLE_LENGTH_MAX} characters.",
        )
    check_body(draft.description, length_max=DESCRIPTION_LENGTH_MAX)
    check_url(draft.icon)
    check_url(draft.banner)
    for language_id in draft.languages or ():
        if not is_language(language_id):
            raise Refused("language_not_allowed", "Languages are numbers of the language table.")
    return draft


def check_page(page: int, limit: int) -> int:
    """Return the offset of a page, or refuse numbers outside their bounds."""
    if not 1 <= limit <= PAGE_MAX:
        raise Refused("invalid_limit", f"A page has 1 to {PAGE_MAX} entries, not {limit}.")
    if not 1 <= page <= PAGE_NUMBER_MAX:
        raise Refused("invalid_page", f"Pages count from 1 to {PAGE_NUMBER_MAX}, not {page}.")
    return (page - 1) * limit


def _too_long(code: str, what: str, length_max: int, length: int) -> Refused:
    return Refused(code, f"{what} has at most {length_max} characters; this one has {length}.")
