"""The two dock widgets and their parts."""
