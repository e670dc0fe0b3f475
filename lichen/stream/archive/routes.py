"""The archive's four calls over HTTP: listSegments, getSegment, getBlock and planSnapshot.

Answers have the shapes of the lexicons `network.bsky.jetstream.*`; errors are XRPC envelopes. A key
that a client sends along (`Authorization: Bearer`) is not asked for: what is public is public.

Caching: a segment never changes but by an erasure. Shared caches may keep it and must ask each time
(`no-cache`) whether it is still the one; with the ETag that is an empty 304. `immutable` would keep
what was erased in caches that nobody can reach.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from lichen.kit import NotFound, Refused
from lichen.stream.archive import jss, snapshots
from lichen.stream.archive.ranges import part_of
from lichen.stream.archive.shelf import Archive, Entry
from lichen.stream.limits import (
    ARCHIVE_BODY_BYTES_MAX,
    ARCHIVE_BUILDS_MAX,
    ARCHIVE_LIST_DEFAULT,
    ARCHIVE_LIST_MAX,
)
from lichen.stream.serving.http import Request, Response, Routes

_PREFIX: Final = "/xrpc/network.bsky.jetstream."
_CACHING: Final = ("cache-control", "public, no-cache")
_BYTES: Final = ("content-type", "application/octet-stream")


class ArchiveRoutes:
    """The calls over one archive or several, of which `?source=` chooses; the first is meant else.

    The names are those that the server has for its stores.
    """

    def __init__(self, archives: Mapping[str, Archive]) -> None:
        assert archives, "there is something to read"
        self._archives = archives

    def routes(self) -> Routes:
        """Return the calls by method and path; HEAD goes to where GET goes."""
        return {
            f"GET {_PREFIX}listSegments": self.list_segments,
            f"GET {_PREFIX}getSegment": self.get_segment,
            f"GET {_PREFIX}getBlock": self.get_block,
            f"POST {_PREFIX}planSnapshot": self.plan_snapshot,
        }

    async def list_segments(self, request: Request) -> Response:
        """Name the segments from `cursor` on; fewer than `limit` when they had to be built."""
        limit = min(_number(request, "limit", ARCHIVE_LIST_DEFAULT), ARCHIVE_LIST_MAX)
        if limit < 1:
            raise Refused("invalid_request", f"Expected a limit of 1 to {ARCHIVE_LIST_MAX}, "
                          f"got {limit}.")
        start, builds, page = _number(request, "cursor", 0), 0, _List([])
        archive = self._archive_of(request)
        for place in archive.places():
            if place.first_seq < start:
                continue
            if len(page.segments) >= limit or builds >= ARCHIVE_BUILDS_MAX:
                page.cursor = str(place.first_seq)
                break
            try:
                builds += archive.known(place.first_seq) is None
                page.segments.append(_listed(await archive.entry(place.first_seq)))
            except NotFound:  # retention took it, or nothing of it fits
                continue
        return Response.json(200, page)

    async def get_segment(self, request: Request) -> Response:
        """Send a segment, or the part of it that is asked for."""
        archive = self._archive_of(request)
        entry = await archive.entry(_index(request, "name"))
        return await _part(archive, request, entry, span=(0, entry.size),
                           tag=entry.header.checksum_text)

    async def get_block(self, request: Request) -> Response:
        """Send one block of a segment: its zstd frame, without the size before it."""
        archive = self._archive_of(request)
        entry = await archive.entry(_index(request, "segment"))
        number = _number(request, "blockIndex", None)
        if number < 0:
            raise Refused("invalid_request", f"Expected a blockIndex of 0 or more, got {number}.")
        if number >= entry.header.blocks:
            raise NotFound("block_not_found", f"The segment has {entry.header.blocks} blocks and "
                           f"the first is 0; got {number}.")
        content = await archive.read(entry, 0, entry.size)
        span = jss.block_range(content, entry.header, number)
        tag = f"{entry.header.checksum_text}:{number}"
        return await _part(archive, request, entry, span=span, tag=tag)

    async def plan_snapshot(self, request: Request) -> Response:
        """Say which segments, or which blocks of them, may hold what the body asks for."""
        if len(request.body) > ARCHIVE_BODY_BYTES_MAX:
            raise Refused("invalid_request", "Expected a body of at most "
                          f"{ARCHIVE_BODY_BYTES_MAX} bytes, got {len(request.body)}.", status=413)
        try:
            wanted = msgspec.json.decode(request.body or b"{}", type=snapshots.Wanted)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Refused("invalid_request",
                          f"The body does not say what to plan: {error}.") from error
        return Response.json(200, await snapshots.plan(self._archive_of(request), wanted))

    def _archive_of(self, request: Request) -> Archive:
        name = request.first_of("source")
        archive = self._archives.get(name) if name else next(iter(self._archives.values()))
        if archive is None:
            known = ", ".join(one for one in self._archives if one) or "none by name"
            raise Refused("invalid_request", f"source is one of: {known}; got {name[:80]!r}.")
        return archive


class _Listed(msgspec.Struct, rename="camel"):
    name: str
    index: int
    size_bytes: int
    checksum: str
    event_count: int
    min_seq: int
    max_seq: int
    min_witnessed_at: int
    max_witnessed_at: int


class _List(msgspec.Struct, omit_defaults=True):
    segments: list[_Listed]
    cursor: str | None = None


async def _part(archive: Archive, request: Request, entry: Entry, *, span: tuple[int, int],
                tag: str) -> Response:
    """Answer with a span of a segment, as conditions and ranges ask for."""
    start, end = span
    part = part_of(dict(request.headers), etag=f'"{tag}"', size=end - start)
    if part.status == 304:
        # RFC 9110 §8.6: a length in a 304 is the one that 200 would have.
        return Response(304, (*part.headers, _CACHING), length=end - start)
    headers = (*part.headers, _CACHING, _BYTES)
    if part.status not in (200, 206):
        return Response(part.status, headers)
    if request.method == "HEAD":
        # RFC 9110 §9.3.2: the fields of GET, and no content.
        return Response(part.status, headers, length=part.end - part.start)
    content = await archive.read(entry, start + part.start, start + part.end)
    return Response(part.status, headers, content)


def _listed(entry: Entry) -> _Listed:
    header = entry.header
    return _Listed(jss.segment_name(entry.index), entry.index, entry.size, header.checksum_text,
                   header.events, header.first_seq, header.last_seq, header.first_us,
                   header.last_us)


def _index(request: Request, name: str) -> int:
    text = request.first_of(name)
    index = jss.segment_index(text)
    if index is None:
        raise Refused("invalid_request", f"Expected {name} to be a segment such as "
                      f"seg_000000002a.jss, got {text!r:.80}.")
    return index


def _number(request: Request, name: str, default: int | None) -> int:
    text = request.first_of(name)
    if not text and default is not None:
        return default
    if not text.isascii() or not text.removeprefix("-").isdecimal() or len(text) > 18:
        raise Refused("invalid_request", f"Expected {name} to be a whole number, got "
                      f"{text!r:.80}.")
    return int(text)
