r"""Names to numbers and back, from mapped files: no dictionary of names in memory.

An actor's number is its place in every array of the graph. Its name stands in 15 bytes: the 24
letters of a did:plc are 120 bits exactly; any other name has a hash of 120 bits there and its text
beside.

    keys       15 bytes by number                       5.5 M actors: 82 MB
    order      numbers (u32) in the order of their key  22 MB
    buckets    where each prefix of the key begins in `order` (u32): four names a bucket, 8 MB
    others     numbers (u32, sorted), ends (u64) and texts of the names that are no did:plc

A look-up takes the bucket of the key's first bits and halves it: some two probes, 2 µs. A
dictionary of as many strings would take 1 GB that every process has for itself.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lichen.graph.mapped import mapped

PLC: Final = "did:plc:"
PLC_LETTERS: Final = 24
KEY_BYTES: Final = 15
BUCKET_NAMES: Final = 4  # so many names in a bucket on average
BUCKET_BITS_MAX: Final = 24  # 64 MB of buckets: enough for 64 M names
BATCH_NAMES_MIN: Final = 64  # below, one by one is as quick
LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648 §6, in lower case

_DIGITS: Final = b"0123456789abcdefghijklmnopqrstuv"  # as int(text, 32) reads them
_TO_DIGITS: Final = bytes(
    _DIGITS[LETTERS.index(letter)] if letter in LETTERS else ord("!") for letter in range(256))
_VALUES: Final = np.array(
    [LETTERS.index(letter) if letter in LETTERS else 255 for letter in range(256)], np.uint8)
_HALF_BITS: Final = 60
_HALF: Final = np.uint64((1 << _HALF_BITS) - 1)
_NO_PLC: Final = "-" * (len(PLC) + PLC_LETTERS)
_PLC_WORD: Final = np.frombuffer(PLC.encode(), np.uint64)[0]
_NOT_FIVE_BITS: Final = np.uint64(0xE0E0E0E0E0E0E0E0)
_SHIFTS: Final = np.arange(4, -1, -1, dtype=np.uint8)

Numbers = NDArray[np.uint32]
Letters = NDArray[np.uint8]  # 24 columns: what follows `did:plc:`
Halves = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.bool_]]
NOBODY: Final = 0xFFFFFFFF  # the number of a name that is unknown, in answers of batches


class Parts(NamedTuple):
    """The files of the names of a base."""

    keys: Path
    order: Path
    buckets: Path
    other_numbers: Path
    other_ends: Path
    other_texts: Path


def parts_of(folder: Path) -> Parts:
    """Return where the files of the names are."""
    return Parts._make(folder / f"names.{part}" for part in (
        "keys", "order", "buckets", "other_numbers", "other_ends", "other_texts"))


class Names:
    """The names of a base, read from its files."""

    def __init__(self, folder: Path) -> None:
        """Map the files; raises OSError."""
        parts = parts_of(folder)
        self._keys = mapped(parts.keys)
        self._order = mapped(parts.order, "I")
        self._buckets = mapped(parts.buckets, "I")
        self._other_numbers = mapped(parts.other_numbers, "I")
        self._other_ends = mapped(parts.other_ends, "Q")
        self._texts = mapped(parts.other_texts)
        self._shift = KEY_BYTES * 8 - (len(self._buckets) - 1).bit_length() + 1

    def __len__(self) -> int:
        return len(self._order)

    def number_of(self, name: str) -> int | None:
        """Return the number of a name, None when it is unknown; about 2 µs."""
        key, is_plc = key_of(name)
        bucket = key >> self._shift
        low, high = self._buckets[bucket], self._buckets[bucket + 1]
        while low < high:
            middle = (low + high) // 2
            number = self._order[middle]
            at = number * KEY_BYTES
            found = int.from_bytes(self._keys[at : at + KEY_BYTES], "big")
            if found == key:
                return self._verified(number, name, is_plc=is_plc)
            if found < key:
                low = middle + 1
            else:
                high = middle
        return None

    def numbers_of_letters(self, letters: Letters) -> Numbers:
        """Return the numbers of many did:plc by their letters, NOBODY for those unknown."""
        return self._numbers_at_once(*_halves_in(letters), lambda at: name_of_letters(letters[at]))

    def _numbers_at_once(self, upper: NDArray[np.uint64], lower: NDArray[np.uint64],
                         is_plc: NDArray[np.bool_], name_at: Callable[[int], str]) -> Numbers:
        """Return the numbers of many names, halving all their buckets together."""
        numbers = np.full(len(upper), NOBODY, np.uint32)
        if not len(self):
            return numbers
        order = np.frombuffer(self._order, np.uint32)
        buckets = np.frombuffer(self._buckets, np.uint32)
        prefix = (upper >> np.uint64(self._shift - _HALF_BITS)).astype(np.int64)
        low, end = buckets[prefix].astype(np.int64), buckets[prefix + 1].astype(np.int64)
        high = end.copy()
        for _ in range(int((end - low).max()).bit_length()):
            middle = np.minimum((low + high) >> 1, len(order) - 1)
            is_less = (low < high) & (self._upper_of(order[middle]) < upper)
            low, high = np.where(is_less, middle + 1, low), np.where(is_less, high, middle)
        at = np.flatnonzero((low < end) & is_plc)
        found = order[low[at]]
        is_same = (self._upper_of(found) == upper[at]) & (self._lower_of(found) == lower[at])
        numbers[at[is_same]] = found[is_same]
        # Two keys may share their upper half, and a hash may be a key: each is looked up alone.
        for place in (*at[~is_same].tolist(), *np.flatnonzero(~is_plc).tolist()):
            number = self.number_of(name_at(place))
            numbers[place] = NOBODY if number is None else number
        if len(self._other_numbers):
            others = np.frombuffer(self._other_numbers, np.uint32)
            numbers[np.isin(numbers, others) & is_plc] = NOBODY
        return numbers

    def _upper_of(self, numbers: Numbers) -> NDArray[np.uint64]:
        """Return the upper 60 bits of the keys of numbers."""
        return self._words_at(numbers, 0) >> np.uint64(4)

    def _lower_of(self, numbers: Numbers) -> NDArray[np.uint64]:
        """Return the lower 60 bits of the keys of numbers."""
        return self._words_at(numbers, KEY_BYTES - 8) & _HALF

    def _words_at(self, numbers: Numbers, offset: int) -> NDArray[np.uint64]:
        """Return 8 bytes of the keys of numbers, from an offset on, as numbers."""
        words = np.ndarray(len(self), ">u8", self._keys, offset, (KEY_BYTES,))
        return words[numbers].astype(np.uint64)

    def name_of(self, number: int) -> str:
        """Return the name of a number."""
        other = self._other_of(number)
        if other is not None:
            return other
        key = self._keys[number * KEY_BYTES : (number + 1) * KEY_BYTES]
        return PLC + _text_of(int.from_bytes(key, "big"))

    def numbers_of(self, names: Sequence[str]) -> Numbers:
        """Return the numbers of many names, NOBODY for those that are unknown."""
        if len(names) < BATCH_NAMES_MIN:
            found = (self.number_of(name) for name in names)
            return np.fromiter((NOBODY if one is None else one for one in found), np.uint32,
                               len(names))
        return self._numbers_at_once(*_halves_of(names), names.__getitem__)

    def names_of(self, numbers: Numbers) -> list[str]:
        """Return the names of many numbers; about 0.3 µs each."""
        if not len(numbers):
            return []
        keys = np.frombuffer(self._keys, np.uint8).reshape(-1, KEY_BYTES)[numbers]
        bits = np.unpackbits(keys, axis=1).reshape(len(numbers), PLC_LETTERS, 5)
        values = (bits << _SHIFTS).sum(axis=2, dtype=np.uint8)
        text = np.frombuffer(LETTERS, np.uint8)[values].tobytes().decode()
        names = [PLC + text[at : at + PLC_LETTERS] for at in range(0, len(text), PLC_LETTERS)]
        if len(self._other_numbers):
            others = np.frombuffer(self._other_numbers, np.uint32)
            for at in np.flatnonzero(np.isin(numbers, others)).tolist():
                names[at] = self.name_of(int(numbers[at]))
        return names

    def contents(self) -> tuple[NDArray[np.uint8], dict[int, str]]:
        """Return all keys by number, and the names that are no did:plc: how a new base begins."""
        keys = np.frombuffer(self._keys, np.uint8).reshape(-1, KEY_BYTES)
        return keys, {number: self.name_of(number) for number in self._other_numbers}

    def _verified(self, number: int, name: str, *, is_plc: bool) -> int | None:
        """Return the number if it is that name's: a hash may equal a key that it is not."""
        other = self._other_of(number)
        return number if (other is None and is_plc) or other == name else None

    def _other_of(self, number: int) -> str | None:
        at = bisect_left(self._other_numbers, number)
        if at == len(self._other_numbers) or self._other_numbers[at] != number:
            return None
        start = self._other_ends[at - 1] if at else 0
        return bytes(self._texts[start : self._other_ends[at]]).decode()


def key_of(name: str) -> tuple[int, bool]:
    """Return the 120 bits of a name, and whether they are the name itself."""
    if len(name) == len(PLC) + PLC_LETTERS and name.startswith(PLC):
        try:
            # did:plc, identifier syntax: 24 letters of base32 in lower case.
            return int(name[len(PLC):].encode().translate(_TO_DIGITS), 32), True
        except ValueError:
            pass
    # A word of a command line may hold bytes that are no UTF-8: nobody is called so.
    digest = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=KEY_BYTES).digest()
    return int.from_bytes(digest, "big"), False


def _halves_of(names: Sequence[str]) -> Halves:
    """Return both halves of the keys of many names, and which are the names themselves."""
    length = len(PLC) + PLC_LETTERS
    text = "".join(names)
    if len(text) != length * len(names) or set(map(len, names)) != {length} or not text.isascii():
        text = "".join([name if len(name) == length and name.isascii() else _NO_PLC
                        for name in names])
    rows = np.frombuffer(text.encode(), np.uint8).reshape(-1, length)
    upper, lower, is_plc = _halves_in(rows[:, len(PLC):])
    is_plc &= np.frombuffer(rows, np.uint64)[:: length // 8] == _PLC_WORD
    return upper, lower, is_plc


def _halves_in(letters: Letters) -> Halves:
    """Return both halves of the keys that letters spell, and which of them spell one."""
    values = _VALUES.take(letters)
    is_plc = ((values.view(np.uint64) & _NOT_FIVE_BITS) == 0).all(axis=1)
    # 24 letters of 5 bits become 12 of 10, 6 of 20, and two of 60.
    tens = values[:, ::2].astype(np.uint16) << np.uint16(5) | values[:, 1::2]
    twenties = (tens[:, ::2].astype(np.uint32) << np.uint32(10) | tens[:, 1::2]).astype(np.uint64)
    upper, lower = (
        (twenties[:, at] << np.uint64(40) | twenties[:, at + 1] << np.uint64(20)
         | twenties[:, at + 2]) & _HALF for at in (0, 3))
    return upper, lower, is_plc


def name_of_letters(letters: NDArray[np.uint8]) -> str:
    """Return the did:plc of 24 letters."""
    return PLC + letters.tobytes().decode("ascii", errors="replace")


def keys_of(names: Sequence[str]) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """Return the keys of names as rows of 15 bytes, and by place those that are no did:plc."""
    keys, others = bytearray(), {}
    for place, name in enumerate(names):
        key, is_plc = key_of(name)
        keys += key.to_bytes(KEY_BYTES, "big")
        if not is_plc:
            others[place] = name
    return np.frombuffer(bytes(keys), np.uint8).reshape(-1, KEY_BYTES), others


def _text_of(value: int) -> str:
    return "".join(chr(LETTERS[value >> shift & 31]) for shift in range(115, -1, -5))


def write_names(folder: Path, keys: NDArray[np.uint8], others: dict[int, str]) -> list[Path]:
    """Write the files of the names, not synced; `keys` has 15 columns, `others` is by number."""
    parts = parts_of(folder)
    count = len(keys)
    # A key of 15 bytes as two numbers, so that numpy sorts it quickly.
    high = keys[:, :8].copy().view(">u8").ravel()
    low = np.zeros((count, 8), np.uint8)
    low[:, 1:] = keys[:, 8:]
    order = np.lexsort((low.view(">u8").ravel(), high)).astype(np.uint32)
    bits = min(BUCKET_BITS_MAX, max(1, (max(1, count) // BUCKET_NAMES).bit_length()))
    prefixes = (high[order] >> np.uint64(64 - bits)).astype(np.int64)
    buckets = np.searchsorted(prefixes, np.arange((1 << bits) + 1)).astype(np.uint32)
    texts = [others[number].encode() for number in sorted(others)]
    contents = (
        keys.tobytes(), order.tobytes(), buckets.tobytes(),
        np.array(sorted(others), np.uint32).tobytes(),
        np.cumsum([len(text) for text in texts], dtype=np.uint64).tobytes(), b"".join(texts),
    )
    for path, content in zip(parts, contents, strict=True):
        path.write_bytes(content)
    return list(parts)

