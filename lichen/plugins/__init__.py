"""Plugins: hooks for everybody else, and the ports that rooms ask each other through.

The front door, for rooms and for whoever writes a plugin: the hooks, their values and verdicts. It
loads no database, because a plugin's process comes in by it too; the service is built by
`lichen.plugins.room.build`.
"""

from lichen.plugins.errors import RefusedByPlugin
from lichen.plugins.hooks import Hooks, Ruling
from lichen.plugins.judges import (
    InHouse,
    PictureCheck,
    PictureChecks,
    PictureDoor,
)
from lichen.plugins.model import (
    Allow,
    Change,
    Hold,
    Message,
    PageAsked,
    PageLink,
    PageShown,
    Person,
    Picture,
    Refuse,
    Registration,
    Report,
    Standing,
    Told,
    Verdict,
    Vote,
    Writing,
)
from lichen.plugins.shelf import Shelf
from lichen.plugins.specifications import hookimpl

__all__ = [
    "Allow", "Change", "Hold", "Hooks", "InHouse", "Message",
    "PageAsked", "PageLink", "PageShown", "Person", "Picture", "PictureCheck", "PictureChecks",
    "PictureDoor", "Refuse", "RefusedByPlugin", "Registration", "Report", "Ruling", "Shelf",
    "Standing", "Told", "Verdict", "Vote", "Writing", "hookimpl",
]
