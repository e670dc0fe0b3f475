"""The first wire's `GET /subscribe`: frozen, as Jetstream's clients know it, and a little more.

    wantedCollections, wantedDids     repeated; ≤ 100 and ≤ 10,000 after dedupe
    maxMessageSizeBytes               garbage is no bound
    cursor                            sequence, or µs from 10**15 on; too old and future: clamped
    compress=true, Socket-Encoding    zstd frames by the first wire's dictionary
    requireHello=true                 nothing before the first options_update
    wantedMentions, wantedLangs, rootPostsOnly, heartbeat     ours beyond it

Where it forgives, so do we: clients live by that. A prefix is not checked, a size that is garbage
means none, a cursor that is too old is moved without a word.
"""

from typing import Final

import msgspec

from lichen.kit import Refused
from lichen.stream import limits
from lichen.stream.model import Filter, Form, Wire
from lichen.stream.serving.handshake import offers_deflate
from lichen.stream.serving.http import Request
from lichen.stream.serving.wanting import (
    Kept,
    Terms,
    clamp_message_size,
    read_collections,
    read_cursor,
    read_dids,
    read_flag,
    read_heartbeat_s,
    read_langs,
    read_message_size,
)

OPTIONS_UPDATE: Final = "options_update"
INVALID_DATA: Final = 1007  # RFC 6455 §7.4.1: bytes that do not fit the type of the message
POLICY_VIOLATION: Final = 1008  # RFC 6455 §7.4.1: a message that is against the rules


class Ended(Exception):
    """What a subscriber said ends its connection: a close code, a text, a word for the metric."""

    def __init__(self, code: int, text: str, *, why: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.why = why


class Envelope(msgspec.Struct):
    """A message of a subscriber."""

    type: str = ""
    payload: msgspec.Raw = msgspec.Raw()


class Update(msgspec.Struct, rename="camel"):
    """The payload of an options_update: it replaces the whole filter."""

    wanted_collections: list[str] | None = None
    wanted_dids: list[str] | None = None
    max_message_size_bytes: int | None = None
    wanted_mentions: list[str] | None = None
    wanted_langs: list[str] | None = None
    root_posts_only: bool | None = None


_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
_UPDATE: Final = msgspec.json.Decoder(Update | None)


def read_terms(request: Request, kept: Kept, *, dictionary: int, now_us: int) -> Terms:
    """Return what a request asks for; raises Refused before any upgrade.

    `dictionary` is the id of the one that compressed subscribers of this wire get.
    """
    is_compressed = (request.first_of("compress") == "true"
                     or "zstd" in request.header("socket-encoding"))
    if is_compressed and offers_deflate(request):
        raise Refused("InvalidRequest", "compress=true came with an offer of permessage-deflate; "
                      "choose one of the two.")
    wanted = _filter(
        collections=request.all_of("wantedCollections"), dids=request.all_of("wantedDids"),
        message_bytes_max=read_message_size(request.first_of("maxMessageSizeBytes")),
        mentions=request.all_of("wantedMentions"), langs=request.all_of("wantedLangs"),
        roots_only=read_flag("rootPostsOnly", request.first_of("rootPostsOnly")),
    )
    return Terms(
        wanted=wanted,
        form=Form(Wire.V1, dictionary if is_compressed else 0),
        cursor=read_cursor(request.first_of("cursor"), kept, now_us=now_us),
        # Jetstream: the literal `true` and nothing else.
        requires_hello=request.first_of("requireHello") == "true",
        heartbeat_s=read_heartbeat_s(request.first_of("heartbeat")),
    )


def read_update(message: bytes) -> Filter | None:
    """Return the filter that a subscriber's message asks for, nothing where it is of another type.

    Raises Ended: 1007 where it is no JSON of this shape, 1008 where what it asks is invalid.
    """
    try:
        envelope = _ENVELOPE.decode(message)
    except msgspec.MsgspecError:
        raise Ended(INVALID_DATA, "A message is an object with type and payload, as JSON.",
                    why="bad_envelope_json") from None
    if envelope.type != OPTIONS_UPDATE:
        return None
    try:
        update = _UPDATE.decode(envelope.payload) or Update()
    except msgspec.MsgspecError:
        raise Ended(INVALID_DATA, "The payload of this options_update is not of its shape.",
                    why="bad_payload_json") from None
    try:
        return _filter(
            collections=update.wanted_collections or [], dids=update.wanted_dids or [],
            message_bytes_max=clamp_message_size(update.max_message_size_bytes or 0),
            mentions=update.wanted_mentions or [], langs=update.wanted_langs or [],
            roots_only=update.root_posts_only or False,
        )
    except Refused as refusal:
        raise Ended(POLICY_VIOLATION, refusal.text, why="invalid_options") from None


def cursor_frame(seq: int, time_us: int) -> bytes:
    """Return the heartbeat of this wire: how far the stream was looked through, and its time."""
    return b'{"kind":"cursor","cursor":%d,"time_us":%d}' % (seq, time_us)


def _filter(*, collections: list[str], dids: list[str], message_bytes_max: int,
            mentions: list[str], langs: list[str], roots_only: bool) -> Filter:
    exact, prefixes = read_collections(
        "wantedCollections", collections, raw_max=limits.COLLECTIONS_RAW_MAX,
        checks_prefixes=False)
    return Filter(
        collections=exact, prefixes=prefixes,
        dids=read_dids("wantedDids", dids, raw_max=limits.DIDS_RAW_MAX),
        roots_only=roots_only,
        mentions=read_dids("wantedMentions", mentions, raw_max=limits.DIDS_RAW_MAX),
        langs=read_langs("wantedLangs", langs), message_bytes_max=message_bytes_max,
    )
