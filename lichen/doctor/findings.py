"""Findings: what the doctor says of each thing it looked at.

Well, a worry (the house runs, but read this), or ill (it will not run, or will lose something).
"""

from enum import StrEnum
from typing import NamedTuple


class Health(StrEnum):
    """How a thing is."""

    WELL = "well"
    WORRY = "worry"
    ILL = "ill"


class Finding(NamedTuple):
    """What was looked at, how it is, what was measured, and what to do about it."""

    about: str
    health: Health
    told: str
    advice: str = ""
