"""The table of calls of the house's own API, one line each."""

from typing import Any

from lichen.faces.house_api import rules
from lichen.faces.lemmy_v3.calls import Call

CALLS: tuple[Call[Any, Any], ...] = (
    *rules.CALLS,
)
