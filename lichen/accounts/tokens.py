"""Tokens: what a client shows to say who it is.

A JSON Web Token that names an account and a session. It is a claim, not a proof: the row of the
session must exist too, so that a session can be ended at once. It has no expiry, as in Lemmy, whose
clients keep it for ever.

A ticket is another kind of paper: it names an account, is for one audience, ends after an hour, and
no session stands behind it. What verifies the one refuses the other.
"""

import hashlib
import hmac
from typing import NamedTuple

import jwt

from lichen.accounts.limits import TICKET_AGE_US, TOKEN_LENGTH_MAX
from lichen.accounts.model import SessionId

ALGORITHM = "HS256"  # RFC 7518 §3.2: HMAC with SHA-256
SECRET_BYTES = 32  # RFC 7518 §3.2: a key at least as long as the hash
_APPEAL = "appeal"  # the audience of tickets
_MARK_LENGTH = 16  # of a ticket's mark: enough to know a new password by


class Claims(NamedTuple):
    """Whose session a token says it is."""

    account_id: int
    session_id: SessionId


class Ticket(NamedTuple):
    """Whose ticket it is, and the mark of the password it was given for."""

    account_id: int
    mark: str

    def fits(self, password_hash: str) -> bool:
        """Say whether the account still has the password that the ticket was given for."""
        return hmac.compare_digest(self.mark, _mark_of(password_hash))


class Tokens:
    """Signs and verifies tokens with one secret."""

    def __init__(self, secret: bytes, *, issuer: str) -> None:
        assert len(secret) >= SECRET_BYTES
        self._secret = secret
        self._issuer = issuer

    def sign(self, claims: Claims, *, issued_us: int) -> str:
        """Return the token for a session."""
        # RFC 7519 §4.1: `sub` is a string, `iat` counts seconds.
        payload = {
            "sub": str(claims.account_id),
            "jti": claims.session_id,
            "iss": self._issuer,
            "iat": issued_us // 1_000_000,
        }
        return jwt.encode(payload, self._secret, algorithm=ALGORITHM)

    def verify(self, token: str) -> Claims | None:
        """Return what a token claims, None unless we signed it; about 20 µs."""
        if len(token) > TOKEN_LENGTH_MAX:
            return None
        try:
            payload = jwt.decode(
                token, self._secret, algorithms=[ALGORITHM], issuer=self._issuer,
                options={"require": ["sub", "jti", "iss"], "verify_iat": False},
            )
            return Claims(int(payload["sub"]), SessionId(payload["jti"]))
        except (jwt.InvalidTokenError, ValueError):
            return None

    def sign_ticket(self, account_id: int, password_hash: str, *, issued_us: int) -> str:
        """Return a ticket for an account that gave its password."""
        # RFC 7519 §4.1.3: who is not of the audience of a token must reject it, as `verify` does.
        payload = {
            "sub": str(account_id), "aud": _APPEAL, "iss": self._issuer,
            "iat": issued_us // 1_000_000, "mark": _mark_of(password_hash),
        }
        return jwt.encode(payload, self._secret, algorithm=ALGORITHM)

    def verify_ticket(self, ticket: str, *, now_us: int) -> Ticket | None:
        """Return what a ticket claims, None unless we signed it within its hour."""
        if len(ticket) > TOKEN_LENGTH_MAX:
            return None
        try:
            payload = jwt.decode(
                ticket, self._secret, algorithms=[ALGORITHM], issuer=self._issuer,
                audience=_APPEAL,
                options={"require": ["sub", "aud", "iss", "iat"], "verify_iat": False},
            )
            is_old = now_us - int(payload["iat"]) * 1_000_000 > TICKET_AGE_US
            return None if is_old else Ticket(int(payload["sub"]), str(payload["mark"]))
        except (jwt.InvalidTokenError, ValueError, KeyError):
            return None


def _mark_of(password_hash: str) -> str:
    return hashlib.sha256(password_hash.encode()).hexdigest()[:_MARK_LENGTH]
