"""The messages are those of the npm package, field by field: its own type files are read.

`make test` installs the package under tests/clients; the lock file says which version.
"""

import re
import types
import typing
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path

import msgspec
import pytest

from lichen.faces.lemmy_v3 import wire
from lichen.faces.lemmy_v3.calls import CALLS

TYPES = Path(__file__).parents[2] / "clients/node_modules/lemmy-js-client/dist/types"
SOURCES = Path(__file__).parents[2] / "clients/node_modules/lemmy-js-client/dist/http.js"
# One message of ours serves two of the package's.
NAMED_OTHERWISE = {"GetInbox": ("GetReplies", "GetPersonMentions")}
OWN = {"Nothing", "Answer", "Ask", "GetCaptchaResponse"}
_FIELD = re.compile(r"^\s{4}(\w+)(\?)?: (.+);$", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


class Field(typing.NamedTuple):
    """A field as the package declares it."""

    is_optional: bool
    kind: str


def messages() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for name in wire.__all__:
        kind = getattr(wire, name)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and name not in OWN:
            for theirs in NAMED_OTHERWISE.get(name, (name,)):
                yield theirs, kind


def declared(name: str) -> dict[str, Field]:
    source = _COMMENT.sub("", (TYPES / f"{name}.d.ts").read_text())
    return {
        field: Field(bool(optional), kind) for field, optional, kind in _FIELD.findall(source)
    }


def named_kind(name: str) -> str:
    """Return what a type that is only a name stands for: `number`, or a union of texts."""
    path = TYPES / f"{name}.d.ts"
    source = _COMMENT.sub("", path.read_text())
    found = re.search(rf"export type {name} = (.+?);", source, re.DOTALL)
    return " ".join(found[1].split()) if found else name


def our_kind(hint: object) -> str:
    """Return a type of ours in the package's words."""
    hint = next(
        (part for part in typing.get_args(hint) if part is not type(None)), hint
    ) if typing.get_origin(hint) in (typing.Union, types.UnionType) else hint
    if typing.get_origin(hint) is typing.Annotated:
        return our_kind(typing.get_args(hint)[0])
    if typing.get_origin(hint) is typing.Literal:
        return texts(typing.get_args(hint))
    if typing.get_origin(hint) in (list, tuple):
        items = [part for part in typing.get_args(hint) if part is not ...]
        return f"Array<{our_kind(items[0])}>" if items else "Array<nothing>"
    assert isinstance(hint, type), hint
    if issubclass(hint, Enum):
        return texts([member.value for member in hint])
    plain = {int: "number", str: "string", bool: "boolean", datetime: "string"}
    return plain.get(hint, hint.__name__)


def texts(values: typing.Iterable[str]) -> str:
    return " | ".join(sorted(f'"{value}"' for value in values))


def their_kind(kind: str) -> str:
    inner = re.fullmatch(r"Array<(\w+)>", kind)
    if inner is not None:
        return f"Array<{their_kind(inner[1])}>"
    stands_for = named_kind(kind) if (TYPES / f"{kind}.d.ts").exists() else kind
    if stands_for.startswith('"'):
        return texts(part.strip(' "') for part in stands_for.split("|"))
    return stands_for


@pytest.mark.parametrize(("name", "ours"), list(messages()), ids=lambda value: str(value)[:40])
def test_a_message_has_the_fields_of_the_package(name: str, ours: type[msgspec.Struct]) -> None:
    theirs = declared(name)

    fields = {field.name: field for field in msgspec.structs.fields(ours)}

    assert set(theirs) == set(fields)
    for field_name, their_field in theirs.items():
        assert their_field.is_optional == (not fields[field_name].required), field_name
        kind = our_kind(fields[field_name].type)
        assert kind in (their_kind(their_field.kind), "Array<nothing>"), field_name


def test_every_call_is_one_of_the_package() -> None:
    source = SOURCES.read_text()
    known = {
        (method.upper(), path)
        for method, path in re.findall(r'HttpType\.(Get|Post|Put), "([^"]+)"', source)
    }

    spoken = {(call.method, call.path) for call in CALLS}

    assert spoken <= known


def test_a_call_stands_in_the_table_once() -> None:
    places = [(call.method, call.path) for call in CALLS]
    names = [call.name for call in CALLS]

    assert len(set(places)) == len(places)
    assert len(set(names)) == len(names)
