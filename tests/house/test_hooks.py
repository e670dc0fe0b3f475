"""Every hook is documented with its arguments, and a running house really calls it."""

import asyncio
import inspect
import json
import re
from pathlib import Path

import httpx
import pytest

from docs.generate import values_of
from lichen.house import House
from lichen.kit.config import Config
from lichen.plugins.child import arguments_of
from lichen.plugins.specifications import (
    AFTER,
    BEFORE,
    HOOKS,
    Specifications,
)
from tests.house.sources import DOCS
from tests.media.pictures import made
from tests.plugins.planting import plant

pytestmark = pytest.mark.anyio

URL = "http://hooks.example"
PASSWORD = "three odd words"
OTHERS = {"pages", "show_page", "commands"}  # tests/plugins/test_pages.py looks at these

RECORDING = '''
import json
from lichen.plugins import hookimpl

PATH = {path!r}

def note(hook, **arguments):
    with open(PATH, "a") as file:
        file.write(json.dumps([hook, {{name: repr(one) for name, one in arguments.items()}}]))
        file.write(chr(10))
'''
IMPLEMENTATION = '''
@hookimpl
def {hook}({arguments}):
    note({hook!r}, {named})
'''


def test_every_hook_is_documented_with_its_arguments() -> None:
    page = (DOCS / "hooks.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^### ([a-z_]+)\((.*)\)$", page, re.MULTILINE))

    assert {hook: ", ".join(arguments_of(hook)) for hook in HOOKS} == documented


@pytest.mark.parametrize("value", values_of(), ids=lambda value: value.__name__)
def test_every_field_of_every_value_has_its_meaning(value: type) -> None:
    page = (DOCS / "hooks.md").read_text(encoding="utf-8")
    section = page.partition(f"\n### {value.__name__}\n")[2].partition("\n### ")[0]

    rows = re.findall(r"^\| `([a-z0-9_]+)` \| `.+` \| (.+) \|$", section, re.MULTILINE)

    assert list(value.__struct_fields__) == [name for name, _ in rows]
    assert all(meaning for _, meaning in rows)


def test_every_hook_says_what_it_is_for() -> None:
    for hook in HOOKS:
        assert (inspect.getdoc(getattr(Specifications, hook)) or "").endswith(".")


def test_before_and_after_come_in_pairs() -> None:
    assert [name.removeprefix("before_") for name in BEFORE] == [
        name.removeprefix("after_") for name in AFTER]


@pytest.mark.slow
async def test_every_hook_is_called_by_a_running_house(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "noted.jsonl"
    _plant_recording(tmp_path / "site", path)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr("lichen.plugins.judges.BEFORE_MS_MAX", 20_000)
    house = await House.open(Config.load(None, {
        "LICHEN_DATA": str(tmp_path / "data"), "LICHEN_PUBLIC_URL": URL,
        "LICHEN_METRICS_PORT": "0", "LICHEN_STREAM_PORT": "0", "LICHEN_PLUGINS_ON": "recording",
    }))
    try:
        await _live(house)
        called = await _noted(path, wanted={*BEFORE, *AFTER})
        own = [(one.name, one.hooks) for one in house.rooms.hooked.plugins.standings()[:2]]
    finally:
        await house.close()

    assert [("rules", ("judge_written",)), ("picture-blocklist", ("before_picture",))] == own
    assert {*BEFORE, *AFTER} == called.keys()
    for hook, arguments in called.items():
        assert set(arguments_of(hook)) == set(arguments)
    assert "name='mira'" in called["before_create"]["person"]
    assert "Registration(name='mira'" in called["before_registration"]["registration"]
    assert PASSWORD not in path.read_text()


def _plant_recording(folder: Path, path: Path) -> None:
    text = RECORDING.format(path=str(path)) + "".join(
        IMPLEMENTATION.format(
            hook=hook, arguments=", ".join(arguments_of(hook)),
            named=", ".join(f"{name}={name}" for name in arguments_of(hook)),
        )
        for hook in (*BEFORE, *AFTER)
    )
    plant(folder, "recording", "recording_plugin")
    (folder / "recording_plugin.py").write_text(text)


async def _live(house: House) -> None:
    """Join, write, change, vote, report, send and upload, as an app does it."""
    transport = httpx.ASGITransport(app=house.application)
    async with httpx.AsyncClient(transport=transport, base_url=f"{URL}/api/v3") as app:
        async def ask(method: str, path: str, **fields: object) -> dict:
            answer = await app.request(method, f"{URL}/api/v3{path}", json=fields)
            assert 200 == answer.status_code, answer.text
            return answer.json()

        joined = await ask("POST", "/user/register", username="mira", password=PASSWORD,
                           password_verify=PASSWORD, show_nsfw=False)
        app.headers["authorization"] = f"Bearer {joined['jwt']}"
        place = await ask("POST", "/community", name="stones", title="Stones")
        written = await ask("POST", "/post", name="A lichen on granite",
                            community_id=place["community_view"]["community"]["id"])
        post_id = written["post_view"]["post"]["id"]
        await ask("PUT", "/post", post_id=post_id, name="A lichen on gneiss")
        comment = await ask("POST", "/comment", post_id=post_id, content="So it is.")
        comment_id = comment["comment_view"]["comment"]["id"]
        await ask("PUT", "/comment", comment_id=comment_id, content="So it was.")
        await ask("POST", "/post/like", post_id=post_id, score=-1)
        await ask("POST", "/comment/like", comment_id=comment_id, score=0)
        me = (await app.get(f"{URL}/api/v3/site")).json()["my_user"]["local_user_view"]["person"]
        await ask("POST", "/private_message", recipient_id=me["id"], content="A note to myself.")
        await ask("POST", "/comment/report", comment_id=comment_id, reason="Too short.")
        shown = {"images[]": ("moss.png", made("png"), "image/png")}
        uploaded = await app.post(f"{URL}/pictrs/image", files=shown)
        assert 201 == uploaded.status_code, uploaded.text


async def _noted(path: Path, *, wanted: set[str]) -> dict[str, dict[str, str]]:
    """Return the first call of each hook, once all that are wanted have been noted."""
    found: dict[str, dict[str, str]] = {}
    async with asyncio.timeout(30):
        while not wanted <= found.keys():
            for line in (await asyncio.to_thread(path.read_text)).splitlines():
                hook, arguments = json.loads(line)
                found.setdefault(hook, arguments)
    return found
