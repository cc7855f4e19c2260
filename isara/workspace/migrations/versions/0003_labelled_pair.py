"""Which answer a label is of: a run carried out again under its id may give another one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; labels from before it have none."""
    op.add_column("labels", sa.Column("example_id", sa.String(16), nullable=True))
