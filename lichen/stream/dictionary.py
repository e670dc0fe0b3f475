"""Dictionaries for zstd, by id: what makes a single event compress as a whole block would.

    lichen/stream/dictionaries/<id>.zdict      shipped: one is the default
    <folder>/dictionaries/<id>.zdict           trained here, or given by the operator
    <folder>/dictionaries/current              the id of the one that was trained last

    file (RFC 8878 §5)   "\\x37\\xa4\\x30\\xec" │ id, 4 bytes LE │ entropy tables │ content

The folder is read once, when it is opened. Files are written under another name, synced and
renamed; a dictionary never changes under its id, and stays while events compressed with it are kept
(`forget` is told which are). A legacy dictionary, which clients of Jetstream's first version ship,
is the operator's to give: its form is then the stored one.

**Threads.** A ZstdCompressor has one context, and compresses without the interpreter's lock: two
threads must never meet in one. `compressor(id)` therefore returns the calling thread's own, kept
for its next call, and `new_compressor(id)` one that nobody else has, for who hands it to another
thread. What is digested of a dictionary is made once and shared: zstd only reads it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Final, Generic, TypeVar

import zstandard

from lichen.kit.errors import NotFound, Refused, Unavailable
from lichen.log import FileSystem, write_new
from lichen.stream.limits import (
    DICTIONARIES_MAX,
    DICTIONARY_BYTES_MAX,
    EVENT_BYTES_MAX,
    THREAD_COMPRESSORS_MAX,
)

MAGIC: Final = b"\x37\xa4\x30\xec"  # RFC 8878 §5: 0xEC30A437, little-endian
SHIPPED: Final = 47_016  # the default: the id of a file beside this one
OWN_IDS: Final = range(32_768, 65_536)  # a frame spends two bytes on one of these
LEVEL: Final = 3  # 0.4 % smaller than level 1 (v2: 0.9 %) for 0.9 µs: bench/stream_sizes.py

_HEAD_BYTES: Final = 8
_SUFFIX: Final = ".zdict"
_CURRENT: Final = "current"
_SHELF: Final = Path(__file__).parent / "dictionaries"

Tool = TypeVar("Tool")


class Decompressor:
    """Takes messages out of zstd frames; never makes more of them than an event may be."""

    def __init__(self, number: int, content: bytes) -> None:
        self._number = number
        self._zstd = zstandard.ZstdDecompressor(
            dict_data=zstandard.ZstdCompressionDict(content),
            max_window_size=max(1 << 20, EVENT_BYTES_MAX))

    def decompress(self, frame: bytes | memoryview, *, bytes_max: int = EVENT_BYTES_MAX) -> bytes:
        """Return what one frame holds; raises Refused for a frame that is bad or too large."""
        try:
            head = zstandard.get_frame_parameters(frame)
            # The library allocates what the head says, whatever its own maximum is.
            if head.content_size != zstandard.CONTENTSIZE_UNKNOWN and head.content_size > bytes_max:
                raise Refused("message_too_large", f"Expected a message of at most {bytes_max:,} "
                              f"bytes, got a frame of {head.content_size:,}.")
            if head.dict_id not in (0, self._number):
                raise Refused("wrong_dictionary", f"Expected a frame of dictionary {self._number}, "
                              f"got one of {head.dict_id}. Fetch that dictionary.")
            return self._zstd.decompress(frame, max_output_size=bytes_max)
        except zstandard.ZstdError as error:
            raise Refused("bad_frame", f"Expected a zstd frame of at most {bytes_max:,} bytes of "
                          f"content, got {len(frame):,} bytes that are none: {error}.") from error


class _Kept(threading.local, Generic[Tool]):
    """What one thread made by dictionary, the last used last; other threads see others."""

    def __init__(self) -> None:
        self._tools: OrderedDict[int, Tool] = OrderedDict()

    def get(self, number: int, make: Callable[[int], Tool]) -> Tool:
        tool = self._tools.get(number)
        if tool is None:
            tool = self._tools[number] = make(number)
            if len(self._tools) > THREAD_COMPRESSORS_MAX:
                self._tools.popitem(last=False)
        else:
            self._tools.move_to_end(number)
        return tool


class Dictionaries:
    """The dictionaries of one stream. Reads its folder when made; raises Unavailable, Refused."""

    def __init__(self, folder: Path, *, file_system: FileSystem | None = None) -> None:
        self._folder = folder / "dictionaries"
        self._files = file_system or FileSystem()
        self._contents = _load(_SHELF)
        self._shipped = frozenset(self._contents)
        self._contents |= _load(self._folder)
        self._current = self._read_current()
        self._legacy = 0
        self._digests: dict[int, zstandard.ZstdCompressionDict] = {}
        self._digesting = threading.Lock()
        self._compressors: _Kept[zstandard.ZstdCompressor] = _Kept()
        self._decompressors: _Kept[Decompressor] = _Kept()

    @property
    def current(self) -> int:
        """Return the id of the dictionary that new readers are offered."""
        return self._current

    @property
    def stored(self) -> int:
        """Return the id of the one that the stored form is made with: the legacy one if given."""
        return self._legacy or self._current

    @property
    def ids(self) -> tuple[int, ...]:
        """Return all ids, in order."""
        return tuple(sorted(self._contents))

    def bytes_of(self, number: int) -> bytes:
        """Return a dictionary as a file; raises NotFound."""
        content = self._contents.get(number)
        if content is None:
            raise NotFound("unknown_dictionary", f"There is no dictionary {number} here; the "
                           f"current one is {self.current}.")
        return content

    def compressor(self, number: int) -> zstandard.ZstdCompressor:
        """Return the calling thread's compressor; it must not leave the thread. NotFound."""
        return self._compressors.get(number, self.new_compressor)

    def new_compressor(self, number: int) -> zstandard.ZstdCompressor:
        """Return a compressor that nobody else has, for any one thread; raises NotFound."""
        # Frames carry the id and the size of the content, so that any decoder knows what to take
        # and how much comes; no checksum: TCP and the store's own are enough for 4 bytes an event.
        return zstandard.ZstdCompressor(
            dict_data=self._digest(number), level=LEVEL, write_dict_id=True,
            write_content_size=True, write_checksum=False)

    def decompressor(self, number: int) -> Decompressor:
        """Return the calling thread's decompressor; it must not leave the thread. NotFound."""
        return self._decompressors.get(
            number, lambda number: Decompressor(number, self.bytes_of(number)))

    def add(self, content: bytes) -> int:
        """Keep a dictionary durably and make it the current one; return its id. Idempotent.

        A server that is running offers it from its next start on. Raises Refused, Unavailable.
        """
        number = self._keep(content, "what was trained")
        try:
            self._replace(_CURRENT, b"%d\n" % number)
        except OSError as error:
            raise _unwritten(self._folder, error) from error
        self._current = number
        return number

    def add_legacy(self, path: Path) -> int:
        """Keep the dictionary of an operator's file, for the stored form; return its id.

        It stays known when it is not given at a later start, until `forget`. Raises Refused,
        Unavailable.
        """
        try:
            with path.open("rb") as file:
                content = file.read(DICTIONARY_BYTES_MAX + 1)
        except OSError as error:
            raise Refused("no_dictionary", f"Expected a zstd dictionary in {path}, but it cannot "
                          f"be read: {error.strerror}.") from error
        self._legacy = self._keep(content, str(path))
        return self._legacy

    def forget(self, used: Collection[int]) -> tuple[int, ...]:
        """Remove dictionaries that are neither used, current nor shipped; return their ids."""
        kept = {*used, self.stored, self.current, *self._shipped}
        gone = tuple(number for number in self.ids if number not in kept)
        for number in gone:
            self._files.remove(self._folder / f"{number}{_SUFFIX}")
            self._contents.pop(number)
            self._digests.pop(number, None)
        return gone

    def _keep(self, content: bytes, origin: str) -> int:
        number = id_of(content, origin)
        known = self._contents.get(number)
        if known == content:
            return number
        if known is not None:
            raise Refused("dictionary_changed", f"Expected the dictionary {number} that is kept "
                          f"here, got another one from {origin}. Give it an id of its own.")
        if len(self._contents) >= DICTIONARIES_MAX:
            raise Refused("too_many_dictionaries", f"Expected at most {DICTIONARIES_MAX} "
                          f"dictionaries; remove files from {self._folder} that nobody uses.")
        try:
            self._files.make_folder(self._folder)
            self._replace(f"{number}{_SUFFIX}", content)
        except OSError as error:
            raise _unwritten(self._folder, error) from error
        self._contents[number] = content
        return number

    def _replace(self, name: str, content: bytes) -> None:
        fresh = self._folder / f"{name}.new"
        write_new(self._files, fresh, [content])
        self._files.rename(fresh, self._folder / name)
        self._files.sync_folder(self._folder)

    def _read_current(self) -> int:
        number = SHIPPED
        with suppress(OSError, ValueError):
            number = int((self._folder / _CURRENT).read_bytes()[:20])
        # Somebody who removes the file of a dictionary goes back to the shipped one.
        return number if number in self._contents else SHIPPED

    def _digest(self, number: int) -> zstandard.ZstdCompressionDict:
        content = self.bytes_of(number)
        with self._digesting:
            digest = self._digests.get(number)
            if digest is None:
                digest = self._digests[number] = digested(content)
        return digest


def id_of(content: bytes, origin: str) -> int:
    """Return the id inside a dictionary after trying it; `origin` names it. Raises Refused."""
    if len(content) > DICTIONARY_BYTES_MAX:
        raise Refused("dictionary_too_large", f"Expected a zstd dictionary of at most "
                      f"{DICTIONARY_BYTES_MAX:,} bytes in {origin}; it is larger.")
    if len(content) <= _HEAD_BYTES or not content.startswith(MAGIC):
        raise Refused("no_dictionary", f"Expected a zstd dictionary in {origin}, which begins with "
                      f"{MAGIC.hex(' ')}, got {len(content):,} bytes that begin with "
                      f"{content[:4].hex(' ') or 'nothing'}. Give the file that clients ship.")
    number = int.from_bytes(content[4:_HEAD_BYTES], "little")
    # RFC 8878 §5: an id is not 0; the library takes any other.
    if number == 0:
        raise Refused("no_dictionary", f"Expected a zstd dictionary with an id in {origin}, got 0.")
    try:
        digested(content)
    except zstandard.ZstdError as error:
        raise Refused("no_dictionary", f"Expected a whole zstd dictionary in {origin}; its tables "
                      f"cannot be read ({error}). Fetch it again.") from error
    return number


def digested(content: bytes) -> zstandard.ZstdCompressionDict:
    """Return a dictionary ready to compress with; raises ZstdError for bad tables."""
    found = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_FULLDICT)
    found.precompute_compress(level=LEVEL)
    return found


def _load(folder: Path) -> dict[int, bytes]:
    """Return the dictionaries of a folder; what a crash left under another name is passed."""
    found = {}
    for path in sorted(folder.glob(f"*{_SUFFIX}"))[:DICTIONARIES_MAX] if folder.is_dir() else ():
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Unavailable(f"The dictionary {path} cannot be read: {error.strerror}.") from error
        number = id_of(content, str(path))
        if path.stem != str(number):
            raise Refused("dictionary_misnamed", f"Expected dictionary {path.stem} in {path}, got "
                          f"{number}. Rename the file or remove it.")
        found[number] = content
    return found


def _unwritten(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(f"A dictionary cannot be written to {folder}: {error.strerror}. Free the "
                       f"disk or mend it, and try again.", retry_after_s=60.0)
