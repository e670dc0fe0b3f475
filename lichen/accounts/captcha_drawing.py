"""Drawing captchas: digits as a PNG that is bent and scratched, and as a WAV of beeps. Pure.

    glyph 5 × 7 ─► scaled ─► each pixel row and column shifted by a sine ─► lines and dots ─► PNG

PNG (W3C, third edition): signature, IHDR, one IDAT of zlib, IEND. WAV: RIFF, 8 bits, mono.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

DIGITS = "123456789"  # no zero: the sound would have nothing to beep

_GLYPHS = {  # five columns a row, the highest bit leftmost
    "1": (4, 12, 4, 4, 4, 4, 14), "2": (14, 17, 1, 2, 4, 8, 31), "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14), "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8), "8": (14, 17, 17, 14, 17, 17, 14), "9": (14, 17, 17, 15, 1, 2, 12),
}
_SCALE = 7  # pixels of one dot of a glyph
_MARGIN = 16
_GAP = 14  # pixels between digits
_RATE = 4_000  # samples a second; a beep needs no more
_BEEP_S, _REST_S, _PAUSE_S = 0.09, 0.11, 0.7
_TONE_HZ = 660

Pixels = NDArray[np.uint8]


def picture_of(digits: str, seed: int) -> bytes:
    """Return the PNG of some digits, bent by a seed; about 1 ms."""
    chance = np.random.Generator(np.random.PCG64(seed))
    pixels = _bent(_plain(digits), chance)
    height, width = pixels.shape
    for _ in range(4):
        _scratch(pixels, chance)
    dots = chance.integers(0, (height, width), size=(height * width // 40, 2))
    pixels[dots[:, 0], dots[:, 1]] = chance.integers(60, 200, size=len(dots), dtype=np.uint8)
    return _png(pixels)


def sound_of(digits: str) -> bytes:
    """Return the WAV in which each digit is beeped as often as it says; about 1 ms."""
    times = np.arange(int(_BEEP_S * _RATE)) / _RATE
    beep = (128 + 80 * np.sin(2 * np.pi * _TONE_HZ * times)).astype(np.uint8)
    rest = np.full(int(_REST_S * _RATE), 128, np.uint8)
    pause = np.full(int(_PAUSE_S * _RATE), 128, np.uint8)
    pieces = [pause]
    for digit in digits:
        pieces += [beep, rest] * int(digit) + [pause]
    samples = np.concatenate(pieces).tobytes()
    # RIFF WAVE: format 1 is PCM; one channel of one byte a sample.
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, _RATE, _RATE, 1, 8)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _plain(digits: str) -> Pixels:
    columns = [np.zeros((7, 0), np.uint8)]
    for digit in digits:
        rows = np.array(_GLYPHS[digit], np.uint8)[:, None]
        glyph = rows >> np.arange(4, -1, -1, dtype=np.uint8) & 1
        columns.append(np.kron(glyph, np.ones((_SCALE, _SCALE), np.uint8)).reshape(7 * _SCALE, -1))
    high = 7 * _SCALE
    gap = np.zeros((high, _GAP), np.uint8)
    line = np.concatenate([piece for one in columns[1:] for piece in (gap, one)] + [gap], axis=1)
    ink = np.pad(line, _MARGIN)
    return (235 - 190 * ink).astype(np.uint8)


def _bent(pixels: Pixels, chance: np.random.Generator) -> Pixels:
    height, width = pixels.shape
    y, x = np.mgrid[0:height, 0:width]
    first, second = chance.uniform(0, 2 * np.pi, 2)
    wave_y = 5 * np.sin(x / chance.uniform(14, 22) + first)
    wave_x = 4 * np.sin(y / chance.uniform(9, 14) + second)
    from_y = np.clip(y + wave_y.astype(int), 0, height - 1)
    from_x = np.clip(x + wave_x.astype(int), 0, width - 1)
    bent: Pixels = pixels[from_y, from_x]
    return bent


def _scratch(pixels: Pixels, chance: np.random.Generator) -> None:
    height, width = pixels.shape
    start, end = chance.integers(0, height - 2, 2)
    x = np.arange(width)
    y = np.linspace(start, end, width).astype(int)
    pixels[y, x] = pixels[y + 1, x] = 70


def _png(pixels: Pixels) -> bytes:
    height, width = pixels.shape
    # PNG §7.3: each scanline begins with its filter type, 0 for none.
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bits, greyscale
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, content) for name, content in (
            (b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")
        )
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
