"""Blind votes, filter presets, notes on a curve, and which decisions were made at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column and create the tables; decisions from before belong to no batch."""
    op.add_column("decisions", sa.Column("batch", sa.String(32), nullable=True))
    op.create_index("ix_decisions_batch", "decisions", ["batch"])
    op.create_table(
        "votes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(80), nullable=False),
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("prompt_id", "voter", "left", "right")
        ],
        sa.Column("choice", sa.String(5), nullable=False),
        sa.Column("left_example", sa.String(16), nullable=False),
        sa.Column("right_example", sa.String(16), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_votes"),
    )
    op.create_index("ix_votes_run_id", "votes", ["run_id"])
    op.create_table(
        "presets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_presets"),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(80), nullable=False),
        sa.Column("iteration", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaces", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
        sa.ForeignKeyConstraint(["replaces"], ["notes.id"], name="fk_notes_replaces_notes"),
    )
    op.create_index("ix_notes_run_id", "notes", ["run_id"])
