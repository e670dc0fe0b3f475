"""What Alembic runs: the migrations, in one transaction, on the connection it was handed."""

from alembic import context

from lichen.kit.crash_points import crash_point
from lichen.store.statement import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    # DDL is transactional on both engines (sqlite.org/lang_transaction.html).
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
    crash_point("migration.before_commit")
