"""Statements: SQLAlchemy Core builds the SQL once, the store executes it as plain text.

Building and compiling a select costs some 300 µs, executing it on SQLite some 30; so a room
declares its statements at module level, each compiled once per engine. The text never depends on
the length of a list: `any_of` binds a whole list as one parameter.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

metadata = sa.MetaData()

Row = Any  # a namedtuple by column label; tables.py knows its own labels
_SAID = {0: False, 1: True, None: None}  # how SQLite says a Boolean
Parameters = Mapping[str, Any]
_LISTS = msgspec.json.Encoder()

_DIALECTS: dict[str, Callable[[], sa.Dialect]] = {
    "sqlite": lambda: sqlite.dialect(paramstyle="named"),
    "postgresql": psycopg_dialect.dialect,
}


class _List(sa.types.TypeEngine[list[Any]]):
    """The type of a bound list; SQLite takes it as JSON, PostgreSQL as an array."""

    def __init__(self, item: str = "BIGINT") -> None:
        self.item = item


class any_of(sa.ColumnElement[bool]):
    """`column IN (the list bound as name)`, with a text that does not depend on its length."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        item = "TEXT" if isinstance(column.type, sa.Text | sa.String) else "BIGINT"
        self.column = column
        self.bound: sa.BindParameter[Any] = sa.bindparam(name, type_=_List(item))

    def self_group(self, against: Any = None) -> "any_of":
        """Stand alone: the `= 1` that SQLAlchemy would add for SQLite hides the index."""
        return self


@compiles(any_of, "sqlite")
def _any_of_sqlite(element: any_of, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    bound = compiler.process(element.bound, **options)
    return f"{column} IN (SELECT value FROM json_each({bound}))"


@compiles(any_of, "postgresql")
def _any_of_postgresql(element: any_of, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    bound = compiler.process(element.bound, **options)
    item: str = element.bound.type.item  # type: ignore[attr-defined]
    return f"{column} = ANY(CAST({bound} AS {item}[]))"


class Compiled(NamedTuple):
    """One statement for one engine: text, defaults, and how its rows are made."""

    sql: str
    defaults: dict[str, Any]
    lists: tuple[str, ...]
    row: Callable[[Sequence[Any]], Row] | None

    def bind(self, parameters: Parameters) -> dict[str, Any]:
        """Return all parameters by name, lists as JSON where the engine wants them so."""
        bound = {**self.defaults, **parameters}
        for name in self.lists:
            bound[name] = _LISTS.encode(list(bound[name])).decode()
        return bound


class Statement:
    """A Core select, insert, update or delete, compiled once per engine.

    `core` is the statement, or a function from the engine's name to it where the two differ. One
    that `only_locks` yields no rows on SQLite, where the one writer holds the whole file.
    """

    def __init__(
        self, core: sa.Executable | Callable[[str], sa.Executable], *, name: str = "",
        only_locks: bool = False,
    ) -> None:
        self.core = core
        self.name = name
        self.only_locks = only_locks
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, engine: str) -> Compiled:
        """Return the statement for the engine "sqlite" or "postgresql"."""
        found = self._compiled.get(engine)
        if found is None:
            core = self.core if isinstance(self.core, sa.Executable) else self.core(engine)
            found = self._compiled[engine] = _compile(core, engine)
        return found

    def __repr__(self) -> str:
        return f"Statement({self.name or self.core})"


def compiled(statement: "Statement | sa.Executable", engine: str) -> Compiled:
    """Return a declared statement's compiled form, or compile one built ad hoc."""
    if isinstance(statement, Statement):
        return statement.compiled(engine)
    return _compile(statement, engine)


def _compile(core: sa.Executable, engine: str) -> Compiled:
    assert isinstance(core, sa.ClauseElement)
    result = core.compile(dialect=_DIALECTS[engine]())
    assert isinstance(result, SQLCompiler)
    binds = result.binds
    return Compiled(
        sql=str(result),
        defaults={name: bind.value for name, bind in binds.items() if not bind.required},
        lists=tuple(
            name for name, bind in binds.items()
            if engine == "sqlite" and isinstance(bind.type, _List)
        ),
        row=_row_maker(core, engine),
    )


def _row_maker(core: sa.Executable, engine: str) -> Callable[[Sequence[Any]], Row] | None:
    """Return what turns a driver's tuple into a namedtuple, or None where nothing comes back."""
    columns = list(getattr(core, "exported_columns", ()))
    if not columns:
        return None
    names = [str(getattr(column, "key", "") or getattr(column, "name", "")) for column in columns]
    row_type: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    make: Callable[[Sequence[Any]], Row] = row_type._make
    is_boolean = [isinstance(column.type, sa.Boolean) for column in columns]
    if engine != "sqlite" or not any(is_boolean):
        return make
    # One expression made for these columns, as namedtuple itself makes its methods: a third of the
    # time of a loop over them, for the hottest line of the house. Nothing in it is from outside.
    values = (f"said[v[{at}]]" if one else f"v[{at}]" for at, one in enumerate(is_boolean))
    source = f"lambda v: new(row, ({', '.join(values)},))"
    names_in_it = {"new": tuple.__new__, "row": row_type, "said": _SAID, "__builtins__": {}}
    with_booleans: Callable[[Sequence[Any]], Row] = eval(source, names_in_it)
    return with_booleans


def upsert(table: sa.Table, *, keys: Sequence[str], update: Sequence[str]) -> Statement:
    """Return INSERT … ON CONFLICT (keys) DO UPDATE of the named columns, or DO NOTHING.

    Rows bind every column of the table by its name. The text is the same on both engines.
    """

    def core(engine: str) -> sa.Executable:
        inserting = sqlite.insert if engine == "sqlite" else postgresql.insert
        values: dict[str, Any] = {name: sa.bindparam(name) for name in dict(table.columns)}
        insert = inserting(table).values(values)
        if not update:
            return insert.on_conflict_do_nothing(index_elements=list(keys))
        changes = {name: insert.excluded[name] for name in update}
        return insert.on_conflict_do_update(index_elements=list(keys), set_=changes)

    return Statement(core, name=f"upsert {table.name}")
