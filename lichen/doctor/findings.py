"""Findings: what the doctor says of each thing it looked at.

Well, a worry (the house runs, but read this), or ill (it will not run, or will lose something).
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec


class Health(StrEnum):
    """How a thing is."""

    WELL = "well"
    WORRY = "worry"
    ILL = "ill"


class Finding(NamedTuple):
    """What was looked at, how it is, what was measured, what to do about it, how long it took."""

    about: str
    health: Health
    told: str
    advice: str = ""
    took_ms: float | None = None


_MARKS = {Health.WELL: "  ok ", Health.WORRY: "worry", Health.ILL: " ILL "}


def lines_of(finding: Finding) -> list[str]:
    """Return a finding as lines for people."""
    took = "" if finding.took_ms is None else f" ({finding.took_ms:.0f} ms)"
    lines = [f"[{_MARKS[finding.health]}] {finding.about}{took}: {finding.told}"]
    return [*lines, f"        → {finding.advice}"] if finding.advice else lines


def is_ill(findings: Iterable[Finding]) -> bool:
    """Say whether anything is ill."""
    return any(finding.health is Health.ILL for finding in findings)


def json_of(findings: Iterable[Finding], figures: object = None) -> str:
    """Return findings and what they were made from as JSON."""
    told = {"findings": [one._asdict() for one in findings]}
    found = told if figures is None else {**told, "figures": figures}
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
