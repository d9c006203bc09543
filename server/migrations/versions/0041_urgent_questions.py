"""urgent questions: what makes one urgent stands beside its weight."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_questions = sa.table(
    "link_questions", *(sa.column(name) for name in ("one_id", "other_id", "urgency", "met_at"))
)  # fmt: skip
_records = sa.table(
    "person_records", sa.column("home_id"), sa.column("age_band"), sa.column("age"), sa.column("birth_date", sa.Date),
    sa.column("ended_at", sa.DateTime(timezone=True)),
)  # fmt: skip
_inquiries = sa.table("link_inquiries", *(sa.column(name) for name in ("home_id", "other_id", "answered_at")))


def upgrade() -> None:
    with op.batch_alter_table("link_questions") as batch_op:
        batch_op.add_column(sa.Column("urgency", sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column("met_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_questions.update().values(urgency=_weigh(), met_at=_find_last_meeting()))
    with op.batch_alter_table("link_questions") as batch_op:
        batch_op.alter_column("urgency", existing_type=sa.SmallInteger(), nullable=False)
        batch_op.drop_index("ix_link_questions_bits")
        batch_op.create_index("ix_link_questions_urgency", ["urgency", "bits"])
        batch_op.create_index("ix_link_questions_met_at", ["met_at"])


def downgrade() -> None:
    with op.batch_alter_table("link_questions") as batch_op:
        batch_op.drop_index("ix_link_questions_met_at")
        batch_op.drop_index("ix_link_questions_urgency")
        batch_op.create_index("ix_link_questions_bits", ["bits"])
        batch_op.drop_column("met_at")
        batch_op.drop_column("urgency")


def _weigh() -> sa.ColumnElement[int]:
    record, asked, question = _records.c, _inquiries.c, _questions.c
    banded = sa.func.coalesce(record.age_band, "") != ""
    told = sa.or_(banded, record.age.is_not(None))
    years = sa.extract("year", record.ended_at) - sa.extract("year", record.birth_date)
    young = sa.or_(record.age_band.in_(["0_4", "5_11", "12_17"]), record.age < 18, sa.and_(~told, years < 18))
    child = sa.exists().where(record.home_id.in_([question.one_id, question.other_id]), young)
    ends = ((question.one_id, question.other_id), (question.other_id, question.one_id))
    about = sa.or_(*(sa.and_(asked.home_id == one, asked.other_id == other) for one, other in ends))
    answered = sa.exists().where(about, asked.answered_at.is_not(None))
    return sa.case((answered, 4), else_=0) + sa.case((child, 2), else_=0)


def _find_last_meeting() -> sa.ScalarSelect[object]:
    ends = [_questions.c.one_id, _questions.c.other_id]
    return sa.select(sa.func.max(_records.c.ended_at)).where(_records.c.home_id.in_(ends)).scalar_subquery()
