"""A copy of the pictures for a backup, made while the house serves.

Blobs never change, so a copy is right whenever it is made. One that came after the rows were copied
is more than they name, and the sweep of the restored house does not know it; one that went
meanwhile belongs to a picture that is deleted. Pictures in a bucket stay there.
"""

import shutil
from contextlib import suppress
from pathlib import Path

FOLDER = "pictures"


def copy_pictures(data: Path, to: Path) -> None:
    """Copy every blob of a data folder into a folder that does not exist yet, if there are any."""
    source = data / FOLDER
    if not source.is_dir():
        return
    for path in source.glob("??/??/*"):
        target = to / path.relative_to(source)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # deleted meanwhile
            shutil.copyfile(path, target)
