"""Whole houses on each engine, spoken to over HTTP."""

from tests.erasing.conftest import place

__all__ = ["place"]
