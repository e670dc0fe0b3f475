"""GraphD's paths and shapes, and ours, over a real Granian worker that is started as people do."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from lichen.graph import Change, Direction, load
from tests.graph.conftest import Model, names
from tests.graph.serving import Served, served

pytestmark = pytest.mark.slow

PEOPLE = names(60)
ADA, BOB, WEB = PEOPLE[0], PEOPLE[1], PEOPLE[3]  # the last one is a did:web
PAIRS = [(one, other) for at, one in enumerate(PEOPLE) for step, other in enumerate(PEOPLE)
         if one != other and (at * 7 + step * 5) % 11 < 4]
UNKNOWN = "did:plc:" + "z" * 24
FOLLOWING, FOLLOWERS = Direction


def encoded(name: str) -> str:
    """Percent-encode once, with the `:` as it is: `%3A` becomes `%253A`."""
    return quote(name, safe=":")


@pytest.fixture(scope="module")
def model() -> Model:
    found = Model()
    found.apply([Change(one, other) for one, other in PAIRS])
    return found


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("graph")
    (folder / "pairs.csv").write_text("".join(f"{one},{other}\n" for one, other in PAIRS))
    load(folder / "data", folder / "pairs.csv", tell=lambda _, __: None)
    with served(folder / "data") as server:
        yield server


def test_health_says_ok_as_text(graph: Served) -> None:
    answer = graph.ask("/_health")

    assert (answer.status, answer.content) == (200, b"ok")


@pytest.mark.parametrize("name", [ADA, WEB], ids=["did:plc", "did:web"])
def test_lists_of_one_actor_are_bare_arrays(graph: Served, model: Model, name: str) -> None:
    following, followers = model.row(name, FOLLOWING), model.row(name, FOLLOWERS)
    expected = {"/followers": followers, "/following": following, "/moots": following & followers}

    answers = {path: graph.ask(f"{path}?did={encoded(name)}").value for path in expected}

    assert all(isinstance(answer, list) and len(answer) == len(set(answer))
               for answer in answers.values())
    assert {path: set(answer) for path, answer in answers.items()} == expected
    assert all(expected.values()), "the graph of this test has somebody in each"


def test_followers_not_followed_stand_in_an_object(graph: Served, model: Model) -> None:
    answer = graph.ask(f"/followers_not_following?did={ADA}").value

    assert answer.keys() == {"dids"}
    assert set(answer["dids"]) == model.row(ADA, FOLLOWERS) - model.row(ADA, FOLLOWING)


def test_two_actors_are_answered_with_a_bool(graph: Served, model: Model) -> None:
    for other in PEOPLE[1:20]:
        words = f"actor_did={ADA}&target_did={encoded(other)}"
        follows, back = (ADA, other) in model.follows, (other, ADA) in model.follows

        assert graph.ask(f"/does_follow?{words}").value is follows
        assert graph.ask(f"/are_moots?{words}").value is (follows and back)


def test_sets_of_several_actors_are_intersected_and_united(graph: Served, model: Model) -> None:
    asked = [ADA, BOB, WEB]
    words = "&".join(f"did={encoded(name)}" for name in asked)
    for path, direction in (("followers", FOLLOWERS), ("following", FOLLOWING)):
        rows = [model.row(name, direction) for name in asked]

        assert set(graph.ask(f"/intersect_{path}?{words}").value) == set.intersection(*rows)
        assert set(graph.ask(f"/api/graph/unite_{path}?{words}").value) == set.union(*rows)


def test_follows_following_is_whom_the_actor_follows_who_follow_the_target(
    graph: Served, model: Model
) -> None:
    answer = graph.ask(f"/follows_following?actor_did={ADA}&target_did={BOB}").value

    assert set(answer) == model.row(ADA, FOLLOWING) & model.row(BOB, FOLLOWERS) != set()


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_pages_by_cursor_are_the_whole(graph: Served, direction: Direction, limit: int) -> None:
    whole = graph.ask(f"/{direction.word}?did={ADA}").value
    pages, cursor = [], ""
    while not pages or cursor:
        page = graph.ask(f"/api/graph/{direction.word}?did={ADA}&limit={limit}{cursor}").value
        assert len(page["dids"]) <= limit
        pages.append(page["dids"])
        cursor = f"&cursor={page['cursor']}" if "cursor" in page else ""

    assert [name for page in pages for name in page] == whole
    assert len(pages) == -(-len(whole) // limit), "no page is empty"


def test_counts_and_followed_by_say_how_many(graph: Served, model: Model) -> None:
    counts = graph.ask(f"/api/graph/counts?did={ADA}").value
    shown = graph.ask(f"/api/graph/followed_by?actor_did={ADA}&target_did={BOB}&limit=2").value
    all_of_them = model.row(ADA, FOLLOWING) & model.row(BOB, FOLLOWERS)

    assert counts == {"followers": len(model.row(ADA, FOLLOWERS)),
                      "following": len(model.row(ADA, FOLLOWING))}
    assert shown["count"] == len(all_of_them)
    assert len(shown["dids"]) == 2 and set(shown["dids"]) <= all_of_them


def test_suggestions_are_new_and_say_why(graph: Served, model: Model) -> None:
    found = graph.ask(f"/api/graph/suggestions?did={ADA}&limit=5").value

    assert len(found) == 5
    for one in found:
        friends = model.row(ADA, FOLLOWING)
        assert one["did"] not in friends | {ADA}
        assert one["followedBy"] == len(friends & model.row(one["did"], FOLLOWERS)) > 0
    likeness = [one["likeness"] for one in found]
    assert likeness == sorted(likeness, reverse=True)


@pytest.mark.parametrize("kind", ["did:", "did:plc:"], ids=["all", "did:plc alone"])
def test_a_batch_answers_each_pair_in_its_place(graph: Served, model: Model, kind: str) -> None:
    pairs = [[one, other] for one in [*PEOPLE[:30], UNKNOWN] for other in PEOPLE
             if one.startswith(kind) and other.startswith(kind)]

    answer = graph.ask("/api/graph/does_follow", {"pairs": pairs}).value

    assert answer == [(one, other) in model.follows for one, other in pairs]
    assert graph.ask("/api/graph/does_follow", {"pairs": []}).value == []


def test_changes_are_visible_once_they_are_answered(graph: Served) -> None:
    def is_followed(name: str) -> bool:
        return bool(graph.ask(f"/does_follow?actor_did={quote(first)}&target_did={name}").value)

    first, second, third = (f"did:web:new.example%3A{number}" for number in range(3))
    second, third = (name.replace("%3A", ":") for name in (second, third))
    first = first.replace("%3A", ":")
    one = {"actor_did": first, "target_did": second}
    other = {"actor_did": first, "target_did": third}

    assert graph.ask("/follow", one).content == b'"ok"'
    assert is_followed(second)
    assert graph.ask("/follows", {"follows": [one, other, other]}).content == b'"ok"'
    assert is_followed(third)
    assert graph.ask("/unfollow", one).content == b'"ok"'
    assert not is_followed(second)
    assert graph.ask("/unfollows", {"unfollows": [one, other]}).content == b'"ok"'
    assert not is_followed(third)


@pytest.mark.parametrize("query", ["did=did:web:example.org%253A3", "did=did%3Aweb%3Aexample.org%253A3"])
def test_values_are_decoded_once(graph: Served, query: str) -> None:
    assert WEB == "did:web:example.org%3A3"
    assert graph.ask(f"/followers?{query}").value

    twice = graph.ask("/followers?did=did:web:example.org%3A3")

    assert (twice.status, twice.value) == (404, "uid not found")


@pytest.mark.parametrize("path", [
    "/followers?did=", "/following?did=", "/moots?did=", "/followers_not_following?did=",
    "/intersect_followers?did=", "/intersect_following?did=",
    f"/does_follow?actor_did={ADA}&target_did=", f"/are_moots?target_did={ADA}&actor_did=",
    f"/follows_following?actor_did={ADA}&target_did="])
def test_an_unknown_actor_is_404_in_the_words_of_graphd(graph: Served, path: str) -> None:
    answer = graph.ask(path + UNKNOWN)

    assert (answer.status, answer.value) == (404, "uid not found")


@pytest.mark.parametrize(("path", "body", "method", "status"), [
    ("/nothing", None, "", 404),
    ("/nothing", {}, "", 404),
    ("/follow", None, "", 405),
    ("/followers?did=x", {}, "", 405),
    ("/does_follow", {}, "DELETE", 405),
    ("/followers", None, "", 400),
    ("/intersect_followers", None, "", 400),
    ("/does_follow?actor_did=" + ADA, None, "", 400),
    ("/follow", b"{", "", 400),
    ("/follow", b"\xff\xfe", "", 400),
    ("/follow", [], "", 400),
    ("/follow", {"actor_did": ADA}, "", 400),
    ("/follow", {"actor_did": ADA, "target_did": 7}, "", 400),
    ("/follow", {"actor_did": ADA, "target_did": ""}, "", 400),
    ("/follow", b'{"actor_did": "\\ud800", "target_did": "b"}', "", 400),
    ("/follows", {"unfollows": []}, "", 400),
    ("/follow", {"actor_did": ADA, "target_did": "x" * 10_000_000}, "", 400),
    ("/follows", {"follows": [{"actor_did": "a", "target_did": "b"}] * 50_001}, "", 400),
    ("/api/graph/does_follow", {"pairs": [[ADA]]}, "", 400),
    ("/api/graph/does_follow", {"pairs": [["a", "b"]] * 200_001}, "", 400),
    ("/api/graph/does_follow", b"[" * 1_000_000, "", 400),
    *((f"/api/graph/followers?did={ADA}&{words}", None, "", 400) for words in (
        "limit=0", "limit=10001", "limit=-1", "limit=x", "limit=" + "9" * 6_000, "limit=%D9%A1",
        "cursor=-1", "cursor=1e3", "cursor=" + "9" * 6_000)),
    ("/followers?did=" + "x" * 60_000, None, "", 404),
    ("/followers?did=%00%FF%ED%A0%80", None, "", 404),
    ("/followers?did=a%00b&did", None, "", 404),
    ("/followers?&&==&did=%", None, "", 404),
    ("/intersect_followers?" + f"did={ADA}&" * 101, None, "", 400),
    ("/%2e%2e/%00", None, "", 404),
])
def test_what_is_wrong_is_refused_with_a_text(
    graph: Served, path: str, body: object, method: str, status: int
) -> None:
    answer = graph.ask(path, body, method=method)

    assert answer.status == status
    assert isinstance(answer.value, str) and len(answer.value) < 400
    assert (status == 405) == ("allow" in answer.headers)
    assert graph.ask("/_health").status == 200


def test_a_body_that_is_too_large_is_not_read(graph: Served) -> None:
    for path in ("/follow", "/api/graph/does_follow"):
        answer = graph.ask(path, b"", headers={"content-length": str(40 << 20)}, method="POST")
        assert answer.status == 413
    chunked = graph.ask("/follow", None, method="POST", headers={"transfer-encoding": "chunked"})

    assert chunked.status == 411


def test_a_browser_changes_nothing_without_a_key(graph: Served) -> None:
    """A page that somebody on this machine looks at may send POSTs to loopback."""
    answer = graph.ask("/follow", {"actor_did": ADA, "target_did": "did:web:evil.example"},
                       headers={"origin": "https://evil.example"})

    assert answer.status == 403
    assert graph.ask("/followers?did=did:web:evil.example").status == 404


def test_head_answers_like_get_without_a_body(graph: Served) -> None:
    answer = graph.ask(f"/followers?did={ADA}", method="HEAD")

    assert (answer.status, answer.content) == (200, b"")
