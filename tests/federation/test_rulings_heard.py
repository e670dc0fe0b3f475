"""What moderators and administrators elsewhere decide, as it comes in."""

import pytest

from tests.federation.incoming import (
    ANN,
    BEN,
    STONES,
    Town,
    act,
    ground,
    house,
    mira,
    otto,
    page,
    stones,
    town,
)

pytestmark = pytest.mark.anyio
__all__ = ["ground", "house", "mira", "otto", "stones", "town"]
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
PEER = "https://peer.example/"


@on_sqlite
async def test_an_undone_ban_says_itself_whether_words_come_back(town: Town, stones) -> None:
    written = page(ANN, STONES)
    await town.hear(act("Create", ANN, written))
    took = act("Block", BEN, ANN, target=PEER, removeData=True)
    for restores in (True, False):
        await town.hear({**took, "id": f"{took['id']}{restores:d}"})

        await town.hear(act("Undo", BEN, took, restoreData=restores))

        assert (await town.post(written["id"])).post.removed != restores
