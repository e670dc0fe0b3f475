"""The log against a model, through crashes, full disks, damage, erasures, jumps and retention.

The machine drives the synchronous core, so that the power can go at any single operation on the
disk. `make sim` runs it a thousand times (HYPOTHESIS_PROFILE=sim).
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lichen.log import LogDamaged, LogUnavailable, Options
from lichen.log.writing import SegmentsWriter
from tests.conftest import FakeClock
from tests.log.faults import FaultyDisk, PowerCut

SIZES = st.lists(st.integers(1, 90), min_size=1, max_size=7)
FRACTIONS = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=4)


class LogMachine(RuleBasedStateMachine):
    """`records` is what must be read, `lost` what must be reported as damaged."""

    @initialize(seed=st.integers(0, 1 << 32))
    def open_empty(self, seed: int) -> None:
        self.root = tempfile.TemporaryDirectory()
        attic = Path(self.root.name) / "attic"
        attic.mkdir()
        self.disk = FaultyDisk(attic, seed)
        self.folder = Path(self.root.name) / "log"
        self.clock = FakeClock()
        self.records: dict[int, bytes] = {}
        self.lost: set[int] = set()
        self.last_seq = 0
        self.floor = 1
        self.count = 0
        self.log = self.opened()

    def opened(self) -> SegmentsWriter:
        return SegmentsWriter(self.disk, self.folder, clock=self.clock,
                              options=Options(segment_bytes_max=700))

    def teardown(self) -> None:
        if hasattr(self, "log"):
            self.log.close()
            self.root.cleanup()

    def payloads(self, sizes: list[int]) -> list[bytes]:
        self.count += 1
        return [b'"%d/%d %s"' % (self.count, at, b"x" * size) for at, size in enumerate(sizes)]

    def some_seqs(self, fractions: list[float]) -> list[int]:
        return sorted({1 + int(fraction * self.last_seq) for fraction in fractions})

    def append(self, payloads: list[bytes]) -> None:
        appended = self.log.commit(payloads)
        assert appended.first_seq == self.last_seq + 1
        self.records |= dict(enumerate(payloads, appended.first_seq))
        self.last_seq = appended.last_seq

    def erase(self, seqs: list[int]) -> None:
        wanted = np.array(seqs)
        for segment in self.log.holders_of(wanted):
            try:
                self.log.erase_in(segment, wanted)
            except LogDamaged:
                self.mend()
                self.log.erase_in(self.log.segment_at(segment.path), wanted)
        self.log.forget_aside(wanted)
        for seq in seqs:
            self.records.pop(seq, None)

    def trim(self, fraction: float) -> None:
        floor_seq = int(fraction * self.last_seq)
        self.log.trim(floor_seq=floor_seq, age_us_max=1 << 60, bytes_max=1_500)
        self.forget_below(floor_seq + 1)

    def forget_below(self, highest_floor: int) -> None:
        floor = self.log.segments[0].head.previous_seq + 1
        assert self.floor <= floor <= max(highest_floor, self.floor)
        self.floor = floor
        self.records = {seq: line for seq, line in self.records.items() if seq >= floor}
        self.lost = {seq for seq in self.lost if seq >= floor}

    def mend(self) -> None:
        for segment in self.log.segments:
            for damage in self.log.mend(segment):
                self.lost |= set(range(damage.first_seq, damage.last_seq + 1))
        self.records = {seq: line for seq, line in self.records.items() if seq not in self.lost}

    @rule(sizes=SIZES)
    def appends(self, sizes: list[int]) -> None:
        self.append(self.payloads(sizes))

    @rule(fractions=FRACTIONS)
    def erases(self, fractions: list[float]) -> None:
        self.erase(self.some_seqs(fractions))

    @rule(fraction=st.floats(0, 1))
    def trims(self, fraction: float) -> None:
        self.trim(fraction)

    @rule(distance=st.integers(1, 50))
    def jumps(self, distance: int) -> None:
        self.log.skip_to(self.last_seq + distance)
        self.last_seq += distance - 1

    @rule()
    def opens_again(self) -> None:
        self.log.close()
        self.log = self.opened()
        assert self.log.report.tail is None
        assert self.log.report.damages == ()

    @rule(seconds=st.integers(-100, 100))
    def time_moves(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(sizes=SIZES, room=st.integers(0, 200), failing_syncs=st.integers(0, 2))
    def disk_fails(self, sizes: list[int], room: int, failing_syncs: int) -> None:
        self.disk.room, self.disk.failing_syncs = room, failing_syncs
        try:
            self.append(self.payloads(sizes))
        except LogUnavailable:
            pass
        self.disk.room, self.disk.failing_syncs = None, 0

    @rule(at=st.integers(0, 12), sizes=SIZES)
    def power_goes_while_appending(self, at: int, sizes: list[int]) -> None:
        payloads = self.payloads(sizes)
        if self.power_goes(at, lambda: self.append(payloads)):
            # Never acknowledged: nothing of it is there, or its first records are.
            here = self.log.last_seq - self.last_seq
            assert 0 <= here <= len(payloads)
            self.records |= dict(enumerate(payloads[:here], self.last_seq + 1))
            self.last_seq += here

    @rule(at=st.integers(0, 12), fractions=FRACTIONS)
    def power_goes_while_erasing(self, at: int, fractions: list[float]) -> None:
        seqs = self.some_seqs(fractions)
        if self.power_goes(at, lambda: self.erase(seqs)):
            self.erase(seqs)

    @rule(at=st.integers(0, 12), fraction=st.floats(0, 1))
    def power_goes_while_trimming(self, at: int, fraction: float) -> None:
        if self.power_goes(at, lambda: self.trim(fraction)):
            self.forget_below(int(fraction * self.last_seq) + 1)

    @rule(at=st.integers(0, 12), distance=st.integers(1, 50))
    def power_goes_while_jumping(self, at: int, distance: int) -> None:
        if self.power_goes(at, lambda: self.jumps(distance)):
            assert self.log.last_seq in (self.last_seq, self.last_seq + distance - 1)
            self.last_seq = self.log.last_seq

    def power_goes(self, at: int, act: Callable[[], None]) -> bool:
        """Act, with the power going at an operation; False when the act ended before."""
        self.disk.cut_in = at
        try:
            act()
        except PowerCut:
            pass
        is_cut = self.disk.cut_in < 0
        self.disk.cut_in = None
        if is_cut:
            self.log.close()
            self.disk.cut_power()
            self.disk = FaultyDisk(self.disk.attic, self.disk.random.getrandbits(32))
            self.disk.forget_attic()
            self.log = self.opened()
            assert self.log.report.damages == ()
        return is_cut

    @precondition(lambda self: len(self.log.segments) > 1)
    @rule(which=st.floats(0, 1, exclude_max=True), where=st.floats(0, 1, exclude_max=True),
          bits=st.integers(1, 255), is_reopened=st.booleans())
    def bytes_rot(self, which: float, where: float, bits: int, is_reopened: bool) -> None:
        """Only in closed segments: the end of the last one counts as torn."""
        segment = self.log.segments[int(which * (len(self.log.segments) - 1))]
        content = bytearray(segment.path.read_bytes())
        at = 64 + int(where * (len(content) - 64))
        if at == len(content):
            return
        content[at] ^= bits
        segment.path.write_bytes(content)
        if is_reopened:
            self.log.close()
            self.log = self.opened()
        self.read_all(may_find_damage=True)
        self.mend()

    @invariant()
    def reads_what_the_model_holds(self) -> None:
        if not hasattr(self, "log"):
            return
        found, lost = self.read_all()
        assert found == self.records
        assert lost <= self.lost
        assert not lost & set(found)
        assert self.log.last_seq == self.last_seq
        for seq in self.lost - lost:
            assert seq not in found  # erased meanwhile

    @invariant()
    def finds_records_by_time(self) -> None:
        if not hasattr(self, "log") or self.lost:
            return
        batch = self.log.read(max(1, self.log.first_seq)) if self.records else None
        if batch is not None and len(batch):
            at = len(batch) // 2
            assert self.log.seq_at(int(batch.times_us[at])) == int(batch.seqs[at])

    def read_all(self, *, may_find_damage: bool = False) -> tuple[dict[int, bytes], set[int]]:
        found: dict[int, bytes] = {}
        lost: set[int] = set()
        seq = self.log.segments[0].head.previous_seq + 1
        last_time_us = 0
        while seq <= self.log.last_seq:
            try:
                batch = self.log.read(seq, limit=5)
            except LogDamaged as damage:
                assert damage.quarantined or may_find_damage
                assert damage.first_seq <= seq <= damage.last_seq or may_find_damage
                lost |= set(range(damage.first_seq, damage.last_seq + 1))
                seq = max(seq, damage.last_seq) + 1
                continue
            assert batch.next_seq > seq
            for entry in batch.entries():
                assert seq <= entry.seq < batch.next_seq
                assert entry.time_us > last_time_us
                assert entry.payload == self.records[entry.seq]
                last_time_us = entry.time_us
                found[entry.seq] = entry.payload
            seq = batch.next_seq
        return found, lost


TestLogMachine = pytest.mark.slow(LogMachine.TestCase)
