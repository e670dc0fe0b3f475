"""Time, chance, settings and the world come in by constructor: law 8 of docs/invariants.md."""

import ast
import re

from tests.house.sources import Source, sources

# Where the world is let in. Each line is a place that a simulation replaces as a whole.
DOORS = {
    "clock": {"kit/clock.py"},
    "chance": {"kit/ground.py"},
    "environment": {"cli_options.py", "kit/crash_points.py"},
    # The doctor measures disk and database with a stopwatch; its answers are for people.
    "stopwatch": {"doctor/stopwatch.py"},
}
HIDDEN = {
    "clock": re.compile(
        r"^(time\.(time|time_ns|localtime|gmtime|strftime|ctime|asctime)|"
        r"datetime\.(datetime\.)?(now|utcnow|today)|(datetime\.)?date\.today)$"),
    "stopwatch": re.compile(r"^time\.(monotonic|perf_counter|process_time|thread_time)(_ns)?$"),
    "chance": re.compile(
        r"^(random\.[A-Za-z_]+|os\.urandom|secrets\.[a-z_]+|uuid\.uuid[14]|"
        r"(np|numpy)\.random\.(rand|randn|randint|random|seed|choice|shuffle|default_rng))$"),
    "environment": re.compile(r"^os\.(environ|environb|getenv|putenv|getlogin|getcwd)$"),
}
# Types, not draws: they name what was handed in.
TYPES = {"random.Random"}


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` of an attribute, or nothing for other expressions."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name) if inner := dotted(value):
            return f"{inner}.{name}"
    return ""


def hidden_inputs(source: Source, kind: str) -> list[str]:
    found = []
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "random", "secrets", "os"):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [dotted(node)]
        else:
            continue
        found += [f"{source.at(node)} {name}" for name in names
                  if name not in TYPES and HIDDEN[kind].match(name)]
    return found


def test_clock_chance_and_environment_enter_by_their_doors_only() -> None:
    outside = [
        place for kind, doors in DOORS.items() for source in sources() if source.path not in doors
        for place in hidden_inputs(source, kind)
    ]

    assert outside == []


def test_every_door_is_used() -> None:
    unused = [
        f"{kind}: {door}" for kind, doors in DOORS.items() for door in doors
        if not any(hidden_inputs(source, kind) for source in sources() if source.path == door)
    ]

    assert unused == []


def test_the_look_out_sees_what_it_looks_for() -> None:
    text = ("import time, random, os\nfrom os import environ\n"
            "def f(r: random.Random):\n    return time.time(), random.random(), os.environ['A']\n")
    source = Source("forum/x.py", text, ast.parse(text))

    assert len(hidden_inputs(source, "clock")) == 1
    assert len(hidden_inputs(source, "chance")) == 1
    assert len(hidden_inputs(source, "environment")) == 2


def test_nothing_is_kept_in_modules() -> None:
    """A module's constants stay as they were written: no `global`, no change in place."""
    changed = []
    for source in sources():
        names = {
            target.id for node in source.tree.body if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        changed += [source.at(node) for node in source.nodes if _changes(node, names)]

    assert changed == []


def _changes(node: ast.AST, names: set[str]) -> bool:
    match node:
        case ast.Global():
            return True
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name in names
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=verb)):
            return name in names and verb in (
                "append", "extend", "insert", "add", "update", "setdefault", "pop", "clear",
                "remove", "discard", "popitem", "appendleft")
    return False
