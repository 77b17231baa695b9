"""What is kept of a batch, so that a later run can go on."""
