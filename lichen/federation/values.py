"""Values as ActivityStreams lets them be, read the same in every form. Pure; nothing raises.

A value is one thing, or a list of them; each an address, or an object or a Link that has one
(ActivityStreams 2.0 §4.1, §4.2). A text may be a map by language instead (§4.7.2). Whoever reads a
document asks here, so that a string, an object and an array mean the same wherever they stand.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lichen.federation.limits import ADDRESSEES_MAX, URL_LENGTH_MAX


def entries_of(value: Any) -> list[Any]:
    """Return the things that a value is, up to the limit."""
    return value[:ADDRESSEES_MAX] if isinstance(value, list) else [value]


def single(value: Any) -> Any:
    """Return the one thing in an array of one, and anything else as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def objects_of(value: Any) -> Iterator[dict[str, Any]]:
    """Iterate over the objects among the things that a value is."""
    return (one for one in entries_of(value) if isinstance(one, dict))


def text_of(value: Any) -> str:
    """Return a text, "" for anything else."""
    return value if isinstance(value, str) else ""


def said_in(document: Mapping[str, Any], name: str) -> str:
    """Return what a document says under a name, or in the first language of its map."""
    said = text_of(document.get(name))
    if said:
        return said
    by_language = document.get(f"{name}Map")
    return text_of(next(iter(by_language.values()), "")) if isinstance(by_language, dict) else ""


def ids_of(value: Any) -> tuple[str, ...]:
    """Return every id in a string, an object or an array of them, up to the limit."""
    return tuple(found for one in entries_of(value) if (found := _named(one, "id", "href")))


def id_of(value: Any) -> str:
    """Return the first id in a string, an object or an array of them; "" where there is none."""
    return next(iter(ids_of(value)), "")


def address_in(value: Any) -> str:
    """Return the first address that a value is or links to, "" for none: a string, a Link, an
    object with a `url`, or several.
    """
    for one in entries_of(value):
        # An Image's `url` may be a Link, or several, itself.
        inner = entries_of(one.get("href") or one.get("url")) if isinstance(one, dict) else [one]
        found = next((said for deep in inner if (said := _named(deep, "href", "url"))), "")
        if found:
            # WordPress writes addresses as its themes print them: with "&" as HTML has it.
            return found.replace("&#038;", "&").replace("&amp;", "&")
    return ""


def page_in(value: Any) -> str:
    """Return the address of the page among the addresses of a thing: PeerTube names its files too.
    """
    pages = (one for one in entries_of(value)
             if not isinstance(one, dict) or one.get("mediaType", "text/html") == "text/html")
    return next((found for one in pages if (found := address_in(one))), "")


def kinds_of(document: Mapping[str, Any]) -> list[str]:
    """Return the types of a document."""
    return [one for one in entries_of(document.get("type")) if isinstance(one, str)]


def _named(value: Any, *names: str) -> str:
    if isinstance(value, dict):
        value = next((value[name] for name in names if value.get(name)), None)
    return value if isinstance(value, str) and len(value) <= URL_LENGTH_MAX else ""
