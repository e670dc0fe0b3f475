"""Time-based one-time passwords. Pure.

    code(T) = last six digits of HMAC-SHA-1(secret, T), T = seconds since 1970 // 30

RFC 6238 over RFC 4226, with the parameters that every authenticator takes and Lemmy uses.
"""

import base64
import hashlib
import hmac
from urllib.parse import quote, urlencode

from lichen.accounts.limits import TOTP_STEPS_AROUND_MAX

STEP_S = 30  # RFC 6238 §4.1: the recommended time step
DIGITS = 6
SECRET_BYTES = 20  # RFC 4226 §4, R6: 160 bits


def code_at(secret: str, step: int) -> str:
    """Return the code of a time step; `secret` is base32."""
    # RFC 4226 §5.3: HOTP with dynamic truncation.
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at:at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(secret: str, code: str, *, now_us: int, after: int) -> int | None:
    """Return the time step of a code, None where it is wrong or no later than `after`.

    RFC 6238 §5.2: one step before and after now count, and each code once.
    """
    now = now_us // 1_000_000 // STEP_S
    found = None
    for step in range(now - TOTP_STEPS_AROUND_MAX, now + TOTP_STEPS_AROUND_MAX + 1):
        # Every step is compared, so that the time says nothing.
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()) and step > after:
            found = step
    return found


def secret_of(random: bytes) -> str:
    """Return random bytes as a secret that people can type."""
    assert len(random) == SECRET_BYTES
    return base64.b32encode(random).decode()


def address_of(secret: str, *, site: str, name: str) -> str:
    """Return the `otpauth:` address that authenticators read as a QR code."""
    # Google Authenticator, Key Uri Format: otpauth://totp/Issuer:account?secret=…
    asked = urlencode({"secret": secret, "issuer": site, "algorithm": "SHA1", "digits": DIGITS,
                       "period": STEP_S}, quote_via=quote)
    return f"otpauth://totp/{quote(site, safe='')}:{quote(name, safe='')}?{asked}"
