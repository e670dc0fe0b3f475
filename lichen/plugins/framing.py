"""What of a plugin's HTML stands in a page of ours: plain elements, and forms to its own pages.

    plugin's HTML ── nh3 ──▶ listed elements, attributes, classes ──▶ links and forms stay at home

A page has a policy that runs no script and takes no style but ours, so this is the second lock:
what is left cannot look like another part of the page, cannot ask for a password, and cannot send a
form anywhere but below /x/<plugin>.
"""

import re

import msgspec
import nh3

from lichen.plugins.limits import HTML_LENGTH_MAX, TITLE_LENGTH_MAX
from lichen.plugins.model import PageShown

TAGS = frozenset((
    "a", "abbr", "b", "blockquote", "br", "button", "code", "dd", "details", "div", "dl", "dt",
    "em", "fieldset", "form", "h2", "h3", "h4", "hr", "i", "input", "kbd", "label", "legend", "li",
    "mark", "ol", "option", "p", "pre", "progress", "s", "section", "select", "small", "span",
    "strong", "sub", "summary", "sup", "table", "tbody", "td", "textarea", "th", "thead", "time",
    "tr", "ul",
))
# Of our style sheet: what gives a page its rows and its cards, nothing that lies above others.
CLASSES = frozenset(("big", "card", "check", "choices", "end", "field", "form", "go", "hint",
                     "narrow", "num", "panel", "plain", "row", "soft", "vh"))
INPUT_TYPES = frozenset(("checkbox", "hidden", "number", "radio", "search", "submit", "text"))
_ATTRIBUTES = {
    "*": {"aria-label", "dir", "id", "lang", "role", "title"},
    "a": {"href"},
    "button": {"name", "type", "value"},
    "form": {"action", "method"},
    "input": {"autocomplete", "checked", "maxlength", "max", "min", "name", "placeholder",
              "required", "type", "value"},
    "label": {"for"},
    "ol": {"start"},
    "option": {"selected", "value"},
    "progress": {"max", "value"},
    "select": {"name", "required"},
    "td": {"colspan", "rowspan"},
    "textarea": {"maxlength", "name", "required", "rows"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
_ID = re.compile(r"x-[a-z0-9-]{1,60}")


def home_of(plugin: str) -> str:
    """Return the path that a plugin's pages stand below."""
    return f"/x/{plugin}"


def is_at_home(path: str, plugin: str) -> bool:
    """Say whether a path is one of the plugin's own pages."""
    home = home_of(plugin)
    inside = path == home or path.startswith((home + "/", home + "?", home + "#"))
    # WHATWG URL §4.4: dots would climb out, and a backslash is read as a slash.
    return inside and path.isprintable() and "\\" not in path and ".." not in path


def framed(shown: PageShown, plugin: str) -> PageShown:
    """Return a page as it may stand in our frame: cleaned, cut, sent on only to its own pages."""
    go_to = shown.go_to if shown.go_to and is_at_home(shown.go_to, plugin) else None
    return msgspec.structs.replace(
        shown, title=shown.title[:TITLE_LENGTH_MAX], html=framed_html(shown.html, plugin),
        go_to=go_to,
    )


def framed_html(html: str, plugin: str) -> str:
    """Return what may stand in a page of ours of a plugin's HTML."""

    def filtered(tag: str, name: str, value: str) -> str | None:
        if name == "action":
            return value if is_at_home(value, plugin) else home_of(plugin)
        if name == "href":
            is_ours = value.startswith("/") and not value.startswith(("//", "/\\"))
            return value if is_ours or value.startswith(("https://", "#x-")) else None
        if name == "type" and tag == "input":
            return value if value in INPUT_TYPES else "text"
        if name == "method":
            return "post" if value.lower() == "post" else "get"
        if name in ("id", "for"):
            return value if _ID.fullmatch(value) else None
        return value

    return nh3.clean(
        html[:HTML_LENGTH_MAX], tags=set(TAGS), attributes=_ATTRIBUTES, attribute_filter=filtered,
        allowed_classes={tag: set(CLASSES) for tag in TAGS}, url_schemes={"https"},
        link_rel="noopener nofollow ugc", strip_comments=True,
    )
