"""A table of attacks by other servers, sent over HTTP to a running house: each is refused, counted,
and harmless.

Refused: by a status, or after a 202 by the rules. Counted: a figure of the metrics goes up.
Harmless: no row differs, nothing private was called, and the house still answers.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest

from tests.faults.acts_of_others import ACTS
from tests.faults.bombs import BOMBS, by_key_of
from tests.faults.forgeries import FORGERIES
from tests.faults.hostile_server import HostileServer
from tests.faults.reachings import REACHINGS, Row
from tests.faults.scripts import scripts_in
from tests.faults.siege import EVE, Siege
from tests.faults.spells import HTML, LINE, MARKDOWN
from tests.federation.incoming import STONES, act, note, page
from tests.federation.test_authorities import ATTACKS

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SLOW = ("/u/slow", "/u/trickle")  # one says nothing, one a byte now and then
MEMORY_BYTES_MAX = 400 << 20  # of the worker at its highest; it needs some 150 MB
# What is refused at the door already, where a rule below would refuse it too.
AT_THE_DOOR = {"speaks for another server's actor", "follows in ann's name",
               "deals with a report in ben's name", "reacts in ann's name"}


@pytest.fixture(scope="module")
async def siege(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Siege]:
    hostile = HostileServer()
    await hostile.start()
    built = Siege(tmp_path_factory.mktemp("siege"), hostile)
    serving = built.start()
    try:
        await serving.ready()
        async with aiohttp.ClientSession() as session:
            built.session = session
            built.slow = [asyncio.create_task(by_key_of(path)(built)) for path in SLOW]
            await built.settle()
            yield built
    finally:
        serving.end()
        await hostile.stop()


@pytest.mark.parametrize("attack", FORGERIES)
async def test_a_forged_signature_is_refused(siege: Siege, attack: str) -> None:
    forge, statuses, code = FORGERIES[attack]
    headers, body = forge(siege)
    before, rows = await siege.figures(), siege.fingerprint()

    answer = await siege.post(headers, body)

    assert answer.status in statuses, answer
    await siege.counted(f"inbox_{code}_total", since=before.get(f"inbox_{code}_total", 0))
    assert siege.fingerprint() == rows
    assert await siege.is_ready()


@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_nobody_may_do_is_not_done(siege: Siege, attack: str) -> None:
    make, code = ATTACKS[attack]
    status, counter = (403, "inbox_foreign_key_total") if attack in AT_THE_DOOR else (
        202, f"ingest_{code}_total")
    before, rows = await siege.figures(), siege.fingerprint()

    answer = await siege.speak(make(siege.there, siege.here))

    assert answer.status == status, answer
    await siege.counted(counter, since=before.get(counter, 0))
    assert siege.fingerprint() == rows
    assert await siege.is_ready()


@pytest.mark.parametrize("attack", ACTS)
async def test_nobody_acts_for_others(siege: Siege, attack: str) -> None:
    make, status, counter = ACTS[attack]
    before, rows = await siege.figures(), siege.fingerprint()

    answer = await siege.speak(make(siege), key_of=EVE)

    assert answer.status == status, answer
    await siege.counted(counter, since=before.get(counter, 0))
    after = await siege.figures()
    assert sum(_refusals(after).values()) > sum(_refusals(before).values())
    assert siege.fingerprint() == rows
    assert await siege.is_ready()


@pytest.mark.parametrize("attack", REACHINGS)
async def test_nothing_inside_is_reached(siege: Siege, attack: str) -> None:
    await _refused(siege, REACHINGS[attack])

    assert siege.hostile.holes == []


@pytest.mark.parametrize("attack", BOMBS)
async def test_a_bomb_is_not_read(siege: Siege, attack: str) -> None:
    await _refused(siege, BOMBS[attack])


async def _refused(siege: Siege, row: Row) -> None:
    before, rows = await siege.figures(), siege.fingerprint()

    status = await row.act(siege)

    assert status in row.statuses
    await siege.counted(row.counter, since=before.get(row.counter, 0))
    assert siege.fingerprint() == rows or row.writes
    assert await siege.is_ready()


async def test_who_answers_never_holds_nobody_up(siege: Siege) -> None:
    """They were asked for their keys before everything else that is tried here."""
    statuses = await asyncio.gather(*siege.slow)

    assert statuses == [503] * len(SLOW)
    await siege.counted("inbox_unavailable_total", since=0, times=len(SLOW))
    assert await siege.is_ready()


async def test_no_script_comes_through(siege: Siege) -> None:
    """Every text of a post, a comment and a profile from elsewhere is a spell."""
    document = page(EVE, STONES, name=LINE[:190], content="".join(HTML), source=None)
    answer = note(EVE, document["id"], content="".join(HTML),
                  source={"content": "\n\n".join(MARKDOWN), "mediaType": "text/markdown"})
    before = await siege.figures()
    for activity in (act("Create", EVE, document), act("Create", EVE, answer)):
        assert (await siege.speak(activity)).status == 202
    await siege.counted("ingest_applied_total", since=before["ingest_applied_total"], times=2)

    found = await siege.resolve(document["id"])
    shown = await siege.page(f"/post/{found['post']['post']['id']}")

    assert "Number" not in shown and "zqx" in shown
    assert scripts_in(shown) == []


async def test_the_siege_has_cost_little_memory(siege: Siege) -> None:
    assert siege.memory_bytes() < MEMORY_BYTES_MAX


def _refusals(figures: Mapping[str, float]) -> dict[str, float]:
    """Return what counts refusals at the door and behind it."""
    taken = ("inbox_accepted_total", "ingest_applied_total", "inbox_lag_activities")
    return {name: value for name, value in figures.items()
            if name.startswith(("inbox_", "ingest_")) and name not in taken}
