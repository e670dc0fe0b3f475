"""Looking into texts: whole words by a normal form, patterns by RE2.

`contains(text, 'free money')` asks for whole words, whatever their case and whatever stands between
them. A text is brought into a normal form once,

    "FREE, money!"  ──►  " free money "

and a phrase is a piece of it, spaces included; so a hundred word rules cost one normal form and a
hundred plain searches. `matches(text, 'fr[e3]+')` asks RE2, which takes linear time whatever the
pattern (Cox 2007, "Regular Expression Matching Can Be Simple And Fast"); its memory is bounded.

A `Glance` is what is known of the texts of one set of facts; a bundle of programs shares one, so
that each text is normalised once, and all patterns of all programs are searched in one pass.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import re2

from lichen.rules import limits

_WORD = re.compile(r"\w+")
_ASCII_PARTED = {code: " " for code in range(128) if not _WORD.match(chr(code))}


def _options() -> Any:
    options = re2.Options()
    options.max_mem = limits.PATTERN_MEMORY_BYTES_MAX
    options.log_errors = False
    return options


def words_of(text: str) -> str:
    """Return the words of a text, folded and parted by single spaces, with one at either end."""
    if text.isascii():
        # The same for ASCII, in a tenth of the time.
        found = text.lower().translate(_ASCII_PARTED).split()
    else:
        found = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return f" {' '.join(found)} " if found else " "


def pattern_of(source: str) -> Any:
    """Return the compiled pattern; raises ValueError with RE2's words where it is none."""
    try:
        return re2.compile(source, _options())
    except re2.error as error:
        raise ValueError(_said(error)) from None


def is_found(pattern: Any, text: str) -> bool:
    """Say whether the pattern matches somewhere in the text; linear in both."""
    return pattern.search(_bytes(text)) is not None


class Glance:
    """What is known of the texts of one set of facts; `sieve` searches many patterns at once."""

    def __init__(self, sieve: "Sieve | None" = None) -> None:
        self._sieve = sieve
        self._words: dict[str, str] = {}
        self._found: dict[str, frozenset[str]] = {}

    def words(self, text: str) -> str:
        """Return the normal form of a text, made once."""
        known = self._words.get(text)
        if known is None:
            known = self._words[text] = words_of(text)
        return known

    def is_found(self, source: str, pattern: Any, text: str) -> bool:
        """Say whether a pattern matches somewhere in a text."""
        if self._sieve is None or source not in self._sieve.sources:
            return is_found(pattern, text)
        known = self._found.get(text)
        if known is None:
            known = self._found[text] = self._sieve.found_in(text)
        return source in known


class Sieve:
    """Many patterns searched in one pass.

    RE2's filter looks for the words that each pattern must hold, all at once, and tries only the
    patterns whose words are there, and those that must hold none.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        self.sources = {source: place for place, source in enumerate(dict.fromkeys(sources))}
        self._in_order = list(self.sources)
        self._filter = re2.Filter()
        for source in self._in_order:
            self._filter.Add(source, _options())
        if self._in_order:
            self._filter.Compile()

    def found_in(self, text: str) -> frozenset[str]:
        """Return those of the patterns that match somewhere in the text."""
        if not self._in_order:
            return frozenset()
        return frozenset(self._in_order[place] for place in self._filter.Match(_bytes(text)) or ())


def _bytes(text: str) -> bytes:
    # A lone surrogate is no text to RE2, and no pattern matches it; nothing fails.
    return text.encode("utf-8", "surrogatepass")


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
