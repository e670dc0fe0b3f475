"""Rules: the one safe, bounded expression language of the house.

Ranking, feeds, filters, limits and moderation rules are programs in it. A program is one expression
over named fields; it is checked once, can neither loop nor fail, and gives the same answer for a
million rows as for one. There is no second evaluator. Beside it stands the screen: one pattern and
a list of addresses that a site does not want published.

    hot = compile_program("log10(max(2, score + 2)) / (age_hours + 2) ** 1.8",
                          {"score": FieldType.NUMBER, "age_hours": FieldType.NUMBER})
    hot.columns({"score": scores, "age_hours": ages})     # numpy in, numpy out
    hot.explain({"score": 41, "age_hours": 3.5})          # a lichen.kit.Reason
"""

from lichen.rules.bundle import Bundle
from lichen.rules.errors import RuleRefused
from lichen.rules.program import Program, compile_program
from lichen.rules.screen import Screen, blocked_address, check_pattern
from lichen.rules.texts import words_of
from lichen.rules.tree import FieldType
from lichen.rules.trial import Trial, try_on

__all__ = [
    "Bundle", "FieldType", "Program", "RuleRefused", "Screen", "Trial", "blocked_address",
    "check_pattern", "compile_program", "try_on", "words_of",
]
