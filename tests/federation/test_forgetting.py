"""Words that were erased leave the logs of federation; that something is gone stays told."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from lichen.federation.forgetting import Forgetting, quotes
from lichen.log import SegmentLog

pytestmark = pytest.mark.anyio

POST = "https://here.example/post/7"
MIRA = "https://here.example/u/mira"
PAGE = {"type": "Page", "id": POST, "attributedTo": MIRA, "name": "Moss", "content": "<p>On bark.</p>"}


@pytest.mark.parametrize(("document", "is_quoted"), [
    (PAGE, True),
    ({"type": "Announce", "object": {"type": "Create", "actor": MIRA, "object": PAGE}}, True),
    ({"type": "Announce", "object": [{"type": "Like", "object": POST}, {"object": [PAGE]}]}, True),
    ({"type": "Like", "actor": MIRA, "object": POST}, False),
    ({"type": "Delete", "actor": MIRA, "object": POST}, False),
    ({"type": "Delete", "actor": MIRA, "object": {"type": "Tombstone", "id": POST}}, False),
    ({"type": "Note", "id": f"{POST}0", "inReplyTo": POST, "content": "Below."}, False),
    ({"id": [POST], "name": "x", "attributedTo": [{"id": 7}]}, True),
    ("a text", False), (None, False),
])
def test_what_holds_words_quotes_and_what_only_names_does_not(
    document: Any, is_quoted: bool
) -> None:
    assert is_quoted == quotes(document, {POST})


@pytest.mark.parametrize("attributed", [MIRA, [MIRA], {"id": MIRA}, [{"id": MIRA}, "other"]])
def test_everything_that_somebody_wrote_goes_with_them(attributed: Any) -> None:
    document = {"object": PAGE | {"id": "https://else.example/1", "attributedTo": attributed}}

    assert quotes(document, {MIRA})


async def test_records_that_quote_leave_the_logs_and_the_others_stay(tmp_path: Path) -> None:
    logs = [SegmentLog.open(tmp_path / name, clock=lambda: 1) for name in ("inbox", "outgoing")]
    kept = {"activity": {"type": "Delete", "object": POST}}
    for log in logs:
        await log.append([msgspec.json.encode(one) for one in ({"activity": {"object": PAGE}}, kept)])
    forgetting = Forgetting(logs)

    counts = await forgetting.erase({POST}), await forgetting.erase({POST})

    assert (2, 0) == counts
    assert [[msgspec.json.encode(kept)]] * 2 == [log.read(1).payloads() for log in logs]
    for log in logs:
        await log.close()
    assert b"On bark" not in everything_in(tmp_path)


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
