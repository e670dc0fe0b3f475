"""Plugins that are found as installed ones are: by the metadata of a package on the path."""

from pathlib import Path


def plant(
    folder: Path, name: str, value: str, *, version: str = "1.0", asks_network: bool = False
) -> None:
    """Write the metadata of a package with one plugin into a folder of modules."""
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    points = f"[lichen.plugins]\n{name} = {value}\n"
    if asks_network:
        points += f"[lichen.plugins.network]\n{name} = {value}\n"
    (metadata / "entry_points.txt").write_text(points)
