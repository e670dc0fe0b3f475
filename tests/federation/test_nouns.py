"""The table of nouns says what is so: every kind that is read stands in it, with tests that exist."""

import re
from functools import cache
from pathlib import Path

import pytest

from lichen.federation.activities import KINDS
from lichen.federation.objects import ACTOR_TYPES, THING_TYPES
from tests.house.sources import DOCS, ROOT

ROW = re.compile(r"^\| (.+?) \|(?: .+? \| .+? \|)? (`test_.+`) \|$", re.MULTILINE)
NAMED = re.compile(r"`(\w+)`")


@cache
def page() -> str:
    return (DOCS / "federation.md").read_text(encoding="utf-8")


def kinds_of(section: str) -> list[str]:
    """Return the kinds in the first column of a section's table."""
    body = page().partition(f"## {section}\n")[2].partition("\n## ")[0]
    return [kind for first, _ in ROW.findall(body) for kind in NAMED.findall(first)]


@cache
def names_of_tests() -> frozenset[str]:
    paths = (ROOT / "tests").rglob("test_*.py")
    return frozenset(
        name for path in paths
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    )


@pytest.mark.parametrize(("section", "read"), [
    ("Activities", KINDS), ("Things", THING_TYPES), ("Actors", ACTOR_TYPES),
])
def test_every_kind_that_is_read_has_one_row_and_no_other(section: str, read: set[str]) -> None:
    assert sorted(kinds_of(section)) == sorted(read)


def test_every_row_names_tests_that_exist() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| ")]
    heads = [line for line in rows if line.endswith("| shown by |")]
    named = set(re.findall(r"`(test_\w+)`", page()))

    assert len(ROW.findall(page())) == len(rows) - len(heads), "a row that names no test"
    assert len(heads) == 4 and named - names_of_tests() == set()


def test_the_page_is_found_from_the_room() -> None:
    readme = Path(ROOT / "lichen/federation/README.md").read_text("utf-8")

    assert "(../../docs/federation.md)" in readme
