"""Rows, choices, tables and plots of the widgets."""
