"""The HTTP kit: addresses, cookies, origins, rates, text at the door. It knows no room."""

from lichen.kit.callers import Buckets, network_of
from lichen.web.addresses import Addresses
from lichen.web.bodies import whole_body
from lichen.web.cookies import (
    KNOCK_COOKIE,
    SESSION_COOKIE,
    ended_cookie,
    knock_cookie,
    session_cookie,
)
from lichen.web.gate import Gate, Rate
from lichen.web.origin import check_origin
from lichen.web.text import check_text

__all__ = [
    "KNOCK_COOKIE", "SESSION_COOKIE", "Addresses", "Buckets", "Gate", "Rate", "check_origin",
    "check_text", "ended_cookie", "knock_cookie", "network_of", "session_cookie", "whole_body",
]
