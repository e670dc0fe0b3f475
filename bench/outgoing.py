"""Votes that leave: 1,500 on one post, to 100 peers of which 50 take batches.

    python -m bench.outgoing [--votes 1500] [--peers 100] [--delay-ms 0] [--pairs 5]

The activities are in the log already; measured is from the start of sending until every peer has
every vote. Receivers are sockets of another process that read a request, count what is in it and
answer 202: what they cost is taken from the same two cores. Every request is signed with RSA-2048,
so the floor is the time that all cores need to make as many signatures and nothing else, taken in
the same run: rented machines differ threefold.
Three peers can be bad (`--pairs 5`): one hangs, one answers 500, one trickles. The others are
then measured against runs without them: pairs of runs, each time the other one first, and the
median of the pairs' ratios.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench.results import record
from lichen.accounts.keys import generate_keys
from lichen.federation.deeds import Deeds
from lichen.federation.model import Peer, SigningKey
from lichen.federation.outgoing import Outgoing, encode
from lichen.federation.posting import Posting
from lichen.federation.sending import Sending
from lichen.kit.config import Config, Identity, Outbound
from lichen.kit.ground import ground_of
from lichen.log import SegmentLog
from lichen.store import metadata, open_store
from lichen.web import Addresses

GROUP, GROUP_ID, HERE = "http://here.example/c/stones", 7, "http://here.example"
POST = f"{HERE}/post/1"
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"
TRICKLE = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_VOTE = re.compile(rb'"n":(\d+)')
BAD = ["hanging", "broken", "trickling"]
WAIT_S_MAX = 300.0
SIGNED = 500  # signatures made to know what one costs


class Inbox(asyncio.Protocol):
    """One connection of a peer: counts the votes it takes, each once."""

    def __init__(self, got: set[int], manner: str, delay_s: float) -> None:
        self._got = got
        self._manner = manner
        self._delay_s = delay_s
        self._read = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._read += data
        while (head := self._read.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._read, 0, head)
            end = head + 4 + int(found[1] if found else 0)
            if len(self._read) < end:
                return
            body = bytes(self._read[head + 4:end])
            del self._read[:end]
            if self._manner == "quick":
                self._got.update(map(int, _VOTE.findall(body)))
                asyncio.get_running_loop().call_later(self._delay_s, self._say, ANSWER)
            elif self._manner == "broken":
                self._say(BROKEN)
            elif self._manner == "trickling":
                self._say(TRICKLE)

    def _say(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


def receive(
    pipe: Any, peers: int, votes: int, manners: list[str], delay_s: float
) -> None:
    """Run the receivers in a process of their own; tell when everybody has everything."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        got: list[set[int]] = [set() for _ in range(peers)]
        ports = []
        for number, manner in enumerate([*["quick"] * peers, *manners]):
            taken = got[number] if number < peers else set()
            server = await loop.create_server(
                lambda taken=taken, manner=manner: Inbox(taken, manner, delay_s), "127.0.0.1", 0
            )
            ports.append(server.sockets[0].getsockname()[1])
        pipe.send(ports)
        finished: dict[int, float] = {}
        while len(finished) < peers:
            await asyncio.sleep(0.02)
            now = time.time()
            finished |= {
                number: now for number in range(peers)
                if number not in finished and len(got[number]) == votes
            }
        used = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send((sorted(finished.values()), used.ru_utime + used.ru_stime))

    uvloop.run(main())


class Keys:
    """The Group's key."""

    def __init__(self) -> None:
        self._key = SigningKey(f"{GROUP}#main-key", generate_keys().private or "")

    async def signing_key(self, _actor_id: int) -> SigningKey:
        """Return it."""
        return self._key


class Book:
    """Peers in memory."""

    def __init__(self, peers: dict[str, Peer]) -> None:
        self._peers = peers
        self.failures: dict[str, int] = {}

    async def peer(self, authority: str) -> Peer:
        """Return a peer."""
        return self._peers[authority]

    def is_allowed(self, _authority: str) -> bool:
        """Say yes."""
        return True

    def note_success(self, authority: str, *, cursor: int) -> None:
        """Note nothing."""

    def note_failure(self, authority: str, _error: str, *, retry_at_us: int) -> None:
        """Count."""
        self.failures[authority] = self.failures.get(authority, 0) + 1


def vote(number: int, tid: str) -> Outgoing:
    """Return the Announce of a vote as composing makes it."""
    person = f"{HERE}/u/person{number}"
    inner = {"type": "Like", "id": f"{HERE}/activities/like/{tid}", "actor": person,
             "object": POST, "audience": GROUP, "n": number}
    activity = {
        "@context": ["https://join-lemmy.org/context.json",
                     "https://www.w3.org/ns/activitystreams"],
        "type": "Announce", "id": f"{HERE}/activities/announce/{tid}", "actor": GROUP,
        "to": ["https://www.w3.org/ns/activitystreams#Public"], "object": inner,
        "cc": [f"{GROUP}/followers"],
    }
    key = f"vote {person} {POST}"
    return Outgoing(
        source=number + 1, part=1, id=str(activity["id"]), sender=GROUP_ID, community=GROUP_ID,
        activity=msgspec.Raw(json.dumps(activity, separators=(",", ":")).encode()),
        writes=(key,), reads=(POST,), vote=key, fresh=True, batch=GROUP,
    )


async def measure(folder: Path, ports: list[int], votes: int, peers: int) -> dict[str, Any]:
    """Send everything; return the figures of this side."""
    config = Config(identity=Identity(public_url=HERE),
                    outbound=Outbound(private_addresses=True, plain_http=True))
    ground = ground_of(config)
    store = open_store("", folder=folder, clock=ground.clock)
    log = SegmentLog.open(folder / "outgoing", clock=ground.clock)
    await log.append([encode(vote(number, ground.tids.next())) for number in range(votes)])
    known = {
        f"127.0.0.1:{port}": Peer(
            f"127.0.0.1:{port}", shared_inbox=f"http://127.0.0.1:{port}/inbox",
            software="piefed" if number < peers // 2 else "lemmy",
        )
        for number, port in enumerate(ports)
    }
    everybody = frozenset(known)
    posting = Posting(ground.outbound, Keys(), Deeds(Addresses(HERE)), ground.clock,
                      prefer=lambda _authority, _style: None)
    book = Book(known)
    sending = Sending(ground, store, log, peers=book, posting=posting,
                      followers=lambda _: everybody, everybody=lambda: everybody,
                      addresses=Addresses(HERE))
    await sending.start()
    began = time.time()
    used = resource.getrusage(resource.RUSAGE_SELF)
    task = asyncio.create_task(sending.run())
    good = everybody - {f"127.0.0.1:{port}" for port in ports[peers:]}
    async with asyncio.timeout(WAIT_S_MAX):
        while _behind(sending, good, peers):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    after = resource.getrusage(resource.RUSAGE_SELF)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    posting.close()
    await log.close()
    await ground.outbound.close()
    await store.close()
    return {"began": began, "posts": posting.requests,
            "cpu_s": round(after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime, 1),
            "failures": sum(book.failures.values())}


def _behind(sending: Sending, good: frozenset[str], peers: int) -> bool:
    """Say whether any of the good peers has not got everything."""
    states = [one for one in sending.states() if one.authority in good]
    return len(states) < peers or any(one.behind for one in states)


def run(votes: int, peers: int, manners: list[str], delay_s: float) -> dict[str, Any]:
    """Measure one run."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=receive, args=(theirs, peers, votes, manners, delay_s), daemon=True)
    process.start()
    ports = ours.recv()
    folder = Path(tempfile.mkdtemp(prefix="lichen-bench-"))
    try:
        _tables(folder)
        figures = uvloop.run(measure(folder, ports, votes, peers))
        finished, receivers_cpu_s = ours.recv()
    finally:
        process.terminate()
        shutil.rmtree(folder, ignore_errors=True)
    began = figures.pop("began")
    times = [at - began for at in finished]
    return {
        "posts": figures["posts"], "all_s": round(times[-1], 2),
        "peer_p50_s": round(times[len(times) // 2], 2),
        "peer_p99_s": round(times[min(len(times) - 1, int(len(times) * 0.99))], 2),
        "posts_per_s": round(figures["posts"] / times[-1]), "cpu_s": figures["cpu_s"],
        "receivers_cpu_s": round(receivers_cpu_s, 1), "failures": figures["failures"],
    }


def _tables(folder: Path) -> None:
    """Make the tables that sending needs."""
    import sqlalchemy as sa

    database = sa.create_engine(f"sqlite:///{folder / 'lichen.sqlite'}")
    metadata.create_all(database)
    database.dispose()


def signature_ms() -> float:
    """Return the processor time of one RSA-2048 signature, here and now."""
    private = generate_keys().private
    assert private is not None
    key = serialization.load_pem_private_key(private.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    started = time.process_time()
    for _ in range(SIGNED):
        key.sign(b"a line to be signed", padding.PKCS1v15(), hashes.SHA256())
    return (time.process_time() - started) / SIGNED * 1_000


def beside_bad_peers(votes: int, peers: int, pairs: int, delay_s: float) -> dict[str, Any]:
    """Return the median of how much longer good peers wait beside bad ones; print each pair."""
    ratios, failures = [], 0
    for number in range(pairs):
        found: dict[bool, dict[str, Any]] = {}
        for is_beside in (True, False) if number % 2 else (False, True):
            found[is_beside] = run(votes, peers, BAD if is_beside else [], delay_s)
        ratios.append(found[True]["peer_p99_s"] / found[False]["peer_p99_s"])
        failures += found[True]["failures"]
        print(f"pair {number + 1}: p99 {found[True]['peer_p99_s']} s beside three bad peers, "
              f"{found[False]['peer_p99_s']} s without: {ratios[-1]:.3f}", flush=True)
    median = round(statistics.median(ratios), 3)
    print(f"median of {pairs}: {median}")
    return {"bad_p99_ratio": median, "bad_p99_ratios": [round(one, 3) for one in ratios],
            "bad_failures": failures}


def main() -> None:
    """Print the figures and keep them."""
    words = argparse.ArgumentParser()
    words.add_argument("--votes", type=int, default=1_500)
    words.add_argument("--peers", type=int, default=100)
    words.add_argument("--delay-ms", type=float, default=0.0)
    words.add_argument("--pairs", type=int, default=0, help="of runs beside bad peers and without")
    asked = words.parse_args()
    sign_ms = signature_ms()
    figures = run(asked.votes, asked.peers, [], asked.delay_ms / 1_000)
    floor_s = figures["posts"] * sign_ms / 1_000 / (os.cpu_count() or 1)
    figures |= {"signature_ms": round(sign_ms, 3), "floor_s": round(floor_s, 1),
                "ratio_to_floor": round(figures["all_s"] / floor_s, 2)}
    print(f"{asked.votes} votes to {asked.peers} peers: {figures}")
    kept: dict[str, Any] = {f"votes_{name}": value for name, value in figures.items()}
    if asked.pairs:
        kept |= beside_bad_peers(asked.votes, asked.peers - len(BAD), asked.pairs,
                                 asked.delay_ms / 1_000)
    record("outgoing", kept)


if __name__ == "__main__":
    main()
