"""The connection to a NATS server: on a thread and an event loop of its own.

The log reads on any thread and writes on the scribe's, and both wait for an answer; so everything
here is synchronous and may be called on any thread but the connection's own. A lost connection is
said at once (`LogUnavailable`), never waited for: nothing is sent twice behind the caller's back,
and the next question connects anew. nats-py is imported on first use.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import urlsplit

import uvloop

from lichen.log.errors import LogUnavailable, ServerRefused
from lichen.log.limits import ANSWER_S_MAX, CONNECT_S_MAX, PING_INTERVAL_S, RECONNECT_INTERVAL_S

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

T = TypeVar("T")


class Question(NamedTuple):
    """One message to send, to which one answer is awaited."""

    subject: str
    content: bytes = b""
    headers: dict[str, str] | None = None


class Answer(NamedTuple):
    """What came back. `status` is empty but for the server's own words, as "404"."""

    content: bytes
    headers: dict[str, str]

    @property
    def status(self) -> str:
        """Return the status of an answer without content."""
        return self.headers.get("Status", "")


class Server(NamedTuple):
    """Whom we are connected to; another start of a server is another `id`."""

    id: str
    name: str
    version: tuple[int, ...]
    message_bytes_max: int


class Link:
    """A connection that is made again when it is lost; answers asked subjects while it stands."""

    def __init__(self, url: str) -> None:
        """Connect. Raises LogUnavailable, and ServerRefused without nats-py."""
        try:
            import nats  # noqa: F401  said here, in words, instead of at the first question
        except ImportError as error:
            raise ServerRefused("The log on NATS needs nats-py; pip install lichen[nats]."
                                ) from error
        self._urls = [part.strip() for part in url.split(",")]
        self._client: Client | None = None
        self._server: Server | None = None
        self._said: dict[str, bytes] = {}
        self._waiting: set[asyncio.Task[Answer]] = set()
        self._is_closed = False
        self._keeping: Future[None] | None = None
        self._heard = ""
        self._loop = uvloop.new_event_loop()
        self._connecting = asyncio.Lock()
        self._lost = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        try:
            self._call(self._connected())
        except BaseException:
            self.close()
            raise
        self._keeping = asyncio.run_coroutine_threadsafe(self._keep(), self._loop)

    @property
    def place(self) -> str:
        """Return where the server is, without passwords."""
        return ",".join(urlsplit(url).netloc.rpartition("@")[2] or url for url in self._urls)

    @property
    def server(self) -> Server:
        """Return the server that was connected to last."""
        assert self._server is not None
        return self._server

    @property
    def is_connected(self) -> bool:
        """Say whether the connection stands, as far as is known here."""
        return self._client is not None and self._client.is_connected

    def ask(self, question: Question, *, timeout_s: float = ANSWER_S_MAX) -> Answer:
        """Send one message and return the answer."""
        return self.ask_all([question], timeout_s=timeout_s)[0]

    def ask_all(self, questions: Sequence[Question], *, only: Server | None = None,
                timeout_s: float = ANSWER_S_MAX) -> list[Answer]:
        """Send messages, one right after the other, and return their answers in order.

        Nothing is sent when `only` is not (or no longer) the server that is there. Raises
        LogUnavailable when any of them stays unanswered; the others may have arrived.
        """
        if self._is_closed:
            return self._briefly(lambda link: link.ask_all(questions, timeout_s=timeout_s))
        return self._call(self._ask_all(questions, only, timeout_s))

    def ask_for_many(self, question: Question) -> list[Answer]:
        """Send one message and return all answers, up to one with a status, which is left out."""
        if self._is_closed:
            return self._briefly(lambda link: link.ask_for_many(question))
        return self._call(self._ask_for_many(question))

    def say(self, subject: str, content: bytes) -> None:
        """Answer whoever asks this subject, as long as this link is open."""
        self._said[subject] = content

        async def subscribe() -> None:
            await _subscribe(await self._connected(), subject, content)

        self._call(subscribe())

    def close(self) -> None:
        """End the connection and its thread; questions are then asked on brief ones. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _briefly(self, ask: Callable[["Link"], T]) -> T:
        """Ask on a connection for this question alone: a closed log can still be read."""
        with contextlib.closing(Link(",".join(self._urls))) as link:
            return ask(link)

    def _call(self, work: Awaitable[T]) -> T:
        async def run() -> T:
            return await work

        try:
            return asyncio.run_coroutine_threadsafe(run(), self._loop).result()
        except CancelledError:
            raise LogUnavailable(f"The connection to NATS at {self.place} was lost; what was asked "
                                 "is unanswered. Try again.") from None

    async def _connected(self) -> "Client":
        """Return the standing connection, or a new one. Raises LogUnavailable."""
        import nats
        import nats.errors

        async with self._connecting:
            if self._client is not None and self._client.is_connected:
                return self._client
            try:
                # The attempts are bounded even for the first connection, which is tried for ever
                # otherwise, whatever `allow_reconnect` says.
                client = await asyncio.wait_for(nats.connect(
                    self._urls, name="lichen", allow_reconnect=False, error_cb=self._hear,
                    closed_cb=self._lose, connect_timeout=CONNECT_S_MAX,
                    ping_interval=PING_INTERVAL_S, max_reconnect_attempts=1, reconnect_time_wait=0,
                ), 2 * CONNECT_S_MAX * len(self._urls))
            except (OSError, TimeoutError, nats.errors.Error) as error:
                raise LogUnavailable(f"NATS at {self.place} does not answer "
                                     f"({self._heard or error}); start it, or mend "
                                     "`log.nats_url`.") from error
            # Not offered in public; every INFO has these (NATS client protocol, "INFO").
            told = client._server_info
            version = tuple(int(part) for part in
                            str(told["version"]).split("-")[0].split(".")[:3])
            self._server = Server(told["server_id"], told["server_name"], version,
                                  client.max_payload)
            for subject, content in self._said.items():
                await _subscribe(client, subject, content)
            self._lost.clear()
            self._client = client
            return client

    async def _keep(self) -> None:
        """Connect again whenever the connection was lost, so that `say` goes on being answered."""
        while True:
            await self._lost.wait()
            await asyncio.sleep(RECONNECT_INTERVAL_S)
            with contextlib.suppress(LogUnavailable):
                await self._connected()

    async def _hear(self, error: Exception) -> None:
        """Remember what went wrong last: whoever asks next is told."""
        self._heard = str(error)

    async def _lose(self) -> None:
        """Let nobody wait for answers that cannot come any more."""
        self._lost.set()
        for task in self._waiting:
            task.cancel()

    async def _ask_all(self, questions: Sequence[Question], only: Server | None,
                       timeout_s: float) -> list[Answer]:
        client = await self._connected()
        if only is not None and self._server != only:
            raise LogUnavailable("NATS was started anew; try again.")
        tasks = [asyncio.ensure_future(_answer(client, question, timeout_s))
                 for question in questions]
        self._waiting.update(tasks)
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            self._waiting.difference_update(tasks)

    async def _ask_for_many(self, question: Question) -> list[Answer]:
        client = await self._connected()
        answers: list[Answer] = []
        ended = asyncio.get_running_loop().create_future()

        async def take(message: "Msg") -> None:
            answers.append(Answer(message.data, message.headers or {}))
            if answers[-1].status and not ended.done():
                ended.set_result(None)

        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox, cb=take)
        task = asyncio.ensure_future(_all_of(ended, answers))
        self._waiting.add(task)
        try:
            await client.publish(question.subject, question.content, reply=inbox)
            last = await asyncio.wait_for(task, ANSWER_S_MAX)
        except TimeoutError as error:
            raise LogUnavailable(f"NATS did not finish its answer within {ANSWER_S_MAX} s; "
                                 "try again.") from error
        finally:
            self._waiting.discard(task)
            if client.is_connected:
                await subscription.unsubscribe()
        if last.status not in ("204", "404"):
            raise LogUnavailable(f"NATS answered {last.headers}; try again.")
        return answers[:-1]

    async def _end(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
        if self._client is not None:
            await self._client.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


async def _answer(client: "Client", question: Question, timeout_s: float) -> Answer:
    """Send one message and wait for its answer. Raises LogUnavailable."""
    import nats.errors

    try:
        message = await client.request(question.subject, question.content, timeout=timeout_s,
                                       headers=question.headers)
    except (TimeoutError, nats.errors.TimeoutError) as error:
        raise LogUnavailable(f"NATS did not answer {question.subject} within {timeout_s} s; "
                             "try again.") from error
    except nats.errors.NoRespondersError:
        return Answer(b"", {"Status": "503"})
    except (OSError, nats.errors.Error) as error:
        raise LogUnavailable(f"NATS did not take {question.subject} ({error}); try again."
                             ) from error
    return Answer(message.data, message.headers or {})


async def _all_of(ended: "asyncio.Future[None]", answers: list[Answer]) -> Answer:
    """Wait for the last answer and return it."""
    await ended
    return answers[-1]


async def _subscribe(client: "Client", subject: str, content: bytes) -> None:
    async def answer(message: "Msg") -> None:
        await message.respond(content)

    await client.subscribe(subject, cb=answer)
    await client.flush()
