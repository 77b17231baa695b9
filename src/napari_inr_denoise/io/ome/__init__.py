"""OME-XML."""
