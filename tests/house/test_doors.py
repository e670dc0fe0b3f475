"""Rooms are entered by their front doors; the few side doors stand in docs/rooms.md.

import-linter holds the floors; what it cannot say is held here.
"""

import re

from tests.house.sources import PACKAGE, imports, sources, table

# Floor 0 has no insides: each module of it is a door.
OPEN = {"kit", "events"}


def is_room(name: str) -> bool:
    return (PACKAGE / name / "__init__.py").exists()


def is_wiring(room: str) -> bool:
    return room in ("faces", "demo", "doctor", "drill", "erasing", "export") or not is_room(room)


def side_doors_opened() -> dict[str, set[str]]:
    """Return the modules inside rooms that others import, and who does."""
    opened: dict[str, set[str]] = {}
    for source in sources():
        for module in imports(source):
            parts = module.split(".")
            if len(parts) < 3 or parts[1] in (*OPEN, source.room) or not is_room(parts[1]):
                continue
            if parts[1] in ("faces", "doctor", "drill") and is_wiring(source.room):
                continue  # wiring of wiring: each face, each word of the doctor is a front door
            if parts[2] == "room" and is_wiring(source.room):
                continue  # `room.py` is there to be called by the wiring
            opened.setdefault(module, set()).add(source.room)
    return opened


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_0-9.]+)`", cell))


def test_side_doors_are_those_of_the_list_and_opened_by_those_it_names() -> None:
    listed = {words(row[0]).pop(): words(row[1]) for row in table("rooms.md", "Side doors")}

    assert side_doors_opened() == listed


def test_rooms_call_the_rooms_that_the_map_names() -> None:
    called: dict[str, set[str]] = {}
    for source in sources():
        if is_wiring(source.room):
            continue
        rooms = {module.split(".")[1] for module in imports(source) if module != "lichen"}
        called.setdefault(source.room, set()).update(rooms - {source.room} - OPEN)

    listed = {words(row[0]).pop(): words(row[2]) for row in table("rooms.md", "The rooms")
              if not is_wiring(words(row[0]).pop()) and words(row[0]).pop() not in OPEN}

    assert {room: rooms for room, rooms in called.items() if room not in OPEN} == listed


def test_the_map_names_every_room() -> None:
    listed = {words(row[0]).pop() for row in table("rooms.md", "The rooms")}

    assert listed == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def test_no_room_is_part_of_a_circle() -> None:
    """0 % of the rooms stand in import cycles, imports inside functions included."""
    edges: dict[str, set[str]] = {}
    for source in sources():
        for module in imports(source):
            if module != "lichen":
                edges.setdefault(source.room, set()).add(module.split(".")[1])

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(edges.get(start, set()) - {start})
        while waiting:
            room = waiting.pop()
            if room not in seen:
                seen.add(room)
                waiting += edges.get(room, set()) - {room}
        return seen

    assert [room for room in edges if room in reached(room)] == []
