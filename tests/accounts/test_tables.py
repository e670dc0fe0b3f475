"""The statements: each hot one finds its rows by an index."""

import re
import sqlite3

import pytest
import sqlalchemy as sa

from lichen.accounts import block_rows, door_rows, name_rows, standing_rows, tables
from lichen.store import Statement, metadata

# Lists that are whole or bounded, and a table of one row.
SCANNING = {
    "INSTANCES", "FLAGS", "SITE", "APPLICATIONS", "INVITED", "ROLES", "DEPARTURES",
    "EXPIRED_MAIL_TOKENS",
}


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
    ("module", "name"),
    [(module, name) for module in (tables, block_rows, door_rows, name_rows, standing_rows)
     for name, found in vars(module).items() if isinstance(found, Statement)],
    ids=lambda value: str(getattr(value, "__name__", value)),
)
def test_a_statement_finds_its_rows_by_an_index(database, module, name):
    form = getattr(module, name).compiled("sqlite")
    binds = dict.fromkeys(_binds(form.sql), "[]") | form.defaults

    plan = database.execute(f"EXPLAIN QUERY PLAN {form.sql}", binds).fetchall()

    # json_each is the bound list; a scan over an index reads only what the index holds.
    scans = [line[3] for line in plan if line[3].startswith("SCAN")]
    bad = [scan for scan in scans if "json_each" not in scan and " INDEX " not in scan]
    assert name in SCANNING or bad == []


def _binds(sql):
    return re.findall(r":(\w+)", sql)
