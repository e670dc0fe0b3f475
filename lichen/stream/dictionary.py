"""Dictionaries for zstd: a stand-in until the trained ones are here."""

from pathlib import Path

import zstandard


class Dictionaries:
    """The dictionaries that events are compressed with, by id."""

    def __init__(self, folder: Path) -> None:
        content = b'{"did":"did:plc:","time_us":,"cursor":,"kind":"commit","commit":{"rev":"' * 20
        self._all = {33_000: zstandard.ZstdCompressionDict(
            b"\x37\xa4\x30\xec" + (33_000).to_bytes(4, "little") + content,
            dict_type=zstandard.DICT_TYPE_RAWCONTENT)}

    @property
    def current(self) -> int:
        """Return the id of the dictionary that derived forms use."""
        return 33_000

    @property
    def stored(self) -> int:
        """Return the id of the dictionary of the stored compressed form."""
        return self.current

    def compressor(self, number: int) -> zstandard.ZstdCompressor:
        """Return a compressor."""
        return zstandard.ZstdCompressor(level=1, dict_data=self._all[number],
                                        write_content_size=True)

    def decompressor(self, number: int) -> zstandard.ZstdDecompressor:
        """Return a decompressor."""
        return zstandard.ZstdDecompressor(dict_data=self._all[number])
