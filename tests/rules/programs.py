"""Random programs and random facts, typed so that nearly every program is accepted."""

from hypothesis import strategies as st

from lichen.rules import FieldType

FIELDS = {
    "a": FieldType.NUMBER, "b": FieldType.NUMBER, "n": FieldType.NUMBER,
    "t": FieldType.TEXT, "flag": FieldType.BOOLEAN,
    "ids": FieldType.SET_OF_NUMBERS, "tags": FieldType.SET_OF_TEXT,
}
WORDS = ["", "a", "ab", "b", "lichen", "Ü", "A lichen, Ab!", "über\u00a0b", "\ud800b"]
PHRASES = st.sampled_from(["'a'", "'LICHEN'", "'a lichen'", "{'ü', 'ab'}", "'über'"])
PATTERNS = st.sampled_from(["a", "^b", r"\bab\b", "(?i)LICHEN", "[0-9]", "ü|b$", "x*", "li.*n", r"\pL{3}"])

floats = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.1, 2.5, 1e-30, 1e30, -1e30]),
    st.floats(-1e6, 1e6, width=32),
)
whole = st.integers(-5, 5) | st.integers(-(2**62), 2**62)
words = st.sampled_from(WORDS)
ids = st.frozensets(st.sampled_from([0, 1, -1, 2, 0.1, 2.5, 7]), max_size=4)
tags = st.frozensets(words, max_size=3)
VALUES = {"a": floats, "b": floats, "n": whole, "t": words, "flag": st.booleans(),
          "ids": ids, "tags": tags}

number_literals = st.sampled_from(["0", "1", "2", "3.5", "0.1", "1e12", "16777217", "-2"])
text_literals = st.sampled_from(WORDS[:-1]).map(repr)
NUMBER_SETS = ["ids", "{0, 1, 2.5}", "{0.1}", "{" + ", ".join(map(str, range(40))) + "}"]
TEXT_SETS = ["tags", "{'a', 'ab'}", "{''}"]


def _joined(*strategies, sign):
    return st.tuples(*strategies).map(lambda parts: "(" + sign.join(parts) + ")")


@st.composite
def numbers(draw, depth):
    if depth == 0:
        return draw(number_literals | st.sampled_from(["a", "b", "n"]))
    part = numbers(depth - 1)
    shape = draw(st.integers(0, 5))
    if shape == 0:
        sign = draw(st.sampled_from([" + ", " - ", " * ", " / ", " % ", " ** "]))
        return f"({draw(part)}{sign}{draw(part)})"
    if shape == 1:
        name = draw(st.sampled_from(["log", "log10", "sqrt", "abs", "-"]))
        return f"{name}({draw(part)})"
    if shape == 2:
        name = draw(st.sampled_from(["min", "max", "clamp"]))
        return f"{name}({draw(part)}, {draw(part)}, {draw(part)})"
    if shape == 3:
        return f"({draw(part)} if {draw(conditions(depth - 1))} else {draw(part)})"
    if shape == 4:
        return f"(({draw(part)}) ** {draw(st.sampled_from(['2', '1.8', '-0.5', '(1 / 3)']))})"
    return draw(part)


@st.composite
def texts(draw, depth):
    if depth == 0 or draw(st.booleans()):
        return draw(text_literals | st.just("t"))
    return f"({draw(texts(0))} if {draw(conditions(depth - 1))} else {draw(texts(0))})"


@st.composite
def conditions(draw, depth):
    if depth == 0:
        return draw(st.sampled_from(["flag", "True", "False"]))
    number, part = numbers(depth - 1), conditions(depth - 1)
    shape = draw(st.integers(0, 10))
    if shape == 8:
        return f"contains({draw(texts(depth - 1))}, {draw(PHRASES)})"
    if shape == 9:
        return f"matches({draw(texts(depth - 1))}, {draw(PATTERNS)!r})"
    if shape == 10:
        return f"overlaps(tags, {draw(st.sampled_from(TEXT_SETS))})"
    if shape == 0:
        compared = st.sampled_from([" < ", " <= ", " > ", " >= ", " == ", " != "])
        links = draw(st.lists(st.tuples(compared, number), min_size=1, max_size=3))
        return f"({draw(number)}" + "".join(f"{sign}{link}" for sign, link in links) + ")"
    if shape == 1:
        word = draw(st.sampled_from([" and ", " or "]))
        return "(" + word.join(draw(st.lists(part, min_size=2, max_size=4))) + ")"
    if shape == 2:
        return f"(not {draw(part)})"
    if shape == 3:
        sign = draw(st.sampled_from(["in", "not in"]))
        return f"({draw(number)} {sign} {draw(st.sampled_from(NUMBER_SETS))})"
    if shape == 4:
        return f"({draw(texts(depth - 1))} in {draw(st.sampled_from([*TEXT_SETS, 't']))})"
    if shape == 5:
        return f"({draw(texts(depth - 1))} {draw(st.sampled_from(['==', '!=']))} t)"
    if shape == 6:
        return f"({draw(part)} == {draw(part)} != flag)"
    return f"({draw(part)} if {draw(part)} else {draw(part)})"


programs = st.integers(1, 4).flatmap(
    lambda depth: st.one_of(numbers(depth), conditions(depth), texts(depth)))
