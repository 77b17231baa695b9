"""Arrays that read only what is asked for."""
