"""What the language is not: every refusal says where, what came, and what was expected."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.kit import Refused
from lichen.rules import FieldType, Program, RuleRefused, compile_program, limits, try_on

from .programs import FIELDS


def refusal_of(source):
    with pytest.raises(RuleRefused) as caught:
        compile_program(source, FIELDS)
    return caught.value


@pytest.mark.parametrize(("source", "got"), [
    ("a.real", "an attribute (a dot)"),
    ("().__class__", "an attribute (a dot)"),
    ("t[0]", "a subscript ([ ])"),
    ("lambda: 1", "a lambda"),
    ("[a for a in ids]", "a comprehension"),
    ("{a for a in ids}", "a comprehension"),
    ("a for a in ids", "a comprehension"),
    ("(x := 1)", "an assignment (:=)"),
    ("x := 1", "an assignment (:=)"),
    ("f'{a}'", "an f-string"),
    ("{'a': 1}", "a dictionary"),
    ("{}", "a dictionary"),
    ("[1]", "a list"),
    ("a, b", "a comma"),
    ("max(*ids)", "max(*ids)"),
    ("max(a, key=b)", "max(a, key=b)"),
    ("yield a", "yield"),
    ("await a", "await"),
    ("None", "None"),
    ("...", "..."),
    ("b'a'", "b'a'"),
    ("1j", "1j"),
    ("1e400", "1e400"),
    ("a // b", "//"),
    ("a & b", "&"),
    ("~a", "~"),
    ("a is b", "is"),
    ("a < b is not n", "is not"),
    ("ids", "a set of numbers"),
    ("{1}", "a set of numbers"),
    (r"'\0'", r"'\0'"),
    (r"'\ud800'", r"'\ud800'"),
    ("", "nothing"),
    (" \n\t", "nothing"),
    ("a) + (b", "a ) that closes nothing"),
])
def test_what_is_not_in_the_language_is_refused_by_name(source, got):
    refusal = refusal_of(source)

    assert refusal.got == got


@pytest.mark.parametrize("source", [
    "__import__('os')", "eval('1')", "open(t)", "print(a)", "a(b)", "max(a)(b)", "t.lower()",
    "getattr(a, t)", "len(t)", "(lambda: a)()", "ids.pop()",
])
def test_a_call_to_anything_but_the_functions_is_refused(source):
    refusal = refusal_of(source)

    assert refusal.expected == "one of the functions min max clamp abs sqrt log log10 contains matches overlaps"


@pytest.mark.parametrize(("source", "expected", "got"), [
    ("t + 1", "a number", "a text (t)"),
    ("1 + t", "a number", "a text (t)"),
    ("t * 3", "a number", "a text (t)"),
    ("-t", "a number", "a text (t)"),
    ("flag + 1", "a number", "true or false (flag)"),
    ("max(a, t)", "a number", "a text (t)"),
    ("a and flag", "true or false", "a number (a)"),
    ("not a", "true or false", "a number (a)"),
    ("1 if a else 2", "true or false", "a number (a)"),
    ("1 if flag else t", "a number", "a text (t)"),
    ("a == t", "a number", "a text (t)"),
    ("t < 'b'", "a number", "a text (t)"),
    ("flag < flag", "a number", "true or false (flag)"),
    ("ids == ids", "a number or a text or true or false", "a set of numbers (ids)"),
    ("a in tags", "a set of numbers", "a set of texts (tags)"),
    ("t in ids", "a set of texts or a text", "a set of numbers (ids)"),
    ("flag in ids", "a number or a text", "true or false (flag)"),
    ("a in {1, 'b'}", "a number", "a text"),
    ("a in {b}", "a number or a text that is written out", "b"),
    ("a in ids in ids", "`in` alone, joined to other conditions by and", "a in ids in ids"),
    ("ids if flag else ids", "a number or a text or true or false", "a set of numbers (ids)"),
    ("clamp(a, 1)", "3 values for clamp", "clamp(a, 1)"),
    ("log(a, 2)", "1 values for log", "log(a, 2)"),
    ("min(a)", "2 to 16 values for min", "min(a)"),
])
def test_a_value_of_the_wrong_type_is_refused_before_it_runs(source, expected, got):
    refusal = refusal_of(source)

    assert (refusal.expected, refusal.got) == (expected, got)


@pytest.mark.parametrize("source", [
    "9**9**9", "a ** 65", "a ** -65", "2 ** (9 * 9)", "a ** 1e17", "9**9**9**9**9",
    "9999999999999999999999999999999", "0x" + "f" * 3000, "1" + "0" * 3900, "9" * 3999,
])
def test_huge_numbers_and_exponents_are_refused(source):
    refusal = refusal_of(source)

    assert refusal.expected in ("an exponent within ±64", "a number below 2**63")


def test_two_hundred_sub_expressions_are_accepted_and_one_more_is_refused():
    fits = " and ".join(["flag"] * 199)  # and the whole

    program = compile_program(fits, FIELDS)

    assert program.columns({"flag": np.array([True, False])}).tolist() == [True, False]
    assert refusal_of(f"{fits} and flag").expected == "at most 200 sub-expressions"


@pytest.mark.parametrize("source", [
    "(" * 150 + "a" + ")" * 150,
    "-" * 63 + "a",
])
def test_nesting_within_the_limit_is_accepted(source):
    assert isinstance(compile_program(source, FIELDS), Program)


@pytest.mark.parametrize("source", [
    "-" * 64 + "a", "-" * 3999 + "a", "not " * 900 + "flag", "(" * 1999 + "a" + ")" * 1999,
    "a" + " + a" * 70, "abs(" * 90 + "a" + ")" * 90, "{" * 1900, "a if flag else " * 66 + "a",
    "2" + " ** 2" * 90, "[" * 3000, "lambda: " * 400 + "a", "f'" + "{" * 300,
])
def test_nesting_beyond_the_limit_is_refused(source):
    refusal = refusal_of(source)

    assert refusal.code == "rule_refused"


def test_a_source_beyond_four_thousand_characters_is_refused_unread():
    source = "a" + " " * limits.SOURCE_CHARACTERS_MAX

    assert refusal_of(source).got == "4001"


def test_a_refusal_names_the_place_and_the_nearest_name():
    fields = {"score": FieldType.NUMBER, "age_hours": FieldType.NUMBER}

    with pytest.raises(Refused) as caught:
        compile_program("max(2,\n  scor + 2)", fields)

    assert caught.value.status == 400
    assert caught.value.code == "rule_refused"
    assert caught.value.text == (
        "Line 2, column 3: expected the name of a field; got scor. Did you mean score?")


def test_a_refusal_counts_columns_in_characters_not_in_bytes():
    refusal = refusal_of("'Üß€' == tt")

    assert (refusal.line, refusal.column) == (1, 10)


def test_an_unknown_name_near_none_lists_the_fields():
    assert refusal_of("quux").hint == "Fields: a, b, n, t, flag, ids, tags."


def test_an_unknown_function_is_told_the_nearest_one():
    assert refusal_of("logg(a)").hint == "Did you mean log?"


@pytest.mark.parametrize(("source", "line", "column"), [
    ("a +", 1, 4), ("a + * b", 1, 5), ("(a", 1, 1), ("a\r\n  $", 2, 3),
])
def test_a_syntax_error_is_placed_in_the_text_the_person_wrote(source, line, column):
    refusal = refusal_of(source)

    assert (refusal.line, refusal.column) == (line, column)


def test_only_a_condition_can_be_tried_on_the_past():
    program = compile_program("a + 1", FIELDS)

    with pytest.raises(RuleRefused):
        try_on(program, {})


@given(st.text(max_size=200) | st.text(
    alphabet="ab01n_.,:;+-*/%<>=!()[]{}'\"\\ \n\r\t#@&|^~fiotrlmdxe$", max_size=120))
def test_no_text_raises_anything_but_a_refusal(source):
    try:
        program = compile_program(source, FIELDS)
    except RuleRefused as refusal:
        assert 1 <= refusal.line <= source.count("\n") + source.count("\r") + 2
        assert refusal.column >= 1
        refusal.text.encode()
    else:
        assert isinstance(program, Program)


PIECES = ["a", "b", "n", "t", "flag", "ids", "tags", "1", "2.5", "'x'", "(", ")", "+", "-", "*",
          "/", "%", "**", "<", "==", "!=", "in", "not", "and", "or", "if", "else", "max(", "log(",
          "clamp(", ",", "{", "}", ".", "[", "]", "lambda", ":", ":=", "for", "is", "\n", "f'{a}'"]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join))
def test_no_heap_of_words_raises_anything_but_a_refusal(source):
    try:
        program = compile_program(source, FIELDS)
    except RuleRefused as refusal:
        assert refusal.code == "rule_refused"
    else:
        program.value({"a": 1.0, "b": 0.0, "n": 2, "t": "x", "flag": True,
                       "ids": {1}, "tags": {"x"}})
