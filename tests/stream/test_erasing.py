"""What was erased is nowhere, whatever failed; each was a bug or kills a mutant."""

import errno
import os
from pathlib import Path

import pytest

from lichen.stream import Form, StreamUnavailable
from tests.conftest import FakeClock
from tests.stream.disks import everything_in
from tests.stream.stories import Reopen, StuckDisk, events, fill, journals_of, rot_record, texts

pytestmark = pytest.mark.anyio


async def test_no_copy_of_what_was_erased_stays_behind(
    reopen: Reopen, disk: StuckDisk, folder: Path
) -> None:
    """A journal that could not be removed kept the text of what was sealed, and then erased."""
    store = reopen()
    await store.append(events("a", "b"), position=1)
    disk.is_stuck = True
    with pytest.raises(StreamUnavailable):
        store._writer.seal()
    disk.is_stuck = False

    await store.erase([1])

    assert b"<a>" not in everything_in(folder)
    assert texts(store) == "b"
    await store.close()


async def test_what_was_erased_does_not_return_with_the_power(
    reopen: Reopen, disk: StuckDisk, folder: Path
) -> None:
    store = reopen()
    await store.append(events("a", "b"), position=1)
    await store.erase([1])
    for seed in range(20):
        disk.random.seed(seed)
        disk.cut_power()

    assert b"<a>" not in everything_in(folder)
    await store.close()


async def test_a_damaged_record_that_was_erased_does_not_return_with_the_power(
    reopen: Reopen, disk: StuckDisk, folder: Path
) -> None:
    store = reopen()
    for one in "abc":
        await store.append(events(one), position=1)
    await store.close()
    rot_record(journals_of(folder)[0], 3, offset=200)
    store = reopen()

    await store.erase([2])

    for seed in range(20):
        disk.random.seed(seed)
        disk.cut_power()
    assert b"<b>" not in everything_in(folder)
    assert texts(store) == "ac"
    await store.close()


async def test_a_tail_that_was_given_up_is_erased_too(
    reopen: Reopen, disk: StuckDisk, folder: Path
) -> None:
    store = reopen()
    await fill(store, "ab")
    await store.append(events("c", "d"), position=3)
    disk.failing_syncs = disk.failing_truncates = 1
    with pytest.raises(StreamUnavailable):
        store._writer.seal()

    await store.erase([3])

    assert b"<c>" not in everything_in(folder)
    assert texts(store) == "abd"
    await store.close()


@pytest.mark.parametrize("offset", [60, 110, 700])
async def test_an_erasure_reaches_damaged_blocks_and_makes_no_damage_look_whole(
    reopen: Reopen, folder: Path, offset: int
) -> None:
    store = reopen()
    await fill(store, "abc", "def")
    await store.close()
    rot_record(folder / f"{1:020d}.stream", 1, offset=offset)
    store = reopen()

    await store.erase([2, 5])

    content = everything_in(folder)
    assert b"<b>" not in content
    assert b"<e>" not in content
    await store.close()
    store = reopen()
    assert texts(store) == texts(store, Form()) == "df"
    await store.close()


async def test_damage_stays_damage_when_a_neighbour_is_erased(
    reopen: Reopen, folder: Path
) -> None:
    """The whole segment got new checksums, and rotten messages were sent from then on."""
    store = reopen()
    await fill(store, "abc", "def")
    await store.close()
    rot_record(folder / f"{1:020d}.stream", 1, offset=500)
    store = reopen()

    await store.erase([5])

    assert texts(store, Form()) == "df"
    assert texts(store) == "abcdf"
    await store.close()


async def test_after_a_rewriting_that_failed_appends_go_elsewhere(
    reopen: Reopen, disk: StuckDisk
) -> None:
    """The next block went into the new file at the place that the old one had for it."""
    store = reopen()
    await fill(store, "abcdef", "ghi")
    syncs = disk.sync_folder
    wanted = "00000000000000000001.stream.written.new"
    renamed: list[str] = []
    rename = disk.rename

    def failing(folder: Path) -> None:
        if renamed and renamed.pop() == wanted:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        syncs(folder)

    disk.rename = lambda source, target: (renamed.append(source.name), rename(source, target))[1]
    disk.sync_folder = failing
    with pytest.raises(StreamUnavailable):
        await store.erase([1, 2, 3])
    disk.rename, disk.sync_folder = rename, syncs

    await fill(store, "jkl")

    assert texts(store) == "abcdefghijkl"
    await store.close()
    store = reopen()
    assert texts(store) == "defghijkl"
    await store.close()


async def test_a_segment_that_cannot_be_removed_is_there_for_readers_still(
    reopen: Reopen, disk: StuckDisk, clock: FakeClock
) -> None:
    """It was gone for readers and for erasures, and back after a restart."""
    store = reopen()
    await fill(store, "ab")
    store._writer._must_roll = True
    await fill(store, "cd")
    disk.is_stuck = True

    with pytest.raises(StreamUnavailable):
        await store.retain(age_us_max=1 << 60, bytes_max=0, now_us=clock())

    assert texts(store) == "abcd"
    disk.is_stuck = False
    await store.retain(age_us_max=1 << 60, bytes_max=0, now_us=clock())
    assert (texts(store), store.first_seq) == ("cd", 3)
    await store.close()
