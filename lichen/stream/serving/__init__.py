"""Serving: the stream's own port, with everybody who reads it there."""
