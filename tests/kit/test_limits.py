"""Limits are read from the sources, with value and reason."""

from pathlib import Path

import lichen
from lichen.kit.limits import Limit, as_table, limits_in, limits_of, room_of

SOURCE = '''
"""A module."""
import os

A_MAX = 5  # things; because of this
B_MIN: Final = 1 << 4
"""Because
of that."""
# One line above,
# and another.
C_BYTES_MAX = 2 * 8 + 1
D_MAX = 3

FIRST = 24 * 3_600  # not a limit by its name
_HIDDEN_MAX = 1  # private
NAME_MAX = "text"
ON_MAX = True
COMPUTED_MAX = os.cpu_count()
'''


def test_a_limit_is_a_constant_with_the_reason_beside_below_or_above_it() -> None:
    found = limits_in(SOURCE, room="forum")

    assert found == [
        Limit("forum", "a_max", 5, "things; because of this"),
        Limit("forum", "b_min", 16, "Because of that."),
        Limit("forum", "c_bytes_max", 17, "One line above, and another."),
        Limit("forum", "d_max", 3, ""),
    ]


def test_in_a_file_of_limits_every_public_constant_is_one() -> None:
    found = limits_in(SOURCE, room="forum", every_constant=True)

    assert Limit("forum", "first", 86_400, "not a limit by its name") in found
    assert len(found) == 5


def test_the_room_is_the_folder() -> None:
    assert room_of(Path("forum/limits.py")) == "forum"
    assert room_of(Path("faces/lemmy_v3/routes.py")) == "faces/lemmy_v3"
    assert room_of(Path("upgrade.py")) == "upgrade"


def test_the_table_shows_every_limit_of_the_house() -> None:
    limits = limits_of(Path(lichen.__file__).parent)

    lines = as_table(limits).splitlines()

    assert len(lines) == len(limits) + 1
    assert any("redirects_max" in line and " 5 " in line for line in lines)
