from hypothesis import given
from hypothesis import strategies as st

from lichen.stream.engine import Sizes
from lichen.stream.predicting import DAY_US, predict, size_told, span_told, told

HOUR_US = 3_600_000_000
GB = 10**9
LIMITS = {"age_us_max": 36 * HOUR_US, "bytes_max": 50 * GB}


def kept(hours: float, gb: float, events: int = 1_000_000) -> Sizes:
    part = int(gb * GB / 10)
    return Sizes(events, 6 * part, 3 * part, part, 5, 5 + int(hours * HOUR_US))


def test_a_quiet_stream_is_cut_by_its_age() -> None:
    prediction = predict(kept(12, 6), **LIMITS)

    assert not prediction.cut_by_bytes
    assert (prediction.bytes_per_day, prediction.bytes_at_most) == (12 * GB, 18 * GB)
    assert prediction.events_per_day == 2_000_000
    assert prediction.cut_in_us == 24 * HOUR_US


def test_a_busy_stream_is_cut_by_its_bytes_and_told_what_it_would_need() -> None:
    prediction = predict(kept(6, 15), **LIMITS)

    assert prediction.cut_by_bytes
    assert (prediction.kept_us, prediction.bytes_at_most) == (20 * HOUR_US, 50 * GB)
    assert told(prediction, **LIMITS) == (
        "A day takes 60.0 GB (4,000,000 events). The limit of 50.0 GB cuts in 14 h and keeps 20 h, "
        "less than the 36 h of the limit of age: 90.0 GB would keep all.")


def test_what_the_limits_cut_already_is_told_as_now() -> None:
    assert told(predict(kept(36, 18), **LIMITS), **LIMITS) == (
        "A day takes 12.0 GB (666,666 events). The limit of age cuts now and keeps 36 h in 18.0 GB "
        "of the 50.0 GB allowed.")


def test_nothing_is_predicted_from_ten_minutes_or_from_nothing() -> None:
    for sizes in (kept(1 / 6, 1), kept(5, 0), Sizes(0, 0, 0, 0, 0, 0)):
        prediction = predict(sizes, **LIMITS)

        assert not prediction.is_known
        assert "look again" in told(prediction, **LIMITS)


@given(hours=st.integers(1, 1_000), size=st.integers(10, 10**13),
       age_hours=st.integers(1, 10_000), bytes_max=st.integers(10**6, 10**14))
def test_what_is_predicted_stays_within_both_limits(hours, size, age_hours, bytes_max) -> None:
    sizes = Sizes(7, size, 0, 0, 0, hours * HOUR_US)
    prediction = predict(sizes, age_us_max=age_hours * HOUR_US, bytes_max=bytes_max)

    assert prediction.bytes_at_most <= bytes_max
    assert prediction.kept_us <= age_hours * HOUR_US
    # The limit that is said to cut is the one that is reached, to the rounding of a division.
    assert prediction.cut_by_bytes == (prediction.kept_us < age_hours * HOUR_US)
    assert abs(size * DAY_US / (hours * HOUR_US) - prediction.bytes_per_day) <= 1


def test_sizes_and_spans_are_told_as_people_say_them() -> None:
    assert [size_told(size) for size in (0, 999, 999_999, 1_540_000, 41 * GB, 3_160 * GB)] == [
        "0 bytes", "999 bytes", "1.0 MB", "1.5 MB", "41.0 GB", "3.2 TB"]
    assert [span_told(int(hours * HOUR_US)) for hours in (0.5, 36, 71, 24 * 9)] == [
        "30 min", "36 h", "71 h", "9 days"]
