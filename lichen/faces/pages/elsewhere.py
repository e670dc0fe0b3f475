"""Looking elsewhere: what is asked for in the search box by a name or an address of another server.

People who are logged in have that server asked; strangers find what is known here already, so that
nobody can make the house run errands.
"""

from typing import NamedTuple

from lichen.accounts import Actor
from lichen.faces.pages.parts import Parts
from lichen.faces.pages.visit import Visit
from lichen.forum import Comment, Post
from lichen.kit import Unavailable


class Elsewhere(NamedTuple):
    """What a name or an address means, and why it may not be known."""

    found: Post | Comment | Actor | None = None
    unheard: str = ""  # what to tell where the answer could not be had


async def look_elsewhere(parts: Parts, visit: Visit, asked: str) -> Elsewhere:
    """Return what `@name@server`, `!name@server` or an address means; other words mean nothing."""
    if not asked.startswith(("@", "!", "https://", "http://")) or " " in asked:
        return Elsewhere()
    try:
        found = await parts.federation.resolver.find(asked, asks=visit.viewer is not None)
    except Unavailable:
        return Elsewhere(unheard="That server does not answer now. Try again in a while.")
    if found is None and visit.viewer is None:
        return Elsewhere(unheard="Log in to have other servers asked for it.")
    return Elsewhere(found)
