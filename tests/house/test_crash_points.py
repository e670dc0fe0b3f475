"""Every durable boundary has a place where a test kills the process.

The names of the points and their table are held by tests/kit/test_crash_points.py; here the other
side: wherever the code makes something durable, a point stands in the same function, or a reason
in docs/crash_points.md.
"""

import ast

from tests.house.sources import Function, Source, functions, sources, table

# What makes something durable: a sync, a name put in place, a commit.
SYNCS = {"fsync", "fdatasync", "sync", "sync_folder", "rename", "commit"}
COMMITS = {"COMMIT"}


def called(node: ast.AST) -> set[str]:
    """Return the names of everything called below a node, and the SQL words executed."""
    found = set()
    for one in ast.walk(node):
        if not isinstance(one, ast.Call):
            continue
        name = getattr(one.func, "attr", getattr(one.func, "id", ""))
        # Path.replace takes one word; those of texts and structs take more.
        is_path = name == "replace" and len(one.args) == 1 and not one.keywords
        found.add("rename" if is_path else name)
        found |= {word.value for word in one.args if isinstance(word, ast.Constant)
                  and word.value in COMMITS}
    return found


def is_boundary(function: Function) -> bool:
    return bool(called(function) & (SYNCS | COMMITS))


def boundaries(source: Source) -> list[Function]:
    return [function for function in functions(source) if is_boundary(function)]


def has_point(function: Function) -> bool:
    return "crash_point" in called(function)


def test_every_durable_boundary_has_a_crash_point_or_a_reason() -> None:
    excused = {row[0].strip("`") for row in table("crash_points.md", "Boundaries without a point")}
    bare = {
        f"{source.path.removesuffix('.py')}:{function.name}" for source in sources()
        for function in boundaries(source) if not has_point(function)
    }

    assert bare == excused
