"""The archive for reading: HTML that works offline, without a script and without the network.

Every text of a person is escaped, or rendered as Markdown and cleaned; the pages forbid everything
else besides (Content Security Policy), so that opening an archive asks nobody for anything.
"""

from collections.abc import Sequence

from markupsafe import Markup, escape

from lichen.export import things
from lichen.forum.markdown import render
from lichen.web import Addresses

STYLE = """\
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif;
  color: #20262a; background: #f6f5f0; overflow-wrap: anywhere; }
article { background: #fff; border: 1px solid #dcdad0; border-radius: 6px; padding: 1rem;
  margin: 1rem 0; }
h2 { font-size: 1.1rem; margin: 0; } p.meta { color: #58615f; font-size: .85rem; margin: 0; }
a { color: #3d6b4f; } dt { color: #58615f; } dd { margin: 0 0 .5rem; }
@media (prefers-color-scheme: dark) {
  body { color: #e4e6e1; background: #14171a; }
  article { background: #1b1f22; border-color: #2c3236; }
  a { color: #8fc3a0; } p.meta, dt { color: #9aa5a1; }
}
"""
# CSP Level 3: nothing but our own style and pictures; `file:` because it is opened from a disk.
_POLICY = "default-src 'none'; style-src 'self' file:; img-src 'self' file:"
_PAGES = (("index.html", "Start"), ("posts.html", "Posts"), ("comments.html", "Comments"),
          ("messages.html", "Messages"), ("proposals.html", "Proposals"))


class Reading:
    """Writes things as HTML."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    def head(self, title: str) -> str:
        """Return the beginning of a page."""
        links = " · ".join(f'<a href="{path}">{word}</a>' for path, word in _PAGES)
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(title)}</title>"
            '<link rel="stylesheet" href="style.css"></head><body>\n'
            f"<nav>{links}</nav>\n<h1>{escape(title)}</h1>\n"
        )

    def tail(self) -> str:
        """Return the end of a page."""
        return "</body></html>\n"

    def front(self, person: things.Profile, counts: Sequence[tuple[str, int]], made: str) -> str:
        """Return what the first page says: whose words these are, how many, from when."""
        lines = "".join(
            f'<dt><a href="{escape(name)}">{escape(name)}</a></dt><dd>{count}</dd>'
            for name, count in counts
        )
        bio = f"<article>{self._text(person.bio)}</article>" if person.bio else ""
        return (
            f"<p>{escape(person.display_name or person.name)}, {_link(person.address)}, here since "
            f"{escape(person.joined[:10])}. This archive was made on {escape(made[:10])}.</p>{bio}"
            f"<dl>{lines}</dl>"
        )

    def post(self, one: things.Post) -> str:
        """Return a post."""
        words = _words(one.published, one.edited, deleted=one.deleted, removed=one.removed)
        link = f"<p>{_link(one.url)}</p>" if one.url else ""
        return (
            f'<article><h2 dir="auto">{escape(one.title)}</h2><p class="meta">'
            f"{_link(one.address)} · {words} · {one.up - one.down} points</p>{link}"
            f"{self._text(one.body)}</article>\n"
        )

    def comment(self, one: things.Comment) -> str:
        """Return a comment."""
        words = _words(one.published, one.edited, deleted=one.deleted, removed=one.removed)
        return (
            f'<article><h2 dir="auto">{escape(one.post_title or one.post)}</h2><p class="meta">'
            f"{_link(one.address)} · {words}</p>{self._text(one.content)}</article>\n"
        )

    def message(self, one: things.Message) -> str:
        """Return a message."""
        words = _words(one.published, one.edited, deleted=one.deleted, removed=False)
        return (
            f'<article><p class="meta">{_link(one.sender)} to {_link(one.recipient)} · {words}</p>'
            f"{self._text(one.content)}</article>\n"
        )

    def proposal(self, one: things.Proposal) -> str:
        """Return a proposal."""
        answer = f"<p>{escape(one.answer)}</p>" if one.answer else ""
        return (
            f'<article><h2 dir="auto">{escape(one.title)}</h2><p class="meta">'
            f"{_link(one.address)} · {escape(one.published[:16].replace('T', ' '))} · "
            f"{escape(one.state)} · {one.supports} supporters</p>{self._text(one.text)}{answer}"
            "</article>\n"
        )

    def _text(self, text: str | None) -> Markup:
        if not text:
            return Markup()
        return Markup(f'<div dir="auto">{render(text, self._addresses)}</div>')


def _words(published: str, edited: str | None, *, deleted: bool, removed: bool) -> Markup:
    """Return when something was written, and what became of it."""
    said = [published[:16].replace("T", " ")]
    said += ["edited"] * bool(edited) + ["deleted"] * deleted + ["removed"] * removed
    return escape(" · ".join(said))


def _link(address: str) -> Markup:
    """Return a link, where the address is one that a browser should follow."""
    shown = escape(address)
    if not address.startswith(("https://", "http://")):
        return shown
    return Markup(f'<a href="{shown}" rel="noreferrer">{shown}</a>')
