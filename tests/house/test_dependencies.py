"""Every dependency says why; every pin has a hash and names no place it came from."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.house.sources import DOCS, PACKAGE, ROOT, table

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-test.lock")


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", one)[0].lower() for one in requirements}


def explained(heading: str) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in table("dependencies.md", heading)}


def pinned(lock: str) -> set[str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {name.lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)}


def test_what_we_run_with_is_what_is_explained() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    engines = [one for extra, several in extras.items() if extra != "test" for one in several]

    assert names(PROJECT["project"]["dependencies"] + engines) == explained("To run").keys()


def test_what_we_test_and_build_with_is_what_is_explained() -> None:
    assert names(PROJECT["project"]["optional-dependencies"]["test"]) == explained("To test").keys()
    assert names(PROJECT["build-system"]["requires"]) == explained("To build").keys()


def test_every_explanation_says_for_what_why_and_what_else() -> None:
    for heading in ("To run", "To test", "To build"):
        for name, cells in explained(heading).items():
            assert len(cells) == 3 and all(cells), name


def test_what_others_wrote_and_we_carry_is_named_with_its_licence() -> None:
    folder = PACKAGE / "faces" / "pages" / "static"
    licences = (folder / "LICENSES.txt").read_text(encoding="utf-8")

    for name, _what, licence in table("dependencies.md", "Kept in the tree"):
        path = PACKAGE / name.strip("`")
        assert path.exists(), name
        assert path.name in licences and licence in licences, name


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_everything_with_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = re.findall(r"^[A-Za-z0-9_.-]+(?:\[[a-z,]+\])?==.+(?:\n    .+)*", text, re.MULTILINE)

    assert pins
    assert all("--hash=sha256:" in pin for pin in pins)
    assert names(PROJECT["project"]["dependencies"]) <= {
        re.split(r"[\[=]", pin)[0].lower() for pin in pins}


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_no_address_of_a_registry(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|--trusted-host", text) == []


def test_the_tests_install_what_the_house_runs_with() -> None:
    """Both locks are resolved together, or tests would run on other versions than people do."""
    text = {lock: (ROOT / lock).read_text(encoding="utf-8") for lock in LOCKS}
    versions = {
        lock: dict(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?==([^ ]+)", text[lock],
                              re.MULTILINE)) for lock in LOCKS
    }
    run, test = (versions[lock] for lock in LOCKS)

    assert {name: test.get(name) for name in run} == run


def test_no_file_names_the_machine_it_was_written_on() -> None:
    """Packagers read these files; they know other machines."""
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "Makefile"]
    places = re.compile(r"/home/[a-z]|/root/|/work/")

    assert [path.name for path in map(Path, pages) if places.search(path.read_text("utf-8"))] == []
