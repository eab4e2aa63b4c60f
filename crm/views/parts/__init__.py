"""The parts: one file each, with its JavaScript beside it."""
