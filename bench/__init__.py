"""The figures of the house: `make bench` runs them all, `make bench ROOM=log` one."""
