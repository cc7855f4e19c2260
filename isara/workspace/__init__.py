"""The folder that holds everything: run folders (runs.py) and the database (database.py)."""
