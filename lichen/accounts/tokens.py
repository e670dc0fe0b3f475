"""Tokens: what a client shows to say who it is.

A JSON Web Token that names an account and a session. It is a claim, not a proof: the row of the
session must exist too, so that a session can be ended at once. It has no expiry, as in Lemmy, whose
clients keep it for ever.
"""

from typing import NamedTuple

import jwt

from lichen.accounts.limits import TOKEN_LENGTH_MAX
from lichen.accounts.model import SessionId

ALGORITHM = "HS256"  # RFC 7518 §3.2: HMAC with SHA-256
SECRET_BYTES = 32  # RFC 7518 §3.2: a key at least as long as the hash


class Claims(NamedTuple):
    """Whose session a token says it is."""

    account_id: int
    session_id: SessionId


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
