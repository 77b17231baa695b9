"""What the networks see of a plane: coordinates, patches, windows, crops."""
