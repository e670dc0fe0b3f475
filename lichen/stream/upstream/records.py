"""Records: from DAG-CBOR to the JSON of the AT Protocol's data model, and what filters ask of them.

A link is `{"$link": "bafy…"}` there and a byte string `{"$bytes": base64 without padding}`. libipld
gives both as `bytes`, so whether one that looks like a CID is a link is read from the block: links
stand behind the head of CBOR's tag 42. Almost no record holds either; one walk finds that out, and
then the JSON is written straight from what libipld gave.
"""

import re
from base64 import b64encode
from typing import Any, Final

import libipld
import msgspec

from lichen.kit.errors import Refused
from lichen.stream.upstream.car import CID_BYTES, DAG_CBOR, RAW
from lichen.stream.upstream.limits import (
    DID_LENGTH_MAX,
    LANG_LENGTH_MAX,
    LANGS_MAX,
    MENTIONS_MAX,
    RECORD_DEPTH_MAX,
)

# CBOR: tag 42, a byte string of 37 bytes, the identity multibase prefix. DAG-CBOR, "Links".
LINK_HEAD: Final = b"\xd8\x2a\x58\x25\x00"
MENTION: Final = "app.bsky.richtext.facet#mention"

# AT Protocol, DID syntax: generic, without a method's own rules.
is_did = re.compile(
    rf"did:[a-z]+:[A-Za-z0-9._:%-]{{0,{DID_LENGTH_MAX - 1}}}[A-Za-z0-9._-]").fullmatch

encode_json = msgspec.json.Encoder().encode


def json_of(record: Any, raw: bytes) -> bytes:
    """Return the JSON of a decoded block; raises Refused where it is nested too deeply.

    raw: the block itself, which knows links from byte strings.
    """
    if _has_bytes(record, RECORD_DEPTH_MAX):
        record = _with_links(record, raw)
    return encode_json(record)


def mentions_of(record: dict[str, Any]) -> tuple[str, ...]:
    """Return the DIDs that the facets of a text mention."""
    facets = record.get("facets")
    if type(facets) is not list:
        return ()
    found = []
    for facet in facets[:MENTIONS_MAX]:
        features = facet.get("features") if type(facet) is dict else None
        found += [_mentioned(one) for one in features] if type(features) is list else []
    return tuple(dict.fromkeys(did for did in found if did))[:MENTIONS_MAX]


def langs_of(record: dict[str, Any]) -> tuple[str, ...]:
    """Return the languages that a record names."""
    langs = record.get("langs")
    if type(langs) is not list:
        return ()
    return tuple([one for one in langs[:LANGS_MAX]
                  if type(one) is str and 0 < len(one) <= LANG_LENGTH_MAX])


def _mentioned(feature: Any) -> str:
    if type(feature) is not dict or feature.get("$type") != MENTION:
        return ""
    did = feature.get("did")
    return did if type(did) is str and is_did(did) else ""


def _has_bytes(value: Any, depth: int) -> bool:
    """Say whether a byte string or a link is anywhere below; exact types, for speed."""
    if depth == 0:
        raise Refused("too_deep", f"a record is nested deeper than {RECORD_DEPTH_MAX}")
    found = False
    for one in value.values() if type(value) is dict else value:
        kind = type(one)
        if kind is str:
            continue
        if kind is dict or kind is list:
            found = _has_bytes(one, depth - 1) or found
        elif kind is bytes:
            found = True
    return found


def _with_links(value: Any, raw: bytes) -> Any:
    """Return a value of the JSON data model; depth was checked before."""
    kind = type(value)
    if kind is dict:
        return {key: _with_links(one, raw) for key, one in value.items()}
    if kind is list:
        return [_with_links(one, raw) for one in value]
    return _link_or_bytes(value, raw) if kind is bytes else value


def _link_or_bytes(value: bytes, raw: bytes) -> dict[str, str]:
    # The same 36 bytes as a link and as a byte string in one record are taken for two links.
    looks = len(value) == CID_BYTES and value[:4] in (DAG_CBOR, RAW)
    if looks and LINK_HEAD + value in raw:
        return {"$link": libipld.encode_cid(value)}
    return {"$bytes": b64encode(value).rstrip(b"=").decode()}
