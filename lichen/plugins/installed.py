"""Which plugins are installed: packages with an entry point of the group `lichen.plugins`.

Only their metadata is read here; no line of a plugin runs in the house's own process.
"""

import re
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

import structlog

from lichen.plugins.limits import NAME_LENGTH_MAX, PLUGINS_MAX

GROUP = "lichen.plugins"

_NAME = re.compile(rf"[a-z][a-z0-9-]{{0,{NAME_LENGTH_MAX - 1}}}")
_log = structlog.get_logger("lichen.plugins")


class Installed(NamedTuple):
    """An installed plugin: its name, the version of its package, and what its process loads."""

    name: str
    version: str
    value: str


def installed() -> dict[str, Installed]:
    """Return the installed plugins by name, ordered; names nobody can say are left out."""
    found: dict[str, Installed] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        if not _NAME.fullmatch(point.name) or len(found) == PLUGINS_MAX:
            _log.warning("plugin_left_out", plugin=point.name[:NAME_LENGTH_MAX])
            continue
        found[point.name] = Installed(point.name, _version_of(point), point.value)
    return found


def _version_of(point: EntryPoint) -> str:
    return point.dist.version if point.dist is not None else ""
