"""The supervisors' pages: one file per page family. Views load, check, call one verb below, and answer."""

from flask import Flask

from server import errors, i18n, reach
from server.accounts import permissions, sessions
from server.extensions import csrf
from server.web import (
    account,
    audit,
    decisions,
    devices,
    entities,
    entity_decisions,
    entity_deletions,
    entity_words,
    forms,
    headcounts,
    headers,
    health,
    inquiries,
    jobs,
    labels,
    link_models,
    link_withdrawals,
    links,
    login,
    navigation,
    peers,
    people,
    person_changes,
    person_decisions,
    purpose,
    relays,
    reviews,
    settings,
    sites,
    status,
    submissions,
    users,
    validation,
    vocabularies,
)

_PAGES = (
    login, account, status, submissions, decisions, reviews, people, person_changes, person_decisions, links, inquiries,
    link_withdrawals, purpose, entities, entity_decisions, entity_deletions, headcounts, devices,
    forms, validation, users, sites, peers, relays, link_models, settings, jobs, audit, health,
)  # fmt: skip


def init_app(app: Flask) -> None:
    i18n.init_app(app)
    reach.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
    sessions.init_app(app)
    permissions.init_app(app)
    labels.init_app(app)
    entity_words.init_app(app)
    vocabularies.init_app(app)
    navigation.init_app(app)
    for page in _PAGES:
        app.register_blueprint(page.blueprint)
    # A tablet has no cookie that somebody else's page could misuse.
    csrf.exempt(app.blueprints["openrosa"])
