"""Where the configuration comes from: file, variables and words, each judged with its source.

Every refusal names the option, where the value came from and what was expected, and guesses what
was meant. The value itself is not repeated where it may be a secret.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from lichen.kit.config import (
    FILE_NAME,
    PREFIX,
    PROFILES,
    Config,
    ConfigRefused,
    Secret,
    Server,
)
from lichen.kit.config_options import Option, options

# Variables that are no options: where a test kills the process, and what the tests themselves read.
_NO_OPTIONS = ("LICHEN_CRASH_AT", "LICHEN_TEST_")
FILE_BYTES_MAX = 1 << 20  # a configuration is a few kB; more is a wrong file


class _Given(NamedTuple):
    """A value and where it came from, for the message when it is wrong."""

    value: object
    origin: str


def load(path: Path | None, environ: Mapping[str, str], *, words: Mapping[str, object]) -> Config:
    """Return the tree from all sources; raises ConfigRefused, which names the source."""
    known = {one.name: one for one in options()}
    spoken = {name: _Given(value, "the command line") for name, value in words.items()}
    for name in spoken:
        assert name in known, f"no option {name}"
    given = _from_environ(environ, known) | spoken
    data = Path(str(given["server.data"].value if "server.data" in given else Server().data))
    written = _from_file(path, data, known)
    profile = str((written | given).get("server.profile", _Given("default", "")).value)
    assumed = {
        name: _Given(value, f"profile {profile}")
        for name, value in PROFILES.get(profile, {}).items()
    }
    return _checked(_built(known, assumed | written | given))


def _from_environ(environ: Mapping[str, str], known: Mapping[str, Option]) -> dict[str, _Given]:
    by_variable = {one.variable: one for one in known.values()}
    given = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable.startswith(_NO_OPTIONS):
            continue
        one = by_variable.get(variable)
        if one is None:
            raise ConfigRefused(
                f"There is no variable {variable}.{_nearest(variable, by_variable)} "
                "`lichen config` shows them all.")
        given[one.name] = _Given(_parsed(one, text), variable)
    return given


def _parsed(one: Option, text: str) -> object:
    """Return a variable's text in the shape the file would have."""
    if not isinstance(one.default, dict):
        return text
    pairs = [pair.strip() for pair in text.split(",") if pair.strip()]
    for pair in pairs:
        if "=" not in pair:
            raise ConfigRefused(f"{one.variable} expects name=value,name=value; got {pair!r}.")
    return dict(pair.split("=", 1) for pair in pairs)


def _from_file(path: Path | None, data: Path, known: Mapping[str, Option]) -> dict[str, _Given]:
    found = path or data / FILE_NAME
    if path is None and not found.exists():
        return {}
    given: dict[str, _Given] = {}
    for section, table in _read(found).items():
        sections = {one.section for one in known.values()}
        if section not in sections or not isinstance(table, dict):
            raise ConfigRefused(
                f"{found}: there is no section [{section}].{_nearest(section, sections)}")
        for key, value in table.items():
            name = f"{section}.{key}"
            if name not in known:
                raise ConfigRefused(f"{found}: there is no option {name}.{_nearest(name, known)}")
            given[name] = _Given(value, str(found))
    inside = given.get("server.data")
    elsewhere = inside is not None and Path(str(inside.value)).absolute() != data.absolute()
    if path is None and inside is not None and elsewhere:
        raise ConfigRefused(
            f"{found} lies in the data folder {data} and cannot name another one ({inside.value}); "
            "say it with --data or LICHEN_DATA.")
    return given


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise ConfigRefused(f"{path} is larger than {FILE_BYTES_MAX} bytes.")
        return tomllib.loads(content.decode())
    except OSError as error:
        raise ConfigRefused(f"{path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigRefused(f"{path} is not TOML: {error}.") from None


def _nearest(name: str, known: Mapping[str, object] | set[str]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {found[0]}?" if found else ""


def _built(known: Mapping[str, Option], given: Mapping[str, _Given]) -> Config:
    sections: dict[str, dict[str, object]] = {}
    for name, one in known.items():
        value = _converted(one, given[name]) if name in given else one.default
        sections.setdefault(one.section, {})[one.key] = value
    kinds = {part.name: part.type for part in msgspec.structs.fields(Config)}
    return Config(**{section: kinds[section](**values) for section, values in sections.items()})


def _converted(one: Option, given: _Given) -> object:
    from_text = given.origin == one.variable
    try:
        return msgspec.convert(given.value, one.type, strict=not from_text, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise ConfigRefused(
            f"{one.name} ({given.origin}): {error}. {one.meta.description}") from None


def _decode(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise msgspec.ValidationError(f"Expected `str`, got `{type(value).__name__}`")


def _checked(config: Config) -> Config:
    """Return the tree, or refuse what is wrong only in company."""
    url = config.identity.public_url
    if url:
        config = msgspec.structs.replace(
            config, identity=msgspec.structs.replace(config.identity, public_url=_origin_of(url)))
    database = config.database.url.reveal()
    if database and not database.startswith(("postgresql://", "postgres://")):
        raise ConfigRefused(
            "database.url (LICHEN_DATABASE_URL): expected postgresql://…, or nothing for SQLite.")
    if config.log.engine == "nats" and not config.log.nats_url:
        raise ConfigRefused(
            "log.nats_url (LICHEN_LOG_NATS_URL): expected nats://host:4222, since log.engine is "
            "nats.")
    # JetStream: a stream's name, here also the first word of its subjects.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", config.log.nats_stream):
        raise ConfigRefused(
            "log.nats_stream (LICHEN_LOG_NATS_STREAM): expected 1 to 64 letters, digits, - or _; "
            f"got {config.log.nats_stream!r}.")
    if config.server.workers > 1:
        raise ConfigRefused(
            "server.workers: several processes need PostgreSQL and NATS as the log; with the log "
            "in segment files exactly one process appends. Use 1.")
    if bool(config.accounts.admin_name) != bool(config.accounts.admin_password):
        raise ConfigRefused(
            "LICHEN_ADMIN_NAME and LICHEN_ADMIN_PASSWORD belong together: set both or neither.")
    return config


def _origin_of(url: str) -> str:
    """Return scheme and authority in lower case; refuse anything more."""
    scheme, separator, rest = url.strip().partition("://")
    authority = rest.removesuffix("/").lower()
    # RFC 6454 §4: an origin is scheme, host and port; no user, path, query or fragment.
    strange = set(authority) & set("/?#@ \\") or not authority.isascii()
    if scheme.lower() not in ("http", "https") or not separator or not authority or strange:
        raise ConfigRefused(
            f"identity.public_url (LICHEN_PUBLIC_URL): expected https://host or "
            f"https://host:port without a path, host in ASCII; got {url!r}.")
    return f"{scheme.lower()}://{authority}"
