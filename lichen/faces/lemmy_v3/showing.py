"""Answers in which every picture is shown from here: for apps, where the proxy shows all.

    answer ─► nouns (posts, people, …) ─► address of a picture? Markdown? ─► the proxy's address

Rows keep what people wrote, so the mode may be changed at any time; an app that edits sends back
what it was shown, and `Given.pictures.proxy.originals` takes that off. Where the mode is another,
none of this is made. Most nouns were on the page before, so what became of them is kept.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, get_args

import msgspec

from lichen.faces.lemmy_v3.wire import Answer
from lichen.forum.markdown import with_pictures

NOUNS_KEPT_MAX = 16_384  # translated once more; a text with pictures costs a millisecond
PLANS_KEPT_MAX = 512  # one of each kind of message; there are some 150
PICTURES = frozenset(("avatar", "banner", "icon", "image", "image_url", "thumbnail_url"))
TEXTS = frozenset((
    "application_question", "bio", "body", "content", "description", "legal_information",
    "original_comment_text", "original_pm_text", "original_post_body", "sidebar",
))
LINKS = frozenset(("url", "original_post_url"))  # of posts: some are pictures
_PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".bmp", ".apng")


class _Plan(NamedTuple):
    """Which fields of a message hold what."""

    pictures: tuple[str, ...]
    texts: tuple[str, ...]
    links: tuple[str, ...]
    nested: tuple[str, ...]


class Showing:
    """Moves the pictures of answers; `shown` says where one is shown from."""

    def __init__(self, shown: Callable[[str], str]) -> None:
        self._shown = shown
        self._noun = lru_cache(maxsize=NOUNS_KEPT_MAX)(self._moved)

    def of(self, answer: Any) -> Any:
        """Return an answer whose pictures are shown from here; what is no answer stays."""
        if isinstance(answer, list):
            return [self.of(one) for one in answer]
        if not isinstance(answer, Answer):
            return answer
        plan = plan_of(type(answer))
        if not plan.nested:
            return self._noun(answer)
        answer = self._moved(answer)
        changes = {name: self.of(getattr(answer, name)) for name in plan.nested}
        return msgspec.structs.replace(answer, **changes)

    def _moved(self, noun: Answer) -> Answer:
        plan, changes = plan_of(type(noun)), {}
        for name in plan.pictures:
            if address := getattr(noun, name):
                changes[name] = self._shown(address)
        for name in plan.texts:
            if text := getattr(noun, name):
                changes[name] = with_pictures(text, self._shown)
        for name in plan.links:
            address = getattr(noun, name)
            if address and is_picture(address, getattr(noun, "url_content_type", None)):
                changes[name] = self._shown(address)
        return msgspec.structs.replace(noun, **changes) if changes else noun


@lru_cache(maxsize=PLANS_KEPT_MAX)
def plan_of(kind: type[Answer]) -> _Plan:
    """Return which fields of a message hold pictures, texts, links and further messages."""
    fields = {one.name: one.type for one in msgspec.structs.fields(kind)}
    words = {name for name, hint in fields.items() if str in (hint, *get_args(hint))}
    return _Plan(
        pictures=tuple(sorted(PICTURES & words)), texts=tuple(sorted(TEXTS & words)),
        links=tuple(sorted(LINKS & words)),
        nested=tuple(name for name, hint in fields.items() if _holds_answers(hint)),
    )


def is_picture(address: str, content_type: str | None) -> bool:
    """Say whether apps show an address as a picture."""
    path = address.partition("#")[0].partition("?")[0].lower()
    return (content_type or "").startswith("image/") or path.endswith(_PICTURE_ENDINGS)


def _holds_answers(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, Answer):
        return True
    return any(_holds_answers(one) for one in get_args(hint))
