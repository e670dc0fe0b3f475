"""Lichen: a self-hosted, federated community server around one durable log."""

__version__ = "0.1.0"
