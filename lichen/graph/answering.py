"""Answers as lines for people, from a folder that may be served meanwhile.

What was committed since the last base is read from the journals as they stand.
"""

from collections.abc import Iterator
from pathlib import Path

from lichen.graph.asking import Questions
from lichen.graph.base import Direction
from lichen.graph.engine import overlay_of
from lichen.graph.errors import ActorUnknown
from lichen.graph.overlay import Overlay


def lines_of(folder: Path, question: str, names: list[str], *, limit: int) -> Iterator[str]:
    """Iterate over the lines of an answer. Raises ActorUnknown, GraphUnavailable."""
    overlay = overlay_of(folder)
    numbers = [_number(overlay, name) for name in names]
    questions = Questions(overlay)
    match question:
        case "does-follow":
            yield "yes" if overlay.does_follow(*numbers) else "no"
        case "counts":
            yield f"{overlay.count(numbers[0], Direction.FOLLOWERS)} followers"
            yield f"{overlay.count(numbers[0], Direction.FOLLOWING)} followed"
        case "suggestions":
            for one in questions.suggestions(numbers[0], limit=limit):
                yield (f"{overlay.name_of(one.number)}  followed by {one.shared} you follow, "
                       f"likeness {one.likeness:.3f}")
        case "followed-by":
            found = questions.followed_by(*numbers, first=limit)
            yield f"{found.total} of whom you follow"
            yield from overlay.names_of(found.first)
        case "mutuals":
            yield from overlay.names_of(questions.mutuals(numbers[0])[:limit])
        case _:
            direction = Direction[question.upper()]
            page = questions.page(numbers[0], direction, after=None, limit=limit)
            yield from overlay.names_of(page.numbers)
            if page.cursor is not None:
                yield f"… of {overlay.count(numbers[0], direction)}"


def _number(overlay: Overlay, name: str) -> int:
    number = overlay.number_of(name)
    if number is None:
        raise ActorUnknown(name)
    return number
