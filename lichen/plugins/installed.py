"""Which plugins are installed: packages with an entry point of the group `lichen.plugins`.

Only their metadata is read here; no line of a plugin runs in the house's own process. One that uses
the network says so by a second entry point of the same package and name, in the group
`lichen.plugins.network`; whether it may, administrators decide.
"""

import re
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

import structlog

from lichen.plugins.limits import NAME_LENGTH_MAX, PLUGINS_MAX

GROUP = "lichen.plugins"
NETWORK_GROUP = "lichen.plugins.network"

_NAME = re.compile(rf"[a-z][a-z0-9-]{{0,{NAME_LENGTH_MAX - 1}}}")
_log = structlog.get_logger("lichen.plugins")


class Installed(NamedTuple):
    """An installed plugin: its name, the version of its package, and what its process loads.

    `asks_network`: it says that it uses the network.
    """

    name: str
    version: str
    value: str
    asks_network: bool = False


def installed() -> dict[str, Installed]:
    """Return the installed plugins by name, ordered; names nobody can say are left out."""
    found: dict[str, Installed] = {}
    asking = {(one.name, _package_of(one)) for one in entry_points(group=NETWORK_GROUP)}
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        if not _NAME.fullmatch(point.name) or len(found) == PLUGINS_MAX:
            _log.warning("plugin_left_out", plugin=point.name[:NAME_LENGTH_MAX])
            continue
        found[point.name] = Installed(
            point.name, _version_of(point), point.value,
            asks_network=(point.name, _package_of(point)) in asking,
        )
    return found


def _version_of(point: EntryPoint) -> str:
    return point.dist.version if point.dist is not None else ""


def _package_of(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else ""
