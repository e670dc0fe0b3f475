"""Every mutant still applies, and names a test that exists; `make sim` runs them."""

import re
from collections import Counter

import pytest

from tests.stream.mutating import ROOT, Mutant, mutants

PARTS = ("append", "recovery", "cursor", "filter", "seam", "compression", "erasure")


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.name)
def test_a_mutant_applies_and_names_a_test_that_exists(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text()
    path, test = mutant.killer.split("::", 1)
    name = re.split(r"\[|::", test)[0]

    assert mutant.applied(source) != source
    compile(mutant.applied(source), mutant.file, "exec")
    assert re.search(rf"\b{name}\b", (ROOT / path).read_text())


def test_every_part_of_the_core_has_mutants_of_its_own() -> None:
    parts = Counter(mutant.name.split("_")[0] for mutant in mutants())

    assert set(parts) == set(PARTS)
    assert min(parts.values()) >= 3
    assert parts.total() >= 21
