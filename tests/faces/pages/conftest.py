"""A garden: a whole house in this process, and browsers that know no script."""

from collections.abc import AsyncIterator

import pytest

from tests.faces.pages.garden import Garden, opened


@pytest.fixture(scope="module")
async def garden(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Garden]:
    async with opened(tmp_path_factory.mktemp("garden")) as here:
        yield here
