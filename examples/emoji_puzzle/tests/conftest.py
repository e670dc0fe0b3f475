"""The package is found as an installed one is, by its metadata; nothing is installed."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
