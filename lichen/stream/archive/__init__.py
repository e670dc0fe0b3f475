"""The archive: what is sealed, in the files that a Jetstream v2 client downloads."""
