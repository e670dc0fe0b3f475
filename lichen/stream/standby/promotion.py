"""Promotion: a standby becomes the server, once and for ever.

    lichen stream promote ──▶ promote.asked ──▶ the standby sees it, stops following, jumps, and
                                                notes in standby.json that it was promoted

The jump: the lost server may have given sequences that never came here, to clients that hold them
as cursors. The promoted one goes on far behind them, so that no sequence ever names two events; a
client whose cursor lies in the hole goes on with the next event. The jump is made first and noted
then: killed in between, the standby is ahead of its server, which it is told, and is asked again.

A promoted folder never follows again by itself: what it wrote since is in no other server.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from lichen.kit import Conflict, Unavailable
from lichen.log import FileSystem, read_whole, temporary_path, write_new
from lichen.stream.engine import Store
from lichen.stream.limits import PROMOTION_JUMP, STANDBY_ASKED_S

_ROLE: Final = "standby.json"
_ASKED: Final = "promote.asked"

Pause = Callable[[float], Awaitable[None]]


class _Role(msgspec.Struct):
    promoted_at_seq: int = 0


class Promotion:
    """What a folder knows of its own promotion; its methods block on the disk briefly."""

    def __init__(self, folder: Path, *, file_system: FileSystem | None = None) -> None:
        self._files = file_system or FileSystem()
        self._folder = folder
        self._role = folder / _ROLE
        self._asked = folder / _ASKED

    @property
    def promoted_at_seq(self) -> int:
        """Return the sequence from which a promoted folder went on by itself; 0 if it never did."""
        if _ROLE not in self._files.names(self._folder):
            return 0
        return msgspec.json.decode(read_whole(self._files, self._role), type=_Role).promoted_at_seq

    @property
    def is_asked_for(self) -> bool:
        """Say whether somebody asked for it and it was not done yet."""
        return _ASKED in self._files.names(self._folder)

    def ask(self) -> None:
        """Ask whoever follows in this folder to be promoted; raises Conflict once it was."""
        self.check_follows()
        self._write(self._asked, b"")

    def check_follows(self) -> None:
        """Raise Conflict if the folder was promoted: then it must not follow."""
        if seq := self.promoted_at_seq:
            raise Conflict("already_promoted", f"{self._folder} was promoted at sequence {seq} and "
                           "holds what no other server has. To follow with it, empty it first.")

    async def carry_out(self, store: Store, *, jump: int = PROMOTION_JUMP) -> int:
        """Promote the folder of an open store that nobody appends to; return its next sequence.

        Idempotent: one that was promoted says where.
        """
        if not (seq := self.promoted_at_seq):
            seq = store.next_seq + jump
            await store.skip_to(seq)
            self._write(self._role, msgspec.json.encode(_Role(seq)))
        if self.is_asked_for:
            self._files.remove(self._asked)
        return seq

    async def wait(self, *, timeout_s: float, pause: Pause = asyncio.sleep) -> int:
        """Wait until the folder was promoted; return its next sequence. Raises Unavailable."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (seq := self.promoted_at_seq):
                    await pause(STANDBY_ASKED_S)
        except TimeoutError:
            raise Unavailable(f"Nobody promoted {self._folder} within {timeout_s:.0f} s. Does a "
                              "standby run in it? It does what was asked when it starts.") from None
        return seq

    def _write(self, path: Path, content: bytes) -> None:
        temporary = temporary_path(path, "noted")
        write_new(self._files, temporary, [content])
        self._files.rename(temporary, path)
        self._files.sync_folder(self._folder)
