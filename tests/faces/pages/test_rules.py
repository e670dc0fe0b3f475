"""Rules on their pages, as a browser without a script sends them."""

import asyncio
import re

import pytest

from tests.faces.pages.garden import PASSWORD, Garden, Guest, words

pytestmark = pytest.mark.anyio

FIELDS = {"view": "menu", "join": "all", "name": "Gambling", "action": "hold", "ban_days": "7",
          "severity": "2", "note": "", "days": "7"}
ROW = {"fact": "text", "comparison": "contains", "value": "casino, poker"}


async def write(founder: Guest, name: str, do: str, **fields: str) -> str:
    answer = await founder.send(f"/c/{name}/rules/new", {**FIELDS, **ROW, **fields, "do": do})
    assert answer.status_code in (200, 303), words(answer.text)
    return answer.headers.get("location", "")


async def rule_path(founder: Guest, name: str) -> str:
    listed = await founder.see(f"/c/{name}/rules")
    return re.findall(rf'href="(/c/{name}/rules/\d+)"', listed.text)[-1]


async def test_a_rule_from_menus_holds_what_it_names_and_the_author_sees_it_wait(
    garden: Garden,
) -> None:
    founder, author = await garden.person(), await garden.person()
    name = await garden.community(founder)
    assert await write(founder, name, "on") == f"/c/{name}/rules"

    post = await author.send("/create_post", {"community": name, "name": "My casino is open"})
    path = post.headers["location"]

    assert "waits for a moderator" in words((await author.see(path)).text)
    assert 404 == (await garden.stranger().see(path)).status_code
    rule = await founder.see(await rule_path(founder, name))
    assert "contains(text, {'casino', 'poker'})" in words(rule.text)
    assert "held" in words(rule.text)


async def test_a_menu_becomes_text_and_comes_back(garden: Garden) -> None:
    founder = await garden.person()
    name = await garden.community(founder)
    path = f"/c/{name}/rules/new"

    text = await founder.send(path, {**FIELDS, **ROW, "do": "text"})
    menu = await founder.send(path, {
        **FIELDS, "view": "text", "program": "words > 3 or has_link", "do": "menu"})
    stays = await founder.send(path, {
        **FIELDS, "view": "text", "program": "words > links", "do": "menu"})

    assert "contains(text, {&#39;casino&#39;, &#39;poker&#39;})</textarea>" in text.text
    assert 'value="words" selected' in menu.text
    assert '<option value="any" selected>' in menu.text
    assert "Menus cannot say this" in words(stays.text)
    assert "words &gt; links</textarea>" in stays.text


async def test_a_rule_is_tried_on_the_past_and_the_page_shows_what_it_found(
    garden: Garden,
) -> None:
    founder, author = await garden.person(), await garden.person()
    name = await garden.community(founder)
    await author.send("/create_post", {"community": name, "name": "My casino is open"})
    await author.send("/create_post", {"community": name, "name": "A garden"})

    trial = await write(founder, name, "try")
    for _ in range(50):
        page = await founder.see(trial)
        if "Done." in page.text:
            break
        await asyncio.sleep(0)

    shown = words(page.text)
    assert "Looked at 2" in shown
    assert "The rule would have hit 1" in shown
    assert "My casino is open" in shown
    piece = await founder.see(trial, **{"hx-request": "true"})
    assert piece.text.lstrip().startswith("<section")
    assert 303 == (await founder.send(trial)).status_code
    assert 403 == (await author.see(trial)).status_code


async def test_a_rule_is_switched_changed_and_deleted(garden: Garden) -> None:
    founder = await garden.person()
    name = await garden.community(founder)
    await write(founder, name, "keep")
    path = await rule_path(founder, name)
    states = []

    for deed in ("on", "trying", "off", "keep"):
        await founder.send(path, {**FIELDS, **ROW, "do": deed, "name": f"Now {deed}"})
        states.append(re.search(r'<span class="word[^>]*>([a-z ]+)</span>',
                                (await founder.see(f"/c/{name}/rules")).text)[1])
    await founder.send(path, {**FIELDS, **ROW, "do": "delete"})

    assert states == ["on", "noting only", "off", "off"]
    assert "No rules yet" in words((await founder.see(f"/c/{name}/rules")).text)
    assert 404 == (await founder.see(path)).status_code


async def test_what_is_wrong_is_said_and_what_was_typed_is_kept(garden: Garden) -> None:
    founder = await garden.person()
    name = await garden.community(founder)

    answer = await founder.send(f"/c/{name}/rules/new", {
        **FIELDS, "view": "text", "program": "words > <b>", "name": "<script>", "do": "keep"})

    assert 400 == answer.status_code
    assert "expected" in words(answer.text)
    assert "words &gt; &lt;b&gt;</textarea>" in answer.text
    assert "<script>" not in re.sub(r"<script src[^>]*>", "", answer.text)


async def test_only_moderators_and_administrators_see_rules(garden: Garden) -> None:
    founder, other = await garden.person(), await garden.person()
    name = await garden.community(founder)
    await write(founder, name, "on")
    path = await rule_path(founder, name)
    head = Guest(garden.house, "gardener")
    await head.send("/login", {"name": "gardener", "password": PASSWORD})

    for page in (f"/c/{name}/rules", f"/c/{name}/rules/new", path):
        assert 303 == (await garden.stranger().see(page)).status_code
        assert 403 == (await other.see(page)).status_code
        assert 200 == (await founder.see(page)).status_code
        assert 200 == (await head.see(page)).status_code
    assert 403 == (await founder.see("/admin/rules")).status_code
    assert 200 == (await head.see("/admin/rules")).status_code
    assert 403 == (await other.send(path, {**FIELDS, **ROW, "do": "off"})).status_code


async def test_a_reported_thing_is_looked_at_on_the_page(garden: Garden) -> None:
    founder, author = await garden.person(), await garden.person()
    name = await garden.community(founder)
    await write(founder, name, "on", action="report")
    await author.send("/create_post", {"community": name, "name": "My casino is open"})
    listed = await founder.see(f"/c/{name}/rules")
    settle = re.search(rf'action="(/c/{name}/rules/hits/\d+)"', listed.text)[1]

    refused = await author.send(settle)
    await founder.send(settle)

    assert 403 == refused.status_code
    assert "Waiting to be looked at" not in words((await founder.see(f"/c/{name}/rules")).text)
