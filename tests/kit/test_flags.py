"""Flags are on until an event says otherwise, and each says what it costs to be without."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.kit import NotFound
from lichen.kit.flags import MEANINGS, Flag, Flags, flag_named


def test_every_flag_is_on_at_first_and_says_what_it_costs_when_off() -> None:
    flags = Flags()

    assert all(flags.is_on(flag) for flag in Flag)
    assert set(MEANINGS) == set(Flag)
    assert all(meaning.text and meaning.cost_when_off for meaning in MEANINGS.values())


@given(st.lists(st.tuples(st.sampled_from(Flag), st.booleans())))
def test_the_last_change_of_a_flag_counts_and_twice_is_once(
    changes: list[tuple[Flag, bool]],
) -> None:
    flags, twice = Flags(), Flags()

    for flag, on in changes:
        flags.change(flag, on=on)
        twice.change(flag, on=on)
        twice.change(flag, on=on)

    expected = dict.fromkeys(Flag, True) | dict(changes)
    assert {flag: flags.is_on(flag) for flag in Flag} == expected
    assert {flag: twice.is_on(flag) for flag in Flag} == expected


def test_an_unknown_flag_is_refused_with_the_known_ones() -> None:
    assert flag_named("live_previews") is Flag.LIVE_PREVIEWS

    with pytest.raises(NotFound, match="live_previews"):
        flag_named("dead_previews")
