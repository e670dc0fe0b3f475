"""Faces: protocols that speak over several rooms. Translation only, no rule of the domain."""
