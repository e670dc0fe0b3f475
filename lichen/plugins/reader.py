"""The readers of the room: switches that others made, and what plugins are told.

    log ──▶ SwitchReader          a switch by the command line ──▶ the running plugins
        ──▶ ToldReader of plugin a   post written ──▶ after_create(told)   checkpoint a
        ──▶ ToldReader of plugin b   …                                     checkpoint b

`SwitchReader` is a memory reader. A `ToldReader` is of the kind outside: what is told is told at
least once, in order, and again after a crash, with the same `seq`. Each has its own and is as
late as it makes itself; no answer to a person waits for any of them. One that is off misses what
happens.
"""

from collections.abc import Iterator
from itertools import islice

import msgspec

from lichen.events import Event, collection_of, decode_events
from lichen.events.accounts import Profile
from lichen.events.forum import Comment, Post
from lichen.events.forum import Vote as VoteRecord
from lichen.events.plugins import Switch
from lichen.log import Batch
from lichen.plugins.limits import HANDED_EVENTS_MAX, UNMARKED_EVENTS_MAX
from lichen.plugins.model import Told
from lichen.plugins.service import Plugins
from lichen.store import Store, Unit, advance_checkpoint

SWITCHES = "plugins"
_SWITCH = collection_of(Switch)
_POST, _COMMENT = collection_of(Post), collection_of(Comment)
_VOTE, _PROFILE = collection_of(VoteRecord), collection_of(Profile)

# Events become calls here; a room whose records are to be told adds its line.
HOOK_OF = {
    (_POST, "create"): "after_create",
    (_COMMENT, "create"): "after_create",
    (_POST, "update"): "after_edit",
    (_COMMENT, "update"): "after_edit",
    (_VOTE, "create"): "after_vote",
    (_VOTE, "update"): "after_vote",
    (_VOTE, "delete"): "after_vote",
    (_PROFILE, "create"): "after_registration",
}


def reader_name(plugin: str) -> str:
    """Return the name under which a plugin's checkpoint is kept."""
    return "plugin_" + plugin.replace("-", "_")


class SwitchReader:
    """Follows what others switch on and off while this house runs."""

    name = SWITCHES
    serves_pages = False

    def __init__(self, plugins: Plugins, *, position: int) -> None:
        self._plugins = plugins
        self._position = position

    def position(self) -> int:
        """Return the last sequence applied."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Switch what the batch says."""
        for event in decode_events(batch.lines()):
            if event.collection == _SWITCH:
                await self._plugins.follow_switch(event.rkey)
        self._position = batch.next_seq - 1


class ToldReader:
    """Tells one plugin what happened, from its own checkpoint."""

    serves_pages = False

    def __init__(self, plugins: Plugins, store: Store, plugin: str, *, position: int) -> None:
        self.name = reader_name(plugin)
        self._plugins = plugins
        self._store = store
        self._plugin = plugin
        self._position = position
        self._marked = position

    def position(self) -> int:
        """Return the last sequence applied."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Tell the plugin of the batch, and note how far it has come."""
        events = zip(batch.seqs.tolist(), decode_events(batch.lines()), strict=True)
        calls = self._calls((seq, event) for seq, event in events if seq > self._position)
        while several := list(islice(calls, HANDED_EVENTS_MAX)):
            for hook, told in several:
                await self._plugins.tell(self._plugin, hook, told)
            await self._mark(several[-1][1].seq)
        last = batch.next_seq - 1
        if last - self._marked > UNMARKED_EVENTS_MAX:
            await self._mark(last)
        self._position = last

    def _calls(self, events: Iterator[tuple[int, Event]]) -> Iterator[tuple[str, Told]]:
        for seq, event in events:
            hook = HOOK_OF.get((event.collection, event.operation))
            if hook is not None and self._plugins.hears(self._plugin, hook):
                told = told_of(seq, event)
                if told is not None:
                    yield hook, told

    async def _mark(self, seq: int) -> None:
        def command(unit: Unit) -> None:
            advance_checkpoint(unit, self.name, seq)

        await self._store.write(command, apart=True)
        self._position = self._marked = seq


def told_of(seq: int, event: Event) -> Told | None:
    """Return what a plugin is told of an event, None where it is not what it seems."""
    about = Told(seq=seq, id=event.row, did=event.did, kind="person")
    replace = msgspec.structs.replace
    if event.collection == _POST:
        post = msgspec.json.decode(event.record, type=Post)
        return replace(about, kind="post", title=post.name, url=post.url, body=post.body)
    if event.collection == _COMMENT:
        comment = msgspec.json.decode(event.record, type=Comment)
        return replace(about, kind="comment", body=comment.content)
    if event.collection == _VOTE:
        value = 0
        if event.operation != "delete":
            value = msgspec.json.decode(event.record, type=VoteRecord).value
        return replace(about, kind="vote", value=value)
    profile = msgspec.json.decode(event.record, type=Profile)
    # A person from elsewhere is met, not registered.
    return None if profile.also_known_as else replace(about, title=profile.name)
