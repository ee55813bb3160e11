"""The control side that the real exchange lacks, under `/_paper/`."""
