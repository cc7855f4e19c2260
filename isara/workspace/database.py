"""Seed sets, people's decisions, the run registry and what else is kept, in one database.

``Database(path_or_url)`` opens a SQLite file (WAL) or any URL that SQLAlchemy knows, brings its
tables to the newest revision and offers plain functions; what they return are tuples, detached from
the database. Every write is committed before its call returns. Any number of threads and processes
may write at once. Deleting is left out, except of half-written edits: the tables are a history.
Tables: tables.py; opening and migrating: engine.py; each part's functions: the modules imported
here.
"""

from __future__ import annotations

from isara.workspace.decisions import ACTIONS, RULINGS, Decision, Decisions
from isara.workspace.edit_drafts import EditDraft, EditDrafts
from isara.workspace.labels import LABELS_OF_PEOPLE, Labels
from isara.workspace.notebook import Note, Notebook, Preset
from isara.workspace.registry import Registry, RunRecord
from isara.workspace.seed_sets import SeedSet, SeedSetInfo, SeedSets
from isara.workspace.votes import CHOICES, Vote, Votes

__all__ = [
    "ACTIONS",
    "CHOICES",
    "LABELS_OF_PEOPLE",
    "RULINGS",
    "Database",
    "Decision",
    "EditDraft",
    "Note",
    "Preset",
    "RunRecord",
    "SeedSet",
    "SeedSetInfo",
    "Vote",
]


class Database(SeedSets, Decisions, EditDrafts, Registry, Labels, Votes, Notebook):
    """An open database with all its parts."""
