"""Events as lines for people: when, what, whose, and how it begins."""

from typing import Any

import msgspec

from lichen.kit.clock import isoformat

TEXT_CHARACTERS = 100
_WORDS = ("text", "name", "displayName", "title", "content", "subject")

_events = msgspec.json.Decoder(dict[str, Any])


def line_of(message: bytes | memoryview) -> str:
    """Return one line for an event of the first wire; what is no event is shown as it is."""
    try:
        event = _events.decode(message)
    except msgspec.DecodeError:
        return _printable(bytes(message).decode(errors="replace"))
    time_us = event.get("time_us")
    when = isoformat(time_us)[11:23] if isinstance(time_us, int) else "            "
    kind, who = event.get("kind"), _printable(str(event.get("did", "")))
    body = event.get(str(kind))
    if not isinstance(body, dict):
        return f"{when} {kind!s:8} {who}"
    if kind == "commit":
        what = f"{body.get('operation', ''):6} {body.get('collection', '')}"
        record = body.get("record")
        said = _told(record) if isinstance(record, dict) else ""
        return _printable(f"{when} {what:36} {who}/{body.get('rkey', '')}  {said}".rstrip())
    rest = " ".join(f"{key}={value}" for key, value in body.items()
                    if key not in ("did", "seq", "time"))
    return _printable(f"{when} {kind!s:36} {who}  {rest}".rstrip())


def _told(record: dict[str, Any]) -> str:
    """Return the words of a record, or what it points at."""
    for name in _WORDS:
        value = record.get(name)
        if isinstance(value, dict):
            value = value.get("uri")
        if isinstance(value, str) and value:
            text = " ".join(value.split())
            return text if len(text) <= TEXT_CHARACTERS else text[:TEXT_CHARACTERS - 1] + "…"
    return ""


def _printable(text: str) -> str:
    """Return a text without what a terminal would obey: strangers wrote it."""
    return "".join(one if one.isprintable() else "·" for one in text)
