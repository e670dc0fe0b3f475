"""Everything has a limit, named, with a reason, and used: law 4 of docs/invariants.md."""

import ast
import re
from collections import Counter

from lichen.kit.limits import limits_of
from tests.house.sources import PACKAGE, sources, test_sources

# Waiting rooms without a bound of their own, and what bounds them.
BOUNDED_ELSEWHERE = {
    "federation/lanes.py": "LANE_ACTIVITIES_MAX: a full lane is offered nothing",
    "log/scribe.py": "PENDING_BYTES_MAX: appends beyond it are refused",
    "federation/inbox.py": "INBOX_FULL_MAX: no more activities are taken in while so many wait",
    "store/sqlite.py": "serving.BACKPRESSURE: no more requests are in work at once",
}
LIMITS = limits_of(PACKAGE)


def test_every_limit_says_why() -> None:
    assert [limit for limit in LIMITS if not limit.why] == []


def test_every_limit_limits_something() -> None:
    """A constant that neither code nor test reads promises what nobody keeps."""
    named = Counter(word for source in (*sources(), *test_sources())
                    for word in re.findall(r"\b[A-Z][A-Z0-9_]+\b", source.text))

    idle = [f"{limit.room}: {limit.name}" for limit in LIMITS
            if named[limit.name.upper()] < 2]

    assert idle == []


def test_nothing_waits_or_is_kept_without_a_bound() -> None:
    unbounded = {source.path for source in sources() for node in source.nodes
                 if isinstance(node, ast.Call) and _is_unbounded(node)}

    assert unbounded == BOUNDED_ELSEWHERE.keys()


def _is_unbounded(node: ast.Call) -> bool:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    words = {keyword.arg for keyword in node.keywords}
    match name:
        case "Queue" | "LifoQueue" | "PriorityQueue":
            return not node.args and "maxsize" not in words
        case "deque":
            return len(node.args) < 2 and "maxlen" not in words
        case "lru_cache":
            return any(ast.unparse(keyword.value) == "None" for keyword in node.keywords)
    return name == "SimpleQueue"


def test_nothing_is_remembered_for_ever() -> None:
    """`functools.cache` has no bound; it is for values without parameters only."""
    kept = [
        source.at(function) for source in sources() for function in source.nodes
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(ast.unparse(one) in ("cache", "functools.cache") for one in function.decorator_list)
        and (function.args.args or function.args.kwonlyargs)
    ]

    assert kept == []
