"""A town on each engine, as the Lemmy face has it."""

from tests.faces.lemmy_v3.conftest import town  # noqa: F401
