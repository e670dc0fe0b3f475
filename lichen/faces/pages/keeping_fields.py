"""What an administrator can set, in plain words: every field of the site, group by group.

A table and its reader. The template draws any group from the table, so a setting that comes is one
line here.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from lichen.accounts import SiteLists, SiteSettings
from lichen.faces.pages.visit import Typed, whole_number
from lichen.faces.pages.wording import SORT_WORDS
from lichen.forum import LANGUAGES
from lichen.kit import Refused

Kind = Literal["line", "area", "plain", "check", "number", "choose", "lines", "languages"]
Options = tuple[tuple[str, str], ...]


class Field(NamedTuple):
    """One setting: its name in the site's settings or lists, and how it is asked for."""

    name: str
    kind: Kind
    label: str
    hint: str = ""
    length_max: int = 10_000
    options: Options = ()


class Group(NamedTuple):
    """Settings that belong together, on one page."""

    key: str
    title: str
    lead: str
    fields: tuple[Field, ...]


_THEMES = (("browser", "As the reader's system"), ("light", "Light"), ("dark", "Dark"))
_SORTS: Options = tuple((key.value, word) for key, word in SORT_WORDS.items())


def _rate(kind: str, what: str) -> tuple[Field, Field]:
    return (
        Field(f"rate_limit_{kind}", "number", what, "so many at most"),
        Field(f"rate_limit_{kind}_per_second", "number", "in so many seconds",
              "counted for each address"),
    )


GROUPS: tuple[Group, ...] = (
    Group("about", "About the site", "What everybody reads about this place.", (
        Field("name", "line", "Name", "At most 20 characters.", 20),
        Field("description", "line", "One line about it", "At most 150 characters.", 150),
        Field("sidebar", "area", "Sidebar and rules",
              "Shown beside the front page. Say what is welcome here and what is not."),
        Field("icon", "line", "Address of its picture", "Otherwise the site's own lichen.", 2_000),
        Field("banner", "line", "Address of its banner", "", 2_000),
        Field("content_warning", "line", "Warning before entering",
              "Apps show it before anything else. Empty: none."),
        Field("taglines", "lines", "Taglines",
              "One a line; one of them stands above the front page."),
    )),
    Group("legal", "Legal text", "Imprint, privacy, terms: what your law asks for.", (
        Field("legal_information", "area", "Legal text",
              "Everybody finds it at the foot of every page. Empty: no such page."),
    )),
    Group("joining", "Joining", "Who may have a name here.", (
        Field("registration_mode", "choose", "Who may join", "", 0, (
            ("Open", "Anybody"), ("RequireApplication", "Whose application is accepted"),
            ("Closed", "Nobody new"),
        )),
        Field("application_question", "area", "Question to applicants",
              "What you want to know before you let somebody in."),
        Field("require_email_verification", "check", "Ask for an e-mail address, and verify it"),
        Field("captcha_enabled", "check", "Ask for a captcha"),
        Field("captcha_difficulty", "choose", "How hard it is", "", 0,
              (("easy", "Easy"), ("medium", "Medium"), ("hard", "Hard"))),
        Field("actor_name_max_length", "number", "Longest name", "Characters, from 3 to 255."),
        Field("application_email_admins", "check", "Mail administrators about applications"),
        Field("reports_email_admins", "check", "Mail administrators about reports"),
    )),
    Group("words", "Words and addresses", "What nobody may publish here.", (
        Field("slur_filter_regex", "plain", "Unwanted words",
              "A regular expression (RE2), whatever the case. It looks at names, titles, posts, "
              "comments, profiles and communities. Empty: no filter."),
        Field("blocked_urls", "lines", "Blocked addresses",
              "One a line: example.org with everything below it, or example.org/shop. Nobody can "
              "post them or link to them."),
        Field("enable_nsfw", "check", "Allow what is not safe for work"),
        Field("enable_downvotes", "check", "Allow downvotes"),
        Field("community_creation_admin_only", "check", "Only administrators found communities"),
        Field("hide_modlog_mod_names", "check", "Hide moderators' names in the moderation log"),
    )),
    Group("look", "First impression", "What strangers and new members see until they choose.", (
        Field("default_theme", "choose", "Theme", "", 0, _THEMES),
        Field("default_post_listing_type", "choose", "The front page shows", "", 0,
              (("Local", "Posts of this site"), ("All", "Posts of everywhere"))),
        Field("default_sort_type", "choose", "sorted by", "", 0, _SORTS),
        Field("default_post_listing_mode", "choose", "as", "Used by apps.", 0,
              (("List", "List"), ("Card", "Cards"), ("SmallCard", "Small cards"))),
    )),
    Group("languages", "Languages", "In which languages people may write here.", (
        Field("languages", "languages", "Languages",
              "None chosen: all of them. What is written without a language is always welcome."),
    )),
    Group("servers", "Other servers", "With whom this site will speak.", (
        Field("private_instance", "check", "Only members may read",
              "Needs federation to be off."),
        Field("federation_enabled", "check", "Speak with other servers"),
        Field("federation_signed_fetch", "check", "Ask other servers to sign what they fetch"),
        Field("allowed_instances", "lines", "Allowed servers",
              "One host a line. Empty: all that are not blocked."),
        Field("blocked_instances", "lines", "Blocked servers", "One host a line."),
    )),
    Group("limits", "Limits", "How much is taken from one network address.", (
        *_rate("message", "Requests that write"), *_rate("post", "Posts and communities"),
        *_rate("comment", "Comments"), *_rate("register", "New names"),
        *_rate("image", "Pictures"), *_rate("search", "Searches"),
    )),
)
_LISTS = frozenset(SiteLists.__struct_fields__)
_KNOWN_LANGUAGES = frozenset(language.id for language in LANGUAGES)


def group_named(key: str) -> Group | None:
    """Return the group of that key, None for none."""
    return next((group for group in GROUPS if group.key == key), None)


def shown(group: Group, settings: SiteSettings, lists: SiteLists) -> dict[str, object]:
    """Return what each field of a group holds, as its form shows it."""
    held: dict[str, object] = {}
    for field in group.fields:
        value = getattr(lists if field.name in _LISTS else settings, field.name)
        held[field.name] = "\n".join(value) if field.kind == "lines" else value
    return {name: "" if value is None else value for name, value in held.items()}


def as_typed(group: Group, fields: Typed) -> dict[str, object]:
    """Return what was typed, for the form that comes back; nothing is judged."""
    back: dict[str, object] = {}
    for field in group.fields:
        if field.kind == "check":
            back[field.name] = fields.flag(field.name)
        elif field.kind == "languages":
            back[field.name] = tuple(int(one) for one in fields.many(field.name) if one.isdecimal())
        else:
            back[field.name] = fields.raw(field.name)
    return back


def settings_typed(
    group: Group, fields: Typed, settings: SiteSettings, lists: SiteLists
) -> tuple[SiteSettings, SiteLists]:
    """Return settings and lists as a group's form changes them, or refuse the first wrong field."""
    changes: dict[str, object] = {}
    listed: dict[str, tuple[str, ...]] = {}
    for field in group.fields:
        if field.kind == "lines":
            listed[field.name] = tuple(_lines(fields.raw(field.name)))
        else:
            changes[field.name] = _read(field, fields)
    return msgspec.structs.replace(settings, **changes), msgspec.structs.replace(lists, **listed)


def _read(field: Field, fields: Typed) -> object:
    if field.kind == "check":
        return fields.flag(field.name)
    if field.kind == "number":
        number = whole_number(fields.text(field.name), field.label)
        if not 1 <= number < 2**31:
            raise Refused("invalid_number", f"{field.label} is a number from 1 on.")
        return number
    if field.kind == "choose":
        return fields.one_of(field.name, tuple(value for value, _ in field.options))
    if field.kind == "languages":
        chosen = tuple(dict.fromkeys(fields.numbers(field.name)))
        if not _KNOWN_LANGUAGES.issuperset(chosen):
            raise Refused("language_not_allowed", "Choose languages of the list.")
        return chosen
    return fields.raw(field.name).strip() or (None if field.name != "name" else "")


def _lines(text: str) -> Sequence[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]
