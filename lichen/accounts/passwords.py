"""Passwords: argon2id, two at once, away from the event loop.

A hash costs 19 MiB and about 25 ms, so that a stolen table is worth little; two threads and a
bounded queue keep a flood of logins from taking the machine. bcrypt hashes, as a Lemmy server keeps
them, are accepted, and `needs_new_hash` says that it is time to replace one.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from lichen.accounts.limits import HASHES_WAITING_MAX
from lichen.kit import TooMany

T = TypeVar("T")

# OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane.
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1

THREADS = 2

_BCRYPT_BYTES_MAX = 72  # bcrypt reads no further; Lemmy's cuts silently, ours would raise

# The hash of a random text that nobody kept: verified where there is no account, so that an unknown
# name takes as long as a wrong password.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$ebmPFdUrIc1IDWf3Fe/Lrg$vWR8kMAqVr6RByBJQYvyrlOKWeHdSTfNfHkjSB9URfA"
)


class Passwords:
    """Hashes and verifies passwords on threads of its own.

    `memory_kib` is lowered by tests alone.
    """

    def __init__(self, *, memory_kib: int = MEMORY_KIB) -> None:
        self._hasher = PasswordHasher(
            time_cost=PASSES, memory_cost=memory_kib, parallelism=LANES, type=Type.ID
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="password")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Return the argon2id hash of a password; raises TooMany when the queue is full."""
        return await self._in_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Say whether the password fits the hash; None (no such account) costs the same time."""
        known = await self._in_thread(self._fits, password_hash or _NOBODY, password)
        return known and password_hash is not None

    def needs_new_hash(self, password_hash: str) -> bool:
        """Say whether the hash is not argon2id at today's cost."""
        try:
            return self._hasher.check_needs_rehash(password_hash)
        except InvalidHashError:
            return True

    def close(self) -> None:
        """End the threads after what they are doing."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            if password_hash.startswith("$2"):
                secret = password.encode()[:_BCRYPT_BYTES_MAX]
                return bcrypt.checkpw(secret, password_hash.encode())
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError, ValueError):
            return False

    async def _in_thread(self, function: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= HASHES_WAITING_MAX:
            raise TooMany(text="Too many people log in at this moment; try again in a second.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, function, *arguments)
        finally:
            self._waiting -= 1
