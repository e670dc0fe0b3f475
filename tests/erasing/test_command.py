"""`lichen erase`: carries out what it is told, or hands it to the house that runs."""

import asyncio
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lichen.cli import main
from lichen.erasing import Step
from tests.erasing.decoding import traces
from tests.faces.lemmy_v3.town import Person, Town, opened

MARKER = "quokkaphonix"


async def write(town: Town) -> Person:
    author = await town.person("author")
    await town.post(author, await town.community(author), name=f"About {MARKER}")
    return author


async def found_town(folder: Path) -> str:
    async with opened(folder, "") as town:
        return (await write(town)).name


def run(*words: str) -> str:
    result = CliRunner().invoke(main, [*words])
    return result.output


@pytest.mark.slow
def test_it_erases_where_no_house_runs_and_lists_what_it_did(tmp_path: Path) -> None:
    name = asyncio.run(found_town(tmp_path))
    data = tmp_path / "data"

    said = run("erase", "person", name, "--yes", "--data", str(data))
    listed = run("erase", "list", "--data", str(data))

    assert f"person {name} is erased." in said
    assert ", done, 2 things" in listed, "a post and an account"
    assert traces(MARKER, data) == []


@pytest.mark.slow
@pytest.mark.anyio
async def test_beside_a_running_house_it_only_asks(tmp_path: Path) -> None:
    async with opened(tmp_path, "") as town:
        author = await write(town)

        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from lichen.cli import main; main()", "erase", "person",
            author.name, "--yes", "--data", str(tmp_path / "data"),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        await town.house.eraser.work()
        (done,) = await town.house.store.read(town.house.eraser.erasures.newest)

    assert b"within seconds" in said
    assert done.step is Step.DONE
    assert traces(MARKER, tmp_path / "data") == []


@pytest.mark.slow
def test_it_refuses_what_is_not_there_and_the_last_administrator(tmp_path: Path) -> None:
    asyncio.run(found_town(tmp_path))
    data = str(tmp_path / "data")
    run("admin", "create", "root", "--password", "three odd words", "--data", data)

    nobody = run("erase", "person", "nobody", "--yes", "--data", data)
    last = run("erase", "person", "root", "--yes", "--data", data)
    number = run("erase", "post", "one", "--yes", "--data", data)
    unsure = run("erase", "person", "root", "--data", data)

    assert "Nobody is called nobody." in nobody
    assert "the last administrator" in last
    assert "A number was expected" in number
    assert "Aborted" in unsure
