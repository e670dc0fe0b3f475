"""Documents that lie fail: generated pages are current, links lead somewhere, names exist."""

import re
from functools import cache
from pathlib import Path

import click
import pytest

from docs.generate import commands_of, pages
from lichen.cli import main
from lichen.kit.config_options import options
from tests.house.sources import DOCS, PACKAGE, ROOT

GENERATED = ("settings.md", "limits.md", "commands.md", "events.md", "hooks.md", "routes.md")
DECISION_LINES_MAX = 40
UNITS = {"_s": "s", "_ms": "ms", "_bytes": "bytes", "bytes_max": "bytes"}

generated = cache(pages)


@cache
def documents() -> tuple[Path, ...]:
    return (
        ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")),
        *sorted(PACKAGE.rglob("README.md")),
    )


def targets() -> dict[str, str]:
    """Return the targets of the Makefile, each with what it says of itself."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):[^=\n#]*(?:##\s*(.*))?$", text, re.MULTILINE))


@pytest.mark.parametrize("name", GENERATED)
def test_a_page_made_from_the_code_is_current(name: str) -> None:
    """Run `make docs` when this fails."""
    assert (DOCS / name).read_text(encoding="utf-8") == generated()[name]


def test_every_page_made_from_the_code_is_looked_at() -> None:
    assert generated().keys() == set(GENERATED)


def test_every_route_says_what_it_does() -> None:
    silent = re.findall(r"^\| ([A-Z]+) \| `(.+?)` \| +\|$", generated()["routes.md"], re.MULTILINE)

    assert silent == []


@pytest.mark.parametrize("one", list(options()), ids=lambda one: one.name)
def test_every_setting_is_described_with_its_unit(one) -> None:
    assert str(one.meta.description).endswith((".", ")"))
    units = [unit for end, unit in UNITS.items() if one.key.endswith(end)]
    assert not units or isinstance(one.default, bool) or one.meta.extra["unit"] in units


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text)

    missing = [link for pair in links if (link := "".join(pair).partition("#")[0])
               and not re.match(r"[a-z]+:", link) and not (path.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_exist(path: Path) -> None:
    """`tests/…`, `lichen/…`, `docs/…` and `bench/…` in code marks; stars and … stand for any."""
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|lichen|docs|bench)/[\w./*-]+)`", text))

    missing = [name for name in named
               if not list(ROOT.glob(name.rstrip("/"))) and "NNNN" not in name]

    assert missing == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = {" ".join(words[1:]) for words, _ in commands_of(main, ("lichen",))}
    groups = {name for name, command in main.commands.items() if isinstance(command, click.Group)}

    said = set(re.findall(r"`(?:\.venv/bin/)?lichen ([a-z]+(?: [a-z]+)?)", text))
    unknown = [words for words in said
               if words not in known and words.split()[0] not in known | groups]
    missing = set(re.findall(r"`make ([a-z-]+)", text)) - targets().keys()

    assert unknown == []
    assert missing == set()


def test_make_says_what_each_target_does() -> None:
    promised = {"install", "run", "test", "check", "bench", "docs", "sim", "fuzz"}

    assert promised <= {name for name, said in targets().items() if said}


def test_every_law_names_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (\d)\. .+ \| (.+) \|$", (DOCS / "invariants.md").read_text("utf-8"),
                      re.MULTILINE)

    assert [number for number, _ in rows] == [str(number) for number in range(1, len(rows) + 1)]
    assert len(rows) == 9


def test_decisions_are_numbered_and_short() -> None:
    paths = sorted((DOCS / "decisions").glob("*.md"))

    assert [path.name[:4] for path in paths] == [f"{n:04}" for n in range(1, len(paths) + 1)]
    assert [path.name for path in paths
            if len(path.read_text("utf-8").splitlines()) > DECISION_LINES_MAX] == []


def test_the_glossary_has_each_word_once_in_order() -> None:
    words = re.findall(r"^\| ([A-Za-z ]+) \|", (DOCS / "glossary.md").read_text("utf-8"),
                       re.MULTILINE)[1:]

    assert words == sorted(set(words), key=str.lower)
