"""The timelines: everybody's home, fanned out into rings and merged at read.

An engine of its own: it keeps posts and people by number and knows nothing of forums. `Timelines`
is the engine, `Batch` what it is told, `Follows` what it asks the graph.
"""

from lichen.timeline.engine import Timelines
from lichen.timeline.errors import TimelineRefused, TimelineTooNew, TimelineUnavailable
from lichen.timeline.loss import Weights, loss_factor
from lichen.timeline.model import NOBODY, Batch, Follows, Numbers, Options, Page, Post
from lichen.timeline.trial import Trial, tried

__all__ = [
    "NOBODY", "Batch", "Follows", "Numbers", "Options", "Page", "Post", "TimelineRefused",
    "TimelineTooNew", "TimelineUnavailable", "Timelines", "Trial", "Weights", "loss_factor",
    "tried",
]
