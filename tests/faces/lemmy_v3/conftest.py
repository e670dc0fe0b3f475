"""A town on each engine, shared by the tests of a file: they add to it and never take away."""

from collections.abc import AsyncIterator

import pytest

from tests.faces.lemmy_v3.town import Town, database, opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with database(str(request.param)) as url:
        async with opened(folder, url) as here:
            yield here
