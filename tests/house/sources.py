"""The sources of the house, parsed once: what every test of this folder looks at."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lichen"
DOCS = ROOT / "docs"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef

# Written by Alembic from the tables, and never changed again.
GENERATED = "store/migrations/"


@dataclass(frozen=True, eq=False)
class Source:
    """One file: its path inside the package (or the checkout), its text, its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The first folder, or the module's own name at the wiring level."""
        return self.path.partition("/")[0].removesuffix(".py")

    @property
    def module(self) -> str:
        """The module's full name."""
        parts = Path("lichen", self.path).with_suffix("").parts
        return ".".join(part for part in parts if part != "__init__")

    @property
    def lines(self) -> int:
        """How many lines the file has."""
        return len(self.text.splitlines())

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree."""
        return tuple(ast.walk(self.tree))

    def at(self, node: ast.AST) -> str:
        """Return where a node stands, as an editor opens it."""
        return f"lichen/{self.path}:{getattr(node, 'lineno', 1)}"


@cache
def sources() -> tuple[Source, ...]:
    """Return every module of the package, but what is generated."""
    found = (path for path in sorted(PACKAGE.rglob("*.py")))
    return tuple(
        Source(name, text := path.read_text(encoding="utf-8"), ast.parse(text))
        for path in found
        if not (name := path.relative_to(PACKAGE).as_posix()).startswith(GENERATED)
    )


@cache
def test_sources() -> tuple[Source, ...]:
    """Return every Python file of the tests."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), text := path.read_text(encoding="utf-8"),
               ast.parse(text))
        for path in sorted((ROOT / "tests").rglob("*.py")) if "node_modules" not in path.parts
    )


test_sources.__test__ = False  # type: ignore[attr-defined]  # a list of tests, not a test


def rooms() -> list[Path]:
    """Return the folders that are rooms."""
    return sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))


def definitions(source: Source) -> Iterator[tuple[Definition, bool]]:
    """Yield every class and function, and whether others may see it."""
    yield from _definitions(source.tree, is_public=True)


def functions(source: Source) -> Iterator[Function]:
    """Yield every function, methods and inner ones too."""
    for node in source.nodes:
        if isinstance(node, Function):
            yield node


def parameters(function: Function) -> tuple[list[ast.arg], list[ast.arg]]:
    """Return the positional and the keyword-only parameters, without self and cls."""
    spec = function.args
    positional = [arg for arg in (*spec.posonlyargs, *spec.args) if arg.arg not in ("self", "cls")]
    return positional, spec.kwonlyargs


def imports(source: Source) -> Iterator[str]:
    """Yield the modules of ours that a file imports, wherever it does so."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and _is_ours(node.module or ""):
            assert node.module is not None and not node.level, source.at(node)
            yield from _imported(node.module, node.names)


def table(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading of a page of docs/."""
    text = (DOCS / page).read_text(encoding="utf-8")
    _, _, section = text.partition(f"\n## {heading}\n")
    assert section, f"docs/{page} has no heading {heading!r}"
    rows = re.findall(r"^\|(.+)\|$", section.partition("\n## ")[0], re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)] for row in rows[2:]]


def _definitions(node: ast.AST, *, is_public: bool) -> Iterator[tuple[Definition, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            shown = is_public and not child.name.startswith("_")
            yield child, shown
            yield from _definitions(child, is_public=shown and isinstance(child, ast.ClassDef))
        else:
            yield from _definitions(child, is_public=is_public)


def _is_ours(module: str) -> bool:
    return module == "lichen" or module.startswith("lichen.")


def _imported(module: str, names: list[ast.alias]) -> Iterator[str]:
    """Yield the modules that `from module import names` means: submodules, or itself."""
    folder = PACKAGE.parent / module.replace(".", "/")
    for alias in names:
        inside = folder / alias.name
        is_module = inside.with_suffix(".py").exists() or (inside / "__init__.py").exists()
        yield f"{module}.{alias.name}" if is_module else module
