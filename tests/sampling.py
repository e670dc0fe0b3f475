"""Samples of long tables: `make test` plays a part, seeded by place; `make sim` plays the whole.

A test that takes one is marked `sampled`, by which `make sim` finds it.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

PLAYS_ALL = os.environ.get("HYPOTHESIS_PROFILE") == "sim"


def sample(table: Sequence[T], *, every: int, first: int = 0) -> Sequence[T]:
    """Return each `every`th row from the `first` on, or the whole table in a long run.

    A stride that shares no factor with the width of the table meets every column of it.
    """
    return table if PLAYS_ALL else table[first % every::every]
