"""The darkroom: where pictures are decoded, far from the house's own process.

    develop ─► waiting (≤ 32) ─► one of two nurseries ─► a fork under limits ─► Developed
                                     │ 15 s without an answer
                                     └─► killed with its fork; a fresh one serves the next picture

A nursery starts at the first picture and stays. The event loop only waits: pipes are written and
read in threads. What it promises: whatever the bytes are, an answer or a refusal, and the next
picture is served as if nothing had been.
"""

import asyncio
import os
import signal
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from lichen.kit import TooMany
from lichen.media.child import Answer, Job
from lichen.media.errors import PictureRefused
from lichen.media.limits import (
    CHILD_WALL_S_MAX,
    CHILDREN_MAX,
    DERIVED_WAIT_S,
    WAITING_MAX,
)
from lichen.media.model import SIZES_STORED, Developed, Variant

_FOLDER = Path(__file__).parent
# The child takes what it needs of this room and not its front door, behind which stand the
# database and the web: 60 MB that decoding has no use for.
_BOOT = (
    "import sys, types; sys.path.insert(0, sys.argv[1]); import lichen; "
    "door = types.ModuleType('lichen.media'); door.__path__ = [sys.argv[2]]; "
    "sys.modules['lichen.media'] = door; from lichen.media.child import main; main()"
)


class Darkroom:
    """Decodes pictures in child processes; closed at the house's end."""

    def __init__(self, *, wall_s: float = CHILD_WALL_S_MAX) -> None:
        self._wall_s = wall_s
        self._idle: list[_Nursery] = []
        self._turns = asyncio.Semaphore(CHILDREN_MAX)
        self._waiting = 0
        self._threads = ThreadPoolExecutor(CHILDREN_MAX, "darkroom")

    async def develop(self, content: bytes) -> Developed:
        """Return an upload cleaned, measured and in the sizes that are stored."""
        answer = await self._ask(Job(content=content, sizes=SIZES_STORED))
        return Developed(
            kind=answer.kind, width=answer.width, height=answer.height, frames=answer.frames,
            likeness=answer.likeness, original=answer.original, variants=answer.variants,
        )

    async def derive(self, content: bytes, variant: Variant) -> bytes:
        """Return one size and form of a picture."""
        job = Job(
            content=content, sizes=(variant.size,), form=variant.form, keep_original=False
        )
        return (await self._ask(job)).variants[variant.size]

    async def close(self) -> None:
        """End every child."""
        for nursery in self._idle:
            nursery.kill()
        self._idle.clear()
        await asyncio.to_thread(self._threads.shutdown)

    async def _ask(self, job: Job) -> Answer:
        if self._waiting >= WAITING_MAX:
            raise TooMany(
                "too_many_pictures", "Too many pictures are being looked at; try again shortly.",
                retry_after_s=DERIVED_WAIT_S,
            )
        self._waiting += 1
        try:
            async with self._turns:
                answer = await self._served(job)
        finally:
            self._waiting -= 1
        if answer.error:
            raise PictureRefused("invalid_image_upload", answer.error)
        return answer

    async def _served(self, job: Job) -> Answer:
        nursery = self._idle.pop() if self._idle else _Nursery()
        exchange = asyncio.get_running_loop().run_in_executor(
            self._threads, nursery.exchange, job
        )
        try:
            # Shielded: a thread cannot be stopped, but killing the child ends what it waits for.
            answer = await asyncio.wait_for(asyncio.shield(exchange), self._wall_s)
        except TimeoutError:
            nursery.kill()
            await exchange
            return Answer(error="The picture takes too long to decode.")
        except asyncio.CancelledError:
            nursery.kill()
            raise
        if answer is None:
            nursery.kill()
            return Answer(error="The picture ended the process that decodes it.")
        self._idle.append(nursery)
        return answer


class _Nursery:
    """One child process, started at its first job."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._is_killed = False

    def exchange(self, job: Job) -> Answer | None:
        """Send a job and read its answer, None where the child ended instead."""
        if self._is_killed:
            return None
        if self._child is None:
            self._child = _started()
        asked, told = self._child.stdin, self._child.stdout
        assert asked is not None
        assert told is not None
        frame = msgspec.msgpack.encode(job)
        try:
            asked.write(struct.pack("<I", len(frame)))
            asked.write(frame)
            asked.flush()
            head = told.read(4)
            (length,) = struct.unpack("<I", head) if len(head) == 4 else (0,)
            return msgspec.msgpack.decode(told.read(length), type=Answer)
        except (OSError, ValueError, msgspec.DecodeError):  # killed meanwhile
            return None

    def kill(self) -> None:
        """End the child and its fork; twice is once."""
        self._is_killed = True
        child = self._child
        if child is None or child.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _started() -> subprocess.Popen[bytes]:
    # A session of its own, so that one signal reaches the nursery and its fork. No variable of
    # ours goes along: the child needs none, and some are secrets.
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _BOOT, str(_FOLDER.parents[1]), str(_FOLDER)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True, env={}, cwd="/",
    )
