"""What is attached to a thing: links, pictures with their descriptions, films, sounds. Pure.

Peers attach a post's link (Lemmy), its pictures (Mastodon), both (Mbin), or everything that its
text shows already (NodeBB, WordPress). A post points to one of them; the others are shown below
its words, and all of them below a comment's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from lichen.federation.limits import PICTURES_MAX
from lichen.federation.markup import label_of
from lichen.federation.values import address_in, kinds_of, objects_of, said_in, text_of
from lichen.forum import fitting_url

_PICTURE = re.compile(r"\.(jpe?g|png|gif|webp|avif)$", re.IGNORECASE)
_PAGES = ("Link", "Page", "Article")  # what is to be visited, not looked at


class Attached(msgspec.Struct, frozen=True):
    """One attachment; `is_picture` is guessed from its address where nobody says it."""

    url: str
    alt_text: str = ""
    is_picture: bool | None = None
    is_link: bool = False

    def __post_init__(self) -> None:
        if self.is_picture is None:
            is_picture = bool(_PICTURE.search(self.url.partition("?")[0]))
            msgspec.structs.force_setattr(self, "is_picture", is_picture)

    def is_in(self, text: str) -> bool:
        """Whether a text has it already, be it in another size (WordPress)."""
        return self.url.partition("?")[0] in text

    def markdown(self) -> str:
        """Return it as it is shown below a text."""
        # Brackets would end an address in Markdown.
        url = self.url.replace("(", "%28").replace(")", "%29")
        if self.is_picture:
            return f"![{label_of(self.alt_text)}]({url})"
        return f"[{label_of(self.alt_text)}]({url})" if self.alt_text else f"<{url}>"


def attached_to(document: Mapping[str, Any]) -> tuple[Attached, ...]:
    """Return what is attached to a thing, each once, up to the limit."""
    found = {one.url: one for one in _attached(document)}
    return tuple(found.values())[:PICTURES_MAX]


def link_among(text: str, attached: Sequence[Attached]) -> str | None:
    """Return what a post points to: a link before any picture that goes with it (Mbin), and no
    picture that its text shows itself (NodeBB).
    """
    links = [one.url for one in attached if one.is_link and not one.is_picture]
    others = [one.url for one in attached if one.is_link or not one.is_in(text)]
    return next(iter((*links, *others)), None)


def shown_below(text: str, attached: Sequence[Attached], *, besides: str | None = None) -> str:
    """Return what is attached as Markdown below a text, without what the text shows itself."""
    return "".join(f"\n\n{one.markdown()}" for one in attached
                   if one.url != besides and not one.is_in(text))


def _attached(document: Mapping[str, Any]) -> Iterator[Attached]:
    for one in objects_of(document.get("attachment")):
        url = fitting_url(address_in(one))
        if url is None or not url.startswith(("http://", "https://", "magnet:")):
            continue
        media_type, kinds = text_of(one.get("mediaType")), kinds_of(one)
        is_link = any(kind in _PAGES for kind in kinds) or media_type.startswith("text/html")
        says = True if media_type.startswith("image/") or "Image" in kinds else None
        if media_type.startswith(("video/", "audio/", "text/")):
            says = False
        yield Attached(url, said_in(one, "name"), is_picture=says, is_link=is_link)
