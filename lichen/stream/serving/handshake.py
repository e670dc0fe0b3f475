"""The opening handshake of WebSocket: from a request to the head of the answer (RFC 6455 §4.2)."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Final

from lichen.kit import Refused
from lichen.stream.serving.http import OPEN_TO_ALL, Request, render_head

# RFC 6455 §1.3: the string that every server appends to the key.
GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY_BYTES: Final = 16
VERSION: Final = "13"
DEFLATE: Final = "permessage-deflate"


def check_handshake(request: Request) -> None:
    """Refuse a request that opens no WebSocket: 426 where none was asked for, else 400."""
    # RFC 6455 §4.2.1: GET, HTTP/1.1, Host, Upgrade, Connection, key and version.
    upgrades = {token.lower() for token in request.tokens("upgrade")}
    connections = {token.lower() for token in request.tokens("connection")}
    if "websocket" not in upgrades or "upgrade" not in connections:
        raise Refused("UpgradeRequired", "This address speaks WebSocket (Upgrade: websocket) or "
                      "Server-Sent Events (Accept: text/event-stream); a plain request came.",
                      status=426)
    if request.header("sec-websocket-version") != VERSION:
        # RFC 6455 §4.4: another version is answered by the one we speak.
        raise Refused("UpgradeRequired", f"Sec-WebSocket-Version {VERSION} is spoken here, "
                      f"{request.header('sec-websocket-version') or 'none'} came.", status=426)
    if not _is_key(request.header("sec-websocket-key")):
        raise Refused("InvalidRequest", "Sec-WebSocket-Key holds 16 bytes in base64; "
                      "let a WebSocket library make it.")


def accept_head(request: Request, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return the head that opens the WebSocket; extensions are always declined, by silence."""
    # RFC 6455 §4.2.2: the hash of key and GUID proves that the handshake was read.
    key = request.header("sec-websocket-key").encode()
    proof = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    return render_head(101, [
        ("upgrade", "websocket"), ("connection", "Upgrade"),
        ("sec-websocket-accept", proof.decode()), *headers, *OPEN_TO_ALL,
    ])


def offers_deflate(request: Request) -> bool:
    """Say whether the client offers to compress by RFC 7692."""
    offers = request.tokens("sec-websocket-extensions")
    return any(offer.partition(";")[0].strip().lower() == DEFLATE for offer in offers)


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False
