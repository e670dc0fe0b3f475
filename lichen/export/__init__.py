"""Export: owning one's words; everything of one person as an archive, and choices taken over.

`Exports` writes archives as a job, `write_export` one at once; `take_over` does what Lemmy's export
of settings says. It belongs to the wiring: it knows every room that keeps something of a person.
"""

from lichen.export.collection import Collection, NoPictures, Picture, Pictures, Rooms
from lichen.export.exports import Export, Exports, State
from lichen.export.importing import Imported, LemmyExport, read_export, take_over
from lichen.export.writing import PARTS, Progress, write_export

__all__ = [
    "PARTS", "Collection", "Export", "Exports", "Imported", "LemmyExport", "NoPictures", "Picture",
    "Pictures", "Progress", "Rooms", "State", "read_export", "take_over",
    "write_export",
]
