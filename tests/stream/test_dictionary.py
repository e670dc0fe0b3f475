"""Dictionaries: by id, durable, refused when they are none, and never shared between threads."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard

from lichen.kit import NotFound, Refused, Unavailable
from lichen.log import FileSystem
from lichen.stream.dictionary import MAGIC, OWN_IDS, SHIPPED, Dictionaries
from lichen.stream.limits import (
    DICTIONARIES_MAX,
    DICTIONARY_BYTES_MAX,
    EVENT_BYTES_MAX,
    THREAD_COMPRESSORS_MAX,
)

MESSAGE = (b'{"did":"did:plc:7xk2jdnq3vmyzb5tgw4hslce","time_us":1772000000000000,"cursor":77,'
           b'"kind":"commit","commit":{"rev":"3mfpkamlpsy2p","operation":"create","collection":'
           b'"app.bsky.feed.like","rkey":"3mfpkamlmfct4","record":{"$type":"app.bsky.feed.like"}}}')


def file_of(number: int) -> bytes:
    """Return a whole dictionary under another id."""
    shipped = Dictionaries(Path("/nowhere")).bytes_of(SHIPPED)
    return MAGIC + number.to_bytes(4, "little") + shipped[8:]


@pytest.fixture
def legacy(tmp_path):
    """A file as the operator gives it; the id is that of Jetstream's first dictionary."""
    path = tmp_path / "zstd_dictionary"
    path.write_bytes(file_of(1_612_007_021))
    return path


def test_the_shipped_dictionary_is_current_and_small() -> None:
    dictionaries = Dictionaries(Path("/nowhere"))

    assert dictionaries.current == dictionaries.stored == SHIPPED
    assert SHIPPED in OWN_IDS
    assert len(dictionaries.bytes_of(SHIPPED)) == 16_384


def test_a_frame_names_its_dictionary_and_its_size_and_comes_back(tmp_path) -> None:
    dictionaries = Dictionaries(tmp_path)
    frame = dictionaries.compressor(SHIPPED).compress(MESSAGE)
    head = zstandard.get_frame_parameters(frame)

    assert (head.dict_id, head.content_size, head.has_checksum) == (SHIPPED, len(MESSAGE), False)
    assert len(frame) < len(MESSAGE) * 0.45
    assert dictionaries.decompressor(SHIPPED).decompress(frame) == MESSAGE


def test_what_was_trained_is_current_after_a_restart_and_the_old_one_stays(tmp_path) -> None:
    dictionaries = Dictionaries(tmp_path)
    old = dictionaries.compressor(SHIPPED).compress(MESSAGE)
    assert dictionaries.add(file_of(40_001)) == dictionaries.current == 40_001
    again = Dictionaries(tmp_path)

    assert again.current == 40_001
    assert again.ids == (40_001, SHIPPED)
    assert again.decompressor(SHIPPED).decompress(old) == MESSAGE


def test_the_newest_is_the_one_added_last_not_the_highest(tmp_path) -> None:
    for number in (40_005, 40_002):
        Dictionaries(tmp_path).add(file_of(number))

    assert Dictionaries(tmp_path).current == 40_002


def test_a_legacy_dictionary_is_stored_with_and_never_becomes_current(tmp_path, legacy) -> None:
    dictionaries = Dictionaries(tmp_path)

    assert dictionaries.add_legacy(legacy) == dictionaries.stored == 1_612_007_021
    assert dictionaries.current == SHIPPED
    legacy.unlink()
    # Without the option it is not stored with, but what was is still served.
    again = Dictionaries(tmp_path)
    assert again.stored == SHIPPED
    assert again.bytes_of(1_612_007_021) == dictionaries.bytes_of(1_612_007_021)


@pytest.mark.parametrize(("content", "said"), [
    (b"", "got 0 bytes that begin with nothing"),
    (b"PK\x03\x04 a zip file", "begins with 37 a4 30 ec, got 15 bytes that begin with 50 4b 03 04"),
    (MAGIC + b"\0\0\0\0" + b"x" * 100, "an id"),
    (MAGIC + b"\x01\x90\0\0" + b"\xff" * 100, "tables cannot be read"),
    (file_of(40_000)[:60], "tables cannot be read"),
    (MAGIC + bytes(DICTIONARY_BYTES_MAX), "at most 1,048,576 bytes"),
])
def test_a_file_that_is_no_dictionary_is_refused_by_name(tmp_path, content, said) -> None:
    path = tmp_path / "given.bin"
    path.write_bytes(content)

    with pytest.raises(Refused, match="given.bin") as refused:
        Dictionaries(tmp_path).add_legacy(path)

    assert said in refused.value.text
    assert not (tmp_path / "dictionaries").exists()


def test_a_file_that_is_not_there_is_refused(tmp_path) -> None:
    with pytest.raises(Refused, match="cannot be read: No such file"):
        Dictionaries(tmp_path).add_legacy(tmp_path / "absent")


def test_other_content_under_a_known_id_is_refused(tmp_path) -> None:
    """A client that holds an id holds its bytes: a changed dictionary would corrupt its stream."""
    dictionaries = Dictionaries(tmp_path)
    dictionaries.add(file_of(40_001))

    with pytest.raises(Refused, match="40001"):
        dictionaries.add(file_of(40_001)[:-1] + b"\0")
    assert dictionaries.add(file_of(40_001)) == 40_001


def test_forgetting_keeps_what_is_used_current_or_shipped(tmp_path, legacy) -> None:
    dictionaries = Dictionaries(tmp_path)
    for number in (40_001, 40_002, 40_003):
        dictionaries.add(file_of(number))
    dictionaries.add_legacy(legacy)

    assert dictionaries.forget({40_001}) == (40_002,)
    assert dictionaries.ids == (40_001, 40_003, SHIPPED, 1_612_007_021)
    assert Dictionaries(tmp_path).ids == dictionaries.ids
    with pytest.raises(NotFound, match="no dictionary 40002 here; the current one is 40003"):
        dictionaries.compressor(40_002)


def test_more_dictionaries_than_the_limit_are_refused(tmp_path) -> None:
    dictionaries = Dictionaries(tmp_path)
    for number in range(DICTIONARIES_MAX - len(dictionaries.ids)):
        dictionaries.add(file_of(50_000 + number))

    with pytest.raises(Refused, match="at most 64"):
        dictionaries.add(file_of(60_000))


def test_each_thread_has_a_compressor_of_its_own(tmp_path) -> None:
    """A context in use by two threads at once gives frames that nobody can read."""
    dictionaries = Dictionaries(tmp_path)
    mine = dictionaries.compressor(SHIPPED)
    with ThreadPoolExecutor(1) as other:
        theirs = other.submit(dictionaries.compressor, SHIPPED).result()
        again = other.submit(dictionaries.compressor, SHIPPED).result()

    assert mine is dictionaries.compressor(SHIPPED)
    assert theirs is again is not mine
    assert dictionaries.new_compressor(SHIPPED) not in (mine, theirs)


def test_threads_that_compress_at_once_all_get_whole_frames(tmp_path) -> None:
    dictionaries = Dictionaries(tmp_path)
    start = threading.Barrier(4)

    def work(number: int) -> bool:
        start.wait(10)
        message = MESSAGE + b"%d" % number * 50
        return all(
            dictionaries.decompressor(SHIPPED).decompress(
                dictionaries.compressor(SHIPPED).compress(message)) == message
            for _ in range(500))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(4)))


def test_a_thread_keeps_a_bounded_number_of_compressors(tmp_path) -> None:
    dictionaries = Dictionaries(tmp_path)
    first = dictionaries.compressor(SHIPPED)
    for number in range(40_001, 40_001 + THREAD_COMPRESSORS_MAX):
        dictionaries.add(file_of(number))
        dictionaries.compressor(number)

    assert dictionaries.compressor(40_001) is dictionaries.compressor(40_001)
    assert dictionaries.compressor(SHIPPED) is not first


def test_a_frame_that_says_it_is_huge_is_refused_before_memory_is_taken(tmp_path) -> None:
    """The library allocates what the frame's head says, whatever maximum it is given."""
    bomb = zstandard.ZstdCompressor().compress(bytes(EVENT_BYTES_MAX + 1))
    decompressor = Dictionaries(tmp_path).decompressor(SHIPPED)

    with pytest.raises(Refused, match="at most 2,097,152 bytes, got a frame of 2,097,153"):
        decompressor.decompress(bomb)
    with pytest.raises(Refused, match="at most 100 bytes"):
        decompressor.decompress(Dictionaries(tmp_path).compressor(SHIPPED).compress(MESSAGE),
                                bytes_max=100)


def test_a_frame_that_hides_its_size_is_cut_off_at_the_limit(tmp_path) -> None:
    hidden = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(EVENT_BYTES_MAX + 1))

    with pytest.raises(Refused, match="a zstd frame of at most"):
        Dictionaries(tmp_path).decompressor(SHIPPED).decompress(hidden)


def test_garbage_and_frames_of_other_dictionaries_are_refused(tmp_path) -> None:
    dictionaries = Dictionaries(tmp_path)
    dictionaries.add(file_of(40_001))
    other = dictionaries.compressor(40_001).compress(MESSAGE)
    decompressor = dictionaries.decompressor(SHIPPED)

    with pytest.raises(Refused, match="of dictionary 47016, got one of 40001"):
        decompressor.decompress(other)
    for garbage in (b"", b"text", other[:9], dictionaries.compressor(SHIPPED).compress(MESSAGE)[:-5]):
        with pytest.raises(Refused, match="a zstd frame|of dictionary"):
            decompressor.decompress(garbage)


class FullDisk(FileSystem):
    """A disk that takes no file's content any more."""

    def sync(self, fd: int) -> None:
        raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_everything_as_it_was(tmp_path) -> None:
    Dictionaries(tmp_path).add(file_of(40_001))
    dictionaries = Dictionaries(tmp_path, file_system=FullDisk())

    with pytest.raises(Unavailable, match="No space left"):
        dictionaries.add(file_of(40_002))

    assert dictionaries.current == 40_001
    assert Dictionaries(tmp_path).ids == dictionaries.ids == (40_001, SHIPPED)


def test_what_a_crash_left_half_written_is_passed(tmp_path) -> None:
    Dictionaries(tmp_path).add(file_of(40_001))
    (tmp_path / "dictionaries" / "40002.zdict.new").write_bytes(MAGIC)
    (tmp_path / "dictionaries" / "current").write_bytes(b"")

    assert Dictionaries(tmp_path).current == SHIPPED
    assert Dictionaries(tmp_path).ids == (40_001, SHIPPED)


def test_a_file_under_another_dictionarys_name_stops_the_start(tmp_path) -> None:
    Dictionaries(tmp_path).add(file_of(40_001))
    folder = tmp_path / "dictionaries"
    (folder / "40001.zdict").rename(folder / "40002.zdict")

    with pytest.raises(Refused, match=r"Expected dictionary 40002 in .*, got 40001"):
        Dictionaries(tmp_path)
