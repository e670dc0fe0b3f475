"""The session cookie: one name, one set of attributes."""

from litestar.datastructures import Cookie

SESSION_COOKIE = "lichen_session"
KNOCK_COOKIE = "lichen_knock"
KNOCK_AGE_S_MAX = 600  # as long as a proof of who one is elsewhere counts
SESSION_AGE_S_MAX = 365 * 86_400  # a browser stays logged in for a year of absence


def session_cookie(token: str, *, is_secure: bool) -> Cookie:
    """Return the cookie that logs a browser in."""
    # RFC 6265bis §4.1.2: HttpOnly keeps it from scripts, SameSite=Lax from other sites' forms.
    return Cookie(
        SESSION_COOKIE, value=token, path="/", httponly=True, samesite="lax", secure=is_secure,
        max_age=SESSION_AGE_S_MAX,
    )


def knock_cookie(handle: str, *, is_secure: bool) -> Cookie:
    """Return the cookie of a browser that is coming in by an account elsewhere; "" ends it."""
    # Lax, not Strict: the way back from the other server is a link of theirs.
    return Cookie(
        KNOCK_COOKIE, value=handle, path="/login/elsewhere", httponly=True, samesite="lax",
        secure=is_secure, max_age=KNOCK_AGE_S_MAX if handle else 0,
    )


def ended_cookie(*, is_secure: bool) -> Cookie:
    """Return the cookie that logs a browser out."""
    return Cookie(
        SESSION_COOKIE, value="", path="/", httponly=True, samesite="lax", secure=is_secure,
        max_age=0,
    )
