"""Every bench, one after the other, each in a process of its own: `make bench`."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> int:
    """Run every module here that is a command; return how many failed."""
    failed = 0
    for path in sorted(FOLDER.glob("[a-z]*.py")):
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8"):
            print(f"── bench.{path.stem} ──", flush=True)
            run = subprocess.run([sys.executable, "-m", f"bench.{path.stem}"], check=False)
            failed += run.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
