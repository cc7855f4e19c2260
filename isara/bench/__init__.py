"""What `isara bench NAME` runs: both sides in one process, in turns, with their spread."""
