"""What ran in the background, when, and how it ended."""

from typing import Any

from flask import Blueprint, abort, render_template, request
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
    return render_template("jobs.html", page=page, leases=leases, job=job, read_reports=read_reports)


@blueprint.get("/<int:run_id>/report")
@permission("jobs.read")
def report_page(run_id: int) -> ResponseReturnValue:
    run = db.session.get(JobRun, run_id) or abort(404)
    reports = read_reports(run)
    report = reports.get(request.args.get("model", next(iter(reports), ""))) or abort(404)
    return render_template("link_report.html", run=run, report=report)


def read_reports(run: JobRun) -> dict[str, dict[str, Any]]:
    """What a run tells of linkage models, by their versions: of the active one, or of those that read along."""
    told = [run.details["report"]] if "report" in run.details else run.details.get("reports", {}).values()
    return {report["model"]: report for report in told}
