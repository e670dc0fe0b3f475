"""INTERIM: until migration 0001 exists, one that creates every table."""
import shutil
from pathlib import Path

import pytest

from lichen.store import migrating


@pytest.fixture(autouse=True, scope="session")
def interim_migration(tmp_path_factory):
    if migrating.versions():
        yield
        return
    folder = tmp_path_factory.mktemp("m") / "migrations"
    real = migrating._MIGRATIONS
    shutil.copytree(real, folder)
    (folder / "versions").mkdir(exist_ok=True)
    (folder / "versions" / "0001_all.py").write_text('''
revision="0001"; down_revision=None
from alembic import op
from lichen.store import metadata
import lichen.accounts.tables, lichen.forum.tables
def upgrade(): metadata.create_all(op.get_bind())
def downgrade(): metadata.drop_all(op.get_bind())
''')
    migrating._MIGRATIONS = folder
    yield
    migrating._MIGRATIONS = real
