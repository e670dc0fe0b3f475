"""A plugin's process as the house holds it: started, spoken to in turn, killed when it overstays.

    call ──▶ wait for a turn ──▶ converse ──▶ answer
               │ too long          │ too long, ended, nonsense
               ▼                   ▼
             PluginBusy          killed, started anew; PluginFailed

Whoever waits for a turn in vain learns that nobody was asked; only who was asked and did not answer
has failed.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

import lichen
from lichen.plugins.errors import PluginFailed
from lichen.plugins.limits import (
    ANSWER_BYTES_MAX,
    FRAME_BYTES_MAX,
    MEMORY_BYTES_MAX,
    START_MS_MAX,
    WISHES_MAX,
)
from lichen.plugins.wire import (
    LENGTH,
    NETWORK,
    Answer,
    Call,
    Failed,
    FromPlugin,
    Granted,
    Hello,
    Wish,
    decode_from_plugin,
    encode,
    framed,
)

Grant = Callable[[Wish], Awaitable[Granted]]


class PluginBusy(PluginFailed):
    """The plugin is answering others; it was not asked, which is no failure of its own."""


class PluginProcess:
    """One process of one plugin."""

    def __init__(
        self, value: str, *, grant: Grant, memory_bytes_max: int = MEMORY_BYTES_MAX,
        may_network: bool = False,
    ) -> None:
        """Take the entry point's value and who answers wishes for the shelf."""
        self._value = value
        self._words = [NETWORK] if may_network else []
        self._grant = grant
        self._memory_bytes_max = memory_bytes_max
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._killed: Process | None = None
        self._starting: asyncio.Task[Hello] | None = None

    async def start(self) -> Hello:
        """Start the process and return what the plugin implements; raises PluginFailed."""
        async with self._turn:
            return await self._open()

    async def call(self, hook: str, arguments: Mapping[str, object], *, ms_max: int) -> msgspec.Raw:
        """Run a hook and return what it returned, encoded; raises PluginFailed after `ms_max`."""
        frame = framed(Call(hook, {
            name: msgspec.Raw(encode(value)) for name, value in arguments.items()
        }))
        if len(frame) > FRAME_BYTES_MAX:
            raise PluginBusy("was not asked: what it would be given is too large")
        is_asked = False
        try:
            async with asyncio.timeout(ms_max / 1_000), self._turn:
                is_asked = True
                answer = await self._asked(frame)
        except TimeoutError:
            if not is_asked:
                raise PluginBusy("was busy") from None
            raise PluginFailed(f"took longer than {ms_max} ms") from None
        if isinstance(answer, Failed):
            if answer.what == "MemoryError":
                self._begin_anew()
            raise PluginFailed(answer.what, answer.where)
        return answer.result

    async def close(self) -> None:
        """Kill the process."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        self._end()
        await self._bury()

    async def _asked(self, frame: bytes) -> Answer | Failed:
        try:
            if self._process is None:
                await self._open()
            return await self._converse(frame)
        except BaseException as error:
            # Half a conversation is worth nothing: what comes next might be the last one's answer.
            self._begin_anew()
            if isinstance(error, asyncio.IncompleteReadError | OSError):
                raise PluginFailed("its process ended") from None
            raise

    async def _converse(self, frame: bytes) -> Answer | Failed:
        assert self._process is not None and self._process.stdin is not None
        stdin = self._process.stdin
        stdin.write(frame)
        await stdin.drain()
        for _ in range(WISHES_MAX + 1):
            said = await self._hear()
            if isinstance(said, Answer | Failed):
                return said
            if not isinstance(said, Wish):
                break
            stdin.write(framed(await self._grant(said)))
            await stdin.drain()
        raise PluginFailed("does not keep to the protocol")

    async def _hear(self) -> FromPlugin:
        assert self._process is not None and self._process.stdout is not None
        stdout = self._process.stdout
        (length,) = LENGTH.unpack(await stdout.readexactly(LENGTH.size))
        if length > ANSWER_BYTES_MAX:
            raise PluginFailed("answered with too much")
        try:
            said: FromPlugin = decode_from_plugin(await stdout.readexactly(length))
        except msgspec.MsgspecError:
            raise PluginFailed("does not keep to the protocol") from None
        return said

    async def _open(self) -> Hello:
        """Start the process; the turn is held by the caller."""
        await self._bury()
        roots = [str(Path(lichen.__file__).parents[1]), *filter(None, sys.path)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lichen.plugins.child", self._value, str(self._memory_bytes_max),
            *self._words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True,
            # Nothing of the house's environment: it may hold passwords.
            env={"PYTHONPATH": os.pathsep.join(roots), "LC_ALL": "C.UTF-8"},
        )
        try:
            async with asyncio.timeout(START_MS_MAX / 1_000):
                said = await self._hear()
        except TimeoutError:
            raise PluginFailed(f"did not start within {START_MS_MAX} ms") from None
        except asyncio.IncompleteReadError:
            raise PluginFailed("its process ended while it started") from None
        if isinstance(said, Failed):
            raise PluginFailed(f"could not be loaded: {said.what}", said.where)
        if not isinstance(said, Hello):
            raise PluginFailed("does not keep to the protocol")
        return said

    def _begin_anew(self) -> None:
        """Kill the process, and start another that is ready when somebody asks next."""
        self._end()
        self._starting = asyncio.create_task(self.start(), name="plugin starts anew")
        # One that cannot start says so to whoever asks next.
        self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                # The whole group: whatever the plugin itself has started.
                os.killpg(process.pid, signal.SIGKILL)
            self._killed = process

    async def _bury(self) -> None:
        """Wait until the process that was killed has gone."""
        process, self._killed = self._killed, None
        if process is not None:
            await process.wait()
