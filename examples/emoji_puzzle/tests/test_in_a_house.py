"""The puzzle in a whole house, by HTTP, played by people whose browsers know no script."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from emoji_puzzle.plugin import SEED
from emoji_puzzle.puzzle import GUESSES_MAX, puzzle_of

from lichen.cli import main
from tests.faces.pages.garden import PASSWORD, Garden, Guest, opened, words
from tests.plugins.planting import plant

pytestmark = pytest.mark.anyio

HOME = "/x/emoji-puzzle"
ROOT = Path(__file__).parents[1]
POINT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch) -> None:
    """Let the entry point of the package be found, as if it had been installed."""
    ((name, value),) = POINT["lichen.plugins"].items()
    plant(tmp_path / "site", name, value, version="1.0.0")
    monkeypatch.syspath_prepend(tmp_path / "site")


@pytest.fixture
async def garden(installed, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("lichen.plugins.judges.PAGE_MS_MAX", 20_000)
    async with opened(tmp_path / "house") as garden:
        gardener = Guest(garden.house, "gardener")
        await gardener.send("/login", {"name": "gardener", "password": PASSWORD})
        switched = await gardener.send("/admin/plugins", {"name": "emoji-puzzle", "on": "1"})
        assert switched.status_code == 303
        yield garden


def word_of(garden: Garden) -> str:
    from datetime import UTC, datetime

    now = datetime.fromtimestamp(garden.house.store.clock() / 1e6, UTC)
    return puzzle_of(now.date(), SEED).word


@pytest.mark.slow
async def test_a_member_guesses_wrong_then_right_and_has_a_streak(garden):
    member = await garden.person()

    first = words((await member.see(HOME)).text)
    assert "6 left" in first and "Streak: 0" in first
    wrong = await member.send(HOME, {"guess": "<b>lichen</b>"})
    assert (wrong.status_code, wrong.headers["location"]) == (303, HOME)
    again = (await member.see(HOME)).text
    assert "Not yet. Here is one more letter." in words(again) and "5 left" in words(again)
    assert "<s>&lt;b&gt;lichen&lt;/b&gt;</s>" in again
    await member.send(HOME, {"guess": f" {word_of(garden).upper()} "})
    solved = words((await member.see(HOME)).text)

    assert f"Yes: {word_of(garden)}." in solved
    assert "Streak: 1 , the longest: 1" in solved.replace("Streak: 1,", "Streak: 1 ,")
    assert "Guess" not in solved


@pytest.mark.slow
async def test_guesses_end_and_then_the_word_is_told(garden):
    member = await garden.person()

    for number in range(GUESSES_MAX + 1):
        await member.send(HOME, {"guess": f"guess {chr(97 + number)}"})

    told = words((await member.see(HOME)).text)
    assert f"It was {word_of(garden)}" in told
    assert "guess g" not in told


@pytest.mark.slow
async def test_strangers_play_without_a_streak(garden):
    stranger = garden.stranger()

    page = await stranger.see(HOME)
    right = await stranger.send(HOME, {"guess": word_of(garden)})

    assert "Members keep a streak." in words(page.text)
    assert (right.status_code, "Yes:" in words(right.text)) == (200, True)
    assert "<form" in page.text and f'action="{HOME}"' in page.text
    assert (await stranger.see(HOME + "/archive")).status_code == 200
    assert (await stranger.see(HOME + "/nowhere")).status_code == 404
    assert f'href="{HOME}"' in (await stranger.see("/places")).text


def test_the_shell_shows_the_puzzle_too(installed):
    shown = CliRunner().invoke(main, ["emoji-puzzle", "--day", "2026-11-24", "--solved"])

    assert shown.exit_code == 0, shown.output
    from datetime import date

    assert puzzle_of(date(2026, 11, 24), SEED).word in shown.output
