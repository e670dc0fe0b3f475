"""Must show of federation: what we say is read by an independent library, and what it signs by us."""

import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import ADMIN_NAME, ADMIN_PASSWORD, serving

FOLDER = Path(__file__).parent
SCRIPT_WITHIN_S = 60

pytestmark = pytest.mark.slow


def test_an_independent_library_reads_and_verifies_all_that_we_say(tmp_path: Path) -> None:
    with serving(tmp_path) as url:
        ended = subprocess.run(
            ["node", "fedify.mjs", url, ADMIN_NAME, ADMIN_PASSWORD], cwd=FOLDER,
            capture_output=True, text=True, timeout=SCRIPT_WITHIN_S, check=False,
        )

    assert ended.returncode == 0, ended.stdout[-2_000:] + ended.stderr[-4_000:]
