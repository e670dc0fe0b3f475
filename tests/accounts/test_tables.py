"""The statements: each hot one finds its rows by an index."""

import re
import sqlite3

import pytest
import sqlalchemy as sa

from lichen.accounts import tables
from lichen.store import Statement, metadata

SCANNING = {"INSTANCES", "FLAGS", "SITE"}  # lists that are whole, and a table of one row


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "plans.sqlite"
    engine = sa.create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "name", [name for name, found in vars(tables).items() if isinstance(found, Statement)]
)
def test_a_statement_finds_its_rows_by_an_index(database, name):
    form = getattr(tables, name).compiled("sqlite")
    binds = dict.fromkeys(_binds(form.sql), "[]") | form.defaults

    plan = database.execute(f"EXPLAIN QUERY PLAN {form.sql}", binds).fetchall()

    # json_each is the bound list; a scan over an index reads only what the index holds.
    scans = [line[3] for line in plan if line[3].startswith("SCAN")]
    bad = [scan for scan in scans if "json_each" not in scan and " INDEX " not in scan]
    assert name in SCANNING or bad == []


def _binds(sql):
    return re.findall(r":(\w+)", sql)
