"""What each software really sends is read, in every form the vocabulary allows, and shown.

The shapes are in shapes/*.json, each with where it was seen. They are written anew: the words,
names and numbers are invented, the structure is theirs.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from lichen.federation.activities import Profile, items_of
from tests.federation.elsewhere import Elsewhere
from tests.federation.neighbours import Neighbour, until
from tests.federation.shaped import (
    ACTORS,
    NAMES,
    STEPS,
    Json,
    Street,
    as_wanted,
    meant_by,
    said_by,
    shapes,
    step_of,
)


def named(one: Any) -> str:
    name, number = one
    return f"{name}: {step_of(name, number)['what']}"


@pytest.mark.parametrize(("name", "number"), [
    pytest.param(*one, id=named(one)) for one in STEPS])
def test_an_activity_says_what_it_means(name: str, number: int) -> None:
    step = step_of(name, number)

    said = said_by(step["activity"])

    expected = step["says"] if isinstance(step["says"], list) else [step["says"]]
    assert expected == [as_wanted(one, wanted)
                        for one, wanted in zip(said, expected, strict=True)]


@pytest.mark.parametrize(("name", "number"), ACTORS)
def test_an_actor_is_what_its_document_says(name: str, number: int) -> None:
    actor = shapes(name)["actors"][number]

    meant = meant_by(actor["document"])

    assert actor["is"] == {key: meant[key] for key in actor["is"]}
    assert meant["has_key"]


# The fields that the vocabulary lets be a string, an object or an array, as peers use them.
_REFERENCES = {"actor", "object", "target", "to", "cc", "audience", "attributedTo", "inReplyTo"}
_LINKS = {"url", "href"}
_OBJECTS = {"attachment", "tag", "icon", "image", "publicKey", "object", "oneOf", "anyOf",
            "location"}


def forms_of(field: str, value: Any) -> Iterator[Any]:
    """Yield a field's value in the other forms that mean the same."""
    if isinstance(value, str) and field in _REFERENCES:
        yield from ({"id": value}, [value], [{"id": value}])
    if isinstance(value, str) and field == "url":
        yield from ([value], {"type": "Link", "href": value}, [{"type": "Link", "href": value}])
    if isinstance(value, str) and field == "type":
        yield from ([value], ["http://ns.example/Unknown", value])
    if isinstance(value, dict) and field in _OBJECTS:
        yield [value]
    if isinstance(value, list) and len(value) == 1 and field in _REFERENCES | _LINKS | _OBJECTS:
        yield value[0]
    if isinstance(value, list) and field in ("to", "cc"):
        yield [{"id": one} if isinstance(one, str) else one for one in value]


def variants_of(document: Any) -> Iterator[str]:
    """Put each field of a document, at any depth, into its other forms for a moment; yield which.
    """
    for holder, field, value in list(_fields_of(document)):
        for form in forms_of(field, value):
            holder[field] = form
            yield f"{field} {str(form)[:60]}"
        holder[field] = value


def _fields_of(value: Any) -> Iterator[tuple[Any, str, Any]]:
    if isinstance(value, dict):
        for field, inner in value.items():
            if field not in ("@context", "replies", "likes", "shares", "signature", "preview"):
                yield value, field, inner
                yield from _fields_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields_of(inner)


def read(activity: Json) -> list[Any]:
    """Return what is read of an activity; of a profile what its document means."""
    return [(item.refusal, replace(item.activity, document={}), meant_by(item.activity.document))
            if isinstance(item.activity, Profile) else (item.refusal, item.activity)
            for item in items_of(activity)]


@pytest.mark.parametrize("name", NAMES)
def test_a_string_an_object_and_an_array_mean_the_same(name: str) -> None:
    for step in shapes(name)["history"]:
        activity = step["activity"]
        said = read(activity)
        for change in variants_of(activity):
            assert said == read(activity), (step["what"], change)


@pytest.mark.parametrize("name", NAMES)
def test_an_actors_fields_mean_the_same_in_every_form(name: str) -> None:
    for actor in shapes(name)["actors"]:
        document = actor["document"]
        meant = meant_by(document)
        for change in variants_of(document):
            assert meant == meant_by(document), change


@pytest.fixture(scope="session")
async def street(home: Neighbour) -> AsyncIterator[Street]:
    built = Street(home)
    await built.settle_in()
    yield built
    await built.http.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("name", NAMES)
async def test_a_history_is_shown_as_it_was_told(
    name: str, street: Street, peer: Elsewhere
) -> None:
    await street.open_shapes()
    told = shapes(name, **street.words(peer, shapes(name)["host"]))
    for document in [one["document"] for one in told["actors"]] + told.get("served", []):
        peer.documents[document["id"].removeprefix(peer.url) or "/"] = document
    street.key_mark = told.get("key", "#main-key")
    for group in told.get("followed", []):
        await street.follow(group)

    for step in told["history"]:
        status = await street.send(step["activity"])
        assert status == 202, step["what"]
        await street.applied()
        for what in step.get("then", []):
            async def is_shown(what: Json = what) -> bool:
                return await street.shown(what) == what["is"]

            try:
                await until(is_shown)
            except TimeoutError:
                assert await street.shown(what) == what["is"], step["what"]
