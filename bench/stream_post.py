"""How soon a post of the forum reaches a subscriber of the public stream.

    python -m bench.stream_post

A server with its defaults (but for rate limits) on small demo data; one subscriber on its stream's
port, another process's socket. A post is written over the API as apps write it, one after the
other, and its time is taken from before the request is sent until the event has arrived. The floor
is the answer to the request itself, in the same run: the stream hears of a post from the log, after
the commit, so an event may come before the answer does.
"""

import asyncio
import json
import statistics
import time
from typing import Any

import websockets

from bench.load import Connection, post
from bench.results import record
from bench.serving import demo_data, free_port, scratch, serving
from lichen.demo import DEMO_PASSWORD
from lichen.demo.words import person_name

POSTS, WARM = 200, 20


def main() -> None:
    """Run the bench."""
    port = free_port()
    with scratch() as folder:
        data = demo_data(folder / "small", size="small")
        with serving(data, stream_port=port) as server:
            login = {"username_or_email": person_name(0), "password": DEMO_PASSWORD}
            session: Any = server.ask("user/login", login)
            token = str(session["jwt"])
            found: Any = server.ask("community/list?type_=Local&limit=1", token=token)
            community = int(found["communities"][0]["community"]["id"])
            figures = asyncio.run(measured(server.port, port, token, community))
    for name, value in figures.items():
        print(f"{name:28} {value}")
    record("stream_post", figures)


async def measured(port: int, stream_port: int, token: str,
                   community: int) -> dict[str, object]:
    """Write posts, and wait for each of them on the stream."""
    arrived: asyncio.Queue[tuple[str, float]] = asyncio.Queue(POSTS)
    answered: list[float] = []
    taken: list[float] = []
    address = (f"ws://127.0.0.1:{stream_port}/subscribe?wantedCollections=lichen.forum.post")
    async with websockets.connect(address) as subscription:
        listening = asyncio.create_task(_listen(subscription, arrived))
        connection = Connection("127.0.0.1", port)
        for number in range(POSTS):
            name = f"A post that is waited for, number {number}"
            body = json.dumps({"name": name, "community_id": community}).encode()
            started = time.perf_counter()
            status, answer = await connection.ask(post("/api/v3/post", body, token=token))
            answered.append((time.perf_counter() - started) * 1_000)
            assert status == 200, answer[:200]
            async with asyncio.timeout(5):
                said, moment = await arrived.get()
            assert said == name, f"{said} came instead of {name}"
            taken.append((moment - started) * 1_000)
        connection.close()
        listening.cancel()
    return {
        "post_to_subscriber_p50_ms": round(statistics.median(taken[WARM:]), 2),
        "post_to_subscriber_p99_ms": round(statistics.quantiles(taken[WARM:], n=100)[98], 2),
        "answer_p50_ms": round(statistics.median(answered[WARM:]), 2),
        "ratio_to_answer": round(statistics.median(taken[WARM:])
                                 / statistics.median(answered[WARM:]), 2),
    }


async def _listen(subscription: websockets.ClientConnection,
                  arrived: asyncio.Queue[tuple[str, float]]) -> None:
    async for message in subscription:
        moment = time.perf_counter()
        arrived.put_nowait((json.loads(message)["commit"]["record"]["name"], moment))


if __name__ == "__main__":
    main()
