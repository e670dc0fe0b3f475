"""What an upload costs from its first byte to stored variants, and what a hostile picture costs.

    python -m bench.media

Uploads run on one core, child included; the floor is Pillow decoding the same picture and making
the same three sizes, in this process on the same core. The loop is watched apart from that: the
longest that one of its callbacks ran, which is how long everybody else would have waited. That is
told twice: by the clock, which on a busy machine counts what other programs did meanwhile, and by
the thread's own processor time, which counts what we did.
"""

import asyncio
import io
import os
import random
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import median

from PIL import Image

from bench.forum import create_tables
from bench.results import record
from lichen.kit.config import Config, Identity, Server
from lichen.kit.ground import ground_of
from lichen.media import Uploader, read_form
from lichen.media.errors import PictureRefused
from lichen.media.model import SIZES_STORED
from lichen.media.room import Room, build
from lichen.store import open_store
from lichen.web import Addresses
from tests.media.pictures import hostile

URL = "https://bench.example"
WIDTH, HEIGHT = 4_000, 3_000
BYTES_WANTED = 4_000_000
ROUNDS = 5
CHUNK_BYTES = 1 << 16  # as a server hands a body on
PERSON = Uploader(id=1, did="did:web:bench.example:u:mira")


def photograph(seed: int) -> bytes:
    """Return a JPEG of twelve megapixels and about 4 MB: soft shapes under grain."""
    dice = random.Random(seed)
    shapes = Image.frombytes("RGB", (100, 75), dice.randbytes(100 * 75 * 3))
    grain = Image.effect_noise((WIDTH, HEIGHT), 24).convert("RGB")
    image = Image.blend(shapes.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), grain, 0.4)
    out = io.BytesIO()
    for quality in range(50, 96, 3):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        if out.tell() >= BYTES_WANTED:
            break
    return out.getvalue()


def floor_s(content: bytes) -> float:
    """Return how long Pillow alone takes for the same sizes."""
    start = time.perf_counter()
    with Image.open(io.BytesIO(content)) as file:
        file.draft("RGB", (SIZES_STORED[0], SIZES_STORED[0]))
        file.load()
        for size in SIZES_STORED:
            small = file.copy()
            small.thumbnail((size, size), Image.Resampling.LANCZOS)
            small.save(io.BytesIO(), "WEBP", quality=80, method=2)
    return time.perf_counter() - start


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    """Yield a form that carries the picture, as it arrives."""
    head = (b'--b\r\nContent-Disposition: form-data; name="images[]"; filename="a.jpg"\r\n\r\n')
    body = head + content + b"\r\n--b--\r\n"
    for start in range(0, len(body), CHUNK_BYTES):
        yield body[start:start + CHUNK_BYTES]
        await asyncio.sleep(0)


async def upload_s(room: Room, content: bytes) -> float:
    """Return how long one upload takes, from its first byte to durable variants and rows."""
    start = time.perf_counter()
    form = await read_form(
        chunks(content), "multipart/form-data; boundary=b", file_bytes_max=BYTES_WANTED * 2
    )
    await room.media.upload(PERSON, form.files[0].content)
    return time.perf_counter() - start


def watch_callbacks(longest: list[float]) -> Callable[[], None]:
    """Note the longest run of a callback, by the clock and in processor time; return the end."""
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        start, worked = time.perf_counter(), time.thread_time()
        run(handle)
        longest[0] = max(longest[0], time.perf_counter() - start)
        longest[1] = max(longest[1], time.thread_time() - worked)

    asyncio.Handle._run = timed  # type: ignore[method-assign]

    def stop() -> None:
        asyncio.Handle._run = run  # type: ignore[method-assign]

    return stop


async def hostile_s(room: Room) -> dict[str, float]:
    """Return how long each hostile picture takes to be refused."""
    taken = {}
    for name, content in hostile().items():
        start = time.perf_counter()
        try:
            await room.media.upload(PERSON, content)
        except PictureRefused:
            taken[name] = time.perf_counter() - start
    assert taken.keys() == hostile().keys(), "every hostile picture is refused"
    return taken


async def measure(folder: Path) -> dict[str, float]:
    """Return every figure."""
    create_tables(folder)
    ground = ground_of(Config(server=Server(data=folder), identity=Identity(public_url=URL)))
    store = open_store("", folder=folder, clock=ground.clock)
    room = await build(ground, store, addresses=Addresses(URL), site_did="did:web:bench.example")
    photographs = [photograph(seed) for seed in range(ROUNDS + 1)]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    await upload_s(room, photographs[0])  # starts the child, once
    uploads = [await upload_s(room, content) for content in photographs[1:]]
    floor = median(floor_s(content) for content in photographs[1:])
    refusals = await hostile_s(room)
    os.sched_setaffinity(0, cores)
    longest = [0.0, 0.0]
    stop = watch_callbacks(longest)
    for seed in range(ROUNDS):
        await upload_s(room, photographs[seed] + b"\0")  # behind the end: another file, cut off
    stop()
    await room.close()
    await store.close()
    return {
        "upload_mb": round(len(photographs[0]) / 1e6, 2),
        "upload_s": round(median(uploads), 3),
        "upload_worst_s": round(max(uploads), 3),
        "floor_s": round(floor, 3),
        "upload_ratio_to_pillow": round(median(uploads) / floor, 2),
        "loop_blocked_ms": round(longest[0] * 1_000, 2),
        "loop_worked_ms": round(longest[1] * 1_000, 2),
        "hostile_worst_s": round(max(refusals.values()), 3),
        # Of the largest child ever waited for: the nursery and its forks.
        "child_peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1_024, 1),
    }


def main() -> None:
    """Measure, print and keep."""
    with tempfile.TemporaryDirectory() as name:
        figures = asyncio.run(measure(Path(name)))
    for name, value in figures.items():
        print(f"{name:26} {value:>10,}")
    record("media", figures)


if __name__ == "__main__":
    main()
