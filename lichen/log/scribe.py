"""The scribe: the one thread that writes, and the queue before it.

Group commit: it takes all appends that wait, has them written and synced as one, and then tells
each caller its part; what comes meanwhile waits for the next round. Other work (an erasure, a trim)
is done between two rounds, in the order it came.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain
from traceback import format_tb
from typing import Any, TypeVar

import structlog

from lichen.kit import Broken, LichenError
from lichen.log.contract import Appended
from lichen.log.errors import LogUnavailable
from lichen.log.limits import COMMIT_BYTES_MAX, PENDING_BYTES_MAX

logger = structlog.get_logger()

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Append:
    """Payloads that wait for their commit."""

    payloads: Sequence[bytes]
    size: int
    done: "Future[Appended]" = field(default_factory=Future)


@dataclass(slots=True, eq=False)
class _Work:
    """Anything else that only the scribe may do."""

    act: Callable[[], Any]
    size: int = 0
    done: "Future[Any]" = field(default_factory=Future)


class Scribe:
    """Runs commits and other work, one after the other, on a thread of its own.

    `commit` writes payloads durably. `committed` is called after each commit, before its callers
    are told. Both run on the scribe's thread.
    """

    def __init__(self, commit: Callable[[Sequence[bytes]], Appended],
                 committed: Callable[[], None]) -> None:
        self._commit = commit
        self._committed = committed
        self._waiting: deque[_Append | _Work] = deque()
        self._waiting_bytes = 0
        self._more = threading.Condition()
        self._is_closed = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="log", daemon=True)
        self._thread.start()

    def append(self, payloads: Sequence[bytes], size: int) -> "Future[Appended]":
        """Queue payloads of `size` bytes together; the future says where they went."""
        job = _Append(payloads, size)
        self._put(job)
        return job.done

    def do(self, act: Callable[[], T]) -> "Future[T]":
        """Queue any other work."""
        job = _Work(act)
        self._put(job)
        return job.done

    def close(self) -> None:
        """Finish what waits, take nothing more, and wait for the end. Idempotent."""
        with self._more:
            self._is_closed = True
            self._more.notify()
        self._thread.join()

    def _put(self, job: _Append | _Work) -> None:
        with self._more:
            if self._failure is not None:
                raise Broken("The log stopped after a failure of its own; start again."
                             ) from self._failure
            if self._is_closed:
                raise LogUnavailable("The log is closed.")
            if self._waiting_bytes + job.size > PENDING_BYTES_MAX:
                raise LogUnavailable("The disk does not keep up with the log; try again later.")
            self._waiting.append(job)
            self._waiting_bytes += job.size
            self._more.notify()

    def _serve(self) -> None:
        while jobs := self._next_jobs():
            wanted = [job for job in jobs if job.done.set_running_or_notify_cancel()]
            try:
                self._do(wanted)
            # The outermost loop. The world's failures and refusals are the caller's to handle;
            # anything else is a fault of ours: nothing may be written after it.
            except Exception as error:
                if isinstance(error, Broken) or not isinstance(error, LichenError):
                    self._stop(error)
                for job in wanted:
                    job.done.set_exception(error)

    def _next_jobs(self) -> "list[_Append | _Work]":
        """Wait for work; return all appends that may share a commit, or one other; none at the end.
        """
        with self._more:
            self._more.wait_for(lambda: self._waiting or self._is_closed)
            jobs: list[_Append | _Work] = []
            size = 0
            while self._waiting:
                job = self._waiting[0]
                size += job.size
                if jobs and (isinstance(job, _Work) or size > COMMIT_BYTES_MAX):
                    break
                jobs.append(self._waiting.popleft())
                self._waiting_bytes -= job.size
                if isinstance(job, _Work):
                    break
            return jobs

    def _do(self, jobs: "Sequence[_Append | _Work]") -> None:
        for job in jobs:
            if isinstance(job, _Work):
                job.done.set_result(job.act())
                return
        appends = [job for job in jobs if isinstance(job, _Append)]
        if not appends:
            return
        whole = self._commit(list(chain.from_iterable(job.payloads for job in appends)))
        self._committed()
        offset = 0
        for job in appends:
            last = offset + len(job.payloads) - 1
            job.done.set_result(Appended(whole.first_seq + offset, whole.first_seq + last,
                                         whole.first_time_us + offset, whole.first_time_us + last))
            offset = last + 1
        assert whole.first_seq + offset - 1 == whole.last_seq

    def _stop(self, error: Exception) -> None:
        logger.critical("log.broken", error=type(error).__name__,
                        where=format_tb(error.__traceback__))
        with self._more:
            self._failure = error
