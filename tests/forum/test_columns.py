"""Column files: what is written stays, what is not theirs is noticed."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.forum.columns import (
    ACTORS,
    CHUNK_ROWS,
    POST_BYTES_MAX,
    POSTS,
    RECENT_CHANGES_MAX,
    ColumnFile,
    FormatDiffers,
)


@pytest.fixture
def file(tmp_path: Path) -> ColumnFile:
    return ColumnFile.create(tmp_path / "posts.columns", POSTS)


def test_a_post_takes_at_most_64_bytes() -> None:
    assert sum(np.dtype(kind).itemsize for _, kind in POSTS) <= POST_BYTES_MAX


@given(st.dictionaries(st.integers(0, 3 * CHUNK_ROWS), st.integers(-2**31, 2**31 - 1), max_size=30))
def test_what_was_written_and_flushed_is_there_after_opening_again(
    tmp_path_factory: pytest.TempPathFactory, ups: dict[int, int]
) -> None:
    path = tmp_path_factory.mktemp("columns") / "posts.columns"
    file = ColumnFile.create(path, POSTS)
    for row, up in ups.items():
        file.write(row, {"up": up, "published_us": up << 20})
    file.flush(77)
    file.close()

    again = ColumnFile(path, POSTS, writable=False)

    assert again.checkpoint == 77
    assert {row: again.value(row, "up") for row in ups} == ups
    assert {row: again.value(row, "published_us") >> 20 for row in ups} == ups
    ids = np.array(list(ups), np.int64)
    assert again.view().take("up", ids).tolist() == list(ups.values())
    assert np.count_nonzero(again.view().whole("up")) == sum(up != 0 for up in ups.values())


def test_many_rows_are_written_as_one_by_one(file: ColumnFile) -> None:
    file.write_rows([5, 40_000], {"up": [1, 2], "flags": [1, 1]})

    assert [file.value(row, "up") for row in (5, 6, 40_000)] == [1, 0, 2]
    assert file.view().rows == 3 * CHUNK_ROWS


def test_a_reader_of_another_process_sees_what_is_written_and_what_has_grown(
    file: ColumnFile,
) -> None:
    other = ColumnFile(file.path, POSTS, writable=False)
    before = other.changes

    file.write(3, {"up": 9})
    file.write(CHUNK_ROWS + 1, {"up": 8})

    assert other.view().rows == 2 * CHUNK_ROWS
    assert [other.value(row, "up") for row in (3, CHUNK_ROWS + 1)] == [9, 8]
    assert other.changed_since(before) == (None, before + 2)


def test_arrays_taken_before_the_file_grew_still_follow_it(file: ColumnFile) -> None:
    before = file.view()

    file.write(CHUNK_ROWS * 5, {"up": 1})
    file.write(2, {"up": 4})

    assert before.take("up", np.array([2])).tolist() == [4]


def test_changes_are_told_until_they_are_too_many(file: ColumnFile) -> None:
    start = file.changes
    for row in (4, 9, 4):
        file.write(row, {"up": 1})

    assert file.changed_since(start) == ([4, 9, 4], start + 3)
    assert file.changed_since(start + 2) == ([4], start + 3)
    assert file.changed_since(start + 3) == ([], start + 3)
    file.write_rows(list(range(RECENT_CHANGES_MAX)), {"up": [1] * RECENT_CHANGES_MAX})
    assert file.changed_since(start)[0] is None


def test_a_file_has_room_for_all_its_rows_before_they_are_written(file: ColumnFile) -> None:
    """A mapped page for which a full disk has no room ends the process by SIGBUS."""
    file.grow(CHUNK_ROWS + 1)

    found = file.path.stat()
    assert found.st_blocks * 512 >= found.st_size > 2 * CHUNK_ROWS * 40  # stat(2): 512-byte blocks


def test_a_copy_with_holes_is_given_room_when_it_is_opened(file: ColumnFile) -> None:
    file.close()
    size = file.path.stat().st_size
    os.truncate(file.path, 4_096)
    os.truncate(file.path, size)

    ColumnFile(file.path, POSTS, writable=True).close()

    assert file.path.stat().st_blocks * 512 >= size


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FormatDiffers, match="missing"):
        ColumnFile(tmp_path / "posts.columns", POSTS, writable=True)


@pytest.mark.parametrize("damage", ["empty", "magic", "version", "layout"])
def test_a_file_of_another_format_is_not_read(file: ColumnFile, damage: str) -> None:
    file.close()
    whole = bytearray(file.path.read_bytes())
    if damage == "empty":
        whole.clear()
    elif damage == "magic":
        whole[0] ^= 1
    elif damage == "version":
        whole[8] ^= 1
    file.path.write_bytes(whole)

    with pytest.raises(FormatDiffers):
        ColumnFile(file.path, ACTORS if damage == "layout" else POSTS, writable=True)
