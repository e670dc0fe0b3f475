"""What stands still: styles, scripts, served under names that change with their content.

A file's address carries a hash of its bytes, so browsers may keep it for ever; it is compressed
once, when the house is built.
"""

import gzip
import hashlib
from pathlib import Path
from typing import NamedTuple

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from lichen.kit import NotFound

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
          ".txt": "text/plain"}
_HASH_LENGTH = 10
# RFC 8246: what never changes under its address need not be asked for again.
IMMUTABLE = "public, max-age=31536000, immutable"


class _File(NamedTuple):
    body: bytes
    packed: bytes
    media_type: str


class Still:
    """The static files by their addresses."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._paths: dict[str, str] = {}
        self._files: dict[str, _File] = {}
        for file in sorted(folder.iterdir()):
            if file.suffix in _TYPES:
                self._add(file)

    def path_of(self, name: str) -> str:
        """Return the address of a file."""
        return self._paths[name]

    def answer(self, name: str, *, takes_gzip: bool) -> Response[bytes]:
        """Return a file as an answer that may be kept for ever."""
        file = self._files.get(name)
        if file is None:
            raise NotFound("couldnt_find_file", "There is no such file; reload the page.")
        headers = {"cache-control": IMMUTABLE, "vary": "accept-encoding"}
        if takes_gzip:
            headers["content-encoding"] = "gzip"
        return Response(
            file.packed if takes_gzip else file.body,
            media_type=file.media_type, headers=headers,
        )

    def _add(self, file: Path) -> None:
        body = file.read_bytes()
        mark = hashlib.sha256(body).hexdigest()[:_HASH_LENGTH]
        name = f"{file.stem}.{mark}{file.suffix}"
        self._paths[file.name] = f"/static/{name}"
        self._files[name] = _File(body, gzip.compress(body, mtime=0), _TYPES[file.suffix])


GivenStill = NamedDependency[Still]  # what a handler is handed by its router


@get("/static/{name:str}", sync_to_thread=False)
def static_file(
    request: Request[object, object, State], still: GivenStill, name: FromPath[str]
) -> Response[bytes]:
    """Serve a file that stands still."""
    return still.answer(name, takes_gzip="gzip" in request.headers.get("accept-encoding", ""))
