"""The site's lists and emoji, as its administrators keep them, and the screen they make."""

from collections.abc import Iterable

import msgspec

from lichen.accounts import site_rows
from lichen.accounts.limits import EMOJI_MAX
from lichen.accounts.model import Actor, Viewer
from lichen.accounts.permissions import check_admin
from lichen.accounts.persons import Persons
from lichen.accounts.site_lists import Emoji, EmojiDraft, LineKind, SiteLine, SiteLists, check_emoji
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of, event_of
from lichen.events.accounts import SELF
from lichen.kit import Conflict, NotFound, Refused, isoformat
from lichen.rules import Screen
from lichen.store import Query, Row, Unit

_EMOJI = collection_of(records.SiteEmoji)
_KINDS: tuple[LineKind, ...] = (
    "taglines", "blocked_urls", "allowed_instances", "blocked_instances"
)


class SiteKeeping(Persons):
    """Queries for everybody and commands for administrators; each command two round trips."""

    @property
    def screen(self) -> Screen:
        """What says whether a text or an address may be published; current by the site's events."""
        return self.reader.screen

    @property
    def current_lists(self) -> SiteLists:
        """The site's lists from memory; costs nothing."""
        return self.reader.lists

    @property
    def current_emoji(self) -> dict[str, Emoji]:
        """The site's emoji by shortcode, from memory; not to be changed."""
        return self.reader.emoji

    def site_lines(self, unit: Unit) -> list[SiteLine]:
        """Return every entry of every list, the oldest first; one round trip."""
        return lines_from(unit.fetch(site_rows.LINES))

    def lines_queries(self) -> tuple[Query, Query]:
        """Return the queries for lists and emoji, to ride along; see `lines_from`, `emoji_from`."""
        return (site_rows.LINES, {}), (site_rows.EMOJI, {})

    def emojis(self, unit: Unit) -> list[Emoji]:
        """Return the site's emoji by category and shortcode; one round trip."""
        return emoji_from(unit.fetch(site_rows.EMOJI))

    def create_emoji(self, unit: Unit, viewer: Viewer, draft: EmojiDraft) -> Emoji:
        """Let people use a picture by its shortcode; refuses one that is taken."""
        check_admin(viewer)
        draft = check_emoji(draft)
        known = emoji_from(unit.fetch(site_rows.EMOJI_LOCKED))
        if any(one.shortcode == draft.shortcode for one in known):
            raise Conflict("custom_emoji_already_exists",
                           f"There is a :{draft.shortcode}: already.")
        if len(known) >= EMOJI_MAX:
            raise Refused("too_many_items", f"A site has at most {EMOJI_MAX} emoji of its own.")
        (number,) = unit.take_numbers("emoji")
        fresh = Emoji(
            **msgspec.structs.asdict(draft), id=number, published_us=unit.clock_us, updated_us=None
        )
        return self._keep_emoji(unit, fresh, is_new=True)

    def edit_emoji(self, unit: Unit, viewer: Viewer, emoji_id: int, draft: EmojiDraft) -> Emoji:
        """Change everything of an emoji but its shortcode, which texts already use."""
        check_admin(viewer)
        before = self._emoji(unit, emoji_id)
        draft = check_emoji(msgspec.structs.replace(draft, shortcode=before.shortcode))
        changes = msgspec.structs.asdict(draft)
        after = msgspec.structs.replace(before, **changes, updated_us=unit.clock_us)
        return self._keep_emoji(unit, after, is_new=False)

    def delete_emoji(self, unit: Unit, viewer: Viewer, emoji_id: int) -> None:
        """Take an emoji away; where it was used, its shortcode stays."""
        check_admin(viewer)
        gone = self._emoji(unit, emoji_id)
        unit.stage(site_rows.DROP_EMOJI, {"emoji_id": gone.id})
        unit.emit(deletion_of(
            _EMOJI, id=self._ground.tids.next(), did=self.reader.site.actor.did,
            rkey=gone.shortcode, row=gone.id,
        ))

    def _emoji(self, unit: Unit, emoji_id: int) -> Emoji:
        known = {one.id: one for one in emoji_from(unit.fetch(site_rows.EMOJI_LOCKED))}
        if emoji_id not in known:
            raise NotFound("couldnt_find_custom_emoji", "There is no such emoji.")
        return known[emoji_id]

    def _keep_emoji(self, unit: Unit, emoji: Emoji, *, is_new: bool) -> Emoji:
        row = msgspec.structs.asdict(emoji)
        row["keywords"] = msgspec.json.encode(emoji.keywords).decode()
        unit.stage(site_rows.WRITE_EMOJI, row)
        record = records.SiteEmoji(
            shortcode=emoji.shortcode, image=emoji.image_url, alt_text=emoji.alt_text,
            category=emoji.category, keywords=emoji.keywords,
            created_at=isoformat(emoji.published_us),
            updated_at=None if emoji.updated_us is None else isoformat(emoji.updated_us),
        )
        unit.emit(event_of(
            record, id=self._ground.tids.next(), did=self.reader.site.actor.did,
            operation="create" if is_new else "update", rkey=emoji.shortcode, row=emoji.id,
        ))
        return emoji

    def _stage_lists(self, unit: Unit, site: Actor, lines: list[Row], lists: SiteLists) -> None:
        """Stage what is new and what is gone; an entry that stays keeps its number."""
        wanted = {(kind, text): None for kind in _KINDS for text in getattr(lists, kind)}
        known = {(row.kind, row.content): row.id for row in lines}
        gone = [id_ for pair, id_ in known.items() if pair not in wanted]
        new = [pair for pair in wanted if pair not in known]
        if not gone and not new:
            return
        if gone:
            unit.stage(site_rows.DROP_LINES, {"ids": gone})
        numbers = unit.take_numbers("site_line", len(new)) if new else []
        unit.stage(site_rows.INSERT_LINE, *(
            {"id": number, "kind": kind, "content": text, "published_us": unit.clock_us}
            for number, (kind, text) in zip(numbers, new, strict=True)
        ))
        record = records.SiteLists(
            updated_at=isoformat(unit.clock_us), **msgspec.structs.asdict(lists)
        )
        unit.emit(event_of(
            record, id=self._ground.tids.next(), did=site.did, operation="update", rkey=SELF,
            row=site.id,
        ))


def lines_from(rows: Iterable[Row]) -> list[SiteLine]:
    """Return the entries of the site's lists in their rows."""
    return [SiteLine(row.id, row.kind, row.content, row.published_us) for row in rows]


def lists_from(rows: Iterable[Row]) -> SiteLists:
    """Return the site's lists in the rows of their entries."""
    sorted_in: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for row in rows:
        sorted_in[row.kind].append(row.content)
    return SiteLists(**{kind: tuple(texts) for kind, texts in sorted_in.items()})


def emoji_from(rows: Iterable[Row]) -> list[Emoji]:
    """Return the emoji in their rows."""
    return [
        Emoji(
            id=row.id, shortcode=row.shortcode, image_url=row.image_url, alt_text=row.alt_text,
            category=row.category,
            keywords=msgspec.json.decode(row.keywords, type=tuple[str, ...]),
            published_us=row.published_us, updated_us=row.updated_us,
        )
        for row in rows
    ]
