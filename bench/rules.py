"""How fast a program ranks 100,000 posts, beside the same formula written by hand in numpy.

    python -m bench.rules [rows]

The floor is the expression as one would write it in a script, in the same run, on the same columns;
a ratio below 1 means that the program is faster. One core: nothing here starts a thread.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from bench.results import record
from lichen.rules import FieldType, Program, compile_program

ROWS = 100_000
ROUNDS = 200  # the best of many: other work on the machine can only add time
NUMBER = FieldType.NUMBER
FIELDS = {"score": NUMBER, "up": NUMBER, "down": NUMBER, "age_hours": NUMBER,
          "users": NUMBER, "community": NUMBER, "muted": FieldType.SET_OF_NUMBERS}
PROGRAMS = {
    "hot": "log10(max(2, score + 2)) / (age_hours + 2) ** 1.8",
    "scaled": "log10(max(2, score + 2)) / (age_hours + 2) ** 1.8 / log10(2 + users)",
    "controversial":
        "(up + down) ** (min(up, down) / max(up, down)) if up > 0 and down > 0 else 0",
    "filter": "score > 5 and age_hours < 24 and community not in muted",
}


def floors(columns: dict[str, np.ndarray], muted: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return each formula as a hand-written expression over the columns."""
    score, up, down, age, users, community = (columns[name] for name in (
        "score", "up", "down", "age_hours", "users", "community"))

    def hot() -> np.ndarray:
        ranks: np.ndarray = np.log10(np.maximum(2, score + 2)) / (age + 2) ** 1.8
        return ranks

    return {
        "hot": hot,
        "scaled": lambda: hot() / np.log10(2 + users),
        "controversial": lambda: np.where(
            (up > 0) & (down > 0),
            (up + down) ** (np.minimum(up, down) / np.maximum(up, down)), 0),
        "filter": lambda: (score > 5) & (age < 24) & ~np.isin(community, muted),
    }


def past(rows: int) -> dict[str, np.ndarray]:
    """Return made-up columns of that many posts."""
    chance = np.random.default_rng(20)
    up = np.floor(chance.pareto(1.2, rows) * 4).astype(np.float32)
    down = np.floor(up * chance.uniform(0, 0.6, rows)).astype(np.float32)
    return {"up": up, "down": down, "score": up - down,
            "age_hours": chance.uniform(0, 24 * 90, rows).astype(np.float32),
            "users": np.floor(chance.pareto(1.0, rows) * 50).astype(np.float32),
            "community": chance.integers(1, 5_000, rows)}


def best_ms(run: Callable[[], object]) -> float:
    """Return the milliseconds of the fastest of ROUNDS runs."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def single_us(program: Program, columns: dict[str, np.ndarray]) -> float:
    """Return the microseconds of one `value` of one post."""
    facts = {name: column[0].item() for name, column in columns.items()}
    return best_ms(lambda: program.value(facts)) * 1e3


def main() -> None:
    """Measure every program and its floor, print the table and keep it."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    columns = past(rows)
    muted = np.arange(0, 5_000, 25)
    figures: dict[str, object] = {"rows": rows}
    print(f"{'program':14} {'ms':>8} {'by hand':>8} {'ratio':>6}   {rows:,} rows")
    with np.errstate(all="ignore"):
        for name, floor in floors(columns, muted).items():
            program = compile_program(PROGRAMS[name], FIELDS)
            needs = {"muted": muted} if "muted" in program.fields else {}
            ours = best_ms(lambda: program.columns(columns, **needs))  # noqa: B023
            by_hand = best_ms(floor)
            figures[name] = {"ms": round(ours, 3), "by_hand_ms": round(by_hand, 3),
                             "ratio": round(ours / by_hand, 2)}
            print(f"{name:14} {ours:8.3f} {by_hand:8.3f} {ours / by_hand:6.2f}")
    hot = compile_program(PROGRAMS["hot"], FIELDS)
    figures["value_us"] = round(single_us(hot, columns), 1)
    figures["compile_us"] = round(
        best_ms(lambda: compile_program(PROGRAMS["hot"], FIELDS)) * 1e3, 1)
    print(f"one value {figures['value_us']} µs, compiling {figures['compile_us']} µs")
    record("rules", figures)


if __name__ == "__main__":
    main()
