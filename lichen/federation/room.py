"""Assembles the room (skeleton)."""
