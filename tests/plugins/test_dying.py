"""A plugin's processes end with the house, however it ends."""

import os
import select
import signal
import subprocess
import sys

import pytest

from tests.house.sources import ROOT

HOUSE = """
import asyncio, sys
from lichen.plugins.running import PluginProcess

async def main():
    process = PluginProcess("tests.plugins.wild.ill:endless", grant=None)
    await process.start()
    sys.stdout.write(f"{process._process.pid}\\n")
    sys.stdout.flush()
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_plugin_that_reads_no_pipe_ends_when_the_house_is_killed() -> None:
    """One that computes reads none; the kernel has to tell it. Here it is stopped instead."""
    house = subprocess.Popen([sys.executable, "-c", HOUSE], stdout=subprocess.PIPE, text=True,
                             cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert house.stdout is not None
    number = int(house.stdout.readline())
    plugin = os.pidfd_open(number)
    os.kill(number, signal.SIGSTOP)

    house.kill()
    house.wait()
    ended, _, _ = select.select([plugin], [], [], 30)

    os.close(plugin)
    house.stdout.close()
    assert [plugin] == ended
