"""What a web page says of itself in its head: title, description, picture, video.

A bounded reader, not a parser: it looks for the few tags that matter, in the first part of the
page, and each look costs a bounded number of steps, so that no page can make it slow. (html.parser
and regular expressions over whole pages take quadratic time on pages made for that.)

Pure: nothing here reads a clock, a file or a row.
"""

import re
from html import unescape
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit

HEAD_BYTES_MAX = 256 << 10  # of a page that are looked at; heads are at its start
TAGS_MAX = 300  # of the kinds that matter; honest pages have some 50
TAG_LENGTH_MAX = 3_000  # characters of one tag
ATTRIBUTES_MAX = 16  # of one tag
TITLE_LENGTH_MAX = 300  # characters kept
DESCRIPTION_LENGTH_MAX = 500  # characters kept
ADDRESS_LENGTH_MAX = 2_000  # characters; as long as a post's own address may be

_TAG = re.compile(r"<(meta|title|base)(?=[\s>/])", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?""")
_SPACE = re.compile(r"\s+")
# HTML Standard §13.2.3.2: who says nothing elsewhere says it in the first 1024 bytes.
_DECLARED = re.compile(rb"""charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_PRESCAN_BYTES = 1_024
# Encoding Standard §4.2; other names of Python's codecs are no text, or slow.
_CHARSET = re.compile(
    r"utf-?8|utf-?16(?:le|be)?|us-ascii|latin-?1|iso-?8859-?\d{1,2}|(?:windows|cp)-?125[0-8]"
    r"|koi8-?[ru]|gbk|gb2312|gb18030|big5|euc-?(?:jp|kr)|shift[-_]?jis|macroman", re.IGNORECASE,
)
_BYTE_ORDER_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
)


class PageHead(NamedTuple):
    """What a page says of itself; addresses are whole, http or https."""

    title: str | None = None
    description: str | None = None
    picture: str | None = None
    video: str | None = None


def page_head(body: bytes, *, content_type: str, url: str) -> PageHead:
    """Return what the page at `url` says of itself; never raises, whatever the bytes are.

    `content_type` is the whole header, for its charset.
    """
    said, title, base = _read(decoded(body[:HEAD_BYTES_MAX], content_type=content_type))
    within = _joined(url, base) or url
    return PageHead(
        title=_text(said.get("og:title") or title or said.get("twitter:title"), TITLE_LENGTH_MAX),
        description=_text(
            said.get("og:description") or said.get("description"), DESCRIPTION_LENGTH_MAX
        ),
        picture=_joined(within, said.get("og:image:secure_url") or said.get("og:image")
                        or said.get("twitter:image")),
        video=_joined(within, said.get("og:video:secure_url") or said.get("og:video:url")
                      or said.get("og:video")),
    )


def decoded(body: bytes, *, content_type: str) -> str:
    """Return the text of a page by its byte order mark, its header, its own words, or UTF-8."""
    for mark, name in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark):].decode(name, "replace")
    named = re.search(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", content_type, re.IGNORECASE)
    declared = _DECLARED.search(body[:_PRESCAN_BYTES])
    said = (named and named[1], declared and declared[1].decode("ascii", "replace"))
    for charset in said:
        if charset and _CHARSET.fullmatch(charset):
            try:
                return body.decode(charset, "replace")
            except LookupError:  # well named, but unknown here
                continue
    return body.decode("utf-8", "replace")


def _read(page: str) -> tuple[dict[str, str], str | None, str | None]:
    """Return the meta tags by name, the title, and the base of relative addresses."""
    said: dict[str, str] = {}
    title: str | None = None
    base: str | None = None
    for count, tag in enumerate(_TAG.finditer(page)):
        if count == TAGS_MAX:
            break
        inside = page[tag.end():tag.end() + TAG_LENGTH_MAX]
        match tag[1].lower():
            case "title" if title is None:
                title = inside.partition(">")[2].partition("<")[0]
            case "base" if base is None:
                base = _attributes(inside).get("href")
            case "meta":
                found = _attributes(inside)
                name = found.get("property") or found.get("name") or ""
                # Open Graph protocol, "Arrays": the first of several is the preferred one.
                said.setdefault(name.lower(), found.get("content", ""))
    return said, title, base


def _attributes(inside: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    for _ in range(ATTRIBUTES_MAX):
        match = _ATTRIBUTE.match(inside, at)
        if match is None:
            break
        value = match[2] or match[3] or match[4] or ""
        found.setdefault(match[1].lower(), unescape(value))
        at = match.end()
    return found


def _text(text: str | None, length_max: int) -> str | None:
    words = _SPACE.sub(" ", unescape(text or "")).strip().replace("\0", "")
    return words[:length_max] or None


def _joined(base: str, address: str | None) -> str | None:
    """Return the whole address of something on a page, None where it is not one to follow."""
    if not address:
        return None
    try:
        whole = urljoin(base, address.strip())
        parts = urlsplit(whole)
    except ValueError:
        return None
    is_followed = parts.scheme in ("http", "https") and bool(parts.netloc)
    clean = is_followed and len(whole) <= ADDRESS_LENGTH_MAX and whole.isprintable()
    return whole if clean else None
