"""The annotated configuration: every option as a TOML file that teaches itself.

What is printed loads back to the same tree. Secrets are the one exception: a secret that is set is
announced in a comment and never written.
"""

import textwrap
from pathlib import Path

from lichen.kit.config import Config, Secret
from lichen.kit.config_options import Option, options, section_text

_WIDTH = 98  # columns, so that a terminal of 100 shows no broken line

_BOUNDS = (("ge", "at least"), ("le", "at most"))


def annotated(config: Config) -> str:
    """Return the whole configuration as commented TOML."""
    lines = [
        "# Lichen's configuration. Save it as lichen.toml in the data folder and keep the lines",
        "# you change. A LICHEN_… variable wins over this file, the command line over both.",
    ]
    section = ""
    for one in options():
        if one.section != section:
            section = one.section
            lines += ["", "", f"# {section_text(section)}", f"[{section}]"]
        lines += ["", *_described(one), _assigned(one, getattr(getattr(config, section), one.key))]
    return "\n".join(lines) + "\n"


def _described(one: Option) -> list[str]:
    facts = [f"{words} {value}" for name, words in _BOUNDS
             if (value := getattr(one.meta, name)) is not None]
    unit = (one.meta.extra or {}).get("unit")
    if unit:
        facts.insert(0, f"in {unit}")
    if not isinstance(one.default, Secret):
        facts.append(f"default {toml_value(one.default)}")
    facts.append(one.variable)
    text = f"{one.meta.description} ({'; '.join(facts)})"
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ",
                         break_on_hyphens=False)


def _assigned(one: Option, value: object) -> str:
    if isinstance(value, Secret):
        shown = "set, not shown" if value else "not set"
        return f'# {one.key} = ""  # {shown}'
    return f"{one.key} = {toml_value(value)}"


def toml_value(value: object) -> str:
    """Return a value as TOML writes it; a table stands on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        pairs = [f"{_quoted(str(key))} = {toml_value(item)}" for key, item in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    assert isinstance(value, str | Path), f"no TOML for {type(value).__name__}"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    # TOML 1.0 "String": quotes, backslash and the control characters are escaped, nothing else.
    escaped = "".join(
        f"\\{character}" if character in '"\\'
        else f"\\u{ord(character):04x}" if ord(character) < 0x20 or ord(character) == 0x7F
        else character
        for character in text
    )
    return f'"{escaped}"'
