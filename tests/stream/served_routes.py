"""The stream's own server with the routes of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from lichen.kit import system_clock
from lichen.stream import Dictionaries, Store
from lichen.stream.serving.http import Routes
from lichen.stream.serving.server import StreamServer
from lichen.stream.serving.settings import ServerSettings


@asynccontextmanager
async def served(routes: Routes, *, port: int = 0) -> AsyncIterator[str]:
    """Serve routes on a free port, or the one that is given; yield the address."""
    with TemporaryDirectory() as folder:
        store = Store.open(Path(folder), clock=system_clock, dictionaries=Dictionaries(Path(folder)))
        server = StreamServer({"": store}, settings=ServerSettings(port=port), clock=system_clock,
                              routes=routes)
        await server.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            await server.close()
            await store.close()
