"""Files as memory: mapped to read, shared by all processes, gone with the page cache."""

import mmap
from pathlib import Path
from typing import Literal


def mapped(path: Path, form: Literal["B", "I", "Q"] = "B") -> memoryview:
    """Return a file's bytes, as items of a form of `struct`; an empty file maps to nothing."""
    with path.open("rb") as file:
        size = path.stat().st_size
        if not size:
            return memoryview(b"").cast(form)
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return content.cast(form)
