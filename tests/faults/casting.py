"""Casting: spells in every text field that anybody can fill, by API, by form and as a file's name.

Whoever may write a field writes it. `Stage.cast` remembers which fields held a spell, and whether
the house took it; the test compares that with the fields there are.
"""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image

from tests.faults.serving import until
from tests.faults.spells import ADDRESS, SCHEMES
from tests.faults.stage import PASSWORD, Stage, page_of, route_of

WAIT_S_MAX = 60.0


async def cast_everything(stage: Stage) -> None:
    """Fill every field there is."""
    said = await stage.api("", "POST /user/login", username_or_email="gardener", password=PASSWORD)
    stage.cookies["gardener"] = said["jwt"]
    ids = stage.ids
    for name in ("warden", "poet", "reader", "rogue", "gone"):
        ids[name] = await stage.join(name)
    town = await _number(stage, "warden", "POST /community", "community", name="town", title="Town")
    await _of_site(stage)
    await _of_people(stage, ids)
    await _of_posts(stage, town, ids)
    await _of_moderation(stage, town, ids)
    await _of_proposals(stage, town)
    await _of_bans_and_remarks(stage, ids)
    await _of_rules(stage, town)
    await _of_forms(stage, town)
    await _of_administration(stage)
    await _of_files(stage)
    await _of_applicants(stage)
    await stage.form("poet", "/settings/export")

    async def is_made() -> bool:
        return "/settings/export/" in await page_of(stage, "poet", "/settings/export")

    await until(is_made, within_s=WAIT_S_MAX, what=lambda: "an archive")


async def _number(stage: Stage, who: str, call: str, kind: str, **asked: Any) -> int:
    """Make something and return its number."""
    return int((await stage.api(who, call, **asked))[f"{kind}_view"][kind]["id"])


async def _of_site(stage: Stage) -> None:
    s = stage.spells
    whole = {
        "name": s.tiny(), "description": s.line(), "sidebar": s.prose(), "icon": s.picture(),
        "banner": s.picture(), "legal_information": s.prose(), "taglines": [s.line()],
        "application_question": s.line(), "content_warning": s.line(),
        "default_theme": s.short(), "captcha_difficulty": s.short(), "slur_filter_regex": r"""zqx999'"><img src=x onerror=zqx>""",
    }
    await stage.api("gardener", "PUT /site", **whole)
    await stage.api("gardener", "POST /site", is_kept=False, **whole,
                    allowed_instances=["zqx"], blocked_instances=["zqx"])
    for name in ("allowed_instances", "blocked_instances", "blocked_urls"):
        await stage.api("gardener", "PUT /site", is_kept=False, **{name: [s.line()]})
    for call, name in (("PUT /site", "icon"), ("PUT /site", "banner")):
        for scheme in (*SCHEMES, ADDRESS):
            await stage.api("gardener", call, is_kept=False, **{name: scheme})
    emoji = {"category": s.line(), "alt_text": s.line(), "keywords": [s.short()],
             "image_url": s.picture()}
    made = await stage.api("gardener", "POST /custom_emoji", shortcode="moss", **emoji)
    await stage.api("gardener", "POST /custom_emoji", is_kept=False, shortcode=s.tiny(), **emoji)
    await stage.api("gardener", "POST /custom_emoji", shortcode="bark", **emoji)
    await stage.api("gardener", "PUT /custom_emoji", id=made["custom_emoji"]["custom_emoji"]["id"],
                    category=s.line(), alt_text=s.line(), keywords=[s.short()],
                    image_url=s.picture())


async def _of_people(stage: Stage, ids: dict[str, int]) -> None:
    s = stage.spells
    profile = {"avatar": s.picture(), "banner": s.picture(), "display_name": s.short(),
               "bio": s.prose()[:1_000]}
    await stage.api("poet", "PUT /user/save_user_settings", **profile, theme=s.short(),
                    interface_language=s.short())
    for name in ("avatar", "banner"):
        for scheme in (*SCHEMES, ADDRESS):
            await stage.api("poet", "PUT /user/save_user_settings", is_kept=False, **{name: scheme})
    for name in ("email", "matrix_user_id"):
        await stage.api("poet", "PUT /user/save_user_settings", is_kept=False, **{name: s.line()})
    for name in ("username", "email", "captcha_uuid"):
        await stage.api("", "POST /user/register", is_kept=name == "captcha_uuid", **{
            "username": f"new_{name[:5]}", "password": PASSWORD, "password_verify": PASSWORD,
            "captcha_answer": s.line(), name: s.line()})
    await stage.api("", "POST /user/register", is_kept=False, username="bee", password=PASSWORD,
                    password_verify=PASSWORD, honeypot=s.line())
    await stage.api("", "POST /user/login", is_kept=False, username_or_email=s.line(),
                    password=s.line(), totp_2fa_token=s.line())
    await stage.api("", "POST /user/verify_email", is_kept=False, token=s.line())
    await stage.api("", "POST /user/password_change", is_kept=False, token=s.line(),
                    password=PASSWORD, password_verify=PASSWORD)
    await stage.api("", "POST /user/password_reset", email=s.line())
    await stage.api("poet", "POST /user/totp/update", is_kept=False, totp_token=s.line(),
                    enabled=True)
    await stage.api("poet", "POST /user/delete_account", is_kept=False, password=s.line(),
                    delete_content=False)
    names = ("theme", "default_sort_type", "default_listing_type", "interface_language",
             "post_listing_mode")
    lists = ("followed_communities", "saved_posts", "saved_comments", "blocked_communities",
             "blocked_users", "blocked_instances")
    imported = {"display_name": s.short(), "bio": s.prose()[:1_000], "avatar": s.picture(),
                "banner": s.picture()}
    await stage.api("warden", "POST /user/import_settings", is_kept=False, matrix_id=s.short())
    await stage.api("warden", "POST /user/import_settings", **imported,
                    settings={name: s.short() for name in names}, **{name: [s.address()] for name in lists})


async def _of_posts(stage: Stage, town: int, ids: dict[str, int]) -> None:
    s = stage.spells
    await stage.api("warden", "PUT /community", community_id=town, title=s.line()[:100],
                    description=s.prose()[:10_000], icon=s.picture(), banner=s.picture())
    await stage.api("warden", "POST /community", name="hamlet", title=s.line()[:100],
                    description=s.prose()[:10_000], icon=s.picture(), banner=s.picture())
    await stage.api("warden", "POST /community", is_kept=False, name=s.tiny(), title="x")
    words = {"body": s.prose(), "alt_text": s.line(), "custom_thumbnail": s.picture()}
    post = await _number(stage, "poet", "POST /post", "post", community_id=town, name=s.line(),
                         url=s.picture(), **words)
    await stage.api("poet", "POST /post", is_kept=False, community_id=town, name=s.line(),
                    honeypot=s.line())
    stage.ids |= {"community_id": town, "post_id": post}
    edited = await _number(stage, "poet", "POST /post", "post", community_id=town, name="Plain")
    await stage.api("poet", "PUT /post", post_id=edited, name=s.line(), url=s.picture(),
                    body=s.prose(), alt_text=s.line(), custom_thumbnail=s.picture())
    for scheme in (*SCHEMES, ADDRESS):
        await stage.api("poet", "POST /post", is_kept=False, community_id=town, name="x y z",
                        url=scheme)
    above = await _number(stage, "reader", "POST /comment", "comment", post_id=post,
                          content=f"@poet@lichen.example {s.prose()}")
    comment = await _number(stage, "poet", "POST /comment", "comment", post_id=post,
                            parent_id=above, content="Plain")
    stage.ids["comment_id"] = comment
    await stage.api("poet", "PUT /comment", comment_id=comment, content=s.prose())
    await stage.api("reader", "POST /reaction", emoji=":moss:", post_id=post)
    await stage.api("reader", "POST /reaction", is_kept=False, emoji=s.short(), post_id=post)
    for content in (s.prose(), "Plain"):
        said = await stage.api("poet", "POST /private_message", content=content,
                               recipient_id=ids["reader"])
    message = said["private_message_view"]["private_message"]["id"]
    await stage.api("poet", "PUT /private_message", private_message_id=message, content=s.prose())
    for call, about in (("/post/report", {"post_id": post}), ("/private_message/report",
                        {"private_message_id": message}), ("/comment/report",
                                                           {"comment_id": comment})):
        await stage.api("reader", f"POST {call}", reason=s.line(), **about)


async def _of_moderation(stage: Stage, town: int, ids: dict[str, int]) -> None:
    s = stage.spells
    post = await _number(stage, "rogue", "POST /post", "post", community_id=town, name="A rogue's")
    comment = await _number(stage, "rogue", "POST /comment", "comment", post_id=post, content="No.")
    await stage.api("warden", "POST /comment/remove", comment_id=comment, removed=True,
                    reason=s.prose()[:2_000])
    await stage.api("warden", "POST /post/remove", post_id=post, removed=True, reason=s.line())
    await stage.api("warden", "POST /community/ban_user", community_id=town, ban=True,
                    person_id=ids["rogue"], reason=s.line())
    await stage.api("gardener", "POST /user/ban", person_id=ids["gone"], ban=True, reason=s.line())
    lost = [await _number(stage, "warden", "POST /community", "community", name=f"lost_{one}",
                          title="Lost") for one in "ab"]
    await stage.api("gardener", "PUT /community/hide", community_id=lost[0], hidden=True,
                    reason=s.line())
    await stage.api("gardener", "POST /community/remove", community_id=lost[0], removed=True,
                    reason=s.line())
    await stage.api("gardener", "POST /admin/purge/comment", comment_id=comment, reason=s.line())
    await stage.api("gardener", "POST /admin/purge/post", post_id=post, reason=s.line())
    await stage.api("gardener", "POST /admin/purge/community", community_id=lost[1],
                    reason=s.line())
    purged = await stage.join("purged")
    await stage.api("gardener", "POST /admin/purge/person", person_id=purged, reason=s.line())
    # What moderators say to people, and people to moderators.
    for name in ("first", "second"):
        post = await _number(stage, "poet", "POST /post", "post", community_id=town, name=name)
        await stage.api("warden", "POST /post/remove", post_id=post, removed=True, reason=s.line())
    for answer in ("uphold", ""):
        mine = await page_of(stage, "poet", "/moderation/mine")
        appeal = re.findall(r'action="(/moderation/mine/\d+/appeal)"', mine)[0]
        await stage.form("poet", appeal, text=s.line())
        if answer:
            queue = await page_of(stage, "gardener", "/moderation?kind=appeal")
            item = re.findall(r'action="(/moderation/\d+)"', queue)[0]
            await stage.form("gardener", item, deed=answer, reason=s.line())


async def _of_proposals(stage: Stage, town: int) -> None:
    s = stage.spells
    for outcome in ("accepted", "handed back"):
        said = await stage.api("poet", "POST /proposal", community_id=town, title=s.line(),
                               text=s.prose()[:9_000])
        number = said["proposal"]["id"]
        if outcome == "accepted":
            await stage.api("warden", "POST /proposal/answer", proposal_id=number, state=outcome,
                            reason=s.line())
            continue
        await stage.api("warden", "POST /proposal/pass_up", proposal_id=number, reason=s.line())
        await stage.api("gardener", "POST /proposal/hand_back", proposal_id=number,
                        reason=s.line())
    stage.ids["proposal_id"] = number
    at = await stage.form("reader", "/c/town/proposals/new", title=s.line(),
                          body=s.prose()[:9_000])
    at = at.partition("?")[0]
    await stage.form("warden", f"{at}/answer", deed="decline", reason=s.line())
    stage.places.append(at)


async def _of_bans_and_remarks(stage: Stage, ids: dict[str, int]) -> None:
    """What moderators keep about people and pictures, and what people say against it."""
    s = stage.spells
    for kind in ("note", "strike"):
        said = await stage.api("gardener", "POST /remark", person_id=ids["poet"], kind=kind,
                               text=s.line())
    await stage.api("gardener", "POST /remark/delete", remark_id=said["remark"]["id"],
                    reason=s.line())
    await stage.form("gardener", "/u/poet/remark", kind="note", community="0", text=s.line())
    await stage.form("gardener", "/u/poet/remark", is_kept=False, kind="strike", community="0",
                     text=s.line(), days=s.line())
    await stage.api("poet", "POST /appeal", is_kept=False, action_id=1, text=s.line())
    await stage.api("gardener", "POST /appeal/decide", is_kept=False, appeal_id=999, upheld=False,
                    answer=s.line())
    await stage.api("", "POST /user/site_ban", is_kept=False, username_or_email=s.line(),
                    password=PASSWORD, totp_2fa_token=s.line())
    await stage.api("", "POST /user/site_ban/appeal", is_kept=False, ticket=s.line(),
                    text=s.line())
    await stage.api("gardener", "POST /picture/block", picture="ab" * 32, note=s.line())
    await stage.api("gardener", "POST /picture/block", is_kept=False, picture=s.line())
    await stage.form("gardener", "/admin/blocklist", named="cd" * 32, note=s.line())
    await stage.form("gardener", "/admin/blocklist", is_kept=False, named=s.line())
    await stage.form("gardener", "/admin/pictures/nothing.png/delete", is_kept=False, block="1",
                     note=s.line())


async def _of_rules(stage: Stage, town: int) -> None:
    s = stage.spells
    rule = {"name": s.short(), "note": s.line(), "action": "report", "mode": "on"}
    for community in (0, town):
        await stage.api("gardener", "POST /rule", community_id=community, **rule,
                        rows=[{"fact": "text", "comparison": "contains", "value": s.line()},
                              {"fact": "text", "comparison": "contains", "value": "rotten"}],
                        join="any")
    await stage.api("gardener", "POST /rule", **rule,
                    program=f'contains(text, "{s.short().replace(chr(34), "")}")')
    for name in ("fact", "comparison"):
        row = {"fact": "text", "comparison": "contains", "value": "x"}
        await stage.api("gardener", "POST /rule", is_kept=False, name="x",
                        rows=[row | {name: s.line()}])
    await stage.api("gardener", "POST /rule", is_kept=False, join=s.line(), **rule, rows=[row, row])
    await stage.api("gardener", "POST /rule/trial", is_kept=False, program=s.line())
    post = await _number(stage, "poet", "POST /post", "post", community_id=town, name="Rotten eggs",
                         body=f"rotten {s.prose()}")
    await stage.api("poet", "POST /comment", post_id=post, content=f"rotten {s.prose()}"[:9_000])
    await stage.api("gardener", "POST /rule", **rule | {"name": s.short(), "action": "hold"},
                    program="contains(text, {'mouldy'})")
    stage.ids["held"] = await _number(stage, "poet", "POST /post", "post", community_id=town,
                                      name="Mouldy bread")


async def _of_forms(stage: Stage, town: int) -> None:
    """Send the forms that people have, and those of a plugin."""
    s = stage.spells
    await stage.form("reader", "/settings/profile", display_name=s.short(), bio=s.prose()[:1_000],
                     avatar=s.picture(), banner=s.picture())
    soon = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    await stage.form("reader", "/settings/away", note=s.line(), until=soon)
    await stage.form("reader", "/settings/away", is_kept=False, note=s.line(), until=s.line())
    await stage.form("reader", "/settings/email", is_kept=False, email=s.line())
    await stage.form("reader", "/settings/second_factor", step="begin", address=s.line())
    await stage.form("reader", "/settings/second_factor", is_kept=False, step="on",
                     address=s.line(), code=s.line())
    place = {"title": s.line()[:100], "description": s.prose()[:10_000], "icon": s.picture(),
             "banner": s.picture()}
    await stage.form("warden", "/create_community", name="village", **place)
    await stage.form("warden", "/create_community", is_kept=False, name=s.tiny(), **place)
    await stage.form("warden", "/c/village/edit", title=s.line()[:100], icon=s.picture(),
                     description=s.prose()[:10_000], banner=s.picture())
    post = {"name": s.line(), "url": s.picture(), "alt_text": s.line(), "body": s.prose(),
            "picture_alt": s.line()}
    at = await stage.form("poet", "/create_post", community="village", **post)
    await stage.form("poet", "/create_post", is_kept=False, community=s.line(), **post)
    await stage.form("poet", "/create_post", preview="1", community="village", **post)
    await stage.form("poet", f"{at}/edit", name=s.line(), url=s.picture(), alt_text=s.line(),
                     body=s.prose(), picture_alt=s.line())
    above = (await stage.form(
        "reader", f"{at}/comment", content=s.prose(), picture_alt=s.line())).partition("#c")[2]
    await stage.form("", f"{at}/comment", content=s.prose())  # kept on the way to the door
    alt = {"picture_alt": s.line()}
    for _ in range(2):
        onward = await stage.form("poet", f"/comment/{above}/reply", content=s.prose(), **alt)
    below = onward.partition("#c")[2]
    await stage.form("poet", f"/comment/{below}/edit", content=s.prose(), **alt)
    for path in (at, f"/comment/{below}"):
        await stage.form("poet", f"{path}/react", is_kept=False, other=s.short())
    await stage.form("reader", f"{at}/report", reason=s.line())
    await stage.form("reader", f"/comment/{below}/report", reason=s.line())
    for _ in range(2):
        await stage.form("poet", "/messages/reader", content=s.prose())
    page = await page_of(stage, "poet", "/messages/reader")
    edit = re.findall(r"/messages/reader/\d+/edit", page)[-1]
    await stage.form("poet", edit, content=s.prose())
    await stage.form("", "/forgotten", email=s.line())
    await stage.form("", "/login", is_kept=False, name=s.line(), password=PASSWORD, code=s.line(),
                     next=s.line(), draft=s.prose(), draft_at=s.line())
    await stage.form("", "/signup", is_kept=False, name=s.line(), password=PASSWORD, next=s.line(),
                     draft=s.prose(), draft_at=s.line(), email=s.line(), answer=s.prose(),
                     invite=s.line(), captcha=s.line(), captcha_id=s.line())
    await stage.form("poet", "/x/keeping", key="colour", value=s.prose())
    await stage.form("poet", "/preview", content=s.prose())


async def _of_administration(stage: Stage) -> None:
    """Send the forms of administrators and moderators."""
    s = stage.spells
    await stage.form("gardener", "/admin/roles", name="warden", title=s.short(),
                     permission="approve_applications")
    await stage.form("gardener", "/admin/roles", is_kept=False, name=s.line(), title=s.short())
    emoji = {"alt_text": s.line(), "category": s.line(), "image_url": s.picture(),
             "keywords": s.short()}
    await stage.form("gardener", "/admin/emoji", shortcode="fern", **emoji)
    await stage.form("gardener", "/admin/emoji", is_kept=False, shortcode=s.line(), **emoji)
    page = await page_of(stage, "gardener", "/admin/emoji")
    edit = re.findall(r'action="(/admin/emoji/\d+)"', page)[0]
    await stage.form("gardener", edit, **emoji)
    for rules in ("/admin/rules", "/c/town/rules"):
        rule = {"name": s.short(), "note": s.line(), "action": "report"}
        row = {"fact": "text", "comparison": "contains", "value": s.line(), "join": "all"}
        await stage.form("gardener", f"{rules}/new", do="keep", view="menu", **rule, **row)
        await stage.form("gardener", f"{rules}/new", is_kept=False, do="keep", view="text", **rule,
                         program=s.line())
        page = await page_of(stage, "gardener", rules)
        edit = re.findall(rf'href="({rules}/\d+)"', page)[0]
        await stage.form("gardener", edit, do="keep", view="menu", **rule, **row)
        await stage.form("gardener", edit, is_kept=False, do="keep", view="text", **rule,
                         program=s.line())
        trial = await stage.form("gardener", edit, do="try", view="text", days="9", action="report",
                                 program="contains(text, {'rotten', 'zqx'})")
        stage.places.append(trial)
    at = await stage.form("poet", "/create_post", community="village", name="A spare one")
    await stage.form("reader", f"{at}/report", reason="For the form that removes it.")
    queue = await page_of(stage, "warden", "/moderation?kind=report")
    items = re.findall(r'action="(/moderation/\d+)"', queue)
    await stage.form("warden", items[-1], is_kept=False, deed="ban", reason=s.line(),
                     days=s.line())
    await stage.form("warden", items[-1], deed="remove", reason=s.line())
    await stage.form("gardener", "/admin/about", name=s.tiny(), description=s.line(),
                     sidebar=s.prose(), icon=s.picture(), banner=s.picture(), taglines=s.line(),
                     content_warning=s.line())
    await stage.form("gardener", "/admin/legal", legal_information=s.prose())
    await stage.form("gardener", "/admin/joining", registration_mode="Open",
                     application_question=s.line(), captcha_difficulty="easy",
                     actor_name_max_length="20")
    await stage.form("gardener", "/admin/servers", is_kept=False, allowed_instances=s.line(),
                     blocked_instances=s.line(), federation_enabled="1")
    await stage.form("gardener", "/admin/words", sample=s.prose(), **{"try": "1"},
                     slur_filter_regex=s.line(), blocked_urls=s.prose())


async def _of_files(stage: Stage) -> None:
    """Upload pictures whose names are spells, and a file that is none."""
    s = stage.spells
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(buffer, "PNG")
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>zqx()</script></svg>"
    names = (s.line(), "x.png\r\nx-zqx: 1\r\n\r\n<script>zqx()</script>", "../../zqx.html")
    for path, field_name in (("/pictrs/image", "images[]"), ("/pictures", "picture")):
        for name in names:
            await _upload(stage, path, field_name, name, buffer.getvalue())
        await _upload(stage, path, field_name, f"{s.line()}.svg", svg)
        stage.filled.add((f"form {path}", field_name))
    for path, field_name in (
        ("/create_post", "picture"), ("/post/1/edit", "picture"), ("/post/1/comment", "picture"),
        ("/comment/1/edit", "picture"), ("/comment/1/reply", "picture"),
        ("/settings/profile", "avatar_file"), ("/settings/profile", "banner_file"),
        ("/create_community", "icon_file"), ("/create_community", "banner_file"),
        ("/c/town/edit", "icon_file"), ("/c/town/edit", "banner_file"),
        ("/admin/blocklist", "picture"),
    ):
        await _upload(stage, path, field_name, s.line(), buffer.getvalue(), who="rogue")
        stage.filled.add((f"form {route_of('POST', path)}", field_name))


async def _upload(
    stage: Stage, path: str, field_name: str, name: str, content: bytes, *, who: str = "poet"
) -> None:
    # By hand, because clients refuse to send such names.
    head = (f'--zqx\r\ncontent-disposition: form-data; name="{field_name}"; filename="{name}"\r\n'
            "content-type: text/html\r\n\r\n")
    async with stage.session.post(
        stage.place.url + path, data=head.encode() + content + b"\r\n--zqx--\r\n",
        allow_redirects=False,
        headers={"cookie": f"lichen_session={stage.cookies[who]}", "origin": stage.place.url,
                 "authorization": f"Bearer {stage.cookies[who]}",
                 "content-type": "multipart/form-data; boundary=zqx"},
    ) as answer:
        assert answer.status < 500, await answer.text()
        assert "x-zqx" not in answer.headers
        stage.uploads.append(answer.status)


async def _of_applicants(stage: Stage) -> None:
    """Let people apply with an answer, and deny one with a reason."""
    s = stage.spells
    await stage.api("gardener", "PUT /site", registration_mode="RequireApplication")
    for name in ("applicant", "another", "third"):
        await stage.api("", "POST /user/register", username=name, password=PASSWORD,
                        password_verify=PASSWORD, answer=s.prose()[:5_000])
    page = await page_of(stage, "gardener", "/admin/applications")
    first = re.findall(r'action="(/admin/applications/\d+)"', page)[0]
    await stage.form("gardener", first, approve="0", reason=s.line())
    async with stage.session.get(
        f"{stage.place.url}/api/v3/admin/registration_application/list",
        headers={"authorization": f"Bearer {stage.cookies['gardener']}"},
    ) as answer:
        waiting = (await answer.json())["registration_applications"]
    stage.ids["applicant"] = waiting[0]["creator"]["id"]
    last = waiting[0]["registration_application"]["id"]
    await stage.api("gardener", "PUT /admin/registration_application/approve", id=last,
                    approve=False, deny_reason=s.line())
