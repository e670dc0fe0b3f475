"""Who asks, and what: from a raw request to a caller and a typed message.

Everything that is wrong with the form of a request is said here, once, with one of five codes:
`invalid_query`, `invalid_json`, `invalid_field`, `invalid_text`, `body_too_large`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from lichen.accounts import Viewer
from lichen.faces.given import Given
from lichen.faces.lemmy_v3 import wire
from lichen.faces.lemmy_v3.cache import AnswerCache
from lichen.faces.lemmy_v3.showing import Showing
from lichen.kit import Refused, Unauthenticated
from lichen.media import PROXY_PATH, Proxy
from lichen.web import check_text

QUERY_BYTES_MAX = 8 << 10  # the longest search, escaped, with every other field
QUERY_FIELDS_MAX = 64  # four times what the richest call takes
AGENT_LENGTH_MAX = 256  # of a client's own description; the rest is cut off

_ENCODER = msgspec.json.Encoder()
_PROXIED = PROXY_PATH.encode()

AskT = TypeVar("AskT", bound=wire.Ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(Given):
    """What the calls are answered from."""

    answers: AnswerCache
    showing: Showing | None

    def encode(self, answer: object) -> bytes:
        """Return an answer as JSON, with its pictures shown from where the site wants it."""
        return _ENCODER.encode(answer if self.showing is None else self.showing.of(answer))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a person, or a stranger where `viewer` is None; and from where."""

    viewer: Viewer | None
    address: str
    agent: str

    def person(self) -> Viewer:
        """Return the person who asks, or refuse a stranger."""
        if self.viewer is None:
            raise Unauthenticated()
        return self.viewer


def token_of(method: str, headers: Mapping[str, str], cookies: Mapping[str, str]) -> str | None:
    """Return the bearer token of a request.

    A browser sends a cookie along with what other sites make it ask, so the cookie may only read.
    """
    # RFC 6750 §2.1: "Bearer" 1*SP b64token.
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return cookies.get("jwt") if method == "GET" else None


def asked_in_query(query: bytes, kind: type[AskT]) -> AskT:
    """Return the message in a query string, or refuse it."""
    if len(query) > QUERY_BYTES_MAX:
        raise Refused(
            "invalid_query",
            f"A query has {QUERY_BYTES_MAX} bytes at most; this one has {len(query)}.",
        )
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict",
            max_num_fields=QUERY_FIELDS_MAX,
        )
    except ValueError:  # also of Unicode
        raise Refused(
            "invalid_query", f"A query is at most {QUERY_FIELDS_MAX} fields of escaped UTF-8."
        ) from None
    try:
        asked = msgspec.convert(dict(pairs), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused("invalid_field", f"{error}.") from None
    return _checked(asked)


def asked_in_body(body: bytes, decoder: msgspec.json.Decoder[AskT]) -> AskT:
    """Return the message in a JSON body, or refuse it; no body at all is an empty object."""
    try:
        asked = decoder.decode(body or b"{}")
    except msgspec.ValidationError as error:
        raise Refused("invalid_field", f"{error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused("invalid_json", "The body is not JSON in UTF-8; send one object.") from None
    except RecursionError:
        raise Refused("invalid_json", "The body is nested too deeply; send one object.") from None
    return _checked(asked)


def as_written(proxy: Proxy, body: bytes, asked: AskT) -> AskT:
    """Return a message with the addresses of pictures that people wrote, not those shown for them.

    Costs a search in the body, where none is in it.
    """
    if _PROXIED not in body.replace(b"\\/", b"/"):
        return asked
    changes = {
        name: proxy.originals(value) for name in asked.__struct_fields__
        if isinstance(value := getattr(asked, name), str)
    }
    return msgspec.structs.replace(asked, **changes)


def _checked(asked: AskT) -> AskT:
    for name in asked.__struct_fields__:
        value = getattr(asked, name)
        if type(value) is str:
            check_text(value, name)
    return asked
