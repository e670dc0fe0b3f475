"""The session cookie: one name, one set of attributes."""

from litestar.datastructures import Cookie

SESSION_COOKIE = "lichen_session"
SESSION_AGE_S_MAX = 365 * 86_400  # a browser stays logged in for a year of absence


def session_cookie(token: str, *, is_secure: bool) -> Cookie:
    """Return the cookie that logs a browser in."""
    # RFC 6265bis §4.1.2: HttpOnly keeps it from scripts, SameSite=Lax from other sites' forms.
    return Cookie(
        SESSION_COOKIE, value=token, path="/", httponly=True, samesite="lax", secure=is_secure,
        max_age=SESSION_AGE_S_MAX,
    )


def ended_cookie(*, is_secure: bool) -> Cookie:
    """Return the cookie that logs a browser out."""
    return Cookie(
        SESSION_COOKIE, value="", path="/", httponly=True, samesite="lax", secure=is_secure,
        max_age=0,
    )
