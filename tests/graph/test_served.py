"""A served graph through its life: its key, kills, a base built meanwhile, questions beside it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lichen.graph.listening import listen
from lichen.graph.serving import GraphApp
from lichen.kit import Refused
from tests.faults.serving import free_port
from tests.graph.conftest import names
from tests.graph.serving import LICHEN, served

PEOPLE = names(8)
ADA, BOB = PEOPLE[:2]
PAIR = {"actor_did": ADA, "target_did": BOB}


def query(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*LICHEN, "graph", "query", "--data", str(folder), *words],
                          capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        for other in PEOPLE[1:]:
            assert server.ask("/follow", {**PAIR, "target_did": other}).value == "ok"
        server.ask("/unfollow", PAIR)
        server.kill()

    with served(tmp_path) as server:
        assert set(server.ask(f"/following?did={ADA}").value) == set(PEOPLE[2:])
        # Commands on this machine read the same folder meanwhile.
        asked = query(tmp_path, "does-follow", ADA, PEOPLE[2])
        counts = query(tmp_path, "counts", ADA)
        unknown = query(tmp_path, "followers", "did:web:nobody.example")

    assert (asked.returncode, asked.stdout) == (0, "yes\n")
    assert counts.stdout == "0 followers\n6 followed\n"
    assert unknown.returncode != 0
    assert unknown.stderr == ("lichen: uid not found: nobody here is called "
                              "'did:web:nobody.example'.\n")


@pytest.mark.slow
def test_a_folder_that_is_served_is_served_by_nobody_else(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        second = subprocess.run(
            [*LICHEN, "graph", "serve", "--data", str(tmp_path), "--port", str(free_port())],
            capture_output=True, text=True, check=False, timeout=30)

        assert second.returncode != 0
        assert "is in use by process" in second.stderr and "Traceback" not in second.stderr
        assert server.ask("/_health").status == 200


@pytest.mark.slow
def test_a_key_is_asked_for_where_one_is_set(tmp_path: Path) -> None:
    key = {"authorization": "Bearer sesame"}
    with served(tmp_path, "--key", "sesame", "--host", "0.0.0.0") as server:
        writes = ["/follow", "/unfollow", "/follows", "/unfollows", "/api/graph/does_follow"]
        for path in writes:
            for headers in ({}, {"authorization": "Bearer sesamé"}, {"authorization": "sesame"}):
                answer = server.ask(path, PAIR, headers={
                    name: value.encode("latin-1") for name, value in headers.items()})
                assert answer.status == 401
                assert answer.headers["www-authenticate"] == "Bearer"
        assert server.ask(f"/followers?did={BOB}").status == 404, "nothing was written"
        assert server.ask("/follow", PAIR, headers=key).value == "ok"
        assert server.ask(f"/followers?did={BOB}").value == [ADA]
        assert server.ask(f"/api/graph/counts?did={BOB}").status == 401
        assert server.ask(f"/api/graph/counts?did={BOB}", headers=key).status == 200


def test_without_a_key_it_listens_to_this_machine_alone(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="--key"):
        listen(tmp_path, host="0.0.0.0", port=0, key="")


class Scope:
    """A request, as RSGI says it."""

    def __init__(self, path: str, query: str = "", body: bytes = b"") -> None:
        self.path, self.query_string, self.body = path, query, body
        self.method = "POST" if body else "GET"
        self.headers = {"content-length": str(len(body))}


class Transport:
    """Takes the answer."""

    def __init__(self, scope: Scope) -> None:
        self._scope, self.status, self.body = scope, 0, b""

    async def __call__(self) -> bytes:
        return self._scope.body

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.body = status, body

    response_str = response_bytes


async def ask(app: GraphApp, path: str, query: str = "", body: object = None) -> tuple[int, object]:
    scope = Scope(path, query, b"" if body is None else json.dumps(body).encode())
    transport = Transport(scope)
    await app.__rsgi__(scope, transport)
    return transport.status, json.loads(transport.body)


@pytest.mark.anyio
async def test_a_base_is_built_after_many_changes_and_nothing_is_lost(tmp_path: Path) -> None:
    app = GraphApp(tmp_path, rebuild_changes=10)
    app.__rsgi_init__(None)
    before = app.graph.base
    people = names(40)
    for other in people[1:]:
        assert await ask(app, "/follow", body={**PAIR, "target_did": other}) == (200, "ok")
    await app.rebuilt()

    assert app.graph.base is not before
    assert app.graph.base.head.follows >= 10
    status, found = await ask(app, "/following", f"did={ADA}")
    assert (status, set(found)) == (200, set(people[1:]))
    await app.graph.close()


@pytest.mark.anyio
async def test_a_full_disk_is_told_and_the_old_graph_stands(tmp_path: Path) -> None:
    app = GraphApp(tmp_path)
    app.__rsgi_init__(None)
    await ask(app, "/follow", body=PAIR)
    journal = app.graph._journal
    writable, journal._fd = journal._fd, os.open("/dev/full", os.O_WRONLY)
    status, text = await ask(app, "/follow", body={**PAIR, "target_did": PEOPLE[2]})
    os.close(journal._fd)
    journal._fd = writable

    assert status == 503 and "No space left" in str(text)
    assert await ask(app, "/following", f"did={ADA}") == (200, [BOB])
    assert await ask(app, "/follow", body={**PAIR, "target_did": PEOPLE[2]}) == (200, "ok")
    await app.graph.close()
