"""Erasing: deletion that really deletes, in rows, search, log and files.

`Erasures` keeps what is asked for, as rows; `Eraser` is the job that does it. Both belong to the
wiring: they know every room that keeps something of a person.
"""

from lichen.erasing.eraser import Copy, Emptied, Eraser, Keeper, note_swept
from lichen.erasing.erasures import Erasures
from lichen.erasing.model import Kind, Request, Step

__all__ = [
    "Copy", "Emptied", "Eraser", "Erasures", "Keeper", "Kind", "Request", "Step", "note_swept",
]
