"""Markdown to safe HTML: CommonMark with what forums add, cleaned by nh3 whatever it was.

    text ── markdown-it-py ──> tokens ──> HTML ── nh3 ──> safe HTML
                                 ├── mentions(text)
                                 └── summary(text, length)

What is added to CommonMark: tables, ~~strikethrough~~, bare https:// addresses, footnotes, ~sub~,
^sup^, the container `::: spoiler title … :::`, and mentions with a host: `@person@host` and
`!community@host`. Raw HTML is never passed on: it shows as the text it is.

Bounds: a text counts up to `TEXT_LENGTH_MAX` characters, nests to `NESTING_MAX` levels, and a text
whose marks would make the parser slow is shown as it was typed (`MARKS_MAX`). No input raises.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from html import escape
from threading import Lock
from typing import NamedTuple

import nh3
import xxhash
from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkDestination
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.subscript import sub_plugin
from mdit_py_plugins.superscript import superscript_plugin

from lichen.forum.limits import URL_LENGTH_MAX
from lichen.web import Addresses

TEXT_LENGTH_MAX = 50_000  # characters: the longest post body; what is beyond is not shown
NESTING_MAX = 20  # levels of quotes, lists and inline marks; deeper marks show as typed
MARKS_MAX = 4_000  # of one kind of opening mark; the parser's time grows with their product
CELLS_MAX = 20_000  # of tables: the longest line's bars times the lines
CACHE_BYTES_MAX = 16 << 20  # of rendered HTML kept by one Renderer

# What may survive, whatever the parser made: the tags CommonMark and our additions produce.
_TAGS = frozenset((
    "a", "blockquote", "br", "code", "details", "em", "h3", "h4", "h5", "h6", "hr", "img", "li",
    "ol", "p", "pre", "s", "section", "strong", "sub", "summary", "sup", "table", "tbody", "td",
    "th", "thead", "tr", "ul",
))
_ATTRIBUTES = {
    "a": {"href", "title", "id"},
    "img": {"src", "alt", "title"},
    "li": {"id"},
    "ol": {"start"},
}
_CLASSES = {
    "a": {"mention", "footnote-backref"},
    "hr": {"footnotes-sep"},
    "li": {"footnote-item"},
    "ol": {"footnotes-list"},
    "section": {"footnotes"},
    "sup": {"footnote-ref"},
    "td": {"align-left", "align-center", "align-right"},
    "th": {"align-left", "align-center", "align-right"},
}
# HTML Living Standard, 4.6.7: "ugc" and "nofollow" say that these links are not the site's own.
_LINK_REL = "nofollow ugc noopener"

_BEFORE_DESTINATION = re.compile(r"\](?:\(|:)\s*")
_SPOILER = re.compile(r"\s*spoiler(?:\s+(.*))?\s*")
# Lemmy 0.19, utils/mention.rs: name and host are both there; a bare @name is only text.
_MENTION = re.compile(
    r"([@!])([\w](?:[\w.-]{0,62}[\w])?)@"
    r"([\w](?:[\w.-]{0,251}[\w])?(?::\d{1,5})?)"
)
# A bare address, from its "://" on. Not linkify-it: brackets in addresses make it quadratic.
_ADDRESS = re.compile(rf"://[^\s<>\"\x00-\x1f]{{1,{URL_LENGTH_MAX}}}")
_SCHEME = re.compile(r"(?<![\w.+-])https?$")
_ADDRESS_END = "?!.,:;*_~'"  # GFM §6.9: these do not end an address
_SLOW_MARKS = ("[", "`", "<", "*", "_", "~", "^", "@", "&")
_BLANK = re.compile(r"\s+")


class Mention(NamedTuple):
    """A person named in a text, as written; `domain` is the host, with its port if it has one."""

    name: str
    domain: str


class Renderer:
    """Renders for one house and remembers what it rendered, up to a size; for all threads."""

    def __init__(
        self, addresses: Addresses, *, bytes_max: int = CACHE_BYTES_MAX,
        shown: Callable[[str], str] | None = None,
    ) -> None:
        self._addresses = addresses
        self._shown = shown
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    @property
    def kept_bytes(self) -> int:
        """The characters of text and HTML that are kept, about their bytes."""
        return self._bytes

    def render(self, text: str) -> str:
        """Return the text as safe HTML, from memory if it was asked for lately."""
        with self._lock:
            html = self._kept.get(text)
            if html is not None:
                self._kept.move_to_end(text)
                return html
        html = render(text, self._addresses, shown=self._shown)
        with self._lock:
            self._keep(text, html)
        return html

    def _keep(self, text: str, html: str) -> None:
        if text not in self._kept:
            self._bytes += len(text) + len(html)
        self._kept[text] = html
        while self._bytes > self._bytes_max:
            self._bytes -= sum(map(len, self._kept.popitem(last=False)))


def render(
    text: str, addresses: Addresses, *, shown: Callable[[str], str] | None = None
) -> str:
    """Return the text as safe HTML; mentions become links to `addresses`.

    `shown` says where a picture is shown from: through the picture proxy, or where it is.

    About 0.2 ms for a comment of 300 characters. Never raises, whatever the text.
    """
    text = _bounded(text)
    if _is_slow(text):
        return f"<p>{escape(text)}</p>\n"
    # Footnotes of several texts share a page, so their ids carry a mark of their text.
    environment = {
        "addresses": addresses, "shown": shown, "docId": xxhash.xxh32_hexdigest(text.encode())
    }
    return _cleaner().clean(str(_parser().render(text, environment)))


def with_pictures(text: str, shown: Callable[[str], str]) -> str:
    """Return Markdown whose pictures are shown from where `shown` says; the rest stays as it is.

    What cannot be read for certain becomes a link: no picture that is left is loaded from where it
    was. Costs a search where there is none, else about twice a rendering.
    """
    if "![" not in text:
        return text
    if len(text) > TEXT_LENGTH_MAX or _is_slow(text):
        return text.replace("![", "[")
    moved = {source: shown(source) for source in _pictures(text)}
    foreign = {source for source, here in moved.items() if here != source}
    if not foreign:
        return text
    changed = _destinations_moved(text, moved)
    return changed if foreign.isdisjoint(_pictures(changed)) else text.replace("![", "[")


def _pictures(text: str) -> set[str]:
    """Return the addresses of the pictures of a text, as the parser writes them."""
    return {str(token.attrs["src"]) for token in _tokens(text) if token.type == "image"}


def _destinations_moved(text: str, moved: Mapping[str, str]) -> str:
    """Return the text with each address that stands where a picture's may stand moved."""
    # CommonMark 0.31 §6.4 and §4.7: behind `](` in the text, behind `]:` in a definition.
    parts, done = [], 0
    for mark in _BEFORE_DESTINATION.finditer(text):
        if mark.end() < done:
            continue
        destination = parseLinkDestination(text, mark.end(), len(text))
        here = moved.get(_parser().normalizeLink(destination.str)) if destination.ok else None
        if here is not None:
            parts += [text[done:mark.end()], here]
            done = destination.pos
    return "".join((*parts, text[done:]))


def mentions(text: str) -> list[Mention]:
    """Return the people a text mentions, each once, in the order of the text."""
    found = {
        mention: None
        for token in _tokens(text)
        if (mention := token.meta.get("mention")) is not None
    }
    return list(found)


def links(text: str) -> list[str]:
    """Return the addresses that a text links to or shows pictures from, in their order."""
    hrefs = (token.attrs.get("href") or token.attrs.get("src") for token in _tokens(text))
    return [str(href) for href in hrefs if href]


def summary(text: str, length: int) -> str:
    """Return the text's words without any marks, at most `length` characters, cut at a word."""
    words = _BLANK.sub(" ", "".join(_words(text))).strip()
    if len(words) <= length:
        return words
    cut = words[: length - 1].rsplit(" ", 1)[0] or words[: length - 1]
    return cut.rstrip(" ,;:.–-") + "…"


def _words(text: str) -> Iterator[str]:
    for token in _tokens(text):
        if token.type in ("text", "code_inline", "code_block", "fence", "image"):
            yield token.content
        elif token.block or token.type in ("softbreak", "hardbreak"):
            yield " "


def _tokens(text: str) -> Iterator[Token]:
    text = _bounded(text)
    if _is_slow(text):
        yield Token("text", "", 0, content=text)
        return
    for token in _parser().parse(text, {}):
        yield token
        yield from token.children or ()


def _bounded(text: str) -> str:
    # A lone surrogate is no Unicode text; nothing here could write it.
    return text[:TEXT_LENGTH_MAX].encode("utf-8", "replace").decode("utf-8")


def _is_slow(text: str) -> bool:
    bars = max((line.count("|") for line in text.split("\n")), default=0)
    return bars * text.count("\n") > CELLS_MAX or any(
        text.count(mark) > MARKS_MAX for mark in _SLOW_MARKS
    )


@cache
def _parser() -> MarkdownIt:
    """Build the parser; it is not changed afterwards and serves all threads."""
    options = {"html": False, "maxNesting": NESTING_MAX}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.use(footnote_plugin)
    parser.use(sub_plugin)
    parser.use(superscript_plugin)
    parser.use(container_plugin, "spoiler", validate=_is_spoiler, render=_spoiler_html)
    parser.inline.ruler.before("link", "mention", _mention_rule)
    parser.inline.ruler.before("link", "address", _address_rule)
    parser.core.ruler.push("house", _house_rule)
    return parser


@cache
def _cleaner() -> nh3.Cleaner:
    """Build the cleaner: the last word on what leaves this file."""
    return nh3.Cleaner(
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        set_tag_attribute_values={"img": {"loading": "lazy"}},
        url_schemes={"http", "https", "mailto"},
        link_rel=_LINK_REL,
    )


def _is_spoiler(params: str, _mark: str) -> bool:
    return _SPOILER.fullmatch(params) is not None


def _spoiler_html(
    _renderer: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    _options: OptionsDict,
    _environment: EnvType,
) -> str:
    if tokens[at].nesting < 0:
        return "</details>\n"
    match = _SPOILER.fullmatch(tokens[at].info)
    title = match[1].strip() if match and match[1] else "Spoiler"
    return f"<details><summary>{escape(title)}</summary>\n"


def _mention_rule(state: StateInline, silent: bool) -> bool:
    """Take `@name@host` or `!name@host` at the cursor, unless it is the tail of a word."""
    if state.src[state.pos] not in "@!" or state.linkLevel > 0:
        return False
    before = state.src[state.pos - 1] if state.pos else " "
    match = _MENTION.match(state.src, state.pos, state.posMax)
    if match is None or before.isalnum() or before in "_/@!.":
        return False
    if not silent:
        _push_mention(state, match)
    state.pos = match.end()
    return True


def _push_mention(state: StateInline, match: re.Match[str]) -> None:
    mark, name, domain = match.groups()
    link = state.push("link_open", "a", 1)
    link.attrs = {"href": _mention_href(state.env.get("addresses"), match), "class": "mention"}
    link.meta = {"mention": Mention(name, domain.lower())} if mark == "@" else {}
    state.push("text", "", 0).content = match[0]
    state.push("link_close", "a", -1)


def _mention_href(addresses: Addresses | None, match: re.Match[str]) -> str:
    if addresses is None:  # only the words are wanted
        return ""
    mark, name, domain = match.groups()
    host = None if domain.lower() == addresses.authority else domain.lower()
    return addresses.person(name, host) if mark == "@" else addresses.community(name, host)


def _address_rule(state: StateInline, silent: bool) -> bool:
    """Take `https://…` at its colon; the scheme before it is still pending text."""
    if state.src[state.pos] != ":" or state.linkLevel > 0:
        return False
    match = _ADDRESS.match(state.src, state.pos, state.posMax)
    scheme = _SCHEME.search(state.pending[-len("?https") :])
    if match is None or scheme is None:
        return False
    rest = _trimmed(match[0])
    href = state.md.normalizeLink(scheme[0] + rest)
    if len(rest) == len("://") or not state.md.validateLink(href):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        state.push("link_open", "a", 1).attrs = {"href": href}
        state.push("text", "", 0).content = scheme[0] + rest
        state.push("link_close", "a", -1)
    state.pos += len(rest)
    return True


def _trimmed(address: str) -> str:
    """Return the address without what follows it in a sentence: marks, and a closing bracket."""
    address = address.rstrip(_ADDRESS_END)
    while address.endswith(")") and address.count("(") < address.count(")"):
        address = address[:-1].rstrip(_ADDRESS_END)
    return address


def _house_rule(state: StateCore) -> None:
    """Fit the text into a page: headings below the page's own, alignment without inline style."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            # The page has the h1 and its sections the h2: a text's own headings begin at h3.
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        elif token.type == "inline":
            _show_pictures(token, state.env.get("shown"))
        elif token.type in ("td_open", "th_open"):
            style = token.attrs.pop("style", None)
            if style:  # "text-align:right"; our Content-Security-Policy allows no inline style
                token.attrs["class"] = f"align-{str(style).rpartition(':')[2]}"


def _show_pictures(inline: Token, shown: Callable[[str], str] | None) -> None:
    for token in inline.children or ():
        if shown is not None and token.type == "image":
            token.attrs["src"] = shown(str(token.attrs["src"]))
