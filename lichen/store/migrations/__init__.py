"""Alembic's folder: `env.py` runs the files in `versions`, from the first table on."""
