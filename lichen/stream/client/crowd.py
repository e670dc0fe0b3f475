"""A crowd: thousands of subscribers in one process, each message of each one accounted for.

One epoll over raw sockets and one buffer for all, since they are read in turn. Of every message the
sequence is kept (8 bytes) and how long ago the event happened, by this machine's clock: about two
microseconds a message, so that a crowd of 2,000 can be fed 100,000 messages a second and leave most
of its core idle. Then `faults_of` compares what somebody got with what they had to get.
"""

import re
import select
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lichen.kit.clock import Clock
from lichen.kit.errors import LichenError
from lichen.stream.client.asking import Open
from lichen.stream.client.consuming import Draw, Endpoint, StreamEnded, Subscription
from lichen.stream.limits import (
    CONSUMER_BUFFER_BYTES,
    CROWD_DELAY_MS_MAX,
    CROWD_EVENTS_MAX,
)

HEAD: Final = re.compile(rb'"time_us":(\d+)(?:,"cursor":(\d+))?')
READ_AT_ONCE: Final = 512  # sockets that one look at epoll returns
LOOK_S: Final = 0.1  # how long one look at epoll waits
_DELAYS_HELD: Final = 65_536


class Mix(NamedTuple):
    """Some subscribers that want the same."""

    name: str
    query: str
    subscribers: int


class Faults(NamedTuple):
    """How what came differs from what had to come, in events."""

    lost: int = 0
    doubled: int = 0
    turned: int = 0  # came after one with a higher sequence
    unasked: int = 0


class Delays:
    """How long events took, to the tenth of a millisecond, in bounded memory."""

    def __init__(self) -> None:
        self.held = array("q")  # µs
        self._bins = np.zeros(CROWD_DELAY_MS_MAX * 10, np.int64)

    @property
    def count(self) -> int:
        """Return how many there are."""
        return int(self._bins.sum()) + len(self.held)

    def include(self, other: "Delays") -> None:
        """Add those of another."""
        other.settle()
        self._bins += other._bins

    def settle(self) -> None:
        """Move what is held into the bins."""
        tenths = np.frombuffer(self.held, np.int64) // 100
        np.add.at(self._bins, np.clip(tenths, 0, len(self._bins) - 1), 1)
        self.held = array("q")

    def percentile_ms(self, percent: float) -> float:
        """Return a percentile; what took longer than the bins reach counts as the last one."""
        self.settle()
        total = self._bins.cumsum()
        if not total[-1]:
            return 0.0
        return float(total.searchsorted(total[-1] * percent / 100)) / 10


class Member:
    """One subscriber, and every sequence it got, in the order in which it came."""

    def __init__(self, mix: Mix, subscription: Subscription) -> None:
        self.mix = mix
        self.subscription = subscription
        self.seqs = array("q")
        self.ended = ""


class Crowd:
    """Subscribers of one stream, opened one after the other and read together."""

    def __init__(self, endpoint: Endpoint, mixes: Sequence[Mix], *, clock: Clock, draw: Draw,
                 headers: Mapping[str, str] | None = None,
                 open_message: Open | None = None) -> None:
        self.delays = {mix.name: Delays() for mix in mixes}
        self.members: list[Member] = []
        self.messages = 0
        self.unnumbered = 0  # messages without a cursor
        self._endpoint, self._mixes, self._clock, self._draw = endpoint, mixes, clock, draw
        self._headers = headers
        self._open_message = open_message
        self._buffer = bytearray(CONSUMER_BUFFER_BYTES)
        self._epoll = select.epoll()
        self._by_fd: dict[int, Member] = {}

    @property
    def is_full(self) -> bool:
        """Say whether as many events came as one crowd remembers."""
        return self.messages >= CROWD_EVENTS_MAX

    @property
    def bytes_received(self) -> int:
        """Return what came on all sockets."""
        return sum(member.subscription.bytes_received for member in self.members)

    def delays_of(self, belongs: Callable[[str], bool]) -> Delays:
        """Return the delays of all mixes whose name belongs."""
        found = Delays()
        for name, delays in self.delays.items():
            if belongs(name):
                found.include(delays)
        return found

    def gather(self, meanwhile: Callable[[int], None] = lambda count: None) -> None:
        """Open every subscription, reading those that are open; raises what opening raises."""
        for mix in self._mixes:
            for _ in range(mix.subscribers):
                subscription = Subscription.open(
                    self._endpoint, mix.query, draw=self._draw, headers=self._headers,
                    buffer=self._buffer)
                member = Member(mix, subscription)
                self.members.append(member)
                self._by_fd[subscription.link.fileno()] = member
                # What came with the answer is read at once: no socket tells of it any more.
                self._read(member)
                if not member.ended:
                    self._epoll.register(subscription.link.fileno(), select.EPOLLIN)
                self.look(0)
                meanwhile(len(self.members))

    def look(self, wait_s: float = LOOK_S) -> int:
        """Read whoever has something; return how many had."""
        ready = self._epoll.poll(wait_s, READ_AT_ONCE)
        for fd, _ in ready:
            self._read(self._by_fd[fd])
        return len(ready)

    def drain(self, quiet_looks: int = 10) -> None:
        """Read until nothing comes for a while."""
        quiet = 0
        while quiet < quiet_looks and not self.is_full:
            quiet = 0 if self.look() else quiet + 1

    def close(self) -> None:
        """Hang up everybody."""
        self._epoll.close()
        for member in self.members:
            member.subscription.link.close()

    def _read(self, member: Member) -> None:
        fd = member.subscription.link.fileno()
        try:
            if not member.subscription.fill(0):
                return
            self._note(member)
        except StreamEnded as ended:
            member.ended = ended.text
        except LichenError as error:
            member.ended = str(error)
        if member.ended:
            self._by_fd.pop(fd, None)
            member.subscription.link.close()  # which also ends its watch

    def _note(self, member: Member) -> None:
        now_us = self._clock()
        delays = self.delays[member.mix.name]
        for message in member.subscription.messages():
            text = message if self._open_message is None else self._open_message(message)
            head = HEAD.search(text)
            if head is None or head[2] is None:
                self.unnumbered += 1
                continue
            delays.held.append(now_us - int(head[1]))
            member.seqs.append(int(head[2]))
            self.messages += 1
        if len(delays.held) > _DELAYS_HELD:
            delays.settle()


def faults_of(member: Member, expected: NDArray[np.int64]) -> Faults:
    """Compare what a member got with what it had to get, in ascending order."""
    seqs = np.frombuffer(member.seqs, np.int64)
    known, counts = np.unique(seqs, return_counts=True)
    return Faults(
        lost=len(np.setdiff1d(expected, known, assume_unique=True)),
        doubled=int((counts - 1).sum()),
        turned=int((np.diff(seqs) < 0).sum()),
        unasked=len(np.setdiff1d(known, expected, assume_unique=True)))


def all_faults(faults: Iterable[Faults]) -> Faults:
    """Return the sums of several."""
    return Faults(*map(sum, zip(Faults(), *faults, strict=True)))


def expected_by_others(members: Sequence[Member]) -> dict[int, NDArray[np.int64]]:
    """Return, by place, what each had to get by what others with the same filter got.

    From its own first event on and up to its own last one: others may have come earlier, and were
    read later.
    """
    everything: dict[str, NDArray[np.int64]] = {}
    for name in {member.mix.name for member in members}:
        parts = [np.frombuffer(member.seqs, np.int64) for member in members
                 if member.mix.name == name]
        everything[name] = np.unique(np.concatenate(parts))
    found = {}
    for place, member in enumerate(members):
        seqs = np.frombuffer(member.seqs, np.int64)
        all_seqs = everything[member.mix.name]
        if len(seqs):
            all_seqs = all_seqs[all_seqs.searchsorted(seqs.min()):
                                all_seqs.searchsorted(seqs.max(), "right")]
        found[place] = all_seqs if len(seqs) else all_seqs[:0]
    return found
