"""Checks made before the content of a file is trusted."""
