"""The whole surface of the Lemmy API: npm's own client makes every call, its own types judge.

The script makes the calls and writes each answer down as TypeScript, declared to be what the client
says that the call returns. The compiler then reads it in strict mode: a field that is missing, of
another type, or not in an enumeration is an error.
"""

import json
import subprocess
from collections.abc import Iterator
from email.message import Message
from itertools import count
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from tests.clients.conftest import ADMIN_NAME, ADMIN_PASSWORD, free_port, serving

FOLDER = Path(__file__).parent
SCRIPT_WITHIN_S = 120
PAGE = "<html><head><title>A page</title></head><body>Words.</body></html>"

pytestmark = pytest.mark.slow


class Mailbox(MessageHandler):
    """Lets every letter fall into a folder, one file each."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._numbers = count(1)

    def handle_message(self, message: Message) -> None:
        name = f"{next(self._numbers):04}"
        part = self._folder / f"{name}.part"
        part.write_bytes(message.as_bytes())
        part.rename(self._folder / f"{name}.eml")


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Yield a folder that letters fall into, and the port of the server that takes them."""
    folder = tmp_path / "letters"
    folder.mkdir()
    controller = Controller(Mailbox(folder), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield folder, controller.port
    controller.stop()


def test_every_call_is_made_and_its_answer_is_of_the_clients_types(
    tmp_path: Path, mailbox: tuple[Path, int]
) -> None:
    letters, port = mailbox
    (tmp_path / "page.html").write_text(PAGE)
    overrides = tmp_path / "overrides.json"
    overrides.write_text(json.dumps({"https://page.example/": "page.html"}))
    answers = FOLDER / "node_modules" / f"answers_{port}.ts"

    try:
        with serving(tmp_path, LICHEN_MAIL_HOST="127.0.0.1", LICHEN_MAIL_PORT=str(port),
                     LICHEN_MAIL_TLS="none", LICHEN_FETCH_OVERRIDES=str(overrides)) as url:
            called = _run("node", "surface.mjs", url, ADMIN_NAME, ADMIN_PASSWORD, str(letters),
                          str(answers))
        assert called.returncode == 0, called.stderr[-4_000:]

        judged = _run("node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck",
                      "--module", "nodenext", "--moduleResolution", "nodenext", str(answers))
    finally:
        answers.unlink(missing_ok=True)

    assert judged.returncode == 0, judged.stdout[-4_000:]


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=FOLDER, capture_output=True, text=True, timeout=SCRIPT_WITHIN_S, check=False
    )
