"""The calls that carry an account's choices to another server and back, as Lemmy's JSON.

Both are translation: `export` collects, and takes over by the one way there is.
"""

import msgspec

from lichen.export import Collection, LemmyExport, take_over
from lichen.faces.lemmy_v3 import wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.wire.base import ADDRESSES_MAX


async def export_settings(parts: Parts, caller: Caller, _: wire.Nothing) -> wire.ImportSettings:
    """Return what the caller has chosen, follows, keeps and blocks; of each list the newest."""
    collected = await Collection(parts.exports.rooms, caller.person()).settings()
    return msgspec.convert({
        name: value[-ADDRESSES_MAX:] if isinstance(value, list) else value
        for name, value in collected.items()
    }, wire.ImportSettings)


async def import_settings(
    parts: Parts, caller: Caller, asked: wire.ImportSettings
) -> wire.ImportReport:
    """Take over what an export holds; what is not known here is skipped and said."""
    export = LemmyExport(**wire.fields_of(asked) | {
        "settings": None if asked.settings is None else wire.fields_of(asked.settings),
    })
    imported = await take_over(parts.exports.rooms, caller.person(), export)
    return wire.ImportReport(success=True, skipped=list(imported.skipped))
