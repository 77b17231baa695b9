"""Many files: planning, running and reporting."""
