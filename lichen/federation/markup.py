"""HTML of others turned back into Markdown, and into plain words. Pure; no input raises.

Peers without a Markdown source send what their editors made: paragraphs, links, quotes, lists,
code. Only these are kept; scripts, styles and whatever else is there lose their marks or go with
their text. The result is Markdown like any other here: it is rendered and cleaned by the forum.
"""

import re
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser

from lichen.federation.limits import MARKUP_DEPTH_MAX, MARKUP_LENGTH_MAX, TITLE_LINES_MAX
from lichen.federation.model import authority_of
from lichen.forum.markdown import summary

_INLINE = {
    "strong": "**", "b": "**", "em": "*", "i": "*", "del": "~~", "s": "~~", "strike": "~~",
    "sup": "^", "sub": "~",
}
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
# A title is plain text (ActivityStreams, `name`): only what is surely HTML is taken for it, so that
# a title about Vec<T> keeps its T.
_TAG = re.compile(
    r"</?(?:a|abbr|b|bdi|br|code|del|div|em|h[1-6]|i|img|ins|mark|p|s|script|small|span|strong"
    r"|style|sub|sup|u)(?:[\s/][^<>]*)?>", re.IGNORECASE
)
_MENTIONED = re.compile(r"^(?:[@!][\w.-]+@[\w.:-]+[\s,:]*)+")
_LABEL_MARKS = re.compile(r"[\\`*_\[\]<>~^]")


def markdown_of(html: str, mentions: Mapping[str, str] | None = None) -> str:
    """Return HTML as Markdown; what has no mark in it comes back as it is.

    `mentions` are how somebody is written here, by the address that is linked to, or by authority
    and name.
    """
    html = html[:MARKUP_LENGTH_MAX]
    if "<" not in html and "&" not in html:
        return html.strip()
    reader = _Reader(mentions or {})
    reader.feed(html)
    reader.close()
    return reader.text()


def plain_of(html: str) -> str:
    """Return the words of a title without the tags of HTML."""
    return unescape(_TAG.sub("", html[:MARKUP_LENGTH_MAX])).strip()


def first_words(text: str, length: int) -> str:
    """Return the words of the first line of Markdown that says something, for a title; without
    marks, and without whom it is addressed to.
    """
    for line in text.lstrip().split("\n")[:TITLE_LINES_MAX]:
        words = _MENTIONED.sub("", plain_of(summary(line, length)))
        if any(map(str.isalnum, words)):
            return words
    return ""


def label_of(text: str) -> str:
    """Return a text as it may stand in brackets or in one line of Markdown: without marks."""
    return " ".join(_LABEL_MARKS.sub("", text).split())


class _Reader(HTMLParser):
    """Writes Markdown while it reads; lines of quotes and lists carry their marks in front."""

    def __init__(self, mentions: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self._mentions = mentions
        self._out: list[str] = []
        self._line_start = True
        self._quoted = 0  # marks of quotes that stand on this line already
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
            self._new_lines(1)
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
        name = shown.replace("\\", "").strip()
        named = name.lstrip("@!").partition("@")[0] if name.startswith(("@", "!")) else ""
        handle = self._mentions.get(href) or self._mentions.get(f"{authority_of(href)} {named}")
        if handle:
            # Friendica's mark stands before its link.
            is_marked = start > 0 and self._out[start - 1].endswith(("@", "!"))
            self._out[start:] = [handle[1:] if is_marked else handle]
            return
        if not href.startswith(("http://", "https://", "mailto:", "magnet:")) or ")" in href:
            return
        # The marks of an address that is its own text are not escaped.
        words = href if shown.replace("\\", "") == href else f"[{shown}]({href})"
        self._out[start:] = [words]

    def _picture(self, named: dict[str, str]) -> None:
        source = named.get("src", "")
        if source.startswith(("http://", "https://")) and ")" not in source:
            self._write(f"![{label_of(named.get('alt', ''))}]({source})")
        elif named.get("alt"):
            self.handle_data(named["alt"])  # a custom emoji

    def _break(self, lines: int) -> None:
        """Begin a new line, and leave a gap where there are two; once is enough."""
        if not self._out or (lines == 1 and self._line_start):
            return
        self._new_lines(lines)

    def _new_lines(self, count: int) -> None:
        self._out.append(("\n" + "".join(self._prefixes)) * count)
        self._line_start, self._quoted = True, len(self._prefixes)

    def _write(self, words: str) -> None:
        if not words:
            return
        if self._line_start:
            words = "".join(self._prefixes[self._quoted:]) + words
        if self._fenced and self._prefixes:
            words = words.replace("\n", "\n" + "".join(self._prefixes))
        self._out.append(words)
        self._line_start, self._quoted = words.endswith("\n"), len(self._prefixes)
