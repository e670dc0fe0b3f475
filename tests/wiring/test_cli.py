"""The command line teaches its own use, says no in one line, and stays small."""

import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import lichen
from lichen.cli import main
from lichen.kit.limits import limits_of

# What the parent process of a serving house must not have imported before it serves.
HEAVY = ("sqlalchemy", "litestar", "numpy", "aiohttp", "psycopg", "granian", "cryptography")


def run(*words: str, folder: Path | None = None, **variables: str) -> Result:
    where = ["--data", str(folder)] if folder else []
    return CliRunner().invoke(main, [*words, *where], env=variables)


def commands(group: click.Group, *path: str) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, *path, name)
        else:
            found.append(((*path, name), command))
    return found


def test_the_commands_are_those_that_the_manual_promises() -> None:
    names = {" ".join(path) for path, _ in commands(main)}

    assert names == {
        "serve", "config", "plugins", "limits", "doctor bundle", "doctor database", "doctor federation", "doctor foreign", "drill post-mortem", "rebuild", "backup", "restore", "upgrade",
        "downgrade", "demo", "erase person", "erase post", "erase comment", "erase message",
        "erase list", "erase proposal", "export", "import", "admin create", "admin password", "admin promote", "admin ban",
        "federation catch-up", "stream serve", "stream tail", "stream count", "stream replay",
        "stream loadtest", "stream sizes", "stream promote", "stream train",
        "graph load", "graph serve", "graph query", "graph rebuild", "timeline bench",
    }


@pytest.mark.parametrize("path", [path for path, _ in commands(main)], ids=" ".join)
def test_every_command_teaches_its_use_with_an_example(path: tuple[str, ...]) -> None:
    shown = run(*path, "--help")

    assert shown.exit_code == 0
    assert f"Example:  lichen {' '.join(path)}" in shown.output


def test_serve_takes_the_fixed_words() -> None:
    shown = run("serve", "--help").output

    for word in ("--data", "--host", "--port", "--stream-port", "--metrics-port", "--profile"):
        assert word in shown
    assert "[default|testbed]" in shown


def test_the_configuration_that_is_printed_can_be_saved_and_used(tmp_path: Path) -> None:
    first = run("config", "--port", "77", "--profile", "testbed", folder=tmp_path,
                LICHEN_HOSTS="a=1.2.3.4")
    (tmp_path / "lichen.toml").write_text(first.output)

    second = run("config", folder=tmp_path)

    assert second.output == first.output
    assert tomllib.loads(first.output)["server"]["port"] == 77


def test_a_mistake_is_told_in_one_line_and_by_the_exit_code(tmp_path: Path) -> None:
    for shown in (run("config", LICHEN_PROT="1"), run("config", "--config", "/nowhere.toml"),
                  run("backup", str(tmp_path / "b"), folder=tmp_path / "none")):
        assert shown.exit_code == 1
        assert shown.stderr.startswith("lichen: ")
        assert shown.stderr.count("\n") == 1
        assert "Traceback" not in shown.output


def test_limits_are_shown_for_all_rooms_or_for_one() -> None:
    everything, kit = run("limits").output, run("limits", "kit").output

    assert "redirects_max" in kit and "redirects_max" in everything
    assert {line.split()[0] for line in kit.splitlines()} == {"room", "kit"}
    assert run("limits", "cellar").exit_code == 2


def test_every_limit_has_a_reason() -> None:
    without = [limit for limit in limits_of(Path(lichen.__file__).parent) if not limit.why]

    assert without == []


def test_the_doctor_answers_by_the_exit_code(tmp_path: Path) -> None:
    well = run("doctor", "--port", "1024", folder=tmp_path / "new")
    ill = run("doctor", folder=tmp_path / "new", LICHEN_PUBLIC_URL="https://forum.invalid")

    assert (well.exit_code, ill.exit_code) == (0, 1)
    assert "[ ILL ] name" in ill.output
    assert "→" in ill.output


def test_the_doctor_alone_teaches_its_use_too() -> None:
    shown = run("doctor", "--help").output

    assert "Example:  lichen doctor --data" in shown


def test_the_command_line_is_light(tmp_path: Path) -> None:
    code = f"import sys, lichen.cli; print([m for m in {HEAVY} if m in sys.modules])"

    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=30)

    assert found.stdout.strip() == "[]"


def test_an_administrator_is_made_banned_and_forgiven_without_a_server(tmp_path: Path) -> None:
    secret = "correct horse battery"
    made = CliRunner().invoke(
        main, ["admin", "create", "ada", "--data", str(tmp_path)], input=f"{secret}\n{secret}\n")
    again = run("admin", "create", "ada", "--password", secret, folder=tmp_path)
    changed = run("admin", "password", "ada", "--password", "another horse", folder=tmp_path)
    unknown = run("admin", "promote", "nobody", folder=tmp_path)
    banned = run("admin", "ban", "ada", "--for", "7d", "--reason", "A test.", folder=tmp_path)
    span = run("admin", "ban", "ada", "--for", "soon", folder=tmp_path)
    forgiven = run("admin", "ban", "ada", "--undo", folder=tmp_path)
    last = run("admin", "promote", "ada", "--undo", folder=tmp_path)

    assert [one.exit_code for one in (made, changed, banned, forgiven)] == [0, 0, 0, 0]
    assert [one.exit_code for one in (again, unknown, span, last)] == [1, 1, 1, 1]
    assert secret not in made.output
    assert "needs an administrator" in last.stderr


def test_catching_up_is_asked_for_without_a_server(tmp_path: Path) -> None:
    unknown = run("federation", "catch-up", "peer.example", folder=tmp_path)
    with sqlite3.connect(tmp_path / "lichen.sqlite") as rows:
        names = [row[1] for row in rows.execute("PRAGMA table_info(peer)")]
        rows.execute(f"INSERT INTO peer ({', '.join(names)}) VALUES ('peer.example'"
                     f"{', 0' * (len(names) - 1)})")

    asked = run("federation", "catch-up", "peer.example", folder=tmp_path)

    with sqlite3.connect(tmp_path / "lichen.sqlite") as rows:
        found = rows.execute("SELECT authority, begun FROM catch_up").fetchall()
    assert (unknown.exit_code, asked.exit_code, found) == (1, 0, [("peer.example", 0)])
    assert "/federation/peer.example says how it goes" in asked.output
