"""Data in and out: files read and imported, records exported, and the demonstration company."""
