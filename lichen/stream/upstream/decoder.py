"""The parent's side of the child that decodes: batches go in, what came of them comes out.

A child that dies, hangs or answers nonsense is replaced, and the batch it held is sent again frame
by frame. A frame that, alone, ends the child twice is passed over as `Verdict.DEADLY`: once could
have been somebody else's doing (the kernel, short of memory). A child that cannot even start is
Unavailable: then nothing is passed over, because no frame is to blame.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

import lichen
from lichen.kit.errors import Unavailable
from lichen.stream.upstream.child import LENGTH, decode_answer, encode_batch
from lichen.stream.upstream.frames import Decoded, Verdict
from lichen.stream.upstream.limits import (
    BATCH_BYTES_MAX,
    CHILD_ANSWER_BYTES_MAX,
    DEATHS_MAX,
    DECODE_S_MAX,
    START_S_MAX,
)

# The front doors of the stream load numpy and all it serves with, of which the child needs nothing:
# stand-ins with the same folders take their place. 10 MB instead of 33, and a start in an eighth of
# the time, which counts when frames kill.
STAND_INS: Final = """
import sys, types
for name, folder in (("lichen.stream", sys.argv[1]), ("lichen.stream.upstream", sys.argv[2])):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
"""
FOLDERS: Final = (str(Path(__file__).parents[1]), str(Path(__file__).parent))
_MAIN: Final = "from lichen.stream.upstream.child import main; main()"
CHILD: Final = ("-c", STAND_INS + _MAIN, *FOLDERS)


class ChildGone(Exception):
    """The child died, hung or answered nonsense while it had a batch; it is being buried."""


class Decoder:
    """Decodes batches of frames in a child; one batch at a time.

    words: what Python is called with; `decode_s_max`: the child's time for one batch.
    """

    def __init__(self, *, words: Sequence[str] = CHILD,
                 decode_s_max: float = DECODE_S_MAX) -> None:
        self.deaths = 0
        self._words = tuple(words)
        self._decode_s_max = decode_s_max
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int:
        """Return the pid of the child, 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    async def decode(self, frames: Sequence[bytes]) -> list[Decoded]:
        """Return what came of each frame, in order; raises Unavailable where no child starts."""
        async with self._turn:
            try:
                return await self._ask(frames)
            except ChildGone:
                return [await self._alone(frame) for frame in frames]

    async def close(self) -> None:
        """End the child."""
        async with self._turn:
            await self._bury()

    async def _alone(self, frame: bytes) -> Decoded:
        for _ in range(DEATHS_MAX):
            try:
                (decoded,) = await self._ask([frame])
            except ChildGone:
                continue
            return decoded
        return Decoded(Verdict.DEADLY, "deadly")

    async def _ask(self, frames: Sequence[bytes]) -> list[Decoded]:
        if self._process is None:
            await self._start()
        try:
            async with asyncio.timeout(self._decode_s_max):
                await self._say(frames)
                answer = await self._hear()
            if len(answer) != len(frames):
                raise ValueError("an answer for each frame was expected")
            return answer
        except (OSError, EOFError, ValueError, TimeoutError, msgspec.MsgspecError) as error:
            self.deaths += 1
            await self._bury()
            raise ChildGone from error
        except BaseException:
            # Cancelled with a batch under way: the next answer would be that of this batch.
            await self._bury()
            raise

    async def _say(self, frames: Sequence[bytes]) -> None:
        assert self._process is not None and self._process.stdin is not None
        body = encode_batch(frames)
        self._process.stdin.writelines((LENGTH.pack(len(body)), body))
        await self._process.stdin.drain()

    async def _hear(self) -> list[Decoded]:
        assert self._process is not None and self._process.stdout is not None
        stdout = self._process.stdout
        (length,) = LENGTH.unpack(await stdout.readexactly(LENGTH.size))
        if length > CHILD_ANSWER_BYTES_MAX:
            raise ValueError(f"at most {CHILD_ANSWER_BYTES_MAX} bytes were expected")
        return decode_answer(await stdout.readexactly(length))

    async def _start(self) -> None:
        roots = [str(Path(lichen.__file__).parents[1]), *filter(None, sys.path)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL,
            start_new_session=True, limit=BATCH_BYTES_MAX,
            # Nothing of the parent's environment: it may hold passwords.
            env={"PYTHONPATH": os.pathsep.join(roots), "LC_ALL": "C.UTF-8"},
        )
        try:
            async with asyncio.timeout(START_S_MAX):
                await self._hear()
        except (OSError, EOFError, ValueError, TimeoutError, msgspec.MsgspecError) as error:
            await self._bury()
            raise Unavailable(
                "The child that decodes frames does not start; is there memory for another process?"
            ) from error
        except BaseException:
            await self._bury()
            raise

    async def _bury(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
