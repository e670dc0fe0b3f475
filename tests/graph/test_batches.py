"""A batch that is not parsed is answered as one that is, or it is parsed."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from lichen.graph import Change, Graph, Overlay
from lichen.graph.asked import Asked, letters_in
from lichen.graph.names import NOBODY, name_of_letters
from tests.graph.conftest import names

PLC = [name for name in names(90) if name.startswith("did:plc:")]
PAIRS = [(PLC[0], PLC[1]), (PLC[2], PLC[3]), (PLC[4], PLC[0])]
SPACED = json.dumps({"pairs": PAIRS}).encode()
COMPACT = msgspec.json.encode({"pairs": PAIRS})


def parsed(body: bytes) -> list[tuple[str, str]] | None:
    try:
        return msgspec.json.decode(body, type=Asked).pairs
    except msgspec.MsgspecError:
        return None


def read_at_once(body: bytes) -> list[tuple[str, str]] | None:
    letters = letters_in(body)
    if letters is None:
        return None
    found = [name_of_letters(one) for one in letters]
    return list(zip(found[::2], found[1::2], strict=True))


def damaged(body: bytes) -> Iterator[bytes]:
    """Every body that differs in one byte, by one byte more, or by one byte less."""
    for at in range(len(body)):
        for byte in b'aZ0 ",]:[\\\xc3\n':
            yield body[:at] + bytes([byte]) + body[at + 1 :]
            yield body[:at] + bytes([byte]) + body[at:]
        yield body[:at] + body[at + 1 :]


@pytest.mark.parametrize("body", [SPACED, COMPACT], ids=["spaced", "compact"])
def test_a_regular_batch_is_read_without_parsing(body: bytes) -> None:
    assert read_at_once(body) == PAIRS
    assert letters_in(body.replace(b"did:plc", b"did:web", 1)) is None
    assert letters_in(b'{"pairs":[]}') is None


@pytest.mark.parametrize("body", [SPACED, COMPACT], ids=["spaced", "compact"])
def test_whatever_is_read_without_parsing_is_what_parsing_reads(body: bytes) -> None:
    bodies = list(damaged(body))
    found = [(one, read) for one in bodies if (read := read_at_once(one)) is not None]

    assert len(found) > 100, "other letters are regular too"
    assert [one for one, read in found if parsed(one) != read] == []


@pytest.mark.anyio
async def test_letters_find_whom_names_find(tmp_path: Path) -> None:
    graph = Graph.open(tmp_path)
    await graph.commit([Change(name, PLC[0]) for name in PLC[1:40]])
    await graph.rebuild()
    await graph.commit([Change(name, PLC[0]) for name in PLC[40:60]])
    letters = np.frombuffer("".join(name[8:] for name in PLC).encode(), np.uint8).reshape(-1, 24)

    def found(overlay: Overlay) -> list[int]:
        numbers: list[int] = overlay.numbers_of_letters(letters).tolist()
        assert numbers == overlay.numbers_of(PLC).tolist()
        return numbers

    numbers = found(graph.overlay)
    assert [number == NOBODY for number in numbers] == [at >= 60 for at in range(len(PLC))]
    assert [graph.overlay.name_of(number) for number in numbers[:60]] == PLC[:60]
    await graph.close()
