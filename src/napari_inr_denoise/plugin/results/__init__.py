"""Layers that show a result."""
