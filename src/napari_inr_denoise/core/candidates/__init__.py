"""The networks that are fitted, one file each."""
