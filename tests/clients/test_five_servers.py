"""Must show of federation: five Lichens on one machine, driven only through lemmy-js-client.

They differ by port alone, speak plain HTTP to each other's loopback address, and take everything
from settings (the testbed profile and LICHEN_PUBLIC_URL), as an administrator's test-bed does.
"""

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients.conftest import ADMIN_NAME, ADMIN_PASSWORD, serving

FOLDER = Path(__file__).parent
SERVERS = ("alpha", "beta", "gamma", "delta", "epsilon")
SCRIPT_WITHIN_S = 240
# Each step prints how long it took; without this it must come within 2 s, as run by hand.
WITHIN_MS = "15000"

pytestmark = pytest.mark.slow


def test_what_one_of_five_servers_does_the_others_see(tmp_path: Path) -> None:
    with ExitStack() as running:
        urls = []
        for name in SERVERS:
            folder = tmp_path / name
            folder.mkdir()
            urls.append(running.enter_context(serving(folder)))

        ended = subprocess.run(
            ["node", "five.mjs", ADMIN_NAME, ADMIN_PASSWORD, *urls], cwd=FOLDER,
            env=os.environ | {"WITHIN_MS": WITHIN_MS},
            capture_output=True, text=True, timeout=SCRIPT_WITHIN_S, check=False,
        )

    assert ended.returncode == 0, ended.stdout[-2_000:] + ended.stderr[-4_000:]
