"""Compiled equals interpreted, and both equal Python where Python has an answer."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.rules import FieldType, RuleRefused, compile_program, limits

from .programs import FIELDS, VALUES, conditions, numbers, programs

DTYPES = {FieldType.NUMBER: None, FieldType.TEXT: object, FieldType.BOOLEAN: bool,
          FieldType.SET_OF_NUMBERS: object, FieldType.SET_OF_TEXT: object}


def column_of(values, name, floating):
    if name in ("a", "b"):
        return np.array(values, floating)
    if name == "n":
        return np.array(values, np.int64)
    column = np.empty(len(values), DTYPES[FIELDS[name]])
    column[:] = values
    return column


def compiled(source):
    """Return the program, or None where the random one is refused for an exponent or its size."""
    try:
        return compile_program(source, FIELDS)
    except RuleRefused as refusal:
        assert "exponent" in refusal.expected or "at most" in refusal.expected, (source, refusal)
        return None


@given(programs, st.data())
def test_columns_equal_values_row_by_row_to_the_last_bit(source, data):
    program = compiled(source)
    if program is None:
        return
    floating = data.draw(st.sampled_from([np.float32, np.float64]))
    singles = data.draw(st.sets(st.sampled_from(sorted(FIELDS))))
    count = data.draw(st.integers(1, 9))
    drawn = {name: data.draw(VALUES[name] if name in singles else
                             st.lists(VALUES[name], min_size=count, max_size=count))
             for name in FIELDS}
    columns = {name: column_of(drawn[name], name, floating)
               for name in FIELDS if name not in singles} | {"row": np.arange(count)}
    scalars = {name: drawn[name] for name in singles}

    answers = program.columns(columns, **scalars)

    for row in range(count):
        facts = scalars | {name: columns[name][row] for name in columns}
        assert answers[row] == program.value(facts), (source, facts)
        assert program.value(facts) == program.explain(facts).value


@given(numbers(4) | conditions(4), st.data())
def test_no_answer_is_ever_infinite_or_not_a_number(source, data):
    program = compiled(source)
    if program is None:
        return
    facts = {name: data.draw(st.floats() if name in "ab" else VALUES[name]) for name in FIELDS}

    reason = program.explain(facts)

    assert math.isfinite(reason.value)
    assert all(isinstance(term.value, str) or math.isfinite(term.value) for term in reason.terms)


# fabs, since abs would make a real number of a complex one.
PYTHON = {"min": min, "max": max, "abs": math.fabs, "log": math.log, "log10": math.log10,
          "sqrt": math.sqrt, "clamp": lambda x, low, high: min(max(x, low), high)}


@given(numbers(3), st.data())
def test_where_python_has_an_answer_ours_is_close_to_it(source, data):
    program = compiled(source)
    if program is None or "==" in source or "!=" in source:
        return
    if any(name in source for name in ("contains(", "matches(", "overlaps(")):
        return
    if "**" in source and " in " in source:
        return  # Python would look for a complex number, and not find it
    facts = {name: data.draw(VALUES[name].filter(lambda v: not isinstance(v, float) or abs(v) < 50))
             for name in FIELDS} | {"n": data.draw(st.integers(-9, 9))}
    try:
        expected = eval(source, {"__builtins__": {}}, PYTHON | facts)
        nudged = eval(source, {"__builtins__": {}},
                      PYTHON | facts | {name: facts[name] * (1 + 1e-12) for name in "ab"})
    except (ArithmeticError, ValueError, TypeError):
        return
    if isinstance(expected, complex) or isinstance(nudged, complex) \
            or not math.isclose(expected, nudged, rel_tol=1e-9):
        return  # on an edge, where the last digit decides

    assert program.value(facts) == pytest.approx(expected, rel=1e-8), source


def test_rows_beyond_one_chunk_are_answered_as_the_rows_of_the_first():
    program = compile_program("log10(max(2, a + 2)) / (b + 2) ** 1.8 if n % 2 == 0 else -a", FIELDS)
    count = 2 * limits.CHUNK_ROWS + 3
    columns = {"a": np.linspace(-5, 900, count), "b": np.linspace(0, 99, count),
               "n": np.arange(count)}

    answers = program.columns(columns)

    a, b = columns["a"], columns["b"]
    hot = np.log10(np.maximum(2, a + 2)) / (b + 2) ** 1.8
    np.testing.assert_array_equal(answers, np.where(columns["n"] % 2 == 0, hot, -a))


def test_float32_ranks_are_within_three_millionths_of_float64():
    hot = compile_program("log10(max(2, a + 2)) / (b + 2) ** 1.8", FIELDS)
    a = np.random.default_rng(7).integers(-50, 90_000, 50_000).astype(np.float32)
    b = np.random.default_rng(8).uniform(0, 24 * 365 * 10, 50_000).astype(np.float32)

    fast = hot.columns({"a": a, "b": b})
    exact = hot.columns({"a": a.astype(np.float64), "b": b.astype(np.float64)})

    assert fast.dtype == np.float32
    np.testing.assert_allclose(fast, exact, rtol=3e-6)


def test_the_inputs_are_never_written_to():
    program = compile_program("-a + abs(b) if flag else clamp(a, b, 1)", FIELDS)
    columns = {"a": np.array([np.nan, 2.0]), "b": np.array([np.inf, -3.0]),
               "flag": np.array([True, False])}
    for column in columns.values():
        column.flags.writeable = False

    answers = program.columns(columns)

    assert answers.tolist() == [np.finfo(np.float64).max, 1.0]


def test_a_program_may_run_in_several_threads_at_once():
    program = compile_program("sqrt(abs(a)) * log(b + 2) + a ** 1.5", FIELDS)
    chunks = [{"a": np.arange(50_000.0) + shift, "b": np.arange(50_000.0)} for shift in range(8)]
    expected = [program.columns(columns) for columns in chunks]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(program.columns, chunks))

    for answer, wanted in zip(answers, expected, strict=True):
        np.testing.assert_array_equal(answer, wanted)
