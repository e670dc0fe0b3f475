"""The screen: words that a site does not want said, and places it does not send people to.

    pattern (administrators') ──► RE2 automaton ──► one pass over each text, whatever the pattern
    example.org, example.org/x ──► {host: paths} ──► one look-up per label of an address's host

RE2 (Russ Cox, "Regular Expression Matching in the Wild") has no backtracking: the time of a search
is linear in the text and its memory is bounded, so that neither an administrator's clumsy pattern
nor a stranger's hostile text can hold the house. A screen never changes; who follows the site's
settings makes a new one when they change.
"""

from collections.abc import Iterable
from html import unescape
from urllib.parse import unquote, urlsplit

import re2

from lichen.kit import Refused
from lichen.rules.limits import (
    BLOCKED_ADDRESS_LENGTH_MAX,
    PATTERN_LENGTH_MAX,
    PATTERN_MEMORY_BYTES_MAX,
    SCREEN_HITS_MAX,
)

# Lemmy 0.19, build_and_check_regex: whatever finds something in this finds something everywhere.
_INNOCENT = "1"
_HOSTS = re2.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")


class Screen:
    """Says whether a text or an address may be published; costs nothing where nothing is set."""

    def __init__(self, pattern: str | None = None, blocked: Iterable[str] = ()) -> None:
        self._pattern = _compiled(pattern) if pattern else None
        self._places: dict[str, list[str]] = {}
        for address in blocked:  # as `blocked_address` keeps them, so that 2,000 take 1 ms
            host, _, path = address.partition("/")
            self._places.setdefault(host, []).append(f"/{path}")

    def may_link_to_blocked(self, text: str) -> bool:
        """Say whether a Markdown text is worth looking through for links; O(length).

        Only a text that names no blocked host, however it is escaped, is let off: parsing 50 kB
        takes a hundred times as long.
        """
        if not self._places or not text.isascii():
            return bool(self._places)  # names beyond ASCII have forms that only IDNA knows
        bare = unquote(unescape(text)).replace("\\", "").lower()
        return not bare.isascii() or any(
            self._paths_of(host) for host in set(_HOSTS.findall(bare))
        )

    def hits(self, text: str) -> list[str]:
        """Return the pieces of a text that are not wanted, the first few; O(length)."""
        found: list[str] = []
        for match in self._pattern.finditer(text) if self._pattern else ():
            if match[0] and match[0] not in found:
                found.append(match[0])
            if len(found) >= SCREEN_HITS_MAX:
                break
        return found

    def check_words(self, *texts: str | None) -> None:
        """Refuse texts that hold an unwanted word, by `slurs`."""
        if self._pattern is None:
            return
        for text in texts:
            if text and self._pattern.search(text):
                words = ", ".join(self.hits(text))
                raise Refused("slurs", f"This site does not want these words: {words}. Say it "
                                       "without them.")

    def check_addresses(self, *addresses: str | None) -> None:
        """Refuse addresses on the list, of their subdomains and below their paths."""
        for address in addresses:
            if address and self._places and self._is_blocked(address):
                raise Refused("blocked_url", "This site does not send people there: "
                                             f"{address[:100]}. Leave the address out.")

    def _is_blocked(self, address: str) -> bool:
        try:
            host, path = _parts_of(address)
        except ValueError:
            return False  # what is no address leads nowhere
        return any(
            path == blocked or path.startswith(blocked.rstrip("/") + "/")
            for blocked in self._paths_of(host)
        )

    def _paths_of(self, host: str) -> list[str]:
        """Return the blocked paths of a host and of the domains it lies in."""
        labels = host.split(".")
        domains = (".".join(labels[at:]) for at in range(len(labels)))
        return [path for domain in domains for path in self._places.get(domain, ())]


def check_pattern(pattern: str) -> str:
    """Return a pattern, or refuse one that is wrong, too long or finds something everywhere."""
    if len(pattern) > PATTERN_LENGTH_MAX:
        raise Refused("invalid_regex", f"A pattern has at most {PATTERN_LENGTH_MAX} characters; "
                                       f"this one has {len(pattern)}.")
    compiled = _compiled(pattern)
    if compiled.search(_INNOCENT) or compiled.search(""):
        raise Refused("permissive_regex", "This pattern finds something in every text, so nobody "
                                          "could write a word; make it narrower.")
    return pattern


def blocked_address(text: str) -> str:
    """Return a host, or a host with a path, as it will be kept; refuse what is neither."""
    try:
        host, path = _parts_of(text)
    except ValueError:
        host, path = "", ""
    kept = host + path.rstrip("/")
    is_host = all(part and part.replace("-", "").isalnum() for part in host.split("."))
    if not is_host or "." not in host or len(kept) > BLOCKED_ADDRESS_LENGTH_MAX:
        raise Refused("invalid_url", "A blocked address is a host such as example.org, or a host "
                                     f"and a path such as example.org/shop; got {text[:60]!r}.")
    return kept


def _compiled(pattern: str) -> "re2._Regexp[str]":
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY_BYTES_MAX
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else b""
        what = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise Refused("invalid_regex", f"This is no pattern that can be used: {what[:200]}. "
                                       "Look-around and references back are not known.") from None


def _parts_of(address: str) -> tuple[str, str]:
    """Return host and path of an address as browsers read it; raises ValueError."""
    # WHATWG URL §4.4: a backslash is a slash, and tabs and line ends are skipped.
    cut = address.strip().replace("\\", "/").translate({9: None, 10: None, 13: None})
    if "//" not in cut.partition("?")[0]:
        cut = "//" + cut
    parts = urlsplit(cut)
    host = unquote(parts.hostname or "").rstrip(".").lower()
    try:
        host = host.encode("idna").decode()  # RFC 5891: one form for Münch.example
    except UnicodeError:
        host = host or ""
    return host, unquote(parts.path) or "/"
