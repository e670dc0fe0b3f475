"""Deliberate faults in the core of the stream, each with the test that finds it.

    python -m tests.stream.mutating [NAME …]

A file of mutants/ is a unified diff whose first line names the test that must fail with it. Each is
applied to a copy of the house in a temporary folder; a mutant that survives its test, or that does
not apply any more, fails the run. Part of `make sim`.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "mutants"
KILLER = "# Killed by "


class Mutant(NamedTuple):
    """A patch: the test that kills it, the file it changes, and what becomes what."""

    name: str
    killer: str
    file: str
    changes: list[tuple[str, str]]

    def applied(self, source: str) -> str:
        """Return a source with the fault in it; raises ValueError where it does not fit."""
        for old, new in self.changes:
            if source.count(old) != 1:
                raise ValueError(f"{self.name} does not apply to {self.file}; make it anew.")
            source = source.replace(old, new)
        return source


def mutants() -> list[Mutant]:
    """Return all mutants, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.patch"))]


def survivors(chosen: list[Mutant]) -> list[str]:
    """Run each mutant's test against it; return the names of those that live."""
    found = []
    with tempfile.TemporaryDirectory(prefix="lichen-mutants-") as folder:
        house = Path(folder)
        _copy(house)
        for mutant in chosen:
            path = house / mutant.file
            source = path.read_text()
            path.write_text(mutant.applied(source))
            code, seconds = _tested(house, mutant.killer)
            path.write_text(source)
            # 1: tests failed. Anything else (none found, no import) kills nothing.
            is_killed = code == 1
            found += [] if is_killed else [mutant.name]
            sys.stderr.write(f"{'killed' if is_killed else 'LIVES'}  {mutant.name:34} "
                             f"{seconds:5} {mutant.killer}\n")
    return found


def _read(path: Path) -> Mutant:
    first, _, diff = path.read_text().partition("\n")
    file = re.search(r"^\+\+\+ b/(\S+)", diff, re.MULTILINE)
    if file is None or not first.startswith(KILLER):
        raise ValueError(f"{path.name} should begin with '{KILLER}TEST', then hold a unified diff.")
    changes = []
    for hunk in re.split(r"^@@.*@@.*\n", diff, flags=re.MULTILINE)[1:]:
        lines = hunk.splitlines(keepends=True)
        changes.append(("".join(line[1:] for line in lines if line[0] in " -"),
                        "".join(line[1:] for line in lines if line[0] in " +")))
    return Mutant(path.stem, first.removeprefix(KILLER), file[1], changes)


def _copy(house: Path) -> None:
    leave = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")
    shutil.copytree(ROOT / "lichen", house / "lichen", ignore=leave)
    for name in ("stream", "log"):
        shutil.copytree(ROOT / "tests" / name, house / "tests" / name, ignore=leave)
    for path in (ROOT / "tests").glob("*.py"):
        shutil.copy(path, house / "tests")
    shutil.copy(ROOT / "pyproject.toml", house)


def _tested(house: Path, killer: str) -> tuple[int, str]:
    # The examples are the same each time, and a failure need not be made small.
    program = ("import sys, pytest, hypothesis as h;"
               "h.settings.register_profile('mutants', derandomize=True, database=None,"
               " phases=[h.Phase.generate]);"
               "sys.exit(pytest.main(sys.argv[1:]))")
    ended = subprocess.run(
        [sys.executable, "-c", program, "-q", "-x", "-p", "no:cacheprovider",
         "--durations=1", "--hypothesis-profile=mutants", killer],
        cwd=house, capture_output=True, text=True, check=False, timeout=300)
    seconds = re.search(r" in ([\d.]+s)", ended.stdout)
    return ended.returncode, seconds[1] if seconds else "?"


def main() -> int:
    """Run all mutants, or those named; return how many live."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*")
    names = parser.parse_args().names
    chosen = [one for one in mutants() if not names or one.name in names]
    alive = survivors(chosen)
    sys.stderr.write(f"{len(chosen) - len(alive)} of {len(chosen)} mutants killed\n")
    return len(alive)


if __name__ == "__main__":
    sys.exit(main())
