"""Redaction: what may be shown to a stranger of a text that was not made for one. Pure.

It knows the secrets of the configuration and hides them wherever they stand; then everything that
has the form of an address of a person, a network or a token. Text of people is not redacted but
left out: the bundle never reads it.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

SECRET_LENGTH_MIN = 4  # characters; a shorter one stands in every text by chance
_HIDDEN = "[hidden]"
_FORMS = (
    re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL),
    re.compile(r"\w+://[^\s/@\"']*@[^\s\"']*"),  # an address with a user or a password
    re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"),  # e-mail, and @name@host
    re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"),  # RFC 7519: a token
    re.compile(r"(/setup/|/u/|[?&](token|code|key)=|acct:)[^\s\"'&,;]+"),
    re.compile(r"(?<=/home/)[^/\s\"']+|(?<=/Users/)[^/\s\"']+"),
    re.compile(r"\$argon2\S+|\$2[aby]\$\S+"),
    re.compile(r"\b[\w-]{40,}\b"),  # as long as keys, hashes and tokens
)
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]*(?:\d+\.\d+\.\d+\.\d+|:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:.]*")


class Redaction:
    """Hides the given secrets and everything that looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        words = {part for one in secrets for part in _parts(one)}
        self._secrets = sorted((one for one in words if len(one) >= SECRET_LENGTH_MIN),
                               key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return a text without what may not be shown."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        for form in _FORMS:
            text = form.sub(_HIDDEN, text)
        return _ADDRESS.sub(_without_address, text)


def _parts(secret: str) -> Iterable[str]:
    """Return a secret, the password inside an address, and both as addresses spell them."""
    password = urlsplit(secret).password if "://" in secret else None
    for one in (secret, password):
        if one:
            yield from (one, quote(one, safe=""))


def _without_address(found: re.Match[str]) -> str:
    text = found[0].strip(".")
    for spelled in (text, text.rpartition(":")[0]):  # alone, or with a port behind it
        try:
            address = ipaddress.ip_address(spelled)
        except ValueError:
            continue
        return found[0] if address.is_loopback or address.is_unspecified else _HIDDEN
    return found[0]  # a time, or a number of a release
