"""The style of the house, measured; the numbers of ratchet.json may only tighten."""

import ast
import json
import re
import statistics
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.sources import Definition, Function, definitions, functions, parameters, sources

RATCHET: dict[str, float] = json.loads((Path(__file__).parent / "ratchet.json").read_text())

LONG_LINES = 60
PARAMETERS_MANY = 5
POSITIONAL_MAX = 4
NESTING_MAX = 3
FUNCTION_LINES_MAX = 70  # hard, whatever the ratchet says
NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
# Markdown rules are called by markdown-it with a positional flag; the signature is theirs.
CALLED_BY_OTHERS = {"silent"}


def length(function: Function) -> int:
    """Return the lines of a function, its docstring left out."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def depth(node: ast.AST) -> int:
    """Return the deepest nesting below a node; an elif adds none, an inner function is its own."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            continue
        is_elif = (isinstance(node, ast.If) and isinstance(child, ast.If)
                   and node.orelse == [child])
        deepest = max(deepest, depth(child) + (isinstance(child, NESTING) and not is_elif))
    return deepest


def is_typed(function: Function) -> bool:
    positional, named = parameters(function)
    spec = function.args
    every = [*positional, *named, *(one for one in (spec.vararg, spec.kwarg) if one)]
    return function.returns is not None and all(one.annotation is not None for one in every)


def swallows(handler: ast.ExceptHandler) -> bool:
    caught = ast.unparse(handler.type) if handler.type else "BaseException"
    return (re.search(r"\b(Base)?Exception\b", caught) is not None
            and not any(isinstance(node, ast.Raise) for node in ast.walk(handler)))


@cache
def every_function() -> list[Function]:
    return [function for source in sources() for function in functions(source)]


def undocumented() -> Iterator[str]:
    for source in sources():
        for definition, is_public in definitions(source):
            if is_public and ast.get_docstring(definition) is None:
                yield f"{source.at(definition)} {definition.name}"


def share(part: int, whole: int) -> float:
    return 100 * part / whole


MEASURES: dict[str, Callable[[], float]] = {
    "lines of a file, median":
        lambda: statistics.median(source.lines for source in sources() if source.lines),
    "lines of a file, largest":
        lambda: max(source.lines for source in sources()),
    "functions of more than 60 lines, %":
        lambda: share(sum(length(one) > LONG_LINES for one in every_function()),
                      len(every_function())),
    "lines of a function, longest":
        lambda: max(length(one) for one in every_function()),
    "functions of more than 5 parameters, %":
        lambda: share(sum(sum(map(len, parameters(one))) > PARAMETERS_MANY
                          for one in every_function()), len(every_function())),
    "functions of more than 4 positional parameters":
        lambda: sum(len(parameters(one)[0]) > POSITIONAL_MAX for one in every_function()),
    "functions nested deeper than 3":
        lambda: sum(depth(one) > NESTING_MAX for one in every_function()),
    "functions without full types":
        lambda: sum(not is_typed(one) for one in every_function()),
    "public definitions without a docstring":
        lambda: sum(1 for _ in undocumented()),
    "modules without a docstring":
        lambda: sum(ast.get_docstring(source.tree) is None for source in sources()),
    "excepts that swallow everything":
        lambda: sum(swallows(node) for source in sources() for node in source.nodes
                    if isinstance(node, ast.ExceptHandler)),
}


@pytest.mark.parametrize("name", RATCHET)
def test_the_style_is_at_least_as_good_as_it_was(name: str) -> None:
    assert MEASURES[name]() <= RATCHET[name]


def test_everything_measured_has_a_limit() -> None:
    assert RATCHET.keys() == MEASURES.keys()


def test_no_function_is_longer_than_the_hard_limit() -> None:
    assert [one.name for one in every_function() if length(one) > FUNCTION_LINES_MAX] == []


def test_every_public_definition_says_what_it_is() -> None:
    assert list(undocumented()) == []


def test_docstrings_begin_with_a_sentence() -> None:
    """A capital, or a name in code, at the start; a full stop (or a colon before a list)."""
    bad = []
    for source in sources():
        for definition, _ in definitions(source):
            text = ast.get_docstring(definition) or "Nothing."
            first = text.partition("\n\n")[0].strip()
            if not (first[0].isupper() or first[0] in "`0123456789") or first[-1] not in ".:!?":
                bad.append(f"{source.at(definition)} {first}")

    assert bad == []


def test_no_flag_is_passed_by_position() -> None:
    bad = [
        f"{source.at(one)} {one.name}({argument.arg})"
        for source in sources() for one in functions(source) if not one.name.startswith("_")
        for argument in parameters(one)[0]
        if argument.annotation is not None and ast.unparse(argument.annotation) == "bool"
        and argument.arg not in CALLED_BY_OTHERS
    ]

    assert bad == []


def test_nothing_is_left_lying_about() -> None:
    """No print, no breakpoint, no mark of unfinished work (style guide 10 and 35)."""
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|#\s*todo(?! FEP-| [A-Z][A-Za-z]+ §)")
    calls = {"print", "breakpoint", "exit", "quit"}

    marked = [f"lichen/{source.path}:{number}" for source in sources()
              for number, line in enumerate(source.text.splitlines(), 1) if marks.search(line)]
    called = [source.at(node) for source in sources() for node in source.nodes
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
              and node.func.id in calls]

    assert marked == []
    assert called == []


def test_every_broad_except_says_why() -> None:
    """`except Exception` only at an outermost loop, with a comment (style guide 21)."""
    bad = []
    for source in sources():
        lines = source.text.splitlines()
        for node in source.nodes:
            if isinstance(node, ast.ExceptHandler) and swallows(node):
                near = lines[max(0, node.lineno - 4):node.lineno + 2]
                if not any("#" in line for line in near):
                    bad.append(source.at(node))

    assert bad == []
