"""Whole houses on each engine, spoken to over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.faces.lemmy_v3.town import Town, database, opened


def once(close: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Let a test close the house before it looks at the files, and its fixture again."""
    closed = False

    async def close_once() -> None:
        nonlocal closed
        if not closed:
            closed = True
            await close()

    return close_once


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def place(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Town, Path, str]]:
    """Yield a town, its data folder and the address of its database."""
    with database(str(request.param)) as url:
        async with opened(tmp_path, url) as town:
            close = once(town.house.close)
            town.house.close = close  # type: ignore[method-assign]
            yield town, tmp_path / "data", url
