"""The quick look for script in a page: what a spell brought into being, by the standard's parser.

`test_stored_script.py` looks with Chromium, at everything; this is for one page.
"""

from html.parser import HTMLParser

ADDRESSES = frozenset({"href", "src", "action", "formaction", "srcdoc", "data", "background"})
SCHEMES = ("javascript:", "vbscript:", "data:", "blob:")
RUNS = frozenset({"script", "style", "iframe", "object", "embed", "base", "svg", "math"})


def scripts_in(page: str) -> list[str]:
    """Return every element of a page that a spell has made."""
    finder = _Finder()
    finder.feed(page)
    finder.close()
    return finder.found


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: (value or "") for name, value in attrs}
        is_spell = "zqx" in tag or any(
            name.startswith(("on", "hx-")) and "zqx" in value
            or name in ADDRESSES and "".join(value.lower().split()).startswith(SCHEMES)
            and "zqx" in value or name == "style" and "zqx" in value
            for name, value in told.items()
        ) or "onzqx" in told or tag in RUNS and "zqx" in str(told) or "http-equiv" in told and "zqx" in str(told)
        if is_spell:
            self.found.append(self.get_starttag_text() or tag)
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and "zqx" in data:
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
