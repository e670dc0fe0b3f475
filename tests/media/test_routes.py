"""Pictures over real HTTP, from a running server, as Lemmy's clients speak."""

import io

import pytest
import requests
from PIL import Image

from tests.clients.conftest import lichen_url
from tests.media.pictures import MARKER, drawn, made

__all__ = ["lichen_url"]

pytestmark = pytest.mark.slow
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def jwt(lichen_url: str) -> str:
    answer = requests.post(f"{lichen_url}/api/v3/user/register", timeout=30, json={
        "username": "painter", "password": PASSWORD, "password_verify": PASSWORD,
    })
    return str(answer.json()["jwt"])


def send(url: str, content: bytes, *, name: str = "images[]", **asked: object) -> requests.Response:
    return requests.post(
        f"{url}/pictrs/image", files={name: ("x.jpg", content)}, timeout=30, **asked
    )


def bearer(jwt: str) -> dict[str, str]:
    return {"authorization": f"Bearer {jwt}"}


def test_a_picture_is_uploaded_shown_and_deleted(lichen_url: str, jwt: str) -> None:
    answer = send(lichen_url, made("jpg", image=drawn(1_200, 800), secret=True),
                  headers=bearer(jwt))
    (file,) = answer.json()["files"]
    address = f"{lichen_url}/pictrs/image/{file['file']}"

    shown = requests.get(address, timeout=30)
    small = requests.get(f"{address}?thumbnail=100&format=png", timeout=30)
    again = requests.get(address, headers={"if-none-match": shown.headers["etag"]}, timeout=30)
    gone = requests.get(
        f"{lichen_url}/pictrs/image/delete/{file['delete_token']}/{file['file']}", timeout=30
    )

    assert (answer.status_code, answer.json()["msg"]) == (201, "ok")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert MARKER not in shown.content
    assert Image.open(io.BytesIO(small.content)).size == (128, 85)
    assert (again.status_code, again.content) == (304, b"")
    assert gone.status_code == 204
    after = requests.get(address, timeout=30)
    assert (after.status_code, after.content) == (404, b"")


def test_pictures_are_served_to_be_kept_and_run_nothing(lichen_url: str, jwt: str) -> None:
    file = send(lichen_url, made("png"), headers=bearer(jwt)).json()["files"][0]["file"]

    headers = requests.get(f"{lichen_url}/pictrs/image/{file}", timeout=30).headers

    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["access-control-allow-origin"] == "*"


def test_the_cookie_of_lemmys_clients_counts_but_not_from_another_site(
    lichen_url: str, jwt: str
) -> None:
    cookie = {"jwt": jwt}

    ours = send(lichen_url, made("png"), cookies=cookie)
    theirs = send(lichen_url, made("png"), cookies=cookie, headers={
        "origin": "https://evil.example", "sec-fetch-site": "cross-site"})

    assert (ours.status_code, theirs.status_code) == (201, 403)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nonsense"},
                                     {"authorization": "Bearer " + "x" * 10_000}])
def test_nobody_uploads_without_a_login(lichen_url: str, headers: dict[str, str]) -> None:
    answer = send(lichen_url, made("png"), headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (401, "not_logged_in")


@pytest.mark.parametrize(("body", "kind"), [
    (b"", "multipart/form-data"), (b"x" * 100, "multipart/form-data; boundary=abc"),
    (b"{}", "application/json"), (b"--abc\r\n\r\n", "multipart/form-data; boundary=abc"),
    (b"--abc\r\ncontent-disposition: form-data; name=\"images[]\"; filename=\"a\"\r\n\r\nhalf",
     "multipart/form-data; boundary=abc"), (b"", ""),
])
def test_broken_forms_are_refused(lichen_url: str, jwt: str, body: bytes, kind: str) -> None:
    answer = requests.post(f"{lichen_url}/pictrs/image", data=body, timeout=30,
                           headers={**bearer(jwt), "content-type": kind})

    assert answer.status_code in (400, 415)
    assert answer.json()["error"] in ("invalid_form", "invalid_image_upload")


def test_a_picture_in_another_field_is_none(lichen_url: str, jwt: str) -> None:
    answer = send(lichen_url, made("png"), name="file", headers=bearer(jwt))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_image_upload")


def test_a_picture_that_is_too_large_is_told_so(lichen_url: str, jwt: str) -> None:
    answer = send(lichen_url, bytes((20 << 20) + 1), headers=bearer(jwt))

    assert (answer.status_code, answer.json()["error"]) == (413, "image_too_large")


@pytest.mark.parametrize("path", [
    "../../etc/passwd", "%2e%2e%2flichen.sqlite", "x" * 300 + ".jpg", "a.jpg?thumbnail=abc",
    "a.jpg?format=svg", "%00.jpg", "A.JPG",
])
def test_names_that_no_picture_has_find_nothing(lichen_url: str, path: str) -> None:
    answer = requests.get(f"{lichen_url}/pictrs/image/{path}", timeout=30)

    assert answer.status_code in (400, 404)
    assert b"SQLite" not in answer.content


@pytest.mark.parametrize("query", [
    "url=https://example.org/a.jpg", "url=http://127.0.0.1:8538/metrics&sig=",
    "url=http://169.254.169.254/&sig=AAAAAAAAAAAAAAAAAAAA", "", "sig=x",
])
def test_the_proxy_fetches_nothing_that_was_not_signed(lichen_url: str, query: str) -> None:
    answer = requests.get(f"{lichen_url}/api/v3/image_proxy?{query}", timeout=30)

    assert (answer.status_code, answer.json()["error"]) == (403, "image_proxy_unsigned")


def test_a_testbed_takes_any_bytes(lichen_url: str, jwt: str) -> None:
    """Clients that are tested upload words and look whether they come back."""
    answer = send(lichen_url, b"no picture at all", headers=bearer(jwt))
    file = answer.json()["files"][0]["file"]

    shown = requests.get(f"{lichen_url}/pictrs/image/{file}", timeout=30)

    assert shown.content == b"no picture at all"
    assert shown.headers["content-type"] == "application/octet-stream"


def test_pictures_are_healthy(lichen_url: str) -> None:
    assert requests.get(f"{lichen_url}/pictrs/healthz", timeout=30).status_code == 200
