"""Every table of this package, imported so that the metadata is whole."""

from sync.models.actors import Actor
from sync.models.answers import AnswerRow, AnswerValue
from sync.models.devices import DEVICE_STATES, Alert, Device, DeviceFetch
from sync.models.entities import (
    Entity,
    EntityAct,
    EntityConflict,
    EntityContribution,
    EntityDecision,
    EntityGround,
    EntityList,
    EntityRelease,
    EntityView,
    IssuedVersion,
)
from sync.models.forms import FORM_STATES, Blob, Catalogue, Form, FormAttachment, FormVersion
from sync.models.operations import AuditEvent, JobLease, JobRun, Setting
from sync.models.peers import DIRECTIONS, Peer, PeerForm, PeerList, PeerRecord, PeerRun
from sync.models.programme import HeadcountExplanation
from sync.models.registry import Encounter, Person, PersonRecord
from sync.models.relays import (
    FilePiece,
    PeerReceipt,
    Relay,
    RelayedDevice,
    RelayedEntity,
    RelayedRecord,
    RelayedSite,
    Upstream,
)
from sync.models.reviews import SubmissionComment, SubmissionMark, SubmissionSender
from sync.models.sites import SITE_KINDS, Site
from sync.models.submissions import (
    SUBMISSION_STATES,
    AwaitedDecision,
    Decision,
    Erasure,
    RestrictedSubmission,
    Submission,
    SubmissionAttachment,
    SubmissionEvent,
    SubmissionFinding,
)

__all__ = [
    "DEVICE_STATES",
    "DIRECTIONS",
    "FORM_STATES",
    "SITE_KINDS",
    "SUBMISSION_STATES",
    "Actor",
    "Alert",
    "AnswerRow",
    "AnswerValue",
    "AuditEvent",
    "AwaitedDecision",
    "Blob",
    "Catalogue",
    "Decision",
    "Device",
    "DeviceFetch",
    "Encounter",
    "Entity",
    "EntityAct",
    "EntityConflict",
    "EntityContribution",
    "EntityDecision",
    "EntityGround",
    "EntityList",
    "EntityRelease",
    "EntityView",
    "Erasure",
    "FilePiece",
    "Form",
    "FormAttachment",
    "FormVersion",
    "HeadcountExplanation",
    "IssuedVersion",
    "JobLease",
    "JobRun",
    "Peer",
    "PeerForm",
    "PeerList",
    "PeerReceipt",
    "PeerRecord",
    "PeerRun",
    "Person",
    "PersonRecord",
    "Relay",
    "RelayedDevice",
    "RelayedEntity",
    "RelayedRecord",
    "RelayedSite",
    "RestrictedSubmission",
    "Setting",
    "Site",
    "Submission",
    "SubmissionAttachment",
    "SubmissionComment",
    "SubmissionEvent",
    "SubmissionFinding",
    "SubmissionMark",
    "SubmissionSender",
    "Upstream",
]
