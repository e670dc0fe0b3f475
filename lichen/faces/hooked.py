"""What plugins' hooks are asked by faces, before the unit of work that reports or sends.

Posts, comments and votes are asked about by the forum's own `publishing`, pictures by `media`.
Where no hook wants to be asked, nothing is made and nothing is waited for.
"""

from typing import Literal

from lichen.accounts import Viewer
from lichen.faces.given import Given
from lichen.plugins import Message, Person, Report

Reported = Literal["post", "comment", "message"]


async def ask_before_report(
    given: Given, viewer: Viewer, kind: Reported, subject_id: int, reason: str
) -> None:
    """Let plugins refuse a report; raises RefusedByPlugin."""
    hooks = given.plugins.hooks
    if hooks.asks("before_report"):
        report = Report(kind=kind, subject_id=subject_id, reason=reason)
        await hooks.before_report(_person(viewer), report)


async def ask_before_message(
    given: Given, viewer: Viewer, recipient_id: int, content: str
) -> str:
    """Return a message's text as plugins leave it; raises RefusedByPlugin."""
    hooks = given.plugins.hooks
    if not hooks.asks("before_message"):
        return content
    message = Message(recipient_id=recipient_id, content=content)
    return (await hooks.before_message(_person(viewer), message)).subject.content


def _person(viewer: Viewer) -> Person:
    actor = viewer.actor
    return Person(id=actor.id, name=actor.name, did=actor.did, admin=actor.admin, bot=actor.bot,
                  published_us=actor.published_us)
