"""The one error of the rules language.

    Refused (lichen.kit)
    └── RuleRefused   the program cannot be accepted: where, what came, what was expected
"""

from lichen.kit import Refused


class RuleRefused(Refused):
    """A program was refused before it ran.

    `line` and `column` count from 1; `hint` is a whole sentence, such as "Did you mean score?".
    """

    def __init__(self, expected: str, got: str, *, line: int = 1, column: int = 1,
                 hint: str = "") -> None:
        text = f"Line {line}, column {column}: expected {expected}; got {got}."
        super().__init__("rule_refused", f"{text} {hint}".rstrip())
        self.line = line
        self.column = column
        self.expected = expected
        self.got = got
        self.hint = hint
