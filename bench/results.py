"""Keeps what benches measured: one JSON line a run, under bench/results/."""

import datetime
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent / "results"


def record(name: str, figures: Mapping[str, object]) -> None:
    """Append one run's figures, with the commit, the cores and the date."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=FOLDER.parent,
                            capture_output=True, text=True, check=False).stdout.strip()
    line = {"date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "commit": commit, "cores": os.cpu_count(), **figures}
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{name}.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")
