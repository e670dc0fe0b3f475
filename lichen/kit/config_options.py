"""The options of the configuration one by one: for who prints them, reads them, names them."""

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

from lichen.kit.config import PREFIX, Config, Section


class Option(NamedTuple):
    """One option by itself."""

    section: str
    key: str
    type: Any
    meta: msgspec.Meta
    default: object
    variable: str

    @property
    def name(self) -> str:
        """The section and the key, as in messages: server.port."""
        return f"{self.section}.{self.key}"


def options() -> Iterator[Option]:
    """Yield every option in the order of the tree."""
    for part in msgspec.structs.fields(Config):
        section: type[Section] = part.type
        defaults = section()
        for key, hint in get_type_hints(section, include_extras=True).items():
            _, meta = get_args(hint)
            variable = meta.extra["variable"] or f"{PREFIX}{part.name}_{key}".upper()
            yield Option(part.name, key, hint, meta, getattr(defaults, key), variable)


def section_text(section: str) -> str:
    """Return the sentence that describes a section."""
    kinds = {part.name: part.type for part in msgspec.structs.fields(Config)}
    return str(kinds[section].__doc__)
