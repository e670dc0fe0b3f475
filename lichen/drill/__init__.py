"""Drills: a catastrophe played on this machine, alone and safe, to see that its cause is named.

`play` is the post-mortem: a database moved away, and a peer that sends one after another.
"""

from lichen.drill.post_mortem import Outcome, play
from lichen.drill.report import lines_of

__all__ = ["Outcome", "lines_of", "play"]
