"""The newest events for a page: the wanted ones, exactly, the newest first."""

from pathlib import Path

import msgspec
import pytest

from lichen.stream import Filter, Store
from lichen.stream.matching import matcher_of
from lichen.stream.recent import newest
from tests.conftest import FakeClock
from tests.stream.histories import TwoDictionaries, post

pytestmark = pytest.mark.anyio


async def test_whoever_shares_a_hash_with_the_wanted_is_not_shown(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page once asked the side index alone, where two people may have one number."""
    for module in ("columns", "encoding", "matching"):
        monkeypatch.setattr(f"lichen.stream.{module}.actor_hash", lambda _did: 7)
    matcher_of.cache_clear()
    store = Store.open(tmp_path, clock=clock, dictionaries=TwoDictionaries())
    await store.append([post(str(number), did=f"did:plc:{'ann' if number % 3 else 'bob'}")
                        for number in range(900)], position=1)

    found = newest(store, Filter(dids=frozenset({"did:plc:bob"})), limit=4)

    await store.close()
    matcher_of.cache_clear()
    texts = [msgspec.json.decode(one)["commit"]["record"]["text"] for one in found]
    assert texts == ["897", "894", "891", "888"]
