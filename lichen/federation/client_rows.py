"""What we are to servers that log people in for others: a client each; its secret is in no log."""

import sqlalchemy as sa
from sqlalchemy import Column, Table, Text, bindparam

from lichen.store import Statement, metadata, upsert

oauth_client = Table(
    "oauth_client", metadata,
    Column("authority", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("client_secret", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
)

CLIENT = Statement(
    sa.select(oauth_client).where(oauth_client.c.authority == bindparam("authority"))
)
KEEP_CLIENT = upsert(
    oauth_client, keys=["authority"],
    update=["client_id", "client_secret", "redirect_uri", "scope"],
)
DROP_CLIENT = Statement(
    sa.delete(oauth_client).where(oauth_client.c.authority == bindparam("gone_authority"))
)
