"""The column evaluator: many rows at once, in chunks that stay in the processor's cache.

A plan is made once for each set of names that come as columns. It is a tree of closures, one for
each node, over slots of scratch that are reused by depth:

    log10(max(2, score + 2)) / (age + 2) ** 1.8

        divide → 0                     slot 0 of the root is the chunk of the result itself
        ├── log10 → 0
        │   └── maximum(2, ·) → 0
        │       └── add(score, 2) → 0
        └── fractional_power(·, 1.8) → 1
            └── add(age, 2) → 1

What reads no column is evaluated once for each call, by the plain evaluator (this is also the
constant folding), and enters as a single value. Both branches of an if-else are evaluated and one
is copied over the other. A `Frame` belongs to one call, so a plan may run in several threads.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from lichen.rules import limits
from lichen.rules.arithmetic import (
    ALWAYS_FINITE,
    COMPARISONS,
    KERNELS,
    Array,
    quiet,
    settle_column,
)
from lichen.rules.interpreter import Floating, evaluate, fact, floating_of
from lichen.rules.sets import Lookup, is_member, lookup_of
from lichen.rules.texts import is_found, words_of
from lichen.rules.tree import (
    Arithmetic,
    Choice,
    Comparison,
    Containing,
    Field,
    FieldType,
    Logic,
    Matching,
    Membership,
    Node,
    Overlap,
    fields_of,
    walk,
)


class Frame:
    """The working memory of one call: the chunk's columns, the single values, the scratch."""

    def __init__(self, floating: Floating, singles: Sequence[Any]) -> None:
        self.floating = floating
        self.singles = singles
        self.columns: dict[str, Array] = {}
        self.rows = 0
        self.lookups: dict[tuple[int, str], Lookup] = {}
        self._scratch: dict[tuple[bool, int], Array] = {}
        self._result: Array | None = None

    def turn_to(self, columns: dict[str, Array], result: Array) -> None:
        """Work on these chunks of the columns from now on; the root may write into `result`."""
        self.columns, self.rows, self._result = columns, len(result), result

    def numbers(self, slot: int) -> Array:
        """Return scratch for numbers, of as many rows as the chunk."""
        return self._slot(slot, np.dtype(self.floating))

    def truths(self, slot: int) -> Array:
        """Return scratch for conditions, of as many rows as the chunk."""
        return self._slot(slot, np.dtype(np.bool_))

    def _slot(self, slot: int, dtype: np.dtype[Any]) -> Array:
        if slot == 0 and self._result is not None and self._result.dtype == dtype:
            return self._result
        key = (dtype.kind == "b", slot)
        if key not in self._scratch:
            self._scratch[key] = np.empty(limits.CHUNK_ROWS, dtype)
        return self._scratch[key][: self.rows]


# Returns a column (scratch, or an input that must not be written to) or a single value.
Step = Callable[[Frame], Any]


class Plan:
    """A tree compiled for one set of column names."""

    def __init__(self, tree: Node, names: Collection[str]) -> None:
        self._tree = tree
        self._kinds = {node.name: node.type for node in walk(tree) if isinstance(node, Field)}
        self._columns = tuple(name for name in self._kinds if name in names)
        self._single_nodes: list[Node] = []
        self._root = self._step(tree, 0)

    def run(self, columns: Mapping[str, Array], singles: Mapping[str, Any], rows: int) -> Array:
        """Return the value for each row; O(nodes · rows), scratch of O(depth · chunk)."""
        used = {name: columns[name] for name in self._columns}
        floating = floating_of(column for name, column in used.items()
                               if self._kinds[name] is FieldType.NUMBER)
        facts = {name: fact(singles[name], kind, floating)
                 for name, kind in self._kinds.items() if name not in used}
        dtype: Any = {FieldType.NUMBER: floating, FieldType.BOOLEAN: np.bool_}.get(
            self._tree.type, object)
        result = np.empty(rows, dtype)
        with quiet():
            frame = Frame(floating, [evaluate(node, facts, floating)
                                     for node in self._single_nodes])
            for start in range(0, rows, limits.CHUNK_ROWS):
                target = result[start : start + limits.CHUNK_ROWS]
                chunk = slice(start, start + len(target))
                frame.turn_to({name: self._chunk(name, column[chunk], floating)
                               for name, column in used.items()}, target)
                value = self._root(frame)
                if value is not target:
                    target[:] = value
        return result

    def _chunk(self, name: str, chunk: Array, floating: Floating) -> Array:
        if self._kinds[name] is not FieldType.NUMBER or chunk.dtype.kind != "f":
            return chunk  # whole numbers stay whole, so that ids compare exactly
        chunk = chunk.astype(floating, copy=False)
        return chunk if np.isfinite(chunk).all() else np.nan_to_num(chunk)

    def _step(self, node: Node, slot: int) -> Step:
        """Compile a node whose result, if it needs scratch, goes into `slot`.

        Scratch below `slot` is never written to; a part that must outlive its younger brothers
        therefore has a lower slot than they.
        """
        if not self._reads_columns(node):
            self._single_nodes.append(node)
            index = len(self._single_nodes) - 1
            return lambda frame: frame.singles[index]
        if isinstance(node, Field):
            name = node.name
            return lambda frame: frame.columns[name]
        parts = [self._step(part, slot + place)
                 for part, place in zip(node.parts, _places(node), strict=True)]
        match node:
            case Arithmetic(kernel=kernel):
                return _arithmetic(kernel, parts, slot)
            case Comparison(operators=operators):
                return _comparison(operators, parts, slot)
            case Logic(word=word):
                return _logic(word, parts, slot)
            case Choice(type=kind):
                return _choice(kind, parts, slot)
            case Membership(parts=(_, container)):
                if container.type is FieldType.TEXT or self._reads_columns(container):
                    return _row_by_row(container.type, parts, slot)
                return _membership(parts, slot)
            case Containing() | Matching():
                return _looking(node, parts[0], slot)
            case Overlap():
                return _overlap(parts, slot)
        raise AssertionError(f"unknown node {type(node).__name__}")

    def _reads_columns(self, node: Node) -> bool:
        return any(name in self._columns for name in fields_of(node))


def _places(node: Node) -> Sequence[int]:
    """Return how far above the node's own slot each of its parts has its slot."""
    count = len(node.parts)
    if isinstance(node, Logic):
        return [0] + [1] * (count - 1)  # each condition is folded in before the next is made
    if isinstance(node, Choice):
        return [1, 2, 3]  # a condition that is copied over must not be the result's own scratch
    return range(count)


def _arithmetic(name: str, parts: Sequence[Step], slot: int) -> Step:
    kernel, settles = KERNELS[name], name not in ALWAYS_FINITE

    def run(frame: Frame) -> Array:
        values = [part(frame) for part in parts]
        out = frame.numbers(slot)
        kernel(*values, out=out, dtype=out.dtype)
        return settle_column(out) if settles else out

    return run


def _comparison(operators: Sequence[str], parts: Sequence[Step], slot: int) -> Step:
    compares = [COMPARISONS[operator] for operator in operators]

    def run(frame: Frame) -> Array:
        left, right = parts[0](frame), parts[1](frame)
        # A left side is not needed again: its slot takes the answer.
        whole: Array = compares[0](left, right, out=frame.truths(slot))
        for place, compare in enumerate(compares[1:], start=1):
            left, right = right, parts[place + 1](frame)
            answer = compare(left, right, out=frame.truths(slot + place))
            np.logical_and(whole, answer, out=whole)
        return whole

    return run


def _logic(word: str, parts: Sequence[Step], slot: int) -> Step:
    join = np.logical_and if word == "and" else np.logical_or

    def run(frame: Frame) -> Any:
        whole = parts[0](frame)
        if word == "not":
            return np.logical_not(whole, out=frame.truths(slot))
        for part in parts[1:]:
            whole = join(whole, part(frame), out=frame.truths(slot))
        return whole

    return run


def _choice(kind: FieldType, parts: Sequence[Step], slot: int) -> Step:
    def run(frame: Frame) -> Array:
        condition, then, otherwise = (part(frame) for part in parts)
        if kind is FieldType.TEXT:
            return np.where(condition, np.asarray(then, object), np.asarray(otherwise, object))
        out = frame.numbers(slot) if kind is FieldType.NUMBER else frame.truths(slot)
        np.copyto(out, otherwise)
        np.copyto(out, then, where=condition)
        return out

    return run


def _membership(parts: Sequence[Step], slot: int) -> Step:
    item_of, container_of = parts

    def run(frame: Frame) -> Array:
        items, container = item_of(frame), container_of(frame)
        key = (id(container), items.dtype.str)  # the frame holds on to the container
        if key not in frame.lookups:
            frame.lookups[key] = lookup_of(container, items.dtype)
        out = frame.truths(slot)
        frame.lookups[key](items, out)
        return out

    return run


def _row_by_row(kind: FieldType, parts: Sequence[Step], slot: int) -> Step:
    """Look for a piece of text, or in a set that differs from row to row; one call a row."""

    def run(frame: Frame) -> Array:
        items, containers = (value if isinstance(value, np.ndarray) else repeat(value, frame.rows)
                             for value in (part(frame) for part in parts))
        out = frame.truths(slot)
        if kind is FieldType.TEXT:
            out[:] = [item in text for item, text in zip(items, containers, strict=True)]
        else:
            out[:] = [is_member(item, members)
                      for item, members in zip(items, containers, strict=True)]
        return out

    return run


def _looking(node: Containing | Matching, part: Step, slot: int) -> Step:
    """Look for words or a pattern in every text; one call a row."""
    if isinstance(node, Containing):
        phrases = node.phrases

        def holds(text: str) -> bool:
            words = words_of(text)
            return any(phrase in words for phrase in phrases)
    else:
        pattern = node.pattern

        def holds(text: str) -> bool:
            return is_found(pattern, text)

    def run(frame: Frame) -> Array:
        out = frame.truths(slot)
        out[:] = [holds(text) for text in part(frame).tolist()]
        return out

    return run


def _overlap(parts: Sequence[Step], slot: int) -> Step:
    def run(frame: Frame) -> Array:
        lefts, rights = (value if isinstance(value, np.ndarray) else repeat(value, frame.rows)
                         for value in (part(frame) for part in parts))
        out = frame.truths(slot)
        out[:] = [not left.isdisjoint(right) for left, right in zip(lefts, rights, strict=True)]
        return out

    return run
