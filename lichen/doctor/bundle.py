"""`lichen doctor bundle`: one file from which a stranger can diagnose, and learn nothing else.

    bundle.tar.gz        readable by its owner alone
    ├── README.txt       what it is and what is left out
    ├── machine.json     cores, memory, disk, Python, packages
    ├── config.toml      every option; secrets hidden
    ├── findings.json    what the doctor says
    ├── database.json    round trip, settings, sizes
    ├── federation.json  peers both ways, what is parked by host, logs, readers' checkpoints
    └── server.log       the last lines told, where a file was named

What people wrote, their names, addresses and keys are never read; what is told in passing is
redacted. A part that fails says so in its place, so the house may run or not.
"""

import importlib.metadata
import io
import os
import platform
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from lichen import __version__
from lichen.doctor import house_rows
from lichen.doctor.database import measure
from lichen.doctor.findings import json_of
from lichen.doctor.machine import examine, existing
from lichen.doctor.reading import reading_house
from lichen.doctor.redaction import Redaction
from lichen.federation.model import authority_of
from lichen.kit import Clock, LichenError, Refused, isoformat
from lichen.kit.annotated import annotated
from lichen.kit.config import Config, Secret
from lichen.kit.config_options import options

LOG_LINES_MAX = 500  # of what the server told
LOG_BYTES_MAX = 1 << 20  # of its file that are read, from the end
_PERSONAL = ("accounts.admin_name", "mail.user", "mail.sender")
_README = """A bundle of `lichen doctor bundle`, Lichen {version}, made {at}.

It holds what is needed to say why a house or its federation is ill. Left out: what people wrote,
their names, e-mail and network addresses, and every secret. Hosts of other servers are named.
"""

Part = Callable[[], str]


def write_bundle(config: Config, target: Path, *, clock: Clock, told: Path | None) -> None:
    """Write the bundle into a new file; raises Refused where one is there."""
    redact = Redaction(_secrets(config))
    parts: dict[str, Part] = {
        "README.txt": lambda: _README.format(version=__version__, at=isoformat(clock())),
        "machine.json": lambda: _json(_machine(config)),
        "config.toml": lambda: annotated(config),
        "findings.json": lambda: json_of(examine(config, clock=clock)),
        "database.json": lambda: _json(measure(config, clock=clock)),
        "federation.json": lambda: _json(_federation(config)),
    }
    if told is not None:
        parts["server.log"] = lambda: _tail(told)
    try:
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused("target_exists", f"{target} exists already; name a new file.") from None
    with os.fdopen(fd, "wb") as file:
        _pack(file, {name: redact(_made(part)) for name, part in parts.items()}, clock=clock)


def _pack(file: BinaryIO, texts: dict[str, str], *, clock: Clock) -> None:
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, text in texts.items():
            body = text.encode()
            entry = tarfile.TarInfo(f"lichen-bundle/{name}")
            entry.size, entry.mode, entry.mtime = len(body), 0o600, int(clock() / 1e6)
            archive.addfile(entry, io.BytesIO(body))


def _made(part: Part) -> str:
    """Return a part, or why it could not be made."""
    try:
        return part()
    except (LichenError, OSError) as error:
        return _json({"missing": getattr(error, "text", type(error).__name__)})


def _secrets(config: Config) -> list[str]:
    """Return what may stand nowhere: every secret, and options that name a person."""
    found = []
    for one in options():
        value = getattr(getattr(config, one.section), one.key)
        if isinstance(value, Secret):
            found.append(value.reveal())
        elif one.name in _PERSONAL:
            found.append(str(value))
    return found


def _machine(config: Config) -> dict[str, object]:
    disk = shutil.disk_usage(existing(config.server.data))
    return {
        "lichen": __version__, "python": platform.python_version(),
        "system": platform.system(), "release": platform.release(),
        "machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "disk_bytes": disk.total, "disk_free_bytes": disk.free,
        "packages": {one.name: one.version for one in importlib.metadata.distributions()},
    }


def _federation(config: Config) -> dict[str, object]:
    folder = config.server.data
    with reading_house(config) as rows:
        parked = Counter(
            f"{row['kind']} of {authority_of(str(row['needs']))}, for {row['peer']}"
            for row in rows.select(house_rows.PARKED))
        return {
            "peers": house_rows.standings(rows, folder), "parked": parked,
            "logs": house_rows.places(folder), "checkpoints": house_rows.checkpoints(rows),
            "outbox": rows.select(house_rows.OUTBOX)[0]["waiting"],
        }


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES_MAX))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES_MAX:])


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
