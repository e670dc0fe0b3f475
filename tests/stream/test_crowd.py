"""A crowd finds every event that was lost, doubled, turned, or never asked for."""

import json
import random
import socket
import threading
from array import array
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.kit import system_clock
from lichen.stream.client.consuming import Subscription
from lichen.stream.client.crowd import (
    Delays,
    Faults,
    Member,
    Mix,
    all_faults,
    expected_by_others,
    faults_of,
)

EVERYTHING = Mix("everything", "", 1)


@pytest.fixture
def link() -> Iterator[Subscription]:
    server, client = socket.socketpair()
    with server, client:
        yield Subscription(client, draw=random.Random(1).randbytes, name="ws://there")


def member(link: Subscription, seqs: list[int], mix: Mix = EVERYTHING) -> Member:
    found = Member(mix, link)
    found.seqs = array("q", seqs)
    return found


@given(st.sets(st.integers(1, 60)), st.lists(st.integers(1, 60), max_size=80))
def test_faults_are_what_a_plain_comparison_finds(expected: set[int], seqs: list[int]) -> None:
    server, client = socket.socketpair()
    with server, client:
        one = member(Subscription(client, draw=random.Random(1).randbytes, name="x"), seqs)

        found = faults_of(one, np.array(sorted(expected), np.int64))

    assert found == Faults(
        lost=len(expected - set(seqs)), doubled=len(seqs) - len(set(seqs)),
        turned=sum(after < before for before, after in zip(seqs, seqs[1:], strict=False)),
        unasked=len(set(seqs) - expected))


def test_who_misses_what_another_got_has_lost_it(link):
    """Each is measured from its own first event to its own last one."""
    members = [member(link, [4, 5, 6, 8]), member(link, [5, 6, 7, 8, 9]), member(link, [])]

    expected = expected_by_others(members)

    assert [faults_of(one, expected[place]).lost for place, one in enumerate(members)] == [1, 0, 0]
    assert all_faults(faults_of(one, expected[place])
                      for place, one in enumerate(members)) == Faults(lost=1)


def test_other_filters_prove_nothing(link):
    members = [member(link, [1, 2, 3]), member(link, [1, 3], Mix("posts", "", 1))]

    expected = expected_by_others(members)

    assert faults_of(members[1], expected[1]) == Faults()


def test_delays_are_told_to_the_tenth_of_a_millisecond():
    delays = Delays()
    delays.held.extend([1_000] * 98 + [50_000, 99_000_000])

    assert delays.count == 100
    assert delays.percentile_ms(50) == 1.0
    assert delays.percentile_ms(99) == 50.0
    assert delays.percentile_ms(100) == 9_999.9  # where the bins end


def test_a_crowd_sees_what_a_server_does_wrong():
    """Two sockets of one lying server: the second gets 2 late, 3 twice, and never 4."""
    sent = {0: [1, 2, 3, 4, 5], 1: [1, 3, 2, 3, 5]}

    crowd = crowd_of(lying_server(sent), 2)

    found = [faults_of(one, np.arange(1, 6)) for one in crowd.members]
    # Which of them is accepted first is not said.
    assert sorted(found) == [Faults(), Faults(lost=1, doubled=1, turned=1)]
    assert crowd.messages == 10
    assert [bool(one.ended) for one in crowd.members] == [True, True]


def crowd_of(port: int, subscribers: int):
    from lichen.stream.client.consuming import endpoint_of
    from lichen.stream.client.crowd import Crowd

    crowd = Crowd(endpoint_of(f"127.0.0.1:{port}"), [Mix("everything", "", subscribers)],
                  clock=system_clock, draw=random.Random(1).randbytes)
    crowd.gather()
    crowd.drain(quiet_looks=2)
    crowd.close()
    return crowd


def lying_server(sent: dict[int, list[int]]) -> int:
    """Speak WebSocket by the `websockets` library's own server; return its port."""
    from websockets.sync.server import ServerConnection, serve

    turns = iter(sent)
    ready = threading.Event()

    def speak(socket: ServerConnection) -> None:
        for number in sent[next(turns)]:
            socket.send(json.dumps({"did": "did:plc:a", "time_us": system_clock(),
                                    "cursor": number}, separators=(",", ":")))

    server = serve(speak, "127.0.0.1", 0, compression=None)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ready.set()
    return int(server.socket.getsockname()[1])
