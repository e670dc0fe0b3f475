"""The lines of docs/stream.md are run as they stand, against a real server."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from lichen.stream import Arrival, Operation
from tests.stream.serving import serving, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
LINES = re.findall(r"```bash\n(.+?)\n```", (ROOT / "docs/stream.md").read_text(encoding="utf-8"))
MARK = "bafy-what-the-line-has-to-show"
WITHIN_S = 20


def event(number: int) -> Arrival:
    body = (f'{{"rev":"3k{number}","operation":"create","collection":"lichen.forum.post",'
            f'"rkey":"3l{number}","record":{{"$type":"lichen.forum.post","name":"{MARK}"}}}}')
    return Arrival("did:web:stone.example:u:moss", body.encode(), operation=Operation.CREATE,
                   collection="lichen.forum.post")


def test_there_are_lines_to_run() -> None:
    assert len(LINES) == 4


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[0] + line.split("/")[-1][:12])
async def test_a_documented_line_shows_an_event(tmp_path: Path, line: str) -> None:
    async with serving(tmp_path) as served:
        await served.append([event(1)])
        command = line.replace("127.0.0.1:6008", f"127.0.0.1:{served.server.port}")
        command = re.sub(r"^(python|lichen)\b", rf"{Path(sys.executable).parent}/\1", command)
        process = await asyncio.create_subprocess_shell(
            f"exec {command}", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            await until(lambda: bool(served.subscribers))
            await served.append([event(2)])
            shown = ""
            async with asyncio.timeout(WITHIN_S):
                while MARK not in shown:
                    shown += (await process.stdout.read(4_096)).decode(errors="replace")
        finally:
            process.kill()
            await process.wait()
