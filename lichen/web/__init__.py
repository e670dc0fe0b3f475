"""The HTTP kit: addresses, cookies, origins, text at the door. It knows no room."""

from lichen.web.addresses import Addresses
from lichen.web.bodies import whole_body
from lichen.web.cookies import SESSION_COOKIE, ended_cookie, session_cookie
from lichen.web.origin import check_origin
from lichen.web.text import check_text

__all__ = [
    "SESSION_COOKIE", "Addresses", "check_origin", "check_text", "ended_cookie", "session_cookie",
    "whole_body",
]
