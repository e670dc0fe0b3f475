"""A daily emoji puzzle, as a plugin of Lichen."""
