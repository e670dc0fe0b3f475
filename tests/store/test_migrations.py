"""The migrations make exactly the tables that the rooms declare, and can take them back."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from lichen.kit import Refused
from lichen.store import metadata
from lichen.store.migrating import EMPTY, HEAD, migrate, version_of
from tests.databases import databases, import_tables

FOREIGN_TABLES = {"search_text"}  # what SQLAlchemy cannot describe; FTS5 has helpers of its own


@pytest.fixture
def bare_url(engine: str):
    """Yield the address of a database without any table."""
    if engine == "sqlite":
        yield ""
        return
    with databases.bare() as url:
        yield url


def connect(url: str, folder: Path) -> sa.Engine:
    if url:
        return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    return sa.create_engine(f"sqlite:///{folder / 'lichen.sqlite'}")


def is_ours(thing: object, name: str | None, kind: str, *_rest: object) -> bool:
    return not (kind == "table" and name is not None
                and (name.split("_")[0] == "test" or name.startswith(tuple(FOREIGN_TABLES))))


def test_the_migrations_make_the_declared_tables(bare_url: str, tmp_path: Path) -> None:
    import_tables()
    migrate(bare_url, folder=tmp_path)

    database = connect(bare_url, tmp_path)
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_ours})
        differences = compare_metadata(context, metadata)
        has_words = sa.inspect(connection).has_table("search_text")
    database.dispose()

    assert differences == []
    assert has_words


def test_the_way_back_leaves_nothing(bare_url: str, tmp_path: Path) -> None:
    migrate(bare_url, folder=tmp_path)

    migrate(bare_url, folder=tmp_path, to=EMPTY)

    database = connect(bare_url, tmp_path)
    names = sa.inspect(database).get_table_names()
    database.dispose()
    assert [name for name in names if name != "alembic_version"] == []
    migrate(bare_url, folder=tmp_path)
    assert version_of(bare_url, folder=tmp_path) == HEAD


def test_a_newer_database_is_refused(bare_url: str, tmp_path: Path) -> None:
    migrate(bare_url, folder=tmp_path)
    database = connect(bare_url, tmp_path)
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()

    with pytest.raises(Refused) as caught:
        migrate(bare_url, folder=tmp_path)

    assert caught.value.code == "newer_database"


def test_head_is_the_newest_file() -> None:
    folder = Path(migrate.__code__.co_filename).parent / "migrations"

    assert ScriptDirectory(str(folder)).get_current_head() == HEAD
