"""Following one activity from the command line: the running house is asked, as any program asks it.

What became of an activity is remembered by the house that runs, in its memory; so it is asked at
the address it listens on. Without a token it tells what everybody may know.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec

from lichen.federation import Delivery, Step, Trail
from lichen.kit import Refused, Unavailable
from lichen.kit.config import Config
from lichen.kit.outbound import Fetched, Outbound

PATH = "/api/lichen/federation/activity"
ANSWER_BYTES_MAX = 4 << 20  # of a trail: five ways to a hundred servers each are 150 kB
ASK_S_MAX = 30.0  # s; a look through the logs of a busy house takes one at most
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}


class _Trouble(msgspec.Struct):
    """What a call answers that was refused."""

    error: str = ""
    message: str = ""


def ask_trail(config: Config, id: str, *, token: str) -> bytes:
    """Return the trail of an activity as JSON; raises Refused and Unavailable with what to do."""
    host = _EVERYWHERE.get(config.server.host, config.server.host)
    url = f"http://{host}:{config.server.port}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = asyncio.run(_ask(config, f"{url}{PATH}?{urlencode({'id': id})}", headers))
    except Unavailable as error:
        raise Unavailable(
            f"No house answers at {url}: {error.text} What became of an activity is known by the "
            "house that runs; start it, or name its --host and --port.") from error
    if answer.status == 200:
        return answer.body
    try:
        said = msgspec.json.decode(answer.body, type=_Trouble)
    except msgspec.DecodeError:
        raise Unavailable(f"{url} answers {answer.status}, not as a Lichen does.") from None
    raise Refused(said.error or "refused", said.message or f"It answered {answer.status}.")


def lines_of(body: bytes) -> Iterator[str]:
    """Yield a trail as a person reads it."""
    trail = msgspec.json.decode(body, type=Trail)
    yield f"{trail.kind or 'An activity'} {f'from {trail.server}' if trail.server else 'from here'}"
    for step in trail.steps:
        yield f"  {_moment(step.at_us)}  {step.words}{_cost(step)}"
    yield from (f"  {note}" for note in trail.notes)
    for passage in trail.passages:
        counted = ", ".join(f"{count} {state}" for state, count in passage.counts.items())
        yield f"{passage.kind}, number {passage.seq}: {counted or 'for nobody now'}"
        yield from (_line(one) for one in passage.deliveries)
        if passage.more:
            yield f"  and {passage.more} more servers"


async def _ask(config: Config, url: str, headers: dict[str, str]) -> Fetched:
    # Our own house may well be on a private address and speak plain HTTP behind its proxy.
    settings = msgspec.structs.replace(config.outbound, private_addresses=True, plain_http=True)
    outbound = Outbound(settings)
    try:
        return await outbound.fetch(url, accept="application/json", bytes_max=ANSWER_BYTES_MAX,
                                    timeout_s=ASK_S_MAX, headers=headers)
    finally:
        await outbound.close()


def _line(one: Delivery) -> str:
    tries = f", {one.tries} tries" if one.tries > 1 else ""
    took = f" ({one.took_us / 1_000:.1f} ms{tries})" if one.tries else ""
    said = f" {one.error}" if one.error else ""
    return f"  {_moment(one.at_us)}  {one.server}: {one.words}{took}{said}"


def _moment(at_us: int) -> str:
    if not at_us:
        return " " * 23
    return f"{datetime.fromtimestamp(at_us / 1_000_000, UTC):%Y-%m-%d %H:%M:%S.%f}"[:23]


def _cost(step: Step) -> str:
    after = "" if step.after_us is None else f" +{step.after_us / 1_000:.1f} ms"
    if not step.round_trips:
        return f" [{after.strip()}]" if after else ""
    shared = f" for {step.shared_by}" if step.shared_by > 1 else ""
    trips = "1 round trip" if step.round_trips == 1 else f"{step.round_trips} round trips"
    return f" [{f'{after.strip()}, ' if after else ''}{trips}{shared}]"
