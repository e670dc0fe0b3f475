"""HTML of others turned back into Markdown, and into plain words. Pure; no input raises.

Peers without a Markdown source send what their editors made: paragraphs, links, quotes, lists,
code. Only these are kept; scripts, styles and whatever else is there lose their marks or go with
their text. The result is Markdown like any other here: it is rendered and cleaned by the forum.
"""

import re
from html import unescape
from html.parser import HTMLParser

from lichen.federation.limits import MARKUP_DEPTH_MAX, MARKUP_LENGTH_MAX

_INLINE = {"strong": "**", "b": "**", "em": "*", "i": "*", "del": "~~", "s": "~~", "strike": "~~"}
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_BLOCKS = frozenset({
    "p", "div", "article", "section", "figure", "figcaption", "table", "tr", "ul", "ol", "pre",
    "blockquote", *_HEADINGS,
})
_HIDDEN = frozenset({"script", "style", "template", "head", "iframe", "object", "svg", "noscript"})
# What would be read as Markdown though it was text.
_MARKS = re.compile(r"([\\`*_\[\]<~^])")
_LINE_MARKS = re.compile(r"^(\s*)([#>+-]|\d+[.)])(?=\s)", re.MULTILINE)
_SPACE = re.compile(r"[ \t\r\n\f]+")
_TAG = re.compile(r"<[^<>]*>")


def markdown_of(html: str) -> str:
    """Return HTML as Markdown; what has no mark in it comes back as it is."""
    html = html[:MARKUP_LENGTH_MAX]
    if "<" not in html and "&" not in html:
        return html.strip()
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


def plain_of(html: str) -> str:
    """Return the words of HTML or Markdown without tags, for a title."""
    return unescape(_TAG.sub("", html[:MARKUP_LENGTH_MAX])).strip()


class _Reader(HTMLParser):
    """Writes Markdown while it reads; lines of quotes and lists carry their marks in front."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._line_start = True
        self._prefixes: list[str] = []
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._hidden = 0
        self._code = 0
        self._fenced = 0

    def text(self) -> str:
        """Return what was written."""
        lines: list[str] = []
        for line in "".join(self._out).split("\n"):
            line = line.rstrip()
            if lines and not line.strip("> ") and not lines[-1].strip("> "):
                lines[-1] = min(lines[-1], line, key=len)  # of several gaps one is left
            else:
                lines.append(line)
        return "\n".join(lines).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a mark."""
        if tag in _HIDDEN:
            self._hidden += 1
        if self._hidden:
            return
        named = {key: value or "" for key, value in attrs}
        if tag in _BLOCKS and tag != "tr":
            self._break(2 if not self._lists or tag in ("pre", "blockquote") else 1)
        if tag == "br":
            self._break(1)
        elif tag == "hr":
            self._write("\n\n---\n\n")
        elif tag in _INLINE and not self._fenced:
            self._write(_INLINE[tag])
        elif tag == "img":
            self._picture(named)
        elif tag == "a":
            self._links.append((named.get("href", ""), len(self._out)))
        else:
            self._open_block(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close a mark."""
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
            return
        if self._hidden:
            return
        if tag in _INLINE and not self._fenced:
            self._write(_INLINE[tag])
        elif tag == "a" and self._links:
            self._close_link()
        elif tag in ("code", "pre"):
            self._close_code(tag)
        elif tag == "blockquote" and self._prefixes:
            self._prefixes.pop()
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag in _BLOCKS:
            self._break(1 if self._lists or tag == "tr" else 2)

    def handle_data(self, data: str) -> None:
        """Write text."""
        if self._hidden:
            return
        if self._fenced:
            self._write(data)
            return
        words = _SPACE.sub(" ", data)
        if self._line_start:
            words = words.lstrip(" ")
        if not self._code:
            words = _MARKS.sub(r"\\\1", words)
            if self._line_start:
                words = _LINE_MARKS.sub(r"\1\\\2", words)
        self._write(words)

    def _open_block(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._write(_HEADINGS[tag])
        elif tag == "blockquote" and len(self._prefixes) < MARKUP_DEPTH_MAX:
            self._prefixes.append("> ")
        elif tag in ("ul", "ol") and len(self._lists) < MARKUP_DEPTH_MAX:
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag == "pre":
            self._fenced += 1
            self._write("```\n")
        elif tag == "code" and not self._fenced:
            self._code += 1
            self._write("`")

    def _item(self) -> None:
        self._break(1)
        if self._lists and self._lists[-1] is not None:
            self._lists[-1] += 1
            mark = f"{self._lists[-1]}. "
        else:
            mark = "- "
        self._write("  " * max(0, len(self._lists) - 1) + mark)
        self._line_start = True

    def _close_code(self, tag: str) -> None:
        if tag == "pre" and self._fenced:
            self._fenced -= 1
            self._break(1)
            self._write("```")
        elif tag == "code" and self._code:
            self._code -= 1
            self._write("`")

    def _close_link(self) -> None:
        href, start = self._links.pop()
        shown = "".join(self._out[start:])
        if not href.startswith(("http://", "https://", "mailto:", "magnet:")) or ")" in href:
            return
        # The marks of an address that is its own text are not escaped.
        words = href if shown.replace("\\", "") == href else f"[{shown}]({href})"
        self._out[start:] = [words]

    def _picture(self, named: dict[str, str]) -> None:
        source = named.get("src", "")
        if source.startswith(("http://", "https://")) and ")" not in source:
            self._write(f"![{_MARKS.sub('', named.get('alt', ''))}]({source})")
        elif named.get("alt"):
            self.handle_data(named["alt"])  # a custom emoji

    def _break(self, lines: int) -> None:
        if not self._out:
            return
        prefix = "".join(self._prefixes)
        self._out.append(f"\n{prefix}" * lines)
        self._line_start = True

    def _write(self, words: str) -> None:
        if not words:
            return
        if not self._out or (self._line_start and not self._out[-1].endswith(
                "".join(self._prefixes))):
            words = "".join(self._prefixes) + words
        if self._fenced and self._prefixes:
            words = words.replace("\n", "\n" + "".join(self._prefixes))
        self._out.append(words)
        self._line_start = words.endswith("\n")
