"""One stream of JetStream, as the log uses it: the few calls of its wire API.

    NAME.block                    blocks, as they were appended: the chain
    NAME.again.POSITION.FIRST.LAST   a block written anew, without what was erased from it
    NAME.mark                     bars the way for appends that may still be under way
    NAME.who                      not kept: whoever appends answers here

A message's place in the stream is its position: NATS calls it the sequence, which here is the
record's. The calls are made by hand, since they fit into a page: NATS docs, "JetStream wire API
Reference"; ADR-31 (direct get).
"""

from base64 import b64decode
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import msgspec

from lichen.log.errors import LogUnavailable
from lichen.log.jetstream_link import Answer, Link, Question, Server
from lichen.log.jetstream_server import VERSION_OF_BATCHES, StreamConfig
from lichen.log.limits import (
    FETCH_BLOCKS_MAX,
    READ_BYTES_ENOUGH,
    SUBJECTS_PAGE_MAX,
    WHO_S_MAX,
)

T = TypeVar("T")

_NO_MESSAGE = 404


class Post(NamedTuple):
    """A message to put into the stream."""

    subject: str
    content: bytes


class Message(NamedTuple):
    """A message that the stream holds."""

    position: int
    subject: str
    content: bytes


class StreamState(msgspec.Struct, frozen=True):
    """Where a stream stands; as the API names it."""

    first_seq: int = 0
    last_seq: int = 0
    bytes: int = 0
    subjects: dict[str, int] | None = None


class _Cluster(msgspec.Struct, frozen=True):
    leader: str = ""


class Failure(msgspec.Struct, frozen=True):
    """An error as the API tells it."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class StreamTold(msgspec.Struct, frozen=True):
    """The answer of STREAM.INFO and STREAM.CREATE."""

    error: Failure | None = None
    config: StreamConfig = StreamConfig()
    state: StreamState = StreamState()
    cluster: _Cluster = _Cluster()
    total: int = 0


class _Acknowledged(msgspec.Struct, frozen=True):
    error: Failure | None = None
    seq: int = 0


class _Done(msgspec.Struct, frozen=True):
    error: Failure | None = None


class _Stored(msgspec.Struct, frozen=True):
    subject: str
    seq: int
    data: str = ""


class _Got(msgspec.Struct, frozen=True):
    error: Failure | None = None
    message: _Stored | None = None


class Stream:
    """A stream by its name, over a link; every call may raise LogUnavailable."""

    def __init__(self, link: Link, name: str) -> None:
        self.link = link
        self.name = name
        self.block_subject = f"{name}.block"
        self.mark_subject = f"{name}.mark"
        self._is_direct = False

    def open(self, replicas: int) -> StreamTold:
        """Return what the stream is, having made it when there is none."""
        told = self._tell("STREAM.INFO", {})
        if told.error is not None and told.error.code == _NO_MESSAGE:
            wanted = StreamConfig(
                name=self.name, num_replicas=replicas,
                subjects=(self.block_subject, f"{self.name}.again.>", self.mark_subject))
            config = msgspec.to_builtins(wanted)
            del config["persist_mode"]  # servers before 2.12 do not know it; it is the default
            told = self._tell("STREAM.CREATE", config)
        told = self._sound(told)
        # With several copies any of them answers directly, and one may lag behind: then only
        # the leader is asked, one message at a time.
        self._is_direct = told.config.allow_direct and told.config.num_replicas == 1
        return told

    def told(self) -> StreamTold:
        """Return what the stream is now."""
        return self._sound(self._tell("STREAM.INFO", {}))

    def subjects_again(self) -> dict[str, int]:
        """Return the subjects of all blocks written anew, with the number of messages of each."""
        found: dict[str, int] = {}
        while True:
            page = {"subjects_filter": f"{self.name}.again.>", "offset": len(found)}
            told = self._sound(self._tell("STREAM.INFO", page))
            found |= told.state.subjects or {}
            if len(found) >= told.total or not told.state.subjects:
                return found
            assert len(told.state.subjects) <= SUBJECTS_PAGE_MAX

    def publish(self, posts: Sequence[Post], *, after: int, server: Server) -> list[int | Failure]:
        """Put messages right behind the position `after`; return where each went, or why not.

        JetStream refuses each that would not come right behind the one before, so of several only
        the first ones are ever stored, and nobody else's come between.
        """
        answers = self.link.ask_all([
            Question(subject, content, {"Nats-Expected-Last-Sequence": str(after + number)})
            for number, (subject, content) in enumerate(posts)], only=server)
        return [_acknowledgement(answer) for answer in answers]

    def at(self, positions: Sequence[int]) -> list[Message | None]:
        """Return the messages at these positions, None where there is none."""
        return self._get([{"seq": position} for position in positions])

    def last_of(self, subjects: Sequence[str]) -> list[Message | None]:
        """Return the newest message of each subject."""
        return self._get([{"last_by_subj": subject} for subject in subjects])

    def next_of(self, subject: str, position: int) -> Message | None:
        """Return the first message of a subject at a position or later."""
        return self._get([{"seq": position, "next_by_subj": subject}])[0]

    def blocks_from(self, position: int) -> list[Message]:
        """Return some of the blocks at a position or later, in order; none at the end."""
        if not self._is_direct or self.link.server.version < VERSION_OF_BATCHES:
            found = self.next_of(self.block_subject, position)
            return [found] if found else []
        query = {"seq": position, "next_by_subj": self.block_subject,
                 "batch": FETCH_BLOCKS_MAX, "max_bytes": READ_BYTES_ENOUGH}
        answers = self.link.ask_for_many(
            Question(f"$JS.API.DIRECT.GET.{self.name}", msgspec.json.encode(query)))
        return [_direct(answer) for answer in answers]

    def erase(self, position: int) -> None:
        """Remove a message and have its bytes overwritten. Idempotent."""
        answer = self._api("STREAM.MSG.DELETE", {"seq": position, "no_erase": False}, _Done)
        # 10043 (400): "sequence not found"; 10057 is said when the copies have none of it.
        if answer.error is not None and "not found" not in answer.error.description:
            raise _failed(answer.error)

    def purge(self, *, before: int = 0, subject: str = "") -> None:
        """Forget everything before a position, or everything of a subject."""
        query: dict[str, object] = {"filter": subject} if subject else {"seq": before}
        answer = self._api("STREAM.PURGE", query, _Done)
        if answer.error is not None:
            raise _failed(answer.error)

    def say_who(self, text: str) -> None:
        """Answer, as long as this stream is open, that it is appended to."""
        self.link.say(f"{self.name}.who", text.encode())

    def who(self) -> str:
        """Return what whoever appends to the stream says of itself; empty when nobody does."""
        try:
            answer = self.link.ask(Question(f"{self.name}.who"), timeout_s=WHO_S_MAX)
        except LogUnavailable:
            return ""  # It no longer answers: it is fenced off, should it ever come back.
        return answer.content.decode()

    def _get(self, queries: "Sequence[dict[str, int | str]]") -> list[Message | None]:
        verb = "DIRECT.GET" if self._is_direct else "STREAM.MSG.GET"
        answers = self.link.ask_all([
            Question(f"$JS.API.{verb}.{self.name}", msgspec.json.encode(query))
            for query in queries])
        if self._is_direct:
            return [None if answer.status == "404" else _direct(answer) for answer in answers]
        return [_from_leader(answer) for answer in answers]

    def _tell(self, verb: str, query: dict[str, object]) -> StreamTold:
        return self._api(verb, query, StreamTold)

    def _sound(self, told: StreamTold) -> StreamTold:
        if told.error is not None:
            raise _failed(told.error)
        return told

    def _api(self, verb: str, query: dict[str, object], kind: type[T]) -> T:
        answer = self.link.ask(
            Question(f"$JS.API.{verb}.{self.name}", msgspec.json.encode(query)))
        return _decoded(answer, kind)


def _decoded(answer: Answer, kind: type[T]) -> T:
    if answer.status:
        raise LogUnavailable(f"JetStream does not answer (status {answer.status}): it is not "
                             "enabled, or has no leader now; mend it, or try again.")
    return msgspec.json.decode(answer.content, type=kind)


def _acknowledgement(answer: Answer) -> int | Failure:
    if answer.status:
        return Failure(code=503, description=f"no stream took it (status {answer.status})")
    told = msgspec.json.decode(answer.content, type=_Acknowledged)
    return told.seq if told.error is None else told.error


def _direct(answer: Answer) -> Message:
    if answer.status:
        raise LogUnavailable(f"JetStream cannot be read (status {answer.status}); try again.")
    return Message(int(answer.headers["Nats-Sequence"]), answer.headers["Nats-Subject"],
                   answer.content)


def _from_leader(answer: Answer) -> Message | None:
    got = _decoded(answer, _Got)
    if got.message is not None:
        return Message(got.message.seq, got.message.subject, b64decode(got.message.data))
    if got.error is not None and got.error.code != _NO_MESSAGE:
        raise _failed(got.error)
    return None


def _failed(error: Failure) -> LogUnavailable:
    return LogUnavailable(f"JetStream refused ({error.err_code}): {error.description}; mend it, "
                          "then try again.")
