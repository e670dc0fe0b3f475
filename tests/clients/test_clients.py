"""Real clients against a running Lichen: what people's apps are made of must simply work."""

import subprocess
from pathlib import Path

import pytest
import requests
from pythorhead import Lemmy
from pythorhead.types import ListingType, SearchType, SortType

from tests.clients.conftest import ADMIN_NAME, ADMIN_PASSWORD

FOLDER = Path(__file__).parent
SCRIPT_WITHIN_S = 60
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("script", ["lemmy_js_client", "threadiverse"])
def test_a_person_visits_with_a_client_from_npm(script: str, lichen_url: str) -> None:
    assert (FOLDER / "node_modules").is_dir(), "run `npm ci` in tests/clients, as make test does"

    ended = subprocess.run(
        ["node", f"{script}.mjs", lichen_url], cwd=FOLDER, capture_output=True, text=True,
        timeout=SCRIPT_WITHIN_S,
    )

    assert ended.returncode == 0, ended.stderr[-4_000:]


def test_an_administrator_keeps_the_site_with_a_client_from_npm(lichen_url: str) -> None:
    ended = subprocess.run(
        ["node", "keeping.mjs", lichen_url, ADMIN_NAME, ADMIN_PASSWORD], cwd=FOLDER,
        capture_output=True, text=True, timeout=SCRIPT_WITHIN_S,
    )

    assert ended.returncode == 0, ended.stderr[-4_000:]


@pytest.fixture
def lemmy(lichen_url: str) -> Lemmy:
    """Return a pythorhead that is logged in; it cannot sign up, so that is done by hand."""
    signed_up = requests.post(f"{lichen_url}/api/v3/user/register", timeout=10, json={
        "username": "python_person", "password": PASSWORD, "password_verify": PASSWORD,
    })
    assert signed_up.json().get("jwt") or signed_up.json()["error"] == "user_already_exists"
    client = Lemmy(lichen_url, raise_exceptions=True)
    assert client.log_in("python_person", PASSWORD)
    return client


def test_pythorhead_knows_lichen_for_a_lemmy(lemmy: Lemmy) -> None:
    assert lemmy.nodeinfo["software"]["name"] == "lemmy"
    assert lemmy.instance_version.compare("0.19.4") > 0


def test_a_person_visits_with_pythorhead(lemmy: Lemmy) -> None:
    lemmy.community.create("pythons", "Pythons", description="Long ones.")
    community_id = lemmy.discover_community("pythons")
    post = lemmy.post.create(community_id, "A python was seen", body="In the *garden*.")
    post_id = post["post_view"]["post"]["id"]
    comment = lemmy.comment.create(post_id, "How long was it?")
    comment_id = comment["comment_view"]["comment"]["id"]

    assert lemmy.community.get(id=community_id)["community_view"]["subscribed"] == "Subscribed"
    assert lemmy.post.like(post_id, -1)["post_view"]["my_vote"] == -1
    assert lemmy.comment.like(comment_id, 0)["comment_view"]["counts"]["score"] == 0
    assert lemmy.post.save(post_id, True)["post_view"]["saved"] is True
    assert lemmy.comment.save(comment_id, True)["comment_view"]["saved"] is True
    assert lemmy.post.mark_as_read(post_id, True) == {"success": True}
    edited = lemmy.post.edit(post_id, name="Two pythons were seen")
    assert edited["post_view"]["post"]["name"] == "Two pythons were seen"
    listed = lemmy.post.list(
        community_id=community_id, sort=SortType.New, type_=ListingType.All, limit=5
    )
    assert [view["post"]["id"] for view in listed] == [post_id]
    saved = lemmy.post.list(saved_only=True, type_=ListingType.All)
    assert [view["post"]["id"] for view in saved] == [post_id]
    comments = lemmy.comment.list(post_id=post_id)
    assert [view["comment"]["id"] for view in comments] == [comment_id]
    found = lemmy.search("pythons", type_=SearchType.Posts)
    assert [view["post"]["id"] for view in found["posts"]] == [post_id]
    person = lemmy.user.get(username="python_person")
    assert person["person_view"]["counts"]["comment_count"] == 1
    assert lemmy.comment.delete(comment_id, True)["comment_view"]["comment"]["deleted"] is True
    assert lemmy.post.delete(post_id, True)["post_view"]["post"]["deleted"] is True


def test_pythorhead_is_told_what_is_not_there(lemmy: Lemmy) -> None:
    with pytest.raises(Exception, match="couldnt_find_post"):
        lemmy.post.get(2_000_000_000)
    with pytest.raises(Exception, match="couldnt_find_community"):
        lemmy.community.get(name="nowhere_at_all")
