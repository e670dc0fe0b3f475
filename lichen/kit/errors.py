"""The three kinds of errors, decided once.

    LichenError
    ├── Refused            the caller is wrong: an HTTP status, a stable code, a safe text
    │   ├── Unauthenticated   401  nobody is logged in, or the session has ended
    │   ├── Forbidden         403  logged in, but not allowed
    │   ├── NotFound          404  no such thing, or not visible to the caller
    │   ├── Conflict          409  the state has moved on, or a name is taken
    │   └── TooMany           429  a limit on rate was reached; says when to come back
    ├── Unavailable        the world is wrong (disk, database, peer); says when to retry
    └── Broken             we are wrong: stop writing, crash loudly

Hostile remote input is never Broken: it is Refused, counted, and work goes on.
"""


class LichenError(Exception):
    """The root of everything this house raises on purpose."""


class Refused(LichenError):
    """The caller is wrong.

    `code` is stable and snake_case (clients branch on it); `text` is safe to show to anybody and
    says what was expected, what came and what to do.
    """

    status = 400

    def __init__(self, code: str, text: str = "", *, status: int | None = None) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text or code.replace("_", " ").capitalize() + "."
        if status is not None:
            self.status = status


class Unauthenticated(Refused):
    """Nobody is logged in, or the session has ended."""

    status = 401

    def __init__(self, code: str = "not_logged_in", text: str = "Log in first.") -> None:
        super().__init__(code, text)


class Forbidden(Refused):
    """Logged in, but not allowed."""

    status = 403


class NotFound(Refused):
    """No such thing, or not visible to the caller; the two are not told apart."""

    status = 404


class Conflict(Refused):
    """The state has moved on, or a name is taken."""

    status = 409


class TooMany(Refused):
    """A limit on rate was reached.

    `retry_after_s` is the number of seconds after which one more request fits.
    """

    status = 429

    def __init__(self, code: str = "rate_limit_error", text: str = "", *,
                 retry_after_s: float = 1.0) -> None:
        super().__init__(code, text or f"Too many requests; try again in {retry_after_s:.0f} s.")
        self.retry_after_s = retry_after_s


class Unavailable(LichenError):
    """The world is wrong: a disk, a database or a peer does not answer.

    `retry_after_s` is when a retry is worth it; the text is safe to show.
    """

    def __init__(self, text: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(text)
        self.text = text
        self.retry_after_s = retry_after_s


class Broken(LichenError):
    """We are wrong: an invariant does not hold. Stop writing and crash loudly."""
