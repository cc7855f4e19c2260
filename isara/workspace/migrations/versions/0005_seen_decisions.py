"""What a reviewer had been shown of others' decisions on a pair when deciding on it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; of decisions from before it is not known."""
    op.add_column("decisions", sa.Column("seen", sa.Integer(), nullable=True))
