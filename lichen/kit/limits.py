"""Limits: everything has one, named and reasoned where it is kept, shown by `lichen limits`.

A limit is a plain constant of a module with its reason beside it, as a comment or as the text
below it:

    COMMENT_DEPTH_MAX = 50  # levels; Lemmy 0.19 refuses deeper replies

    PAYLOAD_BYTES_MAX: Final = 1 << 20
    \"\"\"One payload: the longest post with its record fits several times.\"\"\"

Code uses the constant; the table is read from the sources, so nothing is said twice and nothing
registers itself while being imported. In a file `limits.py` every public constant is a limit,
elsewhere those that end in `_MAX` or `_MIN`. The room is the folder.
"""

import ast
import io
import operator
import tokenize
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

Number = int | float

_OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}


class Limit(NamedTuple):
    """One limit: the room that keeps it, its name, its value, and why it is so."""

    room: str
    name: str
    value: Number
    why: str


def limits_of(package: Path) -> list[Limit]:
    """Return every limit in the sources of a package, by room and name."""
    found = [
        limit
        for path in sorted(package.rglob("*.py"))
        for limit in limits_in(
            path.read_text(), room=room_of(path.relative_to(package)),
            every_constant=path.name == "limits.py")
    ]
    return sorted(found)


def room_of(path: Path) -> str:
    """Return the room of a file inside the package: its folder, or its own name."""
    return "/".join(path.parts[:-1]) or path.stem


def limits_in(source: str, *, room: str, every_constant: bool = False) -> list[Limit]:
    """Return the limits that one source declares, in its order."""
    tree = ast.parse(source)
    beside, alone = _comments(source)
    found = []
    for statement, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        name, value = _assignment(statement)
        if name and value is not None and (every_constant or name.endswith(("_MAX", "_MIN"))):
            assert statement.end_lineno is not None
            why = (_text_below(following) or beside.get(statement.end_lineno, "")
                   or _above(alone, statement.lineno))
            found.append(Limit(room, name.lower(), value, why))
    return found


def as_table(limits: Iterable[Limit]) -> str:
    """Return the limits as lines of aligned columns: room, name, value, why."""
    rows = [("room", "limit", "value", "why")]
    rows += [(one.room, one.name, f"{one.value:,}".replace(",", "_"), one.why) for one in limits]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}"
        for row in rows
    )


def _assignment(statement: ast.stmt) -> tuple[str, Number | None]:
    """Return the public constant that a statement assigns and its number, or ("", None)."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=expression):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as expression):
            pass
        case _:
            return "", None
    if not name.isupper() or name.startswith("_"):
        return "", None
    return name, _number(expression)


def _number(expression: ast.expr) -> Number | None:
    """Return the value of a constant expression of numbers, None for anything else."""
    match expression:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _OPERATORS:
            first, second = _number(left), _number(right)
            if first is None or second is None:
                return None
            return _OPERATORS[type(operation)](first, second)
    return None


def _text_below(statement: ast.stmt | None) -> str:
    match statement:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return " ".join(text.split())
    return ""


def _comments(source: str) -> tuple[dict[int, str], dict[int, str]]:
    """Return the comments by line: those beside code, and those alone on their line."""
    beside: dict[int, str] = {}
    alone: dict[int, str] = {}
    tokens: Iterator[tokenize.TokenInfo] = tokenize.generate_tokens(io.StringIO(source).readline)
    for token in tokens:
        if token.type == tokenize.COMMENT:
            kind = alone if token.line.lstrip().startswith("#") else beside
            kind[token.start[0]] = token.string.lstrip("#: ").strip()
    return beside, alone


def _above(alone: dict[int, str], line: int) -> str:
    """Return the comment that ends right above a line."""
    lines: list[str] = []
    while (line := line - 1) in alone:
        lines.insert(0, alone[line])
    return " ".join(lines)
