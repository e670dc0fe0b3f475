"""The graph: who follows whom, mapped from files, with what changed since above it.

An engine of its own: it keeps actors by name and knows nothing of forums. `Graph` is one folder,
`Questions` what can be asked of it.
"""

from lichen.graph.asking import Counted, Page, Questions, Suggestion
from lichen.graph.base import Direction
from lichen.graph.changes import ChangeKind
from lichen.graph.engine import Change, Graph
from lichen.graph.errors import ActorUnknown, ChangesRefused, GraphTooNew, GraphUnavailable
from lichen.graph.loading import load
from lichen.graph.overlay import Overlay

__all__ = [
    "ActorUnknown", "Change", "ChangeKind", "ChangesRefused", "Counted", "Direction", "Graph",
    "GraphTooNew", "GraphUnavailable", "Overlay", "Page", "Questions", "Suggestion", "load",
]
