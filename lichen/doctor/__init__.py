"""The doctor: looks at what a house stands on, and says what to do.

`examine` is what `lichen doctor` calls; each of its other words has a module of its own.
"""

from lichen.doctor.distance import ROUND_TRIPS, told_distance
from lichen.doctor.findings import Finding, Health, is_ill, lines_of
from lichen.doctor.machine import examine

__all__ = ["ROUND_TRIPS", "Finding", "Health", "examine", "is_ill", "lines_of", "told_distance"]
