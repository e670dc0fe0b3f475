"""The stream against its model, through power cuts, kills, failing disks, damage and erasures.

The machine drives the synchronous core, so that the power can go at any single operation on the
disk. `make sim` runs it a thousand times (HYPOTHESIS_PROFILE=sim).
"""

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lichen.stream import EVERYTHING, Arrival, Form, Kind, Options, Store, StreamUnavailable, Wire
from lichen.stream.encoding import Encoder
from lichen.stream.layout import RECORD_MAGIC, RecordHead, decode_record_head
from lichen.stream.writing import Writer
from tests.conftest import FakeClock
from tests.log.faults import PowerCut
from tests.stream.disks import FailingDisk, everything_in
from tests.stream.histories import FORMS, TwoDictionaries, other, post
from tests.stream.oracle import Model
from tests.stream.reading import read_all

SIZES = st.lists(st.integers(0, 90), min_size=1, max_size=6)
FRACTIONS = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=4)
AT = st.integers(0, 14)
OPTIONS = Options(segment_bytes_max=2_500, block_age_us_max=20_000_000)
V1_FORMS = [Form(), Form(dictionary=TwoDictionaries.stored)]
Act = Callable[[], None]


class StreamMachine(RuleBasedStateMachine):
    """`maybes` are what the model would be, had what failed happened."""

    @initialize(seed=st.integers(0, 1 << 32))
    def open_empty(self, seed: int) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("lichen.stream.writing.JOURNAL_BYTES_MAX", 4_000)
        self.root = tempfile.TemporaryDirectory()
        attic = Path(self.root.name) / "attic"
        attic.mkdir()
        self.disk = FailingDisk(attic, seed)
        self.folder = Path(self.root.name) / "stream"
        self.clock = FakeClock()
        self.model = Model()
        self.maybes: list[Model] = []
        self.count = 0
        self.erased: set[bytes] = set()
        self.open()

    def open(self) -> None:
        encoder = Encoder(self.clock, dictionary=TwoDictionaries.stored,
                          compressor=TwoDictionaries().compressor(TwoDictionaries.stored))
        self.writer = Writer(self.disk, self.folder, encoder, clock=self.clock, options=OPTIONS)
        self.store = Store(self.writer, TwoDictionaries())
        self.is_open = True

    def close(self) -> None:
        if self.is_open:
            self.writer.close()
        self.is_open = False

    def teardown(self) -> None:
        if hasattr(self, "writer"):
            self.close()
            self.root.cleanup()
            self.patch.undo()

    # What is done, by the store and by the model.

    def arrivals(self, sizes: list[int]) -> list[Arrival]:
        self.count += 1
        made = []
        for number, size in enumerate(sizes):
            mark = f"<{self.count}/{number}>"
            event = post(mark + "x" * size)
            if size % 7 == 3:
                event = other(Kind.SYNC, f"did:x:{self.count}.{number}")
            made.append(event)
        return made

    def acted(self, act: Act, change: Callable[[Model], None]) -> None:
        """Act; when it is acknowledged the model changes, else it may have."""
        after = copy.deepcopy(self.model)
        change(after)
        self.maybes.append(after)
        act()
        self.model, self.maybes = after, []

    def append(self, sizes: list[int]) -> None:
        came, position = self.arrivals(sizes), self.model.position + 3
        now_us = self.clock()
        self.acted(lambda: (self.writer.commit(came, position=position), None)[1],
                   lambda model: model.append(came, position=position, now_us=now_us))

    def skip(self, distance: int) -> None:
        seq = self.model.next_seq + distance
        self.acted(lambda: self.writer.skip_to(seq),
                   lambda model: setattr(model, "next_seq", max(seq, model.next_seq)))

    def note_position(self) -> None:
        position = self.model.position + 1
        self.acted(lambda: (self.writer.commit([], position=position), None)[1],
                   lambda model: setattr(model, "position", position))

    def erase(self, seqs: list[int]) -> None:
        gone = {mark(event.arrival) for event in self.model.events if event.seq in seqs}
        wanted = np.array(seqs)
        wanted = wanted[wanted.searchsorted(self.writer.floor_seq):]
        if len(wanted):
            self.writer.begin_erasure(wanted.tolist())
            for path in [segment.path for segment in self.writer.shelf.segments]:
                self.writer.erase_in(path, wanted)
            self.writer.end_erasure()
        self.model.erase(set(seqs))
        self.erased |= gone

    def trim(self, bytes_max: int) -> None:
        self.store._retain(1 << 60, bytes_max, self.clock())
        self.model.forget_below(self.store.first_seq)

    def some_seqs(self, fractions: list[float]) -> list[int]:
        return sorted({1 + int(fraction * self.model.next_seq) for fraction in fractions})

    # With a good disk.

    @rule(sizes=SIZES)
    def appends(self, sizes: list[int]) -> None:
        self.append(sizes)

    @rule(fractions=FRACTIONS)
    def erases(self, fractions: list[float]) -> None:
        self.erase(self.some_seqs(fractions))

    @rule(bytes_max=st.integers(0, 6_000))
    def trims(self, bytes_max: int) -> None:
        self.trim(bytes_max)

    @rule(distance=st.integers(0, 40))
    def skips(self, distance: int) -> None:
        self.skip(distance)

    @rule()
    def notes_a_position(self) -> None:
        self.note_position()

    @rule(seconds=st.integers(-10, 30))
    def time_moves(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule()
    def opens_again(self) -> None:
        self.close()
        self.reopen()

    # With one that fails, fills or loses its power.

    @rule(at=AT, count=st.integers(1, 3), act=st.sampled_from(["append", "skip", "position"]),
          sizes=SIZES)
    def disk_fails(self, at: int, count: int, act: str, sizes: list[int]) -> None:
        self.disk.failing_in, self.disk.failing_count = at, count
        self.tried(self.act(act, sizes))

    @rule(room=st.integers(0, 1_500), sizes=SIZES)
    def disk_fills(self, room: int, sizes: list[int]) -> None:
        self.disk.room = room
        self.tried(lambda: self.append(sizes))

    @rule(at=AT, count=st.integers(1, 3), fractions=FRACTIONS)
    def disk_fails_while_erasing(self, at: int, count: int, fractions: list[float]) -> None:
        seqs = self.some_seqs(fractions)
        self.disk.failing_in, self.disk.failing_count = at, count
        if self.tried(lambda: self.erase(seqs)):
            self.maybes = []  # what failed before was sealed away with the rest, or is not there
            self.reads_all_but(seqs)
            self.erase(seqs)

    @rule(at=AT, bytes_max=st.integers(0, 4_000))
    def disk_fails_while_trimming(self, at: int, bytes_max: int) -> None:
        self.disk.failing_in = at
        if self.tried(lambda: self.trim(bytes_max)):
            self.trim(bytes_max)

    @rule(at=AT, sizes=SIZES, act=st.sampled_from(["append", "skip", "position"]),
          is_cut=st.booleans())
    def dies(self, at: int, sizes: list[int], act: str, is_cut: bool) -> None:
        if self.died(at, self.act(act, sizes), is_cut=is_cut):
            self.reopen()

    @rule(at=AT, fractions=FRACTIONS, is_cut=st.booleans())
    def dies_while_erasing(self, at: int, fractions: list[float], is_cut: bool) -> None:
        seqs = self.some_seqs(fractions)
        if self.died(at, lambda: self.erase(seqs), is_cut=is_cut):
            self.reopen(unsure=seqs)
            self.erase(seqs)

    @rule(at=AT, bytes_max=st.integers(0, 4_000), is_cut=st.booleans())
    def dies_while_trimming(self, at: int, bytes_max: int, is_cut: bool) -> None:
        first_seq = self.store.first_seq
        if self.died(at, lambda: self.trim(bytes_max), is_cut=is_cut):
            self.reopen(unsure=range(1 << 20))
            assert self.store.first_seq >= first_seq
            self.trim(bytes_max)

    @rule(at=AT, is_cut=st.booleans())
    def dies_while_opening(self, at: int, is_cut: bool) -> None:
        self.close()
        if self.died(at, self.open, is_cut=is_cut):
            self.open()
        self.settle()

    def act(self, name: str, sizes: list[int]) -> Act:
        return {"append": lambda: self.append(sizes), "skip": lambda: self.skip(sizes[0]),
                "position": self.note_position}[name]

    def tried(self, act: Act) -> bool:
        """Act on the disk as it is, then heal it; say whether it failed."""
        try:
            act()
        except StreamUnavailable:
            return True
        finally:
            self.disk.heal()
        return False

    def died(self, at: int, act: Act, *, is_cut: bool) -> bool:
        """Act and die at an operation, by a kill or with the power; False when it ended before."""
        self.disk.cut_in = at
        try:
            act()
        except PowerCut:
            pass
        is_dead = self.disk.cut_in < 0
        self.disk.heal()
        if is_dead:
            self.close()
            self.disk._is_off = False
            if is_cut:
                self.disk.cut_power()
                self.disk = FailingDisk(self.disk.attic, self.disk.random.getrandbits(32))
                self.disk.forget_attic()
        return is_dead

    def reopen(self, *, unsure: "list[int] | range" = ()) -> None:
        self.open()
        self.settle(unsure=unsure)

    def settle(self, *, unsure: "list[int] | range" = ()) -> None:
        """Find out which of the possible pasts happened."""
        state = (self.store.next_seq, self.store.position)
        possible = [one for one in (self.model, *self.maybes)
                    if (one.next_seq, one.position) == state]
        found = self.messages(Form(Wire.V2))
        for one in possible:
            sure = [event.v2() for event in one.events if event.seq not in unsure]
            if [text for text in found if text in sure] == sure:
                self.model, self.maybes = one, []
                if unsure:
                    one.events = [event for event in one.events if event.v2() in found]
                return
        raise AssertionError(f"no past leads to {state}")

    # Damage.

    @rule(which=st.floats(0, 1, exclude_max=True), where=st.floats(0, 1, exclude_max=True),
          bits=st.integers(1, 255))
    def a_byte_rots(self, which: float, where: float, bits: int) -> None:
        paths = sorted(self.folder.glob("*.stream"))
        if not paths or self.maybes:
            return
        self.close()
        path = paths[int(which * len(paths))]
        content = bytearray(path.read_bytes())
        at = int(where * len(content))
        hit = record_at(content, at)
        is_tail = path.name.startswith("journal") and (hit is None or is_last(content, at))
        content[at] ^= bits
        path.write_bytes(content)
        self.open()
        self.passes_a_hole(hit, is_tail=is_tail)

    def passes_a_hole(self, hit: RecordHead | None, *, is_tail: bool) -> None:
        """Only what stood in the record that was hit may be gone; then it is erased for good."""
        hole = range(hit.first_seq, hit.last_seq + 1) if hit else range(0)
        kept = {event.seq for event in self.model.events if event.seq not in hole}
        lost = False
        for form in (*V1_FORMS, Form(Wire.V2)):
            all_of_it = self.model.expected(0, EVERYTHING, form.wire)
            found = set(self.messages(form))
            assert found <= {event.message(form.wire) for event in all_of_it}
            assert {event.message(form.wire) for event in all_of_it if event.seq in kept} <= found
            lost = lost or len(found) < len(all_of_it)
        assert not lost or is_tail or self.store.damaged_blocks
        assert self.store.position <= self.model.position
        assert self.store.next_seq == self.model.next_seq or is_tail
        self.erase(list(hole))
        self.model.next_seq = self.store.next_seq
        self.model.position = self.store.position
        last_time_us = self.writer.shelf.growing.block.last_time_us
        assert last_time_us >= max([0, *(e.time_us for e in self.model.events)])
        self.model.last_time_us = last_time_us

    # What holds at every moment.

    def messages(self, form: Form) -> list[bytes]:
        return read_all(self.store, 0, EVERYTHING, form, bytes_max=700).messages

    def reads_all_but(self, unsure: list[int]) -> None:
        found = self.messages(Form(Wire.V2))
        sure = [event.v2() for event in self.model.events if event.seq not in unsure]
        assert [text for text in found if text in sure] == sure
        assert set(found) <= {event.v2() for event in self.model.events}

    @invariant()
    def reads_what_the_model_holds(self) -> None:
        if not hasattr(self, "writer"):
            return
        assert (self.store.next_seq, self.store.position) == (
            self.model.next_seq, self.model.position)
        form = FORMS[self.count % len(FORMS)]
        for one in (Form(), form):
            expected = self.model.expected(0, EVERYTHING, one.wire)
            assert self.messages(one) == [event.message(one.wire) for event in expected]

    @invariant()
    def what_was_erased_is_in_no_file(self) -> None:
        if hasattr(self, "writer") and self.erased:
            content = everything_in(self.folder)
            assert [one for one in self.erased if one in content] == []


def mark(arrival: Arrival) -> bytes:
    """Return what is in no other event."""
    if arrival.kind == Kind.SYNC:
        return b'"%b"' % arrival.did.encode()
    return arrival.body[arrival.body.index(b"<") : arrival.body.index(b">") + 1]


def record_at(content: bytes | bytearray, at: int) -> RecordHead | None:
    """Return the record of a file that an offset lies in; None for the head of the file."""
    begin = bytes(content).find(RECORD_MAGIC)
    while begin >= 0:
        head = decode_record_head(bytes(content[begin:]))
        if head is not None and begin <= at < begin + head.size:
            return head
        begin = bytes(content).find(RECORD_MAGIC, begin + 1)
    return None


def is_last(content: bytes | bytearray, at: int) -> bool:
    """Say whether an offset lies in the last record of a file."""
    hit = record_at(content, at)
    return hit == record_at(content, len(content) - 1)


TestStreamMachine = pytest.mark.slow(StreamMachine.TestCase)
