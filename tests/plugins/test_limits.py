"""Time, memory, failures: a plugin that is ill is never in the way, and not for long."""

import asyncio

import pytest
import structlog

from lichen.events import decode_events, encode_event
from lichen.plugins import Writing
from lichen.plugins.limits import BEFORE_MS_MAX, FAILURES_MAX, FAILURES_WINDOW_US
from tests.plugins.conftest import MIRA, text

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine(request) -> str:
    return "sqlite"


async def ask(room, body="ill"):
    return (await room.plugins.hooks.before_create(MIRA, text(body))).subject.body


def state(room, name="ill"):
    return next(one for one in room.plugins.standings() if one.name == name)


async def test_a_plugin_that_raises_is_passed_over_and_counted(planted):
    room = await planted(ill="ill:raising")

    with structlog.testing.capture_logs() as told:
        assert "ill" == await ask(room)

    assert (1, "ValueError", True) == (
        state(room).failures, state(room).last_failure, state(room).on)
    assert "private" not in str(told)
    assert any("ill.py" in str(one["where"]) for one in told)


@pytest.mark.slow
async def test_a_plugin_that_takes_too_long_is_killed_and_lets_everything_pass(planted, patience):
    room = await planted(ill="ill:endless")
    patience(BEFORE_MS_MAX)

    assert "ill" == await ask(room)

    assert f"took longer than {BEFORE_MS_MAX} ms" == state(room).last_failure
    patience(20_000)
    assert "well" == await ask(room, "well")  # another process answers
    assert (1, 0) == (state(room).failures, room.plugins.hooks.passed_over)
    assert state(room).on


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "said"), [
    ("greedy", "MemoryError"), ("gone", "its process ended"),
])
async def test_a_plugin_that_takes_too_much_memory_or_ends_is_started_anew(planted, kind, said):
    room = await planted(ill=f"ill:{kind}")

    assert "ill" == await ask(room)

    assert said == state(room).last_failure
    assert "well" == await ask(room, "well")  # the house goes on, with another process
    assert (1, True) == (state(room).failures, state(room).on)


async def test_what_a_plugin_prints_is_no_answer(planted):
    room = await planted(ill="ill:chatty")

    assert "ill" == await ask(room)

    assert 0 == state(room).failures


@pytest.mark.parametrize(("kind", "said"), [
    ("meddling", "changed what before_create does not let change"),
    ("mistaken", "changed a field into another type"),
    ("answering", "TypeError"),
])
async def test_an_answer_that_is_none_is_a_failure(planted, kind, said):
    room = await planted(ill=f"ill:{kind}")

    assert "ill" == await ask(room)

    assert said == state(room).last_failure


async def test_an_edit_cannot_wait_for_a_moderator(planted):
    room = await planted(ill="ill:holding")

    await room.plugins.hooks.before_edit(MIRA, Writing(kind="post", id=1, body="x"))

    assert "said hold in before_edit, where nothing can wait" == state(room).last_failure


async def test_a_plugin_that_keeps_failing_is_switched_off_and_reported(planted, store):
    room = await planted(ill="ill:raising", judging="judging")
    events = []

    async def settle(committed):
        events.extend(committed)

    store.settle = settle
    with structlog.testing.capture_logs() as told:
        for _ in range(FAILURES_MAX):
            assert "ill" == await ask(room)

    off = state(room)
    assert (False, FAILURES_MAX) == (off.on, off.failures)
    assert "5 times within an hour" in off.why_off and "ValueError" in off.why_off
    assert "plugin_switched_off" in [one["event"] for one in told]
    assert "lichen.plugin.switch" == decode_events(encode_event(events[0]))[0].collection
    assert float(FAILURES_MAX) == room.plugins.figures()["plugin_failures_total_ill"]
    assert 1.0 == room.plugins.figures()["plugins_on"]
    assert "ill" == await ask(room)  # it is asked no longer
    assert FAILURES_MAX == state(room).failures
    assert "LOUD" == await ask(room, "loud")  # others are


async def test_a_plugin_that_fails_now_and_then_stays(planted, clock):
    room = await planted(ill="ill:raising")

    for _ in range(FAILURES_MAX + 2):
        await ask(room)
        clock.now_us += FAILURES_WINDOW_US // (FAILURES_MAX - 2)

    assert state(room).on


async def test_it_stays_off_after_the_next_start(planted):
    room = await planted(ill="ill:raising")
    for _ in range(FAILURES_MAX):
        await ask(room)

    again = await planted(ill="ill:raising")

    assert not state(again).on
    assert "ValueError" in state(again).why_off


@pytest.mark.parametrize(("kind", "said"), [
    ("unknown", "could not be loaded: PluginValidationError"),
    ("wrapping", "could not be loaded: TypeError"),
    ("nothing_there", "could not be loaded: AttributeError"),
])
async def test_a_plugin_that_does_not_start_is_switched_off(planted, kind, said):
    room = await planted(ill=f"ill:{kind}")

    assert (False, f"It did not start: {said}.") == (state(room).on, state(room).why_off)


@pytest.mark.slow
async def test_a_busy_plugin_is_passed_over_without_blame(planted, patience):
    room = await planted(ill="ill:endless")
    patience(100)

    bodies = await asyncio.gather(*(ask(room) for _ in range(3)))

    assert ["ill"] * 3 == bodies
    assert state(room).failures + room.plugins.hooks.passed_over == 3
    assert state(room).failures >= 1


async def test_a_plugin_sees_nothing_of_the_house(planted, monkeypatch):
    """No variable, so no password in one; no descriptor, so no database."""
    monkeypatch.setenv("LICHEN_ADMIN_PASSWORD", "three odd words")
    room = await planted(ill="ill:snooping")

    variables, _, descriptors = (await ask(room)).partition("|")

    assert {"PYTHONPATH"} == set(variables.split(",")) - {"LC_ALL", "LC_CTYPE"}
    assert len(descriptors.split(",")) <= 6  # three that lead nowhere, two pipes, the folder itself


