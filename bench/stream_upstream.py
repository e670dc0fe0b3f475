"""How fast a relay's frames become stored events, beside the AT Protocol's Python SDK.

    python -m bench.stream_upstream [FOLDER]

All on one core: this process and the child that decodes are bound to it. The frames are made from
records in the network's shapes (`bench/records.py`, `bench/firehose.py`): about ten blocks each.

    decode        frames decoded and verified, every block's CID recomputed; nothing else
    sdk           the same frames by the SDK, to models of their records: it verifies no CID
    libipld       the floor: the bare decoder on frame and CAR, no JSON, nothing verified
    stored        through the child into the store, both forms compressed and durable
    followed      the same, and received by WebSocket before it, from a relay on the other core

Of the last two both the time on the wall and the core's own time are told (`_core_s`): where other
work shares the core, the first says little.

The SDK, the floor and ours take turns, so that other work on the machine hits all three.
"""

import asyncio
import itertools
import os
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import libipld
import uvloop
from websockets.asyncio.server import ServerConnection, serve

from bench.firehose import frames
from bench.records import made
from bench.results import record
from lichen.kit import system_clock
from lichen.stream import Dictionaries, Store
from lichen.stream.frames import BINARY, framed
from lichen.stream.upstream import Cursors, Decoder, Upstream, decode
from lichen.stream.upstream.cursors import position_of
from lichen.stream.upstream.limits import BATCH_FRAMES_MAX
from lichen.stream.upstream.relay import portions_of

FRAMES = 20_000
SDK_FRAMES = 2_000  # it is slow, and its figure steady
TURNS = 5
RELAY = "relay"  # the word that makes this module the relay of `followed`


def sent(count: int) -> list[bytes]:
    """Return frames with rising sequences."""
    return [one.frame for one in itertools.islice(frames(1, commits=made(1)), count)]


def per_second(act: Callable[[bytes], object], some: Sequence[bytes]) -> float:
    """Return frames a second of processor time."""
    begin = time.process_time()
    for frame in some:
        act(frame)
    return len(some) / (time.process_time() - begin)


def sdk_decoding() -> Callable[[bytes], object]:
    """Return how the SDK's own examples read a commit: frame, CAR, model of each record."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from atproto import CAR
        from atproto_client.models.utils import get_or_create
        from atproto_firehose import parse_subscribe_repos_message
        from atproto_subscription.frames import Frame

    def act(frame: bytes) -> object:
        message = parse_subscribe_repos_message(Frame.from_bytes(frame))
        if not hasattr(message, "ops"):
            return message
        blocks = CAR.from_bytes(message.blocks).blocks
        return [get_or_create(blocks[op.cid], strict=False)
                for op in message.ops if op.action != "delete"]
    return act


def bare(frame: bytes) -> object:
    """Decode with libipld alone."""
    _, body = libipld.decode_dag_cbor_multi(frame)
    return libipld.decode_car(body["blocks"]) if "ops" in body else body


def side_by_side(all_frames: list[bytes]) -> dict[str, float]:
    """Return frames a second of the three, the median of turns."""
    sdk = sdk_decoding()
    some = all_frames[:SDK_FRAMES]
    figures: dict[str, list[float]] = {"decode": [], "sdk": [], "libipld": []}
    for _ in range(TURNS):
        figures["decode"].append(per_second(decode, all_frames))
        figures["sdk"].append(per_second(sdk, some))
        figures["libipld"].append(per_second(bare, all_frames))
    return {name: statistics.median(turns) for name, turns in figures.items()}


def opened(folder: Path) -> Store:
    """Return an empty store in a folder of its own."""
    inside = Path(tempfile.mkdtemp(dir=folder))
    return Store.open(inside, clock=system_clock, dictionaries=Dictionaries(inside))


class Core:
    """What one core did: the time that passed, and the time that it was ours.

    On a machine with nothing else to do the two are the same. A child counts once it has ended.
    """

    def __init__(self) -> None:
        self._began, self._used = time.perf_counter(), self._processor_s()
        self.passed_s = self.used_s = 0.0

    def rest(self) -> None:
        """Stop the clock on the wall."""
        self.passed_s = time.perf_counter() - self._began

    def end(self) -> None:
        """Count the processor's time, children that have ended among it."""
        self.used_s = self._processor_s() - self._used

    @staticmethod
    def _processor_s() -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + ended.ru_utime + ended.ru_stime


async def stored(all_frames: list[bytes], folder: Path) -> Core:
    """Take frames from memory into the store."""
    store, decoder = opened(folder), Decoder()
    await decoder.decode(all_frames[:1])
    seq, core = 0, Core()
    for at in range(0, len(all_frames), BATCH_FRAMES_MAX):
        for portion in portions_of(await decoder.decode(all_frames[at:at + BATCH_FRAMES_MAX]), seq):
            seq = portion.seq
            await store.append(portion.arrivals, position=position_of(0, seq))
    core.rest()
    await decoder.close()
    core.end()
    await store.close()
    return core


async def followed(all_frames: list[bytes], folder: Path, *, other_core: int) -> Core:
    """Take frames from a relay's WebSocket into the store; the relay is on the other core."""
    store, decoder = opened(folder), Decoder()
    await decoder.decode(all_frames[:1])
    relay = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.stream_upstream", RELAY, str(other_core),
        stdout=asyncio.subprocess.PIPE)
    assert relay.stdout is not None
    port = int(await relay.stdout.readline())
    upstream = Upstream(
        [f"ws://127.0.0.1:{port}"], store, decoder=decoder, chance=Random(1), first_cursor=0,
        cursors=Cursors(Path(tempfile.mkdtemp(dir=folder)), clock=system_clock))
    done = asyncio.Event()
    store.subscribe_bell(
        lambda: done.set() if upstream.counts["frames"] == len(all_frames) else None)
    core = Core()
    task = asyncio.create_task(upstream.run())
    await done.wait()
    core.rest()
    task.cancel()
    await asyncio.wait([task])
    await decoder.close()
    core.end()
    relay.kill()
    await relay.wait()
    assert upstream.counts["taken"] == len(all_frames), upstream.counts
    await store.close()
    return core


async def serve_frames() -> None:
    """Be the relay: send all frames to whoever comes, as fast as they are taken."""
    blob = b"".join(framed(BINARY, frame) for frame in sent(FRAMES))

    async def speak(socket: ServerConnection) -> None:
        socket.transport.write(blob)
        await socket.wait_closed()

    async with serve(speak, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


def main() -> None:
    """Measure, print and keep."""
    cores = sorted(os.sched_getaffinity(0))
    if sys.argv[1:2] == [RELAY]:
        os.sched_setaffinity(0, {int(sys.argv[2])})
        uvloop.run(serve_frames())
        return
    all_frames = sent(FRAMES)
    figures: dict[str, object] = {
        "frames": FRAMES, "frame_bytes": round(sum(map(len, all_frames)) / FRAMES)}
    rates = side_by_side(all_frames)
    figures |= {f"{name}_frames_s": round(rate) for name, rate in rates.items()}
    figures["times_the_sdk"] = round(rates["decode"] / rates["sdk"], 2)
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as folder:
        # The child inherits the core; the relay is told another.
        os.sched_setaffinity(0, {cores[0]})
        for name, turn in (
            ("stored", lambda: stored(all_frames, Path(folder))),
            ("followed", lambda: followed(all_frames, Path(folder), other_core=cores[-1])),
        ):
            turns = [uvloop.run(turn()) for _ in range(TURNS)]
            figures[f"{name}_frames_s"] = round(
                FRAMES / statistics.median(core.passed_s for core in turns))
            figures[f"{name}_frames_core_s"] = round(
                FRAMES / statistics.median(core.used_s for core in turns))
    print(figures)
    record("stream_upstream", figures)


if __name__ == "__main__":
    main()
