"""The stream: everything public, ready to send, from segments of its own."""

from lichen.stream.model import EVERYTHING, Arrival, Filter, Form, Kind, Operation, Wire

__all__ = ["EVERYTHING", "Arrival", "Filter", "Form", "Kind", "Operation", "Wire"]
