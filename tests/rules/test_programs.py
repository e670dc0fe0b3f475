"""Examples of the language: what programs say, in the order of the README's grammar."""

import math
from pathlib import Path

import numpy as np
import pytest

import lichen.rules
from lichen.kit import Term
from lichen.rules import FieldType, Trial, compile_program, limits, try_on

from .programs import FIELDS

FACTS = {"a": 10.0, "b": 4.0, "n": 3, "t": "lichen", "flag": True,
         "ids": {3, 7}, "tags": frozenset({"art", "moss"})}
LARGEST = float(np.finfo(np.float64).max)


def column_of(value):
    column = np.empty(2, object if isinstance(value, str | set | frozenset) else type(value))
    column[:] = [value, value]
    return column


COLUMNS = {name: column_of(value) for name, value in FACTS.items()}


def value_of(source):
    """Return the value for FACTS, which must be the same by itself and for rows of columns."""
    program = compile_program(source, FIELDS)

    value = program.value(FACTS)

    assert program.columns(COLUMNS).tolist() == [value, value]
    return value


@pytest.mark.parametrize(("source", "expected"), [
    ("1 + 2 * 3", 7.0), ("(1 + 2) * 3", 9.0), ("2 ** 3 ** 2", 512.0), ("-2 ** 2", -4.0),
    ("a - b - n", 3.0), ("a / b", 2.5), ("-7 % 3", 2.0), ("7 % -3", -2.0), ("+a", 10.0),
    ("min(a, b, n)", 3.0), ("max(a, b, n)", 10.0), ("clamp(a, 0, 5)", 5.0),
    ("clamp(-a, 0, 5)", 0.0), ("abs(b - a)", 6.0), ("sqrt(b)", 2.0), ("log10(1000)", 3.0),
    ("log(a)", math.log(10)), ("a if flag else b", 10.0), ("a if not flag else b", 4.0),
    ("1_000 + 0x10", 1016.0),
])
def test_arithmetic_reads_as_it_does_in_python(source, expected):
    assert value_of(source) == expected


@pytest.mark.parametrize(("source", "expected"), [
    ("1 < a <= 10 < 11", True), ("1 < a < 10", False), ("a > b and flag", True),
    ("a < b or not flag", False), ("n in {1, 2, 3}", True), ("n not in {1, 2, 3}", False),
    ("n in ids", True), ("a in ids", False), ("'art' in tags", True), ("t in {'moss'}", False),
    ("'ich' in t", True), ("'ICH' in t", False), ("t == 'lichen'", True), ("flag != False", True),
    ("True", True), ("a == b == n", False), ("(a < b) == (n > 5)", True),
    ("(a < b if a > n else flag)", False), ("(a > b if a > n else b < n)", True),
    ("a < b < n + 9 < 99", False), ("flag and (a < b) and (a > b)", False),
])
def test_conditions_read_as_they_do_in_python(source, expected):
    assert value_of(source) is expected


@pytest.mark.parametrize(("source", "expected"), [
    ("0 / 0", 0.0), ("a % 0", 0.0), ("log(-a)", 0.0), ("log10(-1)", 0.0), ("sqrt(-a)", 0.0),
    ("(-8) ** 0.5", 0.0), ("a / 0", LARGEST), ("-a / 0", -LARGEST), ("log(0)", -LARGEST),
    ("log10(0)", -LARGEST), ("0 ** -1", LARGEST), ("0 ** 0", 1.0), ("0 ** -0.5", LARGEST),
    ("1e18 ** 64", LARGEST), ("a / 0 - a / 0", 0.0), ("a / 0 * -2", -LARGEST),
    ("1 if 0 / 0 == 0 else 2", 1.0),
])
def test_what_has_no_answer_in_arithmetic_has_one_here(source, expected):
    assert value_of(source) == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_facts_that_are_no_numbers_are_settled_too(bad):
    program = compile_program("a", FIELDS)
    expected = {"nan": 0.0, "inf": LARGEST, "-inf": -LARGEST}[str(bad)]

    assert program.value({"a": bad}) == expected
    assert program.columns({"a": np.array([bad])}).tolist() == [expected]


def test_a_text_may_be_the_answer():
    program = compile_program("'old' if a > 5 else t", FIELDS)

    answers = program.columns({"a": np.array([1.0, 9.0])}, t="new")

    assert program.type is FieldType.TEXT
    assert answers.tolist() == ["new", "old"]


def test_a_program_may_run_over_several_lines_with_comments():
    source = "a  # the score\r\n  + b\n# and no more\n"

    assert value_of(source) == 14.0


def test_the_fields_of_a_program_are_those_it_reads_in_order():
    program = compile_program("n + max(b, n, a)", FIELDS)

    assert program.fields == ("n", "b", "a")
    assert program.source == "n + max(b, n, a)"
    assert program.type is FieldType.NUMBER


def test_long_ids_are_compared_to_the_last_bit_even_beside_float32():
    program = compile_program("a if n in {4611686018427387905} else 0", FIELDS)
    scores = np.array([2.5, 2.5], np.float32)
    ids = np.array([2**62 + 1, 2**62], np.int64)

    answers = program.columns({"a": scores, "n": ids})

    assert answers.dtype == np.float32
    assert answers.tolist() == [2.5, 0.0]


def test_a_number_that_was_calculated_is_a_float_also_when_it_was_only_chosen():
    program = compile_program("(n if flag else 0) == 4611686018427387905", FIELDS)

    answers = program.columns({"n": np.array([2**62]), "flag": np.array([True])})

    assert answers.tolist() == [True]
    assert program.value({"n": 2**62, "flag": True}) is True


def test_a_large_set_may_come_as_an_array():
    muted = np.arange(0, 100_000, 2)
    program = compile_program("n not in ids", FIELDS)

    answers = program.columns({"n": np.array([4, 5, 100_001, -2])}, ids=muted)

    assert answers.tolist() == [False, True, True, True]


def test_an_empty_set_holds_nothing():
    program = compile_program("n in ids", FIELDS)

    assert program.columns({"n": np.arange(3)}, ids=set()).tolist() == [False] * 3


def test_texts_may_come_as_objects_or_as_numpy_text():
    program = compile_program("t == 'b' or t in tags or 'x' in t", FIELDS)
    words = ["a", "b", "axe", "c"]

    for column in (np.array(words, object), np.array(words)):
        answers = program.columns({"t": column}, tags={"c"})

        assert answers.tolist() == [False, True, True, True]


@pytest.mark.parametrize(("dtype", "expected"), [
    (np.float32, np.float32), (np.float64, np.float64), (np.float16, np.float64),
    (np.int64, np.float64), (np.int32, np.float64), (np.bool_, np.float64),
])
def test_numbers_come_back_as_float32_only_from_float32(dtype, expected):
    program = compile_program("a * 0.5", FIELDS)

    answers = program.columns({"a": np.ones(2, dtype)})

    assert answers.dtype == expected
    assert answers.tolist() == [0.5, 0.5]


def test_float32_beside_float64_is_worked_on_as_float64():
    program = compile_program("a in {0.1} and b > 0", FIELDS)
    columns = {"a": np.array([0.1], np.float32), "b": np.array([1.0])}

    answers = program.columns(columns)

    assert answers.tolist() == [False]
    assert program.value({name: column[0] for name, column in columns.items()}) is False


def test_no_rows_give_no_answers():
    assert compile_program("a > 1", FIELDS).columns({"a": np.empty(0)}).tolist() == []


def test_a_program_over_single_values_answers_every_row_alike():
    program = compile_program("log10(2 + b)", FIELDS)

    answers = program.columns({"a": np.zeros(3)}, b=98)

    assert answers.tolist() == [2.0] * 3


def test_a_missing_fact_and_a_fact_of_another_type_are_errors_of_the_caller():
    program = compile_program("a + 1", FIELDS)

    with pytest.raises(KeyError):
        program.value({})
    with pytest.raises(TypeError):
        program.value({"a": "1"})
    with pytest.raises(TypeError):
        program.columns({"n": np.zeros(1)}, a="1")
    with pytest.raises(ValueError):
        program.columns({"a": np.zeros(1), "b": np.zeros(2)})


def test_more_sets_of_columns_than_plans_are_kept_are_still_answered():
    program = compile_program("a + b + n + (1 if flag else 0)", FIELDS)
    everything = {"a": np.ones(1), "b": np.ones(1), "n": np.ones(1, int), "flag": np.array([True])}

    for chosen in range(1, 2 ** 4):
        columns = {name: column for place, (name, column) in enumerate(everything.items())
                   if chosen >> place & 1}
        scalars = {name: column[0] for name, column in everything.items() if name not in columns}

        assert program.columns(columns, **scalars).tolist() == [4.0]
        assert len(program._plans) <= limits.PLANS_MAX


def test_a_sum_is_explained_by_its_addends_by_weight_then_its_fields():
    program = compile_program("2 * n - a * b + 1", FIELDS)

    reason = program.explain(FACTS, rule="balance")

    assert reason.rule == "balance"
    assert reason.value == -33.0
    assert reason.terms == (
        Term("a * b", 40.0, "subtracted"), Term("2 * n", 6.0, "added"),
        Term("n", 3), Term("a", 10.0), Term("b", 4.0))


def test_the_hot_rank_is_explained_by_its_factors():
    reason = compile_program("log10(max(2, a + 88)) / (b + 2) ** 2", FIELDS).explain(
        FACTS | {"a": 912.0, "b": 0.0})

    assert reason.rule == "log10(max(2, a + 88)) / (b + 2) ** 2"
    assert reason.value == 0.75
    assert reason.terms == (
        Term("log10(max(2, a + 88))", 3.0, "factor"), Term("(b + 2) ** 2", 4.0, "divided by"),
        Term("a", 912.0), Term("b", 0.0))


def test_a_rule_is_explained_by_its_conditions():
    reason = compile_program("a > 5 and n not in ids and t != 'x'", FIELDS).explain(FACTS)

    assert reason.value is False
    assert reason.terms == (
        Term("a > 5", True, "condition"), Term("n not in ids", False, "condition"),
        Term("t != 'x'", True, "condition"),
        Term("a", 10.0), Term("n", 3), Term("ids", 2.0, "members"), Term("t", "lichen"))


def test_a_choice_is_explained_by_its_condition_and_the_branch_taken():
    reason = compile_program("a if flag else b", FIELDS).explain(FACTS)

    assert reason.terms == (
        Term("flag", True, "condition"), Term("a", 10.0, "chosen"), Term("b", 4.0))


def test_a_rule_is_tried_on_the_past_in_chunks():
    program = compile_program("a > b", FIELDS)
    rows = np.arange(100.0)

    trials = list(try_on(program, {"a": rows % 10}, chunk=40, scalars={"b": 7}))

    assert [trial.seen for trial in trials] == [40, 80, 100]
    assert [trial.matches for trial in trials] == [8, 16, 20]
    assert trials[0] == Trial(40, 100, 8, (8, 9, 18, 19, 28, 29, 38, 39))
    assert trials[-1].sample == tuple(row for row in range(100) if row % 10 > 7)


def test_a_trial_shows_no_more_than_twenty_rows():
    *_, last = try_on(compile_program("a >= 0", FIELDS), {"a": np.zeros(1_000)}, chunk=7)

    assert last.matches == 1_000
    assert last.sample == tuple(range(limits.SAMPLE_MAX))


def test_a_trial_on_an_empty_past_ends_at_once():
    trials = list(try_on(compile_program("a > 1", FIELDS), {"a": np.empty(0)}))

    assert trials == [Trial(0, 0, 0, ())]


def test_the_programs_of_the_readme_are_programs():
    numbers = "score age_hours up down community author_age_days links".split()
    fields = dict.fromkeys(numbers, FieldType.NUMBER) | {
        "muted": FieldType.SET_OF_NUMBERS, "title": FieldType.TEXT, "language": FieldType.TEXT}
    readme = (Path(lichen.rules.__file__).parent / "README.md").read_text(encoding="utf-8")
    programs = readme.split("```rules\n")[1].split("```")[0].splitlines()

    compiled = [compile_program(source, fields) for source in programs]

    assert len(compiled) == 6


def test_the_example_of_the_readme_runs():
    readme = (Path(lichen.rules.__file__).parent / "README.md").read_text(encoding="utf-8")
    example = readme.split("```python\n")[1].split("```")[0]
    names = {"scores": np.arange(3.0), "ages": np.array([1.0, 30.0, 50.0])}

    exec(example, names)

    assert names["trial"].matches == 2
