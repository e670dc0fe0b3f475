"""Writes the pages of docs/ that are made from the code: `make docs`.

    settings.md  from the configuration tree     commands.md  from the command line
    limits.md    from the constants              routes.md    from the application
    hooks.md     from their specifications       events.md    from the records, their visibility
                                                              and their golden bytes

`pages` returns them; a test compares them with what lies on the disk, so none can lie.
"""

import asyncio
import importlib
import inspect
import itertools
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import msgspec
from litestar import Litestar

import lichen
from lichen.cli import main as command_line
from lichen.events import Record, collection_of, decode_events
from lichen.events.visibility import VISIBILITY
from lichen.house import House
from lichen.kit.annotated import toml_value
from lichen.kit.config import PROFILES, Config, Secret
from lichen.kit.config_options import Option, options, section_text
from lichen.kit.limits import limits_of
from lichen.kit.telling import tell_to
from lichen.plugins import child, framing, specifications
from lichen.plugins import model as plugin_values

DOCS = Path(__file__).parent
PACKAGE = Path(lichen.__file__).parent
GOLDEN = DOCS.parent / "tests" / "events" / "golden"
HEAD = "<!-- Written by `make docs`; change the code instead. -->\n"
REFUSING = "_unspoken"  # the handlers that only say which methods a path does not speak
# As the command line itself has them: a command keeps the names that it is first shown with.
HELP_NAMES = command_line.context_settings["help_option_names"]
EXAMPLE_CHARACTERS_MAX = 420  # of an event's golden line; five lines of a page

_HOOKS_INTRODUCTION = """
A plugin is a Python package with an entry point of the group `lichen.plugins`; its name is the
plugin's. What it names is a module or an object whose functions carry `hookimpl` and the names of
hooks; each takes those of the arguments that it wants. `examples/emoji_puzzle` is a whole one.

```toml
[project.entry-points."lichen.plugins"]
emoji-puzzle = "emoji_puzzle.plugin"
```

```python
from lichen.kit import Reason
from lichen.plugins import Refuse, hookimpl

@hookimpl
def before_create(person, writing):
    if writing.kind == "post" and not writing.body:
        return Refuse(text="Say something about it.", reason=Reason(rule="posts have a text"))
```

Switch it on with `plugins.on`, on the administrators' page, or by `lichen plugins --on NAME`.

- **Order.** The house's own checks (the moderation rules and the blocklist of pictures, the first
  two plugins of the same register), then plugins by name, but for `hookimpl(tryfirst=True)` and
  `trylast`. Each sees what those before it changed. The first refusal ends it.
- **Where it runs.** In processes of its own, started and ended by the house, without its
  environment: one for what is asked, one for what is told, one for pages. Keep nothing in memory
  that must last; the `shelf` is for that. Functions are plain, no coroutines; no wrappers.
- **The network.** A plugin's processes are kept from it. One that uses it says so by a second entry
  point of the same package and name in the group `lichen.plugins.network`; an administrator then
  allows it, on the page or by `lichen plugins --network NAME`. `lichen doctor` says which wall this
  machine raises. Files that the house's user may read or write are not kept from a plugin.
- **Time and memory.** `lichen limits plugins` lists them. A before hook that takes too long has
  said "allow". Who raises, overstays, takes too much or breaks the rules of a hook has failed; the
  fifth failure within an hour switches the plugin off, and administrators see why.
- **Told at least once.** `after_…` hooks follow the log from the plugin's own checkpoint; after a
  crash the same `seq` may come again.
"""


def pages() -> dict[str, str]:
    """Return the text of every generated page by its file name."""
    return {
        "settings.md": settings_page(),
        "limits.md": limits_page(),
        "commands.md": commands_page(),
        "events.md": events_page(),
        "hooks.md": hooks_page(),
        "routes.md": asyncio.run(routes_page()),
    }


def settings_page() -> str:
    """Return every option with unit, bounds, default and variable."""
    lines = [
        HEAD, "# Settings", "",
        "Defaults, then the profile, then `lichen.toml` in the data folder (or `--config FILE`), "
        "then variables, then the words of the command line: later wins. `lichen config` prints "
        "the tree as it is in force.",
    ]
    for section, several in itertools.groupby(options(), key=lambda one: one.section):
        lines += ["", f"## {section}", "", section_text(section), "",
                  "| option | default | variable | what it does |", "|---|---|---|---|"]
        lines += [_setting(one) for one in several]
    lines += ["", "## profiles", "", "What `--profile` changes; none changes anything else.", "",
              "| profile | option | value |", "|---|---|---|"]
    lines += [f"| {profile} | `{name}` | `{toml_value(value)}` |"
              for profile, changes in PROFILES.items() for name, value in changes.items()]
    return "\n".join(lines) + "\n"


def _setting(one: Option) -> str:
    default = "" if isinstance(one.default, Secret) else f"`{toml_value(one.default)}`"
    facts = [(one.meta.extra or {}).get("unit") or "",
             "" if one.meta.ge is None else f"≥ {one.meta.ge:g}",
             "" if one.meta.le is None else f"≤ {one.meta.le:g}"]
    shown = ", ".join(fact for fact in facts if fact)
    said = _cell(str(one.meta.description)) + (f" ({shown})" if shown else "")
    return f"| `{one.key}` | {default} | `{one.variable}` | {said} |"


def limits_page() -> str:
    """Return every limit with its value and its reason."""
    lines = [HEAD, "# Limits", "", "Each is a constant of its room; `lichen limits` prints them."]
    for room, several in itertools.groupby(limits_of(PACKAGE), key=lambda limit: limit.room):
        lines += ["", f"## {room}", "", "| limit | value | why |", "|---|---:|---|"]
        lines += [f"| `{one.name}` | {one.value:,} | {_cell(one.why)} |" for one in several]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Return the help of every command."""
    lines = [HEAD, "# Commands"]
    for path, command in commands_of(command_line, ("lichen",)):
        context = click.Context(command, info_name=" ".join(path), terminal_width=90,
                                max_content_width=90, help_option_names=HELP_NAMES)
        lines += ["", f"## {' '.join(path)}", "", "```", command.get_help(context), "```"]
    return "\n".join(line.rstrip() for line in "\n".join(lines).splitlines()) + "\n"


def commands_of(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command below a group, each with its words."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    if command.invoke_without_command:
        yield path, command
    for name in sorted(command.commands):
        yield from commands_of(command.commands[name], (*path, name))


def events_page() -> str:
    """Return every record: what it means, its fields, who may see it, an example."""
    examples = golden_lines()
    lines = [
        HEAD, "# Events", "",
        "Everything that happens is one of these records in one envelope (`lichen/events`). Public "
        "ones may leave the house; private ones never do. Every event carries the whole new state.",
    ]
    for module, records in itertools.groupby(records_of(), key=lambda one: one.__module__):
        said = inspect.getdoc(importlib.import_module(module)) or ""
        lines += ["", f"## {module.rpartition('.')[2]}", "", said.partition("\n\n")[0]]
        for record in records:
            lines += _record(record, examples[collection_of(record)][0])
    return "\n".join(lines) + "\n"


def _record(record: type[Record], example: str) -> list[str]:
    name = collection_of(record)
    fields = ", ".join(
        f"`{field.encode_name}{'' if field.required else '?'}`"
        for field in msgspec.structs.fields(record)
    )
    shown = example if len(example) <= EXAMPLE_CHARACTERS_MAX else (
        example[:EXAMPLE_CHARACTERS_MAX] + "…")
    return ["", f"### {name}", "", f"**{VISIBILITY[name].value}** · {fields}", "",
            inspect.getdoc(record) or "", "", "```json", shown, "```"]


def records_of() -> list[type[Record]]:
    """Return every record class, room by room in the order of their files."""
    rooms = sorted(path.stem for path in (PACKAGE / "events").glob("*.py")
                   if path.stem not in ("__init__", "envelope", "visibility"))
    modules = [importlib.import_module(f"lichen.events.{room}") for room in rooms]
    return [
        value for module in modules for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Record)
        and value.__module__ == module.__name__
    ]


def hooks_page() -> str:
    """Return every hook with its arguments, and every value that hooks take and give."""
    lines = [HEAD, "# Hooks", "", _HOOKS_INTRODUCTION.strip()]
    for heading, kind in (
        ("Asked before", "before_"), ("Told after", "after_"), ("Asked of our own", "judge_"),
        ("Pages", ""),
    ):
        lines += ["", f"## {heading}"]
        for name in specifications.HOOKS:
            is_other = not name.startswith(("before_", "after_", "judge_"))
            if name.startswith(kind) if kind else is_other:
                lines += _hook(name)
    lines += ["", "## Values", "", "Plain frozen structs, imported from `lichen.plugins`. A field "
              "is only ever added, with a default."]
    for value in values_of():
        lines += ["", f"### {value.__name__}", "", inspect.getdoc(value) or "", "",
                  "| field | type | meaning |", "|---|---|---|"]
        lines += [_field(value, one) for one in msgspec.structs.fields(value)]
    lines += ["", "## What survives of a page", "",
              f"Elements: {_code(framing.TAGS)}.", "", f"Classes: {_code(framing.CLASSES)}.", "",
              f"Types of `input`: {_code(framing.INPUT_TYPES)}. Every `id` begins with `x-`."]
    return "\n".join(lines) + "\n"


def values_of() -> list[type[plugin_values.Value]]:
    """Return the values that hooks take and give, in the order of their file."""
    inner = (plugin_values.Value, plugin_values.HookOffer, plugin_values.Standing)
    return [value for value in vars(plugin_values).values()
            if isinstance(value, type) and issubclass(value, plugin_values.Value)
            and value not in inner]


def _hook(name: str) -> list[str]:
    hook = getattr(specifications.Specifications, name)
    arguments = child.arguments_of(name)
    said = inspect.getdoc(hook) or ""
    notes = []
    if name in plugin_values.CHANGEABLE:
        notes.append(f"May change {_code(plugin_values.CHANGEABLE[name])}.")
    if name.startswith("before_"):
        notes.append("May refuse." if name not in plugin_values.HOLDABLE else "May refuse or hold.")
    signature = f"{name}({', '.join(arguments)})"
    lines = ["", f"### {signature}", "", said, *(["", " ".join(notes)] if notes else [])]
    if arguments and name not in specifications.HOUSE:
        lines += ["", "| argument | type | meaning |", "|---|---|---|"]
        lines += [f"| `{one}` | `{hint.__name__}` | {_first(hint)} |"
                  for one, hint in arguments.items()]
    return lines


def _first(value: type) -> str:
    return (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")


def _field(value: type, field: msgspec.structs.FieldInfo) -> str:
    hint = get_type_hints(value, include_extras=True)[field.name]
    bare, meta = get_args(hint)
    shown = bare.__name__ if isinstance(bare, type) and not get_args(bare) else str(bare)
    shown = shown.replace("typing.", "").replace("lichen.plugins.model.", "").replace(
        "lichen.kit.reasons.", "")
    return f"| `{field.name}` | `{_cell(shown)}` | {_cell(meta.description)} |"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def golden_lines() -> dict[str, list[str]]:
    """Return the golden bytes of every collection, of all versions."""
    found: dict[str, list[str]] = {}
    for path in sorted(GOLDEN.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            found.setdefault(decode_events(line)[0].collection, []).append(line.decode())
    return found


async def routes_page() -> str:
    """Return every address that the house answers, with what is done there."""
    with tempfile.TemporaryDirectory() as folder:
        words = {"server.data": Path(folder), "server.metrics_port": 0, "server.stream_port": 0,
                 "server.log_level": "error"}
        config = Config.load(words=words)
        tell_to(sys.stderr, config.server)
        house = await House.open(config)
        try:
            found = routes_of(house.application)
        finally:
            await house.close()
    lines = [HEAD, "# Routes", "", "`GET /schema/openapi.json` describes the API field by field.",
             "", "| method | address | what it does |", "|---|---|---|"]
    lines += [f"| {method} | `{path}` | {_cell(said)} |" for path, method, said in found]
    return "\n".join(lines) + "\n"


def routes_of(application: Any) -> list[tuple[str, str, str]]:
    """Return (path, method, first sentence) of every route, without HEAD, OPTIONS and refusals."""
    assert isinstance(application, Litestar)
    found = set()
    for route in application.routes:
        for handler in getattr(route, "route_handlers", ()):
            if REFUSING in handler.fn.__qualname__ or route.path_format.startswith("/schema"):
                continue
            said = handler.summary or inspect.getdoc(handler.fn) or ""
            first = said.partition("\n\n")[0].replace("\n", " ").rstrip(".")
            found |= {(route.path_format, method, first) for method in handler.http_methods
                      if method not in ("HEAD", "OPTIONS")}
    return sorted(found)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def write() -> None:
    """Write the pages that differ from what lies there."""
    for name, text in pages().items():
        path = DOCS / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            click.echo(f"docs/{name} was written anew.")


if __name__ == "__main__":
    write()
