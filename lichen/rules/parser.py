"""From text to tree: syntax by `ast`, then names, types and limits by our own reading.

Only what is listed in `_Reader._read` passes; every other piece of Python is refused by name. What
passes is typed, so that a program cannot fail when it runs.
"""

import ast
import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NoReturn

import numpy as np

from lichen.rules import limits
from lichen.rules.arithmetic import quiet
from lichen.rules.errors import RuleRefused
from lichen.rules.interpreter import evaluate
from lichen.rules.texts import pattern_of, words_of
from lichen.rules.tree import (
    MEMBER_TYPES,
    Arithmetic,
    Choice,
    Comparison,
    Containing,
    Field,
    FieldType,
    Literal,
    Logic,
    Matching,
    Membership,
    Node,
    Overlap,
    fields_of,
)

_BINARY: Final[Mapping[type[ast.operator], str]] = MappingProxyType({
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
    ast.Mod: "remainder", ast.Pow: "power",
})
_COMPARED: Final[Mapping[type[ast.cmpop], str]] = MappingProxyType({
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
})
# Name in the language: kernel, fewest and most arguments. `min` and `max` are folded pair by pair.
_FUNCTIONS: Final[Mapping[str, tuple[str, int, int]]] = MappingProxyType({
    "min": ("minimum", 2, 16), "max": ("maximum", 2, 16), "clamp": ("clamp", 3, 3),
    "abs": ("absolute", 1, 1), "sqrt": ("sqrt", 1, 1), "log": ("log", 1, 1),
    "log10": ("log10", 1, 1),
})
_TEXT_FUNCTIONS: Final = ("contains", "matches", "overlaps")
# What people try, in their words; anything else is named as Python's grammar does.
_FOREIGN: Final[Mapping[type[ast.AST], str]] = MappingProxyType({
    ast.Attribute: "an attribute (a dot)", ast.Subscript: "a subscript ([ ])",
    ast.Lambda: "a lambda", ast.ListComp: "a comprehension", ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension", ast.GeneratorExp: "a comprehension",
    ast.NamedExpr: "an assignment (:=)", ast.JoinedStr: "an f-string", ast.Dict: "a dictionary",
    ast.List: "a list", ast.Tuple: "a comma", ast.Starred: "a star", ast.Await: "await",
    ast.Yield: "yield", ast.YieldFrom: "yield", ast.Invert: "~", ast.FloorDiv: "//",
    ast.MatMult: "@", ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitXor: "^",
    ast.BitAnd: "&", ast.Is: "is", ast.IsNot: "is not",
})
_UNSPEAKABLE: Final = re.compile("[\0\ud800-\udfff]")
_FIELDS_SHOWN_MAX = 20  # an error text names no more fields than this
_GOT_CHARACTERS_MAX = 60  # an error text quotes no more of the program than this


def parse(source: str, fields: Mapping[str, FieldType]) -> Node:
    """Return the typed tree of a program over the fields; raises RuleRefused and nothing else."""
    if len(source) > limits.SOURCE_CHARACTERS_MAX:
        raise RuleRefused(f"at most {limits.SOURCE_CHARACTERS_MAX} characters", str(len(source)))
    if not source.strip():
        raise RuleRefused("an expression", "nothing")
    # Parentheses let a program run over several lines; positions are one line further down.
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    wrapped = f"(\n{source}\n)"
    root = _syntax(wrapped)
    reader = _Reader(wrapped, fields)
    reader.measure(root)
    tree = reader.read(root)
    if root.lineno == 1:
        # Our own parenthesis became part of an expression: `a) + (b`.
        raise RuleRefused("balanced parentheses", "a ) that closes nothing")
    if tree.type in MEMBER_TYPES:
        reader.refuse(root, "a number, a text or a condition", str(tree.type.value))
    return tree


def _syntax(wrapped: str) -> ast.expr:
    try:
        return ast.parse(wrapped, mode="eval").body
    except SyntaxError as error:
        lines = wrapped.split("\n")
        line = min(max((error.lineno or 2) - 1, 1), len(lines) - 2)
        beyond = (error.lineno or 2) - 1 > line
        column = len(lines[line]) + 1 if beyond else max(error.offset or 1, 1)
        raise RuleRefused("one expression", _quoted(error.msg), line=line,
                          column=column) from None
    except (ValueError, MemoryError, RecursionError):
        # NUL or a lone surrogate; nesting beyond what Python's own parser holds.
        raise RuleRefused("one expression", "text that cannot be parsed") from None


def _quoted(text: str) -> str:
    """Return the text on one line, cut short, without characters that cannot be shown."""
    shown = " ".join(text.split()).encode("ascii", "backslashreplace").decode()
    if len(shown) > _GOT_CHARACTERS_MAX:
        shown = shown[: _GOT_CHARACTERS_MAX - 1] + "…"
    return shown


def _did_you_mean(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name[:_GOT_CHARACTERS_MAX], names, n=1)
    return f"Did you mean {near[0]}?" if near else ""


class _Reader:
    """Reads one syntax tree into ours."""

    def __init__(self, wrapped: str, fields: Mapping[str, FieldType]) -> None:
        self._lines = [line.encode() for line in wrapped.split("\n")]
        self._fields = fields
        self._patterns = 0

    def refuse(self, at: ast.expr, expected: str, got: str = "", *, hint: str = "") -> NoReturn:
        """Raise RuleRefused at the place of the syntax node; `got` is its text if not given."""
        before = self._lines[at.lineno - 1][: at.col_offset].decode()
        raise RuleRefused(expected, got or _quoted(self._text(at)), hint=hint,
                          line=max(at.lineno - 1, 1), column=len(before) + 1)

    def measure(self, root: ast.expr) -> None:
        """Refuse a tree with too many nodes or levels, before anything recurses over it."""
        waiting = [(root, 1)]
        nodes = 0
        while waiting:
            node, level = waiting.pop()
            nodes += 1
            if nodes > limits.NODES_MAX:
                self.refuse(node, f"at most {limits.NODES_MAX} sub-expressions", "more")
            if level > limits.NESTING_MAX:
                self.refuse(node, f"at most {limits.NESTING_MAX} levels of nesting", "more")
            waiting += [(child, level + 1) for child in ast.iter_child_nodes(node)
                        if isinstance(child, ast.expr)]

    def read(self, at: ast.expr) -> Node:
        """Return our node for a syntax node."""
        text = self._text(at)
        match at:
            case ast.Constant():
                return self._constant(at, text)
            case ast.Name(id=name):
                return self._field(at, name)
            case ast.Set(elts=members):
                return self._set(members, text)
            case ast.UnaryOp():
                return self._unary(at, text)
            case ast.BinOp():
                return self._binary(at, text)
            case ast.BoolOp(op=operator, values=values):
                word = "and" if isinstance(operator, ast.And) else "or"
                parts = tuple(self._typed(value, FieldType.BOOLEAN) for value in values)
                return Logic(FieldType.BOOLEAN, text, parts, word=word)
            case ast.Compare(ops=operators) if any(
                    isinstance(each, ast.In | ast.NotIn) for each in operators):
                return self._membership(at, text)
            case ast.Compare():
                return self._comparison(at, text)
            case ast.IfExp():
                return self._choice(at, text)
            case ast.Call():
                return self._call(at, text)
        self.refuse(at, "a number, a text, a set, a field, an operator or a function",
                    _FOREIGN.get(type(at), type(at).__name__))

    def _text(self, at: ast.expr) -> str:
        assert at.end_lineno is not None
        assert at.end_col_offset is not None
        lines = self._lines[at.lineno - 1 : at.end_lineno]
        lines[-1] = lines[-1][: at.end_col_offset]
        lines[0] = lines[0][at.col_offset :]
        return " ".join(b" ".join(lines).decode().split())

    def _typed(self, at: ast.expr, *wanted: FieldType) -> Node:
        node = self.read(at)
        if node.type not in wanted:
            hint = ""
            if node.type is FieldType.BOOLEAN and FieldType.NUMBER in wanted:
                hint = "Write 1 if … else 0."
            self.refuse(at, " or ".join(wanted), f"{node.type.value} ({_quoted(node.text)})",
                        hint=hint)
        return node

    def _constant(self, at: ast.Constant, text: str) -> Node:
        value = at.value
        if isinstance(value, bool):
            return Literal(FieldType.BOOLEAN, text, value=value)
        if isinstance(value, int | float):
            if not abs(value) < limits.LITERAL_MAX:
                self.refuse(at, "a number below 2**63")
            return Literal(FieldType.NUMBER, text, value=value)
        if isinstance(value, str):
            if _UNSPEAKABLE.search(value):
                self.refuse(at, "a text without NUL and lone surrogates")
            return Literal(FieldType.TEXT, text, value=value)
        self.refuse(at, "a number or a text")

    def _field(self, at: ast.expr, name: str) -> Node:
        if name not in self._fields:
            known = ", ".join(list(self._fields)[:_FIELDS_SHOWN_MAX])
            hint = _did_you_mean(name, self._fields) or f"Fields: {known}."
            self.refuse(at, "the name of a field", hint=hint)
        return Field(self._fields[name], name, name=name)

    def _set(self, members: Sequence[ast.expr], text: str) -> Node:
        literals = [self._typed(member, FieldType.NUMBER, FieldType.TEXT) for member in members]
        for at, node in zip(members, literals, strict=True):
            if not isinstance(node, Literal):
                self.refuse(at, "a number or a text that is written out")
            if node.type is not literals[0].type:
                self.refuse(at, str(literals[0].type.value), str(node.type.value))
        kind = (FieldType.SET_OF_TEXT if literals[0].type is FieldType.TEXT
                else FieldType.SET_OF_NUMBERS)
        values = frozenset(node.value for node in literals if isinstance(node, Literal))
        return Literal(kind, text, value=values)  # type: ignore[arg-type]

    def _unary(self, at: ast.UnaryOp, text: str) -> Node:
        if isinstance(at.op, ast.Not):
            part = self._typed(at.operand, FieldType.BOOLEAN)
            return Logic(FieldType.BOOLEAN, text, (part,), word="not")
        if isinstance(at.op, ast.Invert):
            self.refuse(at, "-, + or not", "~")
        part = self._typed(at.operand, FieldType.NUMBER)
        if isinstance(at.op, ast.UAdd):
            return part
        if isinstance(part, Literal) and isinstance(part.value, int | float):
            return Literal(FieldType.NUMBER, text, value=-part.value)
        return Arithmetic(FieldType.NUMBER, text, (part,), kernel="negative")

    def _binary(self, at: ast.BinOp, text: str) -> Node:
        kernel = _BINARY.get(type(at.op))
        if kernel is None:
            self.refuse(at, "one of + - * / % **", _FOREIGN[type(at.op)])
        left = self._typed(at.left, FieldType.NUMBER)
        right = self._typed(at.right, FieldType.NUMBER)
        if kernel == "power" and not fields_of(right):
            with quiet():
                exponent = float(evaluate(right, {}, np.float64))
            if abs(exponent) > limits.EXPONENT_MAX:
                self.refuse(at.right, f"an exponent within ±{limits.EXPONENT_MAX}")
            right = Literal(FieldType.NUMBER, right.text, value=exponent)
            kernel = "power" if exponent.is_integer() else "fractional_power"
        return Arithmetic(FieldType.NUMBER, text, (left, right), kernel=kernel)

    def _comparison(self, at: ast.Compare, text: str) -> Node:
        foreign = next((each for each in at.ops if type(each) not in _COMPARED), None)
        if foreign is not None:
            self.refuse(at, "one of == != < <= > >= in", _FOREIGN[type(foreign)],
                        hint="Write == or !=.")
        operators = tuple(_COMPARED[type(each)] for each in at.ops)
        ordered = any(operator not in ("==", "!=") for operator in operators)
        wanted = (FieldType.NUMBER,) if ordered else (
            FieldType.NUMBER, FieldType.TEXT, FieldType.BOOLEAN)
        first = self._typed(at.left, *wanted)
        others = (self._typed(each, first.type) for each in at.comparators)
        return Comparison(FieldType.BOOLEAN, text, (first, *others), operators=operators)

    def _membership(self, at: ast.Compare, text: str) -> Node:
        if len(at.ops) > 1:
            self.refuse(at, "`in` alone, joined to other conditions by and")
        item = self._typed(at.left, FieldType.NUMBER, FieldType.TEXT)
        wanted = ((FieldType.SET_OF_TEXT, FieldType.TEXT) if item.type is FieldType.TEXT
                  else (FieldType.SET_OF_NUMBERS,))
        container = self._typed(at.comparators[0], *wanted)
        inside = Membership(FieldType.BOOLEAN, text, (item, container))
        if isinstance(at.ops[0], ast.In):
            return inside
        return Logic(FieldType.BOOLEAN, text, (inside,), word="not")

    def _choice(self, at: ast.IfExp, text: str) -> Node:
        condition = self._typed(at.test, FieldType.BOOLEAN)
        then = self._typed(at.body, FieldType.NUMBER, FieldType.TEXT, FieldType.BOOLEAN)
        otherwise = self._typed(at.orelse, then.type)
        return Choice(then.type, text, (condition, then, otherwise))

    def _call(self, at: ast.Call, text: str) -> Node:
        name = at.func.id if isinstance(at.func, ast.Name) else ""
        if name in _TEXT_FUNCTIONS:
            return self._looking(at, name, text)
        if name not in _FUNCTIONS:
            known = (*_FUNCTIONS, *_TEXT_FUNCTIONS)
            hint = _did_you_mean(name, known) if name else ""
            self.refuse(at.func, f"one of the functions {' '.join(known)}", hint=hint)
        kernel, fewest, most = _FUNCTIONS[name]
        if at.keywords or not fewest <= len(at.args) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            self.refuse(at, f"{count} values for {name}")
        parts = tuple(self._typed(each, FieldType.NUMBER) for each in at.args)
        if kernel not in ("minimum", "maximum"):
            return Arithmetic(FieldType.NUMBER, text, parts, kernel=kernel)
        folded = parts[0]
        for part in parts[1:]:
            folded = Arithmetic(FieldType.NUMBER, text, (folded, part), kernel=kernel)
        return folded

    def _looking(self, at: ast.Call, name: str, text: str) -> Node:
        """Read contains(text, words), matches(text, pattern) or overlaps(texts, texts)."""
        if at.keywords or len(at.args) != 2:
            self.refuse(at, f"2 values for {name}")
        if name == "overlaps":
            sets = tuple(self._typed(each, FieldType.SET_OF_TEXT) for each in at.args)
            return Overlap(FieldType.BOOLEAN, text, sets)
        part = self._typed(at.args[0], FieldType.TEXT)
        wanted = self.read(at.args[1])
        if name == "matches":
            return self._matching(at.args[1], wanted, part=part, text=text)
        words = wanted.value if isinstance(wanted, Literal) else None
        words = frozenset([words]) if isinstance(words, str) else words
        if not isinstance(words, frozenset) or wanted.type is FieldType.SET_OF_NUMBERS:
            self.refuse(at.args[1], "words that are written out, 'so' or {'so', 'and so'}")
        written = tuple(sorted(str(each) for each in words))
        phrases = tuple(map(words_of, written))
        if any(not phrase.strip() for phrase in phrases):
            self.refuse(at.args[1], "words with letters or digits in them")
        return Containing(FieldType.BOOLEAN, text, (part,), phrases=phrases, words=written)

    def _matching(self, at: ast.expr, wanted: Node, *, part: Node, text: str) -> Node:
        if not isinstance(wanted, Literal) or not isinstance(wanted.value, str):
            self.refuse(at, "a pattern that is written out, 'so+'")
        source = wanted.value
        self._patterns += 1
        if self._patterns > limits.PATTERNS_MAX:
            self.refuse(at, f"at most {limits.PATTERNS_MAX} patterns", "more")
        if not 0 < len(source) <= limits.PATTERN_CHARACTERS_MAX:
            self.refuse(at, f"a pattern of 1 to {limits.PATTERN_CHARACTERS_MAX} characters")
        try:
            pattern = pattern_of(source)
        except ValueError as error:
            self.refuse(at, "a pattern of RE2", _quoted(str(error)))
        return Matching(FieldType.BOOLEAN, text, (part,), source=source, pattern=pattern)
