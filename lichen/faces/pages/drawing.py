"""Drawing: from values to HTML, through templates that escape everything by default."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lichen.accounts import Actor
from lichen.faces.pages import tree, wording
from lichen.faces.pages.emoji_row import emoji_row
from lichen.faces.pages.still import Still
from lichen.faces.pages.visit import Visit
from lichen.forum.markdown import Renderer
from lichen.web import Addresses

_FOLDER = Path(__file__).parent
LEADS_MAX = 2_000  # first words of bodies kept ready; 1 MB when full


class Drawing:
    """Draws pages and their pieces; templates are compiled once and kept.

    Safe to use from several threads. `shown` says where a picture is shown from: the picture proxy
    of `LICHEN_IMAGE_MODE`, or where it is.
    """

    def __init__(
        self, addresses: Addresses, still: Still, shown: Callable[[str], str] = str
    ) -> None:
        self.addresses = addresses
        self.still = still
        self._shown = shown
        self._renderer = Renderer(addresses, shown=shown)
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            addresses=addresses,
            at=self.path_of,
            banner=lambda actor: addresses.grown_banner(actor.did),
            conversation=lambda actor: wording.conversation_of(actor, addresses),
            emoji_row=_safe(emoji_row),
            feed_at=lambda actor: wording.feed_of(actor, addresses),
            here=_here,
            icon=icon,
            icons=Markup((_FOLDER / "static" / "icons.svg").read_text().replace("\n", "")),
            mark=addresses.grown(addresses.authority),
            markdown=self.markdown,
            picture=self.picture_of,
            save_button=_safe(tree.save_button),
            some=wording.some,
            static=still.path_of,
            votes=_safe(tree.votes),
            young=addresses.grown_young,
        )
        self._environment.filters.update(
            age=wording.age, bars=wording.bars, called=wording.called, count=wording.count,
            clock=wording.clock, exact=wording.exact, host=wording.host_of, image=shown,
            is_picture=wording.is_picture, iso=wording.iso,
            lead=lru_cache(maxsize=LEADS_MAX)(wording.lead), moment=wording.moment,
            size=wording.size, term=wording.term_text,
        )

    def draw(self, template: str, **values: object) -> str:
        """Return a template filled with values; a value that is missing is our error."""
        return self._environment.get_template(template).render(values)

    def macro(self, name: str) -> Callable[..., Markup]:
        """Return a macro of the shared pieces, to be called with plain values."""
        module: Any = self._environment.get_template("pieces/parts.html").module
        macro: Callable[..., Markup] = getattr(module, name)
        return macro

    def markdown(self, text: str) -> Markup:
        """Return people's Markdown as safe HTML."""
        return Markup(self._renderer.render(text))

    def path_of(self, actor: Actor) -> str:
        """Return the path of an actor's page."""
        return wording.path_of(actor, self.addresses)

    def picture_of(self, actor: Actor) -> str:
        """Return the address of an actor's picture."""
        return self._shown(wording.picture_of(actor, self.addresses))


def icon(name: str) -> Markup:
    """Return one of the page's symbols; a word or an accessible name stands beside it."""
    return Markup(f'<svg class="i" aria-hidden="true"><use href="#i-{escape(name)}"/></svg>')


def _safe(draw: Callable[..., str]) -> Callable[..., Markup]:
    """Let templates call what returns HTML of its own making."""
    return lambda *values, **named: Markup(draw(*values, **named))


def _here(visit: Visit, path: str) -> Markup:
    return Markup(' aria-current="page"') if visit.path == path else Markup("")
