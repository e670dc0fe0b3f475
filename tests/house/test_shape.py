"""Every room has the same shape: a front door, a page with a picture, files named for nouns."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.sources import (
    PACKAGE,
    functions,
    imports,
    rooms,
    sources,
    test_sources,
)

# The shape of a room (docs/rooms.md); whatever else there is, the room's README names.
STANDARD = {
    "__init__", "model", "tables", "service", "reader", "routes", "room", "limits", "errors",
}
BANNED = {
    "utils": "the noun it is about", "util": "the noun it is about",
    "helpers": "the noun it is about", "helper": "the noun it is about",
    "manager": "what it does to what", "managers": "what it does to what",
    "common": "the noun it is about", "misc": "the noun it is about",
    "data": "the noun of the domain", "info": "the noun of the domain",
    "process": "the verb of the domain", "handlers": "the noun they serve",
    "constants": "limits, or the file that uses it", "types": "model",
    "exceptions": "errors", "schemas": "model", "core": "the noun it is about",
}
# Faces speak words of others, as they are.
PROTOCOLS = "faces/lemmy_v3/wire/"
LINES_MAX = 500  # a file; style guide, "Measured on the peers"
README_LINES_MAX = 140  # one page, at most two screens


@pytest.mark.parametrize("room", rooms(), ids=lambda room: room.name)
def test_a_room_has_a_page_with_a_picture(room: Path) -> None:
    page = room / "README.md"

    text = page.read_text(encoding="utf-8")

    assert text.startswith("# "), "the first line says what the room is for"
    assert "```" in text, "a picture: characters or mermaid"
    assert len(text.splitlines()) <= README_LINES_MAX


@pytest.mark.parametrize("room", rooms(), ids=lambda room: room.name)
def test_a_room_has_a_front_door_that_says_what_it_is(room: Path) -> None:
    tree = ast.parse((room / "__init__.py").read_text(encoding="utf-8"))

    assert ast.get_docstring(tree)
    assert all(isinstance(node, ast.Expr | ast.Import | ast.ImportFrom | ast.Assign)
               for node in tree.body), "a front door only lets in"


@pytest.mark.parametrize("room", rooms(), ids=lambda room: room.name)
def test_every_file_is_of_the_shape_or_named_in_the_rooms_page(room: Path) -> None:
    page = (room / "README.md").read_text(encoding="utf-8")
    names = {path.stem for path in room.glob("*.py")} - STANDARD

    unnamed = {name for name in names if not re.search(rf"\b{re.escape(name)}\b", page)}

    assert unnamed == set()


def test_no_file_has_a_name_that_says_nothing() -> None:
    bad = [f"{source.path}: name it {BANNED[stem]}" for source in sources()
           if (stem := Path(source.path).stem) in BANNED]
    folders = [path for path in PACKAGE.rglob("*") if path.is_dir() and path.name in BANNED]

    assert bad == []
    assert folders == []


def test_no_class_is_a_manager_or_a_helper() -> None:
    pattern = re.compile(r"(Manager|Helper|Util|Utils|Handler|Processor|Info|Data)$")

    bad = [source.at(node) for source in sources() for node in source.nodes
           if isinstance(node, ast.ClassDef) and pattern.search(node.name)
           and not source.path.startswith(PROTOCOLS)]

    assert bad == []


def test_no_file_is_longer_than_its_limit() -> None:
    files = (*sources(), *test_sources())

    assert [source.path for source in files if source.lines > LINES_MAX] == []


def test_the_names_of_tests_are_sentences() -> None:
    """Three words at least, so that the list of tests can be read as the list of promises."""
    short = [f"{source.path}: {one.name}" for source in test_sources() for one in functions(source)
             if one.name.startswith("test_") and one.name.count("_") < 3
             and source.path != "tests/house/sources.py"]

    assert short == []


def test_every_file_is_used() -> None:
    """A module that nobody imports is dead, unless the world enters through it."""
    entered = {"lichen", "lichen.cli"}  # pyproject.toml: [project.scripts]
    # The stream will read the table of what is public; today the documents and tests do.
    imported = {"lichen.events.visibility"} | {
        module for source in sources() for module in imports(source)}

    entered |= {parent for module in imported for parent in _parents(module)}

    dead = {source.module for source in sources()} - imported - entered

    assert dead == set()


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]
