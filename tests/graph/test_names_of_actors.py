"""Names to numbers and back: one by one and at once agree, and nobody is taken for another."""

from pathlib import Path

import numpy as np

from lichen.graph.names import NOBODY, Names, keys_of, write_names
from tests.graph.conftest import names

STRANGERS = ["did:plc:" + "a" * 23 + "7", "did:plc:" + "a" * 23 + "1", "did:plc:short", "é" * 32,
             "did:web:nowhere.example", "", "DID:PLC:" + "a" * 24, "did:plc:" + "A" * 24]


def written(folder: Path, people: list[str]) -> Names:
    keys, others = keys_of(people)
    write_names(folder, keys, others)
    return Names(folder)


def test_every_name_has_its_number_and_every_number_its_name(tmp_path: Path) -> None:
    people = [*names(500), "did:plc:short", "x"]
    found = written(tmp_path, people)

    assert [found.number_of(name) for name in people] == list(range(len(people)))
    assert [found.name_of(number) for number in range(len(people))] == people
    assert found.names_of(np.arange(len(people), dtype=np.uint32)) == people
    assert [found.number_of(name) for name in STRANGERS] == [None, None, people.index(
        "did:plc:short"), None, None, None, None, None]


def test_many_names_at_once_are_found_as_one_by_one(tmp_path: Path) -> None:
    people = [*names(500), "did:plc:short"]
    asked = people[::3] + STRANGERS + people[1::5]
    found = written(tmp_path, people)

    numbers = found.numbers_of(asked)

    assert len(asked) > 64, "the way for many is taken"
    assert [None if number == NOBODY else number for number in numbers.tolist()] == [
        found.number_of(name) for name in asked]


def test_a_name_whose_hash_is_anothers_key_is_nobody(tmp_path: Path) -> None:
    """The key of a did:web is a hash: the did:plc that these bits spell is somebody else."""
    people = names(80)
    other = next(name for name in people if name.startswith("did:web"))
    found = written(tmp_path, people)
    keys, _ = keys_of([other])
    bits = int.from_bytes(keys[0].tobytes(), "big")
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    impostor = "did:plc:" + "".join(letters[bits >> shift & 31] for shift in range(115, -1, -5))

    assert found.number_of(impostor) is None
    assert found.numbers_of([impostor] * 70).tolist() == [NOBODY] * 70


def test_an_empty_graph_knows_nobody(tmp_path: Path) -> None:
    found = written(tmp_path, [])

    assert len(found) == 0
    assert found.number_of("did:plc:" + "a" * 24) is None
    assert found.numbers_of(names(100)).tolist() == [NOBODY] * 100
    assert found.names_of(np.zeros(0, np.uint32)) == []
