"""When a server counts as gone: a pure decision, and its text says nothing that is not known."""

import pytest

from lichen.federation import Peer, Way
from lichen.federation.succession import ending_of

DAY = 86_400_000_000
NOW = 1_000 * DAY


def way(peer: Peer | None, declared_us: int | None = None) -> Way | None:
    found = ending_of(peer, declared_us=declared_us, now_us=NOW, silent_days=14)
    return found.way if found else None


@pytest.mark.parametrize(("heard_days", "fails", "expected"), [
    (15, 3, Way.SILENT),
    (13, 3, None),  # not long enough
    (15, 0, None),  # nobody asked it: silence alone proves nothing
])
def test_a_server_is_gone_that_was_asked_and_silent_for_days(
    heard_days: int, fails: int, expected: Way | None
) -> None:
    peer = Peer("gone.example", last_success_us=NOW - heard_days * DAY, fail_count=fails)

    assert expected == way(peer)


def test_what_comes_from_a_server_is_a_sign_of_life_though_sending_fails() -> None:
    peer = Peer("half.example", last_success_us=NOW - 90 * DAY, fail_count=9,
                last_received_us=NOW - DAY)

    assert way(peer) is None


def test_a_server_that_never_answered_is_measured_from_when_it_was_met() -> None:
    met = Peer("never.example", first_seen_us=NOW - 15 * DAY, fail_count=1)

    assert way(met) is Way.SILENT
    assert way(Peer("never.example", first_seen_us=NOW - DAY, fail_count=1)) is None
    assert way(None) is None


def test_a_declaration_holds_until_a_sign_of_life() -> None:
    before = Peer("gone.example", last_success_us=NOW - 2 * DAY)

    assert way(before, declared_us=NOW - DAY) is Way.DECLARED
    assert way(before, declared_us=NOW - 3 * DAY) is None
    assert way(None, declared_us=NOW) is Way.DECLARED
