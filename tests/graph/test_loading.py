"""A file of pairs becomes a graph: whatever its lines end with, killed at any chunk, or not at all."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lichen.cli import main
from lichen.graph import Change, ChangesRefused, Direction, Graph, load
from lichen.graph.engine import overlay_of
from lichen.log import LogLocked
from tests.graph.conftest import names

PEOPLE = names(40)
CHUNK_BYTES = 700  # some ten lines
CHILD = """
import os, signal, sys
from pathlib import Path
from lichen.graph import load

chunks = 0
def tell(done, total):
    global chunks
    chunks += 1
    if chunks == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

load(Path(sys.argv[1]), Path(sys.argv[2]), tell=tell, chunk_bytes=700)
"""


def pairs(count: int, seed: int = 3) -> list[tuple[str, str]]:
    chance = random.Random(seed)
    return [(one, other) for one, other in (chance.sample(PEOPLE, 2) for _ in range(count))]


def written(folder: Path, content: str | bytes, name: str = "pairs.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(found: list[tuple[str, str]], end: str = "\n") -> str:
    return "".join(f"{one},{other}{end}" for one, other in found)


def nobody_listens(done: int, total: int) -> None:
    assert 0 <= done <= total


def follows_in(folder: Path) -> set[tuple[str, str]]:
    overlay = overlay_of(folder)
    return {(overlay.name_of(number), name) for number in range(overlay.actors)
            for name in overlay.names_of(overlay.row(number, Direction.FOLLOWING))}


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("is_open", [False, True], ids=["ended", "last line open"])
@pytest.mark.parametrize("chunk_bytes", [30, CHUNK_BYTES, 1 << 20])
def test_rows_may_repeat_and_lines_may_end_as_they_like(
    tmp_path: Path, end: str, is_open: bool, chunk_bytes: int
) -> None:
    found = pairs(40)
    content = lines(found + found[:20], end)
    file = written(tmp_path, content.removesuffix(end) if is_open else content)

    load(tmp_path / "data", file, tell=nobody_listens, chunk_bytes=chunk_bytes)

    assert follows_in(tmp_path / "data") == set(found)
    assert overlay_of(tmp_path / "data").follows == len(set(found))


def test_an_empty_file_is_an_empty_graph(tmp_path: Path) -> None:
    load(tmp_path / "data", written(tmp_path, ""), tell=nobody_listens)

    assert follows_in(tmp_path / "data") == set()


@pytest.mark.parametrize("bad", [
    b"one", b"one,", b",one", b"", b"one,two,three", b"one,\xff", b"one," + b"x" * 2_049,
    b"one," + b"x" * 20_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_bad_line_is_named_by_its_byte_and_the_old_graph_stands(
    tmp_path: Path, bad: bytes, end: bytes
) -> None:
    load(tmp_path / "data", written(tmp_path, "old,graph\n", "old.csv"), tell=nobody_listens)
    good = lines(pairs(40), end.decode()).encode()
    file = written(tmp_path, good + bad + end + b"a,b,c" + end + b"d" + end)

    with pytest.raises(ChangesRefused, match=rf"at byte {len(good)}\b"):
        load(tmp_path / "data", file, tell=nobody_listens, chunk_bytes=CHUNK_BYTES)

    assert follows_in(tmp_path / "data") == {("old", "graph")}


def test_two_names_too_many_here_do_not_make_up_for_two_too_few_there(tmp_path: Path) -> None:
    with pytest.raises(ChangesRefused, match="at byte 4 "):
        load(tmp_path / "data", written(tmp_path, "a,b\nc,d,e\nf\n"), tell=nobody_listens)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", [1, 4])
def test_a_loading_that_was_killed_goes_on_where_it_stopped(tmp_path: Path, chunk: int) -> None:
    found = pairs(100)
    file, data = written(tmp_path, lines(found)), tmp_path / "data"
    load(data, written(tmp_path, "old,graph\n", "old.csv"), tell=nobody_listens)
    died = subprocess.run([sys.executable, "-c", CHILD, str(data), str(file), str(chunk)],
                          check=False, env={**os.environ, "PYTHONPATH": "."})
    before = follows_in(data)
    # What came after the note of how far it is, is cut.
    with (data / "loading" / "names").open("ab") as names_read:
        names_read.write(b"did:plc:half")
    told: list[int] = []

    load(data, file, tell=lambda done, _: told.append(done), chunk_bytes=CHUNK_BYTES)

    assert died.returncode == -signal.SIGKILL
    assert before == {("old", "graph")}, "the old graph stands until the new one is whole"
    assert told[0] > chunk * (CHUNK_BYTES - 70), "it went on where it stopped"
    assert follows_in(data) == set(found)
    assert not (data / "loading").exists()


@pytest.mark.slow
def test_a_file_that_changed_meanwhile_is_read_from_its_start(tmp_path: Path) -> None:
    first, second = lines(pairs(100)), lines(pairs(100, seed=4))
    file, data = written(tmp_path, first), tmp_path / "data"
    subprocess.run([sys.executable, "-c", CHILD, str(data), str(file), "3"], check=False,
                   env={**os.environ, "PYTHONPATH": "."})
    progress = data / "loading" / "progress.json"
    file.write_text(second)

    load(data, file, tell=nobody_listens, chunk_bytes=CHUNK_BYTES)

    assert follows_in(data) == set(pairs(100, seed=4))
    assert not progress.exists()


def test_a_note_of_which_half_is_there_is_no_note(tmp_path: Path) -> None:
    (tmp_path / "data" / "loading").mkdir(parents=True)
    (tmp_path / "data" / "loading" / "progress.json").write_bytes(b'{"file":')

    load(tmp_path / "data", written(tmp_path, "a,b\n"), tell=nobody_listens)

    assert follows_in(tmp_path / "data") == {("a", "b")}


@pytest.mark.anyio
async def test_a_new_file_replaces_the_graph_and_what_was_changed_in_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    load(data, written(tmp_path, "a,b\n"), tell=nobody_listens)
    graph = Graph.open(data)
    await graph.commit([Change("a", "c"), Change("d", "a")])
    with pytest.raises(LogLocked):
        load(data, written(tmp_path, "x,y\n"), tell=nobody_listens)
    await graph.close()

    load(data, written(tmp_path, "x,y\n"), tell=nobody_listens)

    assert follows_in(data) == {("x", "y")}
    graph = Graph.open(data)
    await graph.commit([Change("y", "x")])
    await graph.close()
    assert follows_in(data) == {("x", "y"), ("y", "x")}
    assert [path.name.partition("-")[0] for path in sorted(data.iterdir())] == [
        "CURRENT", "base", "changes", "lock"]


def test_the_commands_load_rebuild_and_answer(tmp_path: Path) -> None:
    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["graph", *words])

    file, data = written(tmp_path, "a,b\nb,a\na,c\nb,c\nb,d\n"), str(tmp_path / "data")
    loaded = run("load", str(file), "--data", data)
    rebuilt = run("rebuild", "--data", data)
    answers = {question: run("query", "--data", data, *question.split()).stdout for question in (
        "followers a", "following a", "counts c", "mutuals a", "does-follow a d",
        "followed-by a c", "suggestions a")}
    bad = run("load", str(written(tmp_path, "a;b\n")), "--data", data)
    locked = run("query", "--data", str(tmp_path / "nothing"), "followers", "a")

    assert (loaded.exit_code, rebuilt.exit_code) == (0, 0), loaded.stderr + rebuilt.stderr
    assert answers == {
        "followers a": "b\n", "following a": "b\nc\n", "counts c": "2 followers\n0 followed\n",
        "mutuals a": "b\n", "does-follow a d": "no\n", "followed-by a c": "1 of whom you follow\nb\n",
        "suggestions a": "d  followed by 1 you follow, likeness 0.500\n"}
    assert bad.exit_code != 0 and "at byte 0" in bad.stderr
    assert locked.exit_code != 0 and "lichen graph load" in locked.stderr
