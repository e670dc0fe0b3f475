"""What crashes, failing disks and rot leave; each was a bug or kills a mutant."""

from pathlib import Path

import pytest

from lichen.stream import EVERYTHING, Form, StreamUnavailable, pull
from tests.stream.reading import read_all
from tests.stream.stories import (
    Reopen,
    StuckDisk,
    events,
    failed,
    fill,
    journals_of,
    rot,
    rot_record,
    texts,
)

pytestmark = pytest.mark.anyio


async def test_an_append_that_failed_is_not_there_when_another_took_its_place(
    reopen: Reopen, disk: StuckDisk
) -> None:
    store = reopen()
    await store.append(events("a"), position=1)
    disk.failing_syncs = disk.failing_truncates = 1
    await failed(store, "x", "y")
    await store.append(events("b"), position=2)
    await store.close()

    store = reopen()

    assert (texts(store), store.position, store.next_seq) == ("ab", 2, 3)
    await store.close()


async def test_what_was_acknowledged_survives_the_power(
    reopen: Reopen, disk: StuckDisk
) -> None:
    store = reopen()
    await store.append(events("a"), position=1)
    await store.append(events("b"), position=2)
    await store.close()
    for seed in range(20):
        disk.random.seed(seed)
        disk.cut_power()

    store = reopen()

    assert (texts(store), store.position) == ("ab", 2)
    await store.close()


async def test_what_is_appended_while_a_pull_looks_is_not_passed(
    reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tip was read after looking for events, and so lay behind those that came in between."""
    store = reopen()
    await store.append(events("a"), position=1)
    find = store.find

    def late(seq: int) -> object:
        found = find(seq)
        store._writer.commit(events("b"), position=2)
        return found

    monkeypatch.setattr(store, "find", late)
    pulled = pull(store, 2, EVERYTHING, Form())
    monkeypatch.undo()

    assert (pulled.events, pulled.next_seq) == (0, 2)
    assert texts(store) == "ab"
    await store.close()


async def test_journals_that_begin_at_one_place_count_in_the_order_they_were_begun(
    reopen: Reopen, disk: StuckDisk, folder: Path
) -> None:
    """Numbers began anew with a process: its journal sorted before one that counted from there."""
    store = reopen()
    await store.append(events("a"), position=1)
    disk.failing_syncs = 1
    await failed(store, "x")
    for _ in range(3):
        disk.failing_in = 6  # a new journal is begun, its first append fails
        await failed(store, "y")
        disk.heal()
    assert len(journals_of(folder)) == 4
    await store.close()
    store = reopen()
    await store.append(events("b"), position=2)
    await store.close()

    store = reopen()

    assert (texts(store), store.position) == ("ab", 2)
    await store.close()


async def test_a_record_that_rots_in_a_journal_takes_no_other_with_it(
    reopen: Reopen, folder: Path
) -> None:
    """All behind it was lost without a word, and its sequences were given again."""
    store = reopen()
    for one in "abc":
        await store.append(events(one), position=1)
    await store.close()
    rot_record(journals_of(folder)[0], 3, offset=200)

    store = reopen()

    assert (texts(store), store.next_seq, store.damaged_blocks) == ("ac", 4, 1)
    await store.close()


async def test_a_journal_whose_head_rots_is_read_still(reopen: Reopen, folder: Path) -> None:
    store = reopen()
    await store.append(events("a", "b"), position=5)
    await store.close()
    rot(journals_of(folder)[0], 30)

    store = reopen()

    assert (texts(store), store.position, store.damaged_blocks) == ("ab", 5, 1)
    await store.close()


@pytest.mark.parametrize("offset", [20, 60, 110, 700, 1_000])
@pytest.mark.parametrize("number", [1, 2, 3])
async def test_rot_in_a_sealed_block_hides_that_block_alone(
    reopen: Reopen, folder: Path, number: int, offset: int
) -> None:
    """A wrong size or a wrong span in a head hid blocks behind it; the last one counted as torn."""
    store = reopen()
    await fill(store, "abc", "def", "ghi")
    await store.close()
    rot_record(folder / f"{1:020d}.stream", number, offset=offset)

    store = reopen()

    kept = "abcdefghi".replace(("abc", "def", "ghi")[number - 1], "")
    both = texts(store, Form()), texts(store)
    assert kept in both
    assert set(both) <= {kept, "abcdefghi"}
    assert (store.next_seq, store.position) == (10, 7)
    assert store.damaged_blocks == 1
    await store.append(events("z"), position=11)
    assert texts(store).endswith("z")
    await store.close()


async def test_a_last_block_whose_head_rots_is_kept_and_told(
    reopen: Reopen, folder: Path
) -> None:
    store = reopen()
    await fill(store, "abc", "def")
    await store.close()
    segment = folder / f"{1:020d}.stream"
    rot_record(segment, 2, offset=20)
    size = segment.stat().st_size

    store = reopen()

    assert (texts(store), store.next_seq, store.damaged_blocks) == ("abc", 7, 1)
    assert segment.stat().st_size == size
    await fill(store, "ghi")
    assert segment.stat().st_size == size
    assert texts(store) == "abcghi"
    await store.close()


async def test_a_torn_seal_is_cut_and_its_events_are_read_from_the_journal(
    reopen: Reopen, folder: Path
) -> None:
    store = reopen()
    await fill(store, "ab")
    await store.append(events("c"), position=3)
    journals = {path: path.read_bytes() for path in journals_of(folder)}
    store._writer.seal()
    await store.close()
    for path in journals_of(folder):
        path.unlink()
    for path, content in journals.items():
        path.write_bytes(content)
    segment = folder / f"{1:020d}.stream"
    segment.write_bytes(segment.read_bytes()[:-50])

    store = reopen()

    assert (texts(store), store.position, store.damaged_blocks) == ("abc", 3, 0)
    await fill(store, "d")
    await store.close()
    store = reopen()
    assert texts(store) == "abcd"
    await store.close()


async def test_a_block_that_was_given_up_is_not_read_twice_or_instead(
    reopen: Reopen, disk: StuckDisk
) -> None:
    """A block whose sync failed hid the good copy in the next segment after a restart."""
    store = reopen()
    await fill(store, "ab")
    await store.append(events("c"), position=3)
    disk.failing_syncs = disk.failing_truncates = 1
    with pytest.raises(StreamUnavailable):
        store._writer.seal()
    await store.append(events("d"), position=4)
    store._writer.seal()
    await store.close()

    store = reopen()

    assert texts(store) == "abcd"
    assert [place.first_seq for place in store.blocks()] == [1, 3]
    await store.close()


async def test_holes_and_position_outlive_the_journal_they_were_noted_in(
    reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lichen.stream.writing.JOURNAL_BYTES_MAX", 100)
    store = reopen()
    await fill(store, "a")
    await store.skip_to(50)
    await store.append([], position=77)
    store._writer.seal()
    await store.close()

    store = reopen()

    assert (store.next_seq, store.position, store.first_seq) == (50, 77, 1)
    await store.close()


async def test_a_hole_at_the_tip_is_passed(reopen: Reopen) -> None:
    """A reader before it was told to go on where it was, and asked again, for ever."""
    store = reopen()
    await store.skip_to(50)
    assert store.first_seq == 50
    await fill(store, "a")
    await store.skip_to(70)

    assert read_all(store, 1, EVERYTHING, Form()).next_seq == 70
    assert read_all(store, 51, EVERYTHING, Form()).next_seq == 70
    assert read_all(store, 60, EVERYTHING, Form()).next_seq == 70
    await store.close()


async def test_what_a_start_reads_survives_the_power(
    reopen: Reopen, disk: StuckDisk, tmp_path: Path
) -> None:
    """A killed process leaves what it wrote in the page cache; the next one shows it to readers."""
    store = reopen()
    await store.append(events("a"), position=1)
    disk.failing_syncs = disk.failing_truncates = 1
    await failed(store, "b")
    await store.close()
    store = reopen()
    before = texts(store)
    await store.close()
    for seed in range(20):
        disk.random.seed(seed)
        disk.cut_power()

    store = reopen()

    assert texts(store) == before
    await store.close()
