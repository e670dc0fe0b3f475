"""Which part of an immutable file a request wants: conditions and ranges of RFC 9110.

Pure: headers in, a decision out. One range is served; several in one request are answered with the
whole file, as RFC 9110 §14.2 allows.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_RANGE: Final = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*")
_TAGS: Final = re.compile(r'(?:W/)?"[^"]*"')


class Part(NamedTuple):
    """What is sent: the status, its headers, and the bytes from `start` to before `end`."""

    status: int
    headers: tuple[tuple[str, str], ...]
    start: int
    end: int


def part_of(headers: Mapping[str, str], *, etag: str, size: int) -> Part:
    """Return what a request with these headers (lower-case names) gets of a file of `size` bytes.

    `etag` stands in its quotes and is a strong validator.
    """
    validators = (("ETag", etag), ("Accept-Ranges", "bytes"))
    # RFC 9110 §13.2.2: If-Match comes first, then If-None-Match, then Range with If-Range.
    if "if-match" in headers and not _names(headers["if-match"], etag, weak=False):
        return Part(412, validators, 0, 0)
    if "if-none-match" in headers and _names(headers["if-none-match"], etag, weak=True):
        return Part(304, validators, 0, 0)
    whole = Part(200, validators, 0, size)
    wanted = headers.get("range")
    # RFC 9110 §13.1.5: If-Range asks for a strong match; a date never matches here, for no
    # Last-Modified is ever given.
    if wanted is None or headers.get("if-range", etag) != etag:
        return whole
    match = _RANGE.fullmatch(wanted)
    if match is None or match.groups() == ("", ""):
        # RFC 9110 §14.2: a Range that is not understood is ignored.
        return whole
    first, last = match.groups()
    if first and last and int(last) < int(first):
        # RFC 9110 §14.1.2: such a range is invalid, and what is invalid is ignored.
        return whole
    # RFC 9110 §14.1.2: without a first position it is the last so many bytes.
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= size:
        # RFC 9110 §15.5.17: 416 tells the size, so that a client can ask again.
        return Part(416, (*validators, ("Content-Range", f"bytes */{size}")), 0, 0)
    span = ("Content-Range", f"bytes {start}-{end - 1}/{size}")
    return Part(206, (*validators, span), start, end)


def _names(field: str, etag: str, *, weak: bool) -> bool:
    """Say whether a list of entity tags names this one; `*` names any."""
    if field.strip() == "*":
        return True
    # RFC 9110 §8.8.3.2: the weak comparison overlooks W/, the strong one takes none that has it.
    tags = _TAGS.findall(field)
    return etag in ([tag.removeprefix("W/") for tag in tags] if weak else tags)
