"""The readers of the room: switches that others made, and what plugins are told.

    log ──▶ SwitchReader          a switch by the command line ──▶ the running plugins
        ──▶ ToldReader of plugin a   post written ──▶ after_create(told)   checkpoint a
        ──▶ ToldReader of plugin b   …                                     checkpoint b

`SwitchReader` is a memory reader. A `ToldReader` is of the kind outside: what is told is told at
least once, in order, and again after a crash, with the same `seq`. Each has its own and is as
late as it makes itself; no answer to a person waits for any of them. One that is off misses what
happens.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import msgspec

from lichen.events import Event, Operation, collection_of, decode_events
from lichen.events.accounts import Profile
from lichen.events.forum import Comment, Post
from lichen.events.forum import Vote as VoteRecord
from lichen.events.media import Picture
from lichen.events.messages import Message
from lichen.events.moderation import Report
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
_REPORT, _PICTURE = collection_of(Report), collection_of(Picture)
_MESSAGE = collection_of(Message)

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
            found = told_of(seq, event)
            if found is not None and self._plugins.hears(self._plugin, found[0]):
                yield found

    async def _mark(self, seq: int) -> None:
        def command(unit: Unit) -> None:
            advance_checkpoint(unit, self.name, seq)

        await self._store.write(command, apart=True)
        self._position = self._marked = seq


def told_of(seq: int, event: Event) -> tuple[str, Told] | None:
    """Return the hook that tells of an event and what it tells, None where none does."""
    found = _TELLING.get((event.collection, event.operation))
    if found is None:
        return None
    hook, tell = found
    told = tell(Told(seq=seq, id=event.row, did=event.did, kind=hook.partition("_")[2]), event)
    return None if told is None else (hook, told)


def _post(told: Told, event: Event) -> Told:
    post = msgspec.json.decode(event.record, type=Post)
    return msgspec.structs.replace(
        told, kind="post", title=post.name, url=post.url, body=post.body
    )


def _comment(told: Told, event: Event) -> Told:
    comment = msgspec.json.decode(event.record, type=Comment)
    return msgspec.structs.replace(told, kind="comment", body=comment.content)


def _vote(told: Told, event: Event) -> Told:
    vote = msgspec.json.decode(event.record, type=VoteRecord)
    return msgspec.structs.replace(told, value=vote.value)


def _person(told: Told, event: Event) -> Told | None:
    profile = msgspec.json.decode(event.record, type=Profile)
    # A person from elsewhere is met, not registered.
    named = msgspec.structs.replace(told, kind="person", title=profile.name)
    return None if profile.also_known_as else named


def _bare(told: Told, _event: Event) -> Told:
    """Tell that it happened, to what and by whom: enough for messages, reports and pictures."""
    return told


# Events become calls here; a room whose records are to be told adds its line.
_TELLING: dict[tuple[str, Operation], tuple[str, Callable[[Told, Event], Told | None]]] = {
    (_POST, "create"): ("after_create", _post),
    (_COMMENT, "create"): ("after_create", _comment),
    (_POST, "update"): ("after_edit", _post),
    (_COMMENT, "update"): ("after_edit", _comment),
    (_VOTE, "create"): ("after_vote", _vote),
    (_VOTE, "update"): ("after_vote", _vote),
    (_VOTE, "delete"): ("after_vote", _bare),
    (_PROFILE, "create"): ("after_registration", _person),
    (_REPORT, "create"): ("after_report", _bare),
    (_PICTURE, "create"): ("after_picture", _bare),
    (_MESSAGE, "create"): ("after_message", _bare),
}
