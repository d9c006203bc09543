"""What ran in the background, when, and how it ended."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from server.accounts.permissions import permission
from server.extensions import db
from server.routing import row_id
from server.web.paging import read_page
from sync.leases import LEADING
from sync.models import JobLease, JobRun

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")


@blueprint.get("/")
@permission("jobs.read")
def list_page() -> ResponseReturnValue:
    runs, job = select(JobRun).order_by(JobRun.id.desc()), request.args.get("job")
    page = read_page(runs.where(JobRun.job == job) if job else runs, JobRun.id, request.args.get("before", type=row_id))
    leases = db.session.scalars(select(JobLease).where(JobLease.name == LEADING)).all()
    return render_template("jobs.html", page=page, leases=leases, job=job)
