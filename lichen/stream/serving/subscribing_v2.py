"""The second wire's `subscribeEvents`: strict, where the first one forgives (proposal 0015).

    kinds, collections, dids          ≤ 4, ≤ 100, ≤ 10,000 as they came
    cursor                            sequence or µs; too old by sequence: 400 CursorTooOld
    maxMessageSizeBytes               of the whole plain frame
    zstdDictionary=ID                 zstd frames by that dictionary
    mentions, langs, rootPosts, heartbeat     ours beyond it

The names of the first wire are refused by name, so that nobody who moves over gets everything
unawares. A subscriber says nothing: any message of its own closes the connection with 1008.
"""

import re
from collections.abc import Collection
from typing import Final

from lichen.kit import Refused, isoformat
from lichen.stream import limits
from lichen.stream.model import Filter, Form, Kind, Wire
from lichen.stream.serving.http import Request
from lichen.stream.serving.wanting import (
    Cursor,
    Kept,
    Terms,
    invalid,
    read_collections,
    read_cursor,
    read_dids,
    read_flag,
    read_heartbeat_s,
    read_langs,
    read_message_size,
    shown,
)

METHOD: Final = "network.bsky.jetstream.subscribeEvents"
SUBPROTOCOL: Final = "xrpc.v1.json"

_KINDS: Final = {kind.word: kind for kind in Kind}
_LEFT_BEHIND: Final = {
    "wantedDids": "use dids",
    "wantedCollections": "use collections",
    "requireHello": "this address is server-push only, and begins at once",
    "compress": "use zstdDictionary with an id of getZstdDictionary",
    "wantedMentions": "use mentions",
    "wantedLangs": "use langs",
    "rootPostsOnly": "use rootPosts",
}


def read_terms(request: Request, kept: Kept, *, dictionaries: Collection[int],
               current: int, now_us: int) -> Terms:
    """Return what a request asks for; raises Refused, named as XRPC names it, before any upgrade.

    `dictionaries` are the ids that frames can be compressed with, `current` is the newest.
    """
    for name, instead in _LEFT_BEHIND.items():
        if request.has(name):
            raise invalid(f"{name} belongs to /subscribe; {instead}.")
    wanted = _read_filter(request)
    form = Form(Wire.V2, _read_dictionary(request, dictionaries, current))
    cursor = read_cursor(request.first_of("cursor"), kept, now_us=now_us)
    if cursor.is_too_old and not cursor.is_time:
        raise Refused("CursorTooOld", f"cursor {request.first_of('cursor')} is below the floor; "
                      f"the lowest sequence kept is {kept.first_seq}.")
    return Terms(
        wanted=wanted, form=form, cursor=cursor,
        heartbeat_s=read_heartbeat_s(request.first_of("heartbeat")), greeting=_greeting(cursor),
    )


def subprotocol_of(request: Request) -> str:
    """Return the subprotocol to echo: ours if it was offered, letter by letter, else none."""
    return SUBPROTOCOL if SUBPROTOCOL in request.tokens("sec-websocket-protocol") else ""


def info_frame(name: str, text: str) -> bytes:
    """Return an advice to the subscriber, which has no sequence; `text` needs no escaping."""
    return (f'{{"$type":"message","payload":{{"$type":"{METHOD}#info","name":"{name}",'
            f'"message":"{text}"}}}}').encode()


def error_frame(name: str, text: str) -> bytes:
    """Return the last frame before a close; `text` needs no escaping."""
    return f'{{"$type":"error","error":"{name}","message":"{text}"}}'.encode()


def cursor_frame(seq: int, time_us: int) -> bytes:
    """Return the heartbeat of this wire, for whoever asked: clients pass over unknown types."""
    return (f'{{"$type":"message","payload":{{"$type":"{METHOD}#cursor","seq":{seq},'
            f'"time":"{isoformat(time_us)}"}}}}').encode()


def _read_filter(request: Request) -> Filter:
    kinds = _read_kinds(request.all_of("kinds"))
    raw = request.all_of("collections")
    if len(raw) > limits.COLLECTIONS_MAX:
        raise invalid(f"collections holds at most {limits.COLLECTIONS_MAX} values, "
                      f"{len(raw)} came.")
    collections, prefixes = read_collections(
        "collections", raw, raw_max=limits.COLLECTIONS_MAX, checks_prefixes=True)
    if raw and kinds and Kind.COMMIT not in kinds:
        raise invalid("The collections filter can never apply: kinds excludes commit; "
                      "add kinds=commit or leave collections out.")
    return Filter(
        kinds=kinds, collections=collections, prefixes=prefixes,
        dids=read_dids("dids", request.all_of("dids"), raw_max=limits.DIDS_MAX),
        roots_only=read_flag("rootPosts", request.first_of("rootPosts")),
        mentions=read_dids("mentions", request.all_of("mentions"), raw_max=limits.DIDS_MAX),
        langs=read_langs("langs", request.all_of("langs")),
        message_bytes_max=read_message_size(request.first_of("maxMessageSizeBytes")),
    )


def _read_kinds(values: list[str]) -> frozenset[Kind]:
    if len(values) > limits.KINDS_MAX:
        raise invalid(f"kinds holds at most {limits.KINDS_MAX} values, {len(values)} came.")
    for value in values:
        if value not in _KINDS:
            raise invalid(f"kinds holds {', '.join(_KINDS)}; unknown kind {shown(value)} came.")
    return frozenset(_KINDS[value] for value in values)


def _read_dictionary(request: Request, dictionaries: Collection[int], current: int) -> int:
    if not request.has("zstdDictionary"):
        return 0
    text = request.first_of("zstdDictionary")
    if not re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) or int(text) < 1:
        raise invalid(f"zstdDictionary is a positive integer; {shown(text)} came.")
    if int(text) not in dictionaries:
        raise Refused("UnknownZstdDictionary", f"Unknown zstd dictionary {text}; the current "
                      f"dictionary id is {current}: fetch it by getZstdDictionary.")
    return int(text)


def _greeting(cursor: Cursor) -> bytes:
    # The lexicon: cursor notices are the first frame.
    if cursor.is_too_old and cursor.is_time:
        return info_frame("OutdatedCursor", "requested timestamp cursor below retention floor; "
                          f"starting at seq {cursor.seq}")
    if cursor.is_future and not cursor.is_time:
        return info_frame("FutureCursor", "requested cursor is beyond the next seq; "
                          f"starting at the live tip, seq {cursor.seq}")
    return b""
