"""The part of a Lemmy's and a PieFed's database that tells of federation, made for tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.databases import databases

LEMMY = """
CREATE TABLE instance (id serial PRIMARY KEY, domain text NOT NULL UNIQUE, software text,
    version text);
CREATE TABLE sent_activity (id bigserial PRIMARY KEY, ap_id text NOT NULL,
    {published} timestamptz NOT NULL DEFAULT now());
CREATE TABLE received_activity (ap_id text PRIMARY KEY,
    {published} timestamptz NOT NULL DEFAULT now());
CREATE TABLE federation_queue_state (instance_id int PRIMARY KEY REFERENCES instance,
    last_successful_id bigint, fail_count int NOT NULL, {retry} timestamptz);
INSERT INTO instance (domain) VALUES ('near.example'), ('far.example'), ('dead.example'),
    ('new.example');
INSERT INTO sent_activity (ap_id, {published})
    SELECT 'https://here.example/' || n, now() - make_interval(secs => (1000 - n) * 200)
      FROM generate_series(1, 1000) n;
INSERT INTO federation_queue_state VALUES (1, 1000, 0, now()), (2, 100, 0, now()),
    (3, 5, 40, now() - interval '1 day'), (4, NULL, 0, NULL);
INSERT INTO received_activity
    SELECT 'https://big.example/activities/' || n, now() FROM generate_series(1, {received}) n;
"""
PIEFED = """
CREATE TABLE instance (id serial PRIMARY KEY, domain text, failures int, dormant boolean,
    gone_forever boolean, last_successful_send timestamp);
CREATE TABLE send_queue (id serial PRIMARY KEY, destination_domain text, destination text,
    retries int DEFAULT 0, created timestamp DEFAULT now());
CREATE TABLE activity_pub_log (id serial PRIMARY KEY, direction varchar(3), result varchar(10),
    created_at timestamp);
INSERT INTO instance (domain, failures, dormant, gone_forever)
    VALUES ('here.example', 0, false, false), ('near.example', 0, false, false),
           ('down.example', 9, true, false);
INSERT INTO send_queue (destination_domain, retries, created)
    SELECT 'far.example', 3, (now() AT TIME ZONE 'utc') - interval '2 hours'
      FROM generate_series(1, 70);
INSERT INTO activity_pub_log (direction, result, created_at)
    SELECT 'in', CASE WHEN n % 10 = 0 THEN 'failure' ELSE 'success' END,
           (now() AT TIME ZONE 'utc') FROM generate_series(1, 100) n;
"""


@contextmanager
def database(ddl: str) -> Iterator[str]:
    """Yield the address of a database that holds this and nothing else."""
    with databases.bare() as url:
        with psycopg.connect(url, autocommit=True) as inside:
            inside.execute(ddl)
        yield url


def lemmy(*, received: int = 100, is_new: bool = False) -> str:
    """Return the tables of a Lemmy 0.19, or of 1.0."""
    return LEMMY.format(
        received=received, published="published_at" if is_new else "published",
        retry="last_retry_at" if is_new else "last_retry")
