"""What an event takes on the wire and on the disk: plain, compressed, by which dictionary.

    python -m bench.stream_sizes [--events 20000]
    python -m bench.stream_sizes --ship       trains the dictionary that comes with Lichen anew

The hold-out is another network than the one that the shipped dictionary was trained on: another
seed, 45 days later, other sequences. Single messages are compressed as the store does it, on
one core. Peers, by their own words: Jetstream's first version needs 0.44 of its plain JSON with the
dictionary that it ships; its second version's (64 kB) takes a third of v2 on its own hold-out.

What the generator flatters: there are fewer clients, sites and lexicons than on the real network,
and the dictionary knows most of those that exist. What it makes worse: texts of people repeat
phrases and ours do not (posts are 12 % of the events, a fifth of the bytes). Real figures may lie
some hundredths to either side.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean

import zstandard

from bench import network
from bench.records import arrivals
from bench.results import record
from lichen.stream.dictionary import LEVEL, SHIPPED, Dictionaries
from lichen.stream.frames import v1_message, v2_message
from lichen.stream.training import train

HOLD_OUT_SEED = 11
TRAINING_SEED = 20_260_225  # of the shipped dictionary; no bench draws from it
TRAINING_EVENTS = 8_000
LICHEN_SHARE = 0.05  # of the events trained on: enough that the house's own shapes are known
LATER_US = 45 * 86_400 * 1_000_000
BLOCK_EVENTS = 3_000
JETSTREAM_RATIO = 0.44
WANTED_RATIO = 0.40
SHELF = Path(__file__).parents[1] / "lichen" / "stream" / "dictionaries"


def training_events() -> Iterator[bytes]:
    """Yield what the shipped dictionary is trained on."""
    for seq, arrival in enumerate(arrivals(TRAINING_SEED, TRAINING_EVENTS, lichen=LICHEN_SHARE)):
        yield v1_message(b'"%b"' % arrival.did.encode(), arrival.kind, arrival.body,
                         seq=seq, time_us=network.BEGIN_US + seq)


def ship() -> Path:
    """Train the dictionary that comes with Lichen, and write it where it is shipped."""
    SHELF.mkdir(exist_ok=True)
    path = SHELF / f"{SHIPPED}.zdict"
    path.write_bytes(train(training_events(), seed=TRAINING_SEED, id=SHIPPED))
    return path


def messages(count: int) -> tuple[list[bytes], list[bytes]]:
    """Return the hold-out in both shapes."""
    v1, v2 = [], []
    begin_us = network.BEGIN_US + LATER_US
    for number, arrival in enumerate(arrivals(HOLD_OUT_SEED, count, later_us=LATER_US)):
        plain = v1_message(b'"%b"' % arrival.did.encode(), arrival.kind, arrival.body,
                           seq=41_870_000 + number, time_us=begin_us + number * 1_667)
        v1.append(plain)
        v2.append(v2_message(plain, arrival.kind))
    return v1, v2


def ratio(compressor: zstandard.ZstdCompressor, plain: Sequence[bytes]) -> float:
    """Return the compressed part of the plain bytes, each message alone."""
    packed = sum(len(compressor.compress(message)) for message in plain)
    return round(packed / sum(map(len, plain)), 4)


def trained(events: Sequence[bytes], dictionary_bytes: int, level: int) -> zstandard.ZstdCompressor:
    """Return a compressor with a dictionary of another size or level."""
    content = train(events, seed=TRAINING_SEED, id=SHIPPED, dictionary_bytes=dictionary_bytes)
    dictionary = zstandard.ZstdCompressionDict(content)
    dictionary.precompute_compress(level=level)
    return zstandard.ZstdCompressor(dict_data=dictionary, level=level)


def of_sizes(plain: tuple[list[bytes], list[bytes]]) -> dict[str, float]:
    """Compare dictionaries of three sizes, and the shipped one at two levels."""
    events, figures = list(training_events()), {}
    for dictionary_bytes in (4_096, 16_384, 65_536):
        compressor = trained(events, dictionary_bytes, LEVEL)
        for wire, found in zip(("v1", "v2"), plain, strict=True):
            figures[f"{wire}_{dictionary_bytes >> 10}kb"] = ratio(compressor, found)
    for level in (1, 3):
        compressor = trained(events, 16_384, level)
        figures[f"v1_level{level}"] = ratio(compressor, plain[0])
        figures[f"compress_level{level}_us"] = round(1e6 / speed(compressor, plain[0]), 2)
    return figures


def speed(compressor: zstandard.ZstdCompressor, plain: Sequence[bytes]) -> float:
    """Return the messages that one core compresses in a second: the best of five rounds."""
    best = 0.0
    for _ in range(5):
        begin = time.thread_time()
        for message in plain:
            compressor.compress(message)
        best = max(best, len(plain) / (time.thread_time() - begin))
    return best


def speeds(dictionaries: Dictionaries, plain: Sequence[bytes]) -> dict[str, int]:
    """Measure both ways with the shipped dictionary."""
    compressor = dictionaries.compressor(SHIPPED)
    decompressor = dictionaries.decompressor(SHIPPED)
    frames = [compressor.compress(message) for message in plain]
    best = 0.0
    for _ in range(5):
        begin = time.thread_time()
        for frame in frames:
            decompressor.decompress(frame)
        best = max(best, len(plain) / (time.thread_time() - begin))
    assert [decompressor.decompress(frame) for frame in frames[:100]] == list(plain[:100])
    return {"compress_per_s": round(speed(compressor, plain)), "decompress_per_s": round(best)}


def block_ratio(plain: Sequence[bytes]) -> float:
    """Return what is left of blocks that are compressed as a whole, as archives do it."""
    compressor = zstandard.ZstdCompressor(level=3)
    blocks = [b"".join(plain[begin : begin + BLOCK_EVENTS])
              for begin in range(0, len(plain), BLOCK_EVENTS)]
    return ratio(compressor, blocks)


def main(events: int, folder: Path) -> None:
    """Measure, print and keep the figures."""
    plain = messages(events)
    shipped = Dictionaries(folder)
    compressor = shipped.compressor(SHIPPED)
    figures: dict[str, float] = {
        "v1_json_bytes": round(mean(map(len, plain[0])), 1),
        "v2_json_bytes": round(mean(map(len, plain[1])), 1),
        "v1_ratio": ratio(compressor, plain[0]), "v2_ratio": ratio(compressor, plain[1]),
        "jetstream_ratio": JETSTREAM_RATIO,
        "v1_alone": ratio(zstandard.ZstdCompressor(level=LEVEL), plain[0]),
        "v1_block": block_ratio(plain[0]),
        **of_sizes(plain), **speeds(shipped, plain[0]),
    }
    print(f"stream sizes, {events:,} events, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"  with our dictionary {figures['v1_ratio']} of the plain v1 JSON, "
          f"{figures['v2_ratio']} of v2 ({WANTED_RATIO} wanted; Jetstream says {JETSTREAM_RATIO})")
    for name, value in figures.items():
        print(f"    {name:24} {value:>12,}")
    record("stream_sizes", {**figures, "events": events, "load": round(os.getloadavg()[0], 1)})


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--events", type=int, default=20_000)
    options.add_argument("--ship", action="store_true")
    given = options.parse_args()
    if given.ship:
        print(ship())
    else:
        main(given.events, Path("/nowhere"))
