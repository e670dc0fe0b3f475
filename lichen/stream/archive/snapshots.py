"""planSnapshot: which segments, or which blocks of them, may hold what somebody wants.

A plan over (afterSeq, beforeSeq] names exactly the blocks that hold a wanted event, by the matcher
that subscribers have: the side index says of every event what kind, collection and actor it has.

A page ends where the archive ends, at so many entries, or after so many segments that had to be
built for it: what is not built has no checksum to name. `plannedThroughSeq` is what the page
accounts for, so that even a page without entries moves on. The next page builds the next ones while
the client downloads: planning and downloading an archive cost the same once.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np

from lichen.kit import NotFound, Refused
from lichen.stream.archive import jss
from lichen.stream.archive.shelf import Archive, Entry
from lichen.stream.block import Block
from lichen.stream.engine import BlockPlace
from lichen.stream.limits import (
    ARCHIVE_BUILDS_MAX,
    ARCHIVE_COLLECTIONS_MAX,
    ARCHIVE_DIDS_MAX,
    ARCHIVE_PLAN_ENTRIES_MAX,
)
from lichen.stream.matching import Matcher
from lichen.stream.model import WILDCARD, Filter, Kind, Wire

_LOOKED_AT: Final = 16  # blocks in one visit to a thread: half a millisecond of another's time
_DID: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]")
_NSID: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z0-9-]+)+\.([a-zA-Z][a-zA-Z0-9]*|\*)")
_KINDS: Final = {kind.word: kind for kind in Kind}


class Wanted(msgspec.Struct, rename="camel"):
    """The body of planSnapshot; what is left out, null or empty wants everything."""

    after_seq: int | None = None
    before_seq: int | None = None
    kinds: list[Literal["commit", "identity", "account", "sync"]] | None = None
    dids: list[str] | None = None
    collections: list[str] | None = None


class BlockRange(msgspec.Struct):
    """Blocks of a segment from the first to the last, both included."""

    first: int
    last: int


class Planned(msgspec.Struct, rename="camel", omit_defaults=True):
    """One segment to download, whole or in part."""

    name: str
    index: int
    checksum: str
    min_seq: int
    max_seq: int
    mode: Literal["segment", "blocks"]
    blocks: list[BlockRange] | None = None


class Stats(msgspec.Struct, rename="camel"):
    """What the planner looked at."""

    segments_examined: int = 0
    segments_matched: int = 0
    blocks_matched: int = 0
    entries: int = 0


class Plan(msgspec.Struct, rename="camel"):
    """One page of a plan."""

    planned_through_seq: int
    sealed_tip_seq: int
    segments: list[Planned]
    stats: Stats


class _Query(NamedTuple):
    """What is looked for in each block."""

    matcher: Matcher
    after_seq: int
    before_seq: int


def filter_of(wanted: Wanted) -> Filter:
    """Return what a plan wants as a filter; raises Refused for what the lexicon does not allow."""
    kinds, collections, dids = wanted.kinds or (), wanted.collections or (), wanted.dids or ()
    for name, given, most in (("dids", dids, ARCHIVE_DIDS_MAX),
                              ("collections", collections, ARCHIVE_COLLECTIONS_MAX)):
        if len(given) > most:
            raise Refused("invalid_request", f"Expected at most {most} {name}, got {len(given)}.")
    if collections and kinds and "commit" not in kinds:
        raise Refused("invalid_request", "Collections apply to commits only, and kinds leaves "
                      "commits out; add commit to kinds or leave collections out.")
    for did in dids:
        if _DID.fullmatch(did) is None:
            raise Refused("invalid_request", f"Expected a DID, got {did[:80]!r}.")
    for name in collections:
        if _NSID.fullmatch(name) is None:
            raise Refused("invalid_request", "Expected a collection such as app.bsky.feed.post "
                          f"or app.bsky.feed.*, got {name[:80]!r}.")
    return Filter(
        kinds=frozenset(_KINDS[word] for word in kinds),
        collections=frozenset(one for one in collections if not one.endswith(WILDCARD)),
        # Clients match what begins with the words before ".*", a dot or not: none is missed.
        prefixes=tuple(sorted({one.removesuffix(WILDCARD) for one in collections
                               if one.endswith(WILDCARD)})),
        dids=frozenset(dids),
    )


async def plan(archive: Archive, wanted: Wanted, *,
               builds_max: int = ARCHIVE_BUILDS_MAX,
               entries_max: int = ARCHIVE_PLAN_ENTRIES_MAX) -> Plan:
    """Return one page of a plan; raises Refused for a plan that cannot be."""
    query = _query_of(wanted)
    tip = min(archive.sealed_tip(), query.before_seq)
    spans = [one for one in archive.places()
             if one.last_seq > query.after_seq and one.first_seq <= tip]
    page = Plan(tip, tip, [], Stats())
    builds = 0
    for start in range(0, len(spans), _LOOKED_AT):
        for span, numbers in await _examined(archive, spans[start : start + _LOOKED_AT], query):
            if page.stats.entries >= entries_max or builds >= builds_max:
                page.planned_through_seq = min(span.first_seq - 1, tip)
                return page
            page.stats.segments_examined += 1
            if numbers:
                builds += archive.known(span.first_seq) is None
                await _add(page, archive, span, numbers)
    return page


async def _examined(archive: Archive, spans: Sequence[BlockPlace],
                    query: _Query) -> list[tuple[BlockPlace, list[int]]]:
    """Return for each span the numbers of the blocks in its segment that may match."""
    blocks: list[Block | None] = []
    for span in spans:
        try:
            blocks.append(archive.block(span.first_seq))
        except NotFound:  # retention took it while the page was planned
            blocks.append(None)
    found = await asyncio.to_thread(
        lambda: [_matching(block, query) if block is not None else [] for block in blocks])
    return list(zip(spans, found, strict=True))


def _matching(block: Block, query: _Query) -> list[int]:
    """Return the numbers of the archive's blocks that hold a wanted event."""
    start, stop = block.row_at(query.after_seq + 1), block.row_at(query.before_seq + 1)
    if start >= stop:
        return []
    rows = query.matcher.rows(block, start, stop)
    if rows is None:
        rows = np.arange(start, stop)
    return [int(number) for number in np.unique(rows // jss.BLOCK_EVENTS)]


async def _add(page: Plan, archive: Archive, span: BlockPlace, numbers: list[int]) -> None:
    """Put a segment on the page, unless it is gone or holds nothing."""
    try:
        entry = await archive.entry(span.first_seq)
    except NotFound:
        return
    planned = _planned(entry, numbers)
    page.segments.append(planned)
    page.stats.segments_matched += 1
    page.stats.blocks_matched += (len(numbers) if planned.blocks is not None
                                  else entry.header.blocks)
    page.stats.entries += len(planned.blocks or (planned,))


def _planned(entry: Entry, numbers: list[int]) -> Planned:
    header = entry.header
    # A segment has two blocks at most. Where one is missing, since nothing of it fits the format,
    # the other is the whole.
    is_whole = len(numbers) >= header.blocks
    ranges: list[BlockRange] = []
    for number in numbers:
        if ranges and ranges[-1].last == number - 1:
            ranges[-1].last = number
        else:
            ranges.append(BlockRange(number, number))
    return Planned(
        jss.segment_name(entry.index), entry.index, header.checksum_text, header.first_seq,
        header.last_seq, "segment" if is_whole else "blocks", None if is_whole else ranges)


def _query_of(wanted: Wanted) -> _Query:
    after_seq = wanted.after_seq or 0
    before_seq = (1 << 63) - 1 if wanted.before_seq is None else wanted.before_seq
    if after_seq < 0 or before_seq < 0:
        raise Refused("invalid_request", "Expected sequences of 0 or more, got "
                      f"{min(after_seq, before_seq)}.")
    if wanted.before_seq is not None and before_seq <= after_seq:
        raise Refused("invalid_request", "Expected beforeSeq to be greater than afterSeq, got "
                      f"{before_seq} and {after_seq}.")
    # One of its own: it is used on a thread, and those that readers share remember things.
    return _Query(Matcher(filter_of(wanted), Wire.V2), after_seq, before_seq)
