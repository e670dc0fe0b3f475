"""TIDs sort as their times do; times are written and read back to the microsecond."""

from hypothesis import given
from hypothesis import strategies as st

from lichen.kit import TidGenerator, encode_tid, from_isoformat, is_tid, isoformat, time_us_of_tid

TIMES_US = st.integers(0, (1 << 53) - 1)
CLOCK_IDS = st.integers(0, 1023)
PRINTED_US = st.integers(0, 253_402_300_799_999_999)  # the end of the year 9999


@given(TIMES_US, CLOCK_IDS)
def test_a_tid_holds_its_time(time_us: int, clock_id: int) -> None:
    tid = encode_tid(time_us, clock_id)

    assert is_tid(tid)
    assert time_us_of_tid(tid) == time_us


@given(TIMES_US, TIMES_US, CLOCK_IDS)
def test_tids_sort_as_their_times(first_us: int, second_us: int, clock_id: int) -> None:
    in_order = encode_tid(first_us, clock_id) <= encode_tid(second_us, clock_id)

    assert in_order == (first_us <= second_us)


def test_a_tid_of_the_specification() -> None:
    """The example of the AT Protocol's page on TIDs is one, and its neighbours are not."""
    assert is_tid("3jzfcijpj2z2a")
    assert not is_tid("3jzfcijpj2z21")
    assert not is_tid("kjzfcijpj2z2a")
    assert not is_tid("3jzfcijpj2z2aa")


def test_a_generator_never_repeats_while_its_clock_stands() -> None:
    tids = TidGenerator(lambda: 1_700_000_000_000_000, clock_id=3)

    given_out = [tids.next() for _ in range(100)]

    assert given_out == sorted(set(given_out))


@given(PRINTED_US)
def test_a_time_is_read_back_as_it_was_written(time_us: int) -> None:
    assert from_isoformat(isoformat(time_us)) == time_us
