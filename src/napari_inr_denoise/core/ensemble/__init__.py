"""Predictions of the candidates combined into one result, filtered and judged."""
