"""What a published form is, as plain values: fields, choices, lists, entity declarations, registry mapping.

Nothing is read or judged here: xform.py fills these from XForm XML, validation.py and submission.py use them.
"""

from dataclasses import dataclass, field
from typing import Literal

from forms.lists import Branch

# A text in the languages of its form: language name as the form spells it ("Français (fr)") → text.
Text = dict[str, str]

Control = Literal["input", "select", "select1", "rank", "upload", "trigger", "range", "secret"]

PERSON_PROPERTIES = (
    "given_names", "family_name", "sex", "birth_date", "age", "age_band", "age_basis", "nationality", "birth_place",
    "mother_name", "phone", "document_type", "document_issuer", "document_number", "language",
    "mrz",  # the machine-readable zone as copied or scanned: completes the others and is not kept itself
)  # fmt: skip
ENCOUNTER_PROPERTIES = ("kind", "at", "direction", "origin", "destination", "outcome")


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a list that stands in the form itself."""

    value: str
    label: Text


@dataclass(frozen=True, slots=True)
class Itemset:
    """Where a select takes its choices from: the form's own `choices`, or a secondary instance with a filter.

    `filtered` tells that a predicate narrows the list, so that membership of the whole list is necessary only.
    `choices` are filled for a list inside the form, in an instance or not; they are empty for a list in a file.
    """

    instance: str | None = None
    nodeset: str = ""
    value_ref: str = "name"
    label_ref: str = "label"
    filtered: bool = False
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One node of the primary instance. `path` has no index and no prefix: /data/gens/nom, /data/meta/entity/@id.

    A `meta` node is the record's own business: in the meta block, or preloaded without being asked. A `calculate`
    is calculated or set by an action; a `structure` node is neither asked nor filled. `repeat` is the nearest
    repeat around the node, for a repeat the one around it; `preload` the parameter (`start`) or the preloader (`uid`).
    """

    path: str
    kind: Literal["question", "calculate", "group", "repeat", "meta", "structure"]
    type: str = "string"
    control: Control | None = None
    label: Text = field(default_factory=dict)
    hint: Text = field(default_factory=dict)
    repeat: str | None = None
    required: str | None = None
    required_message: Text = field(default_factory=dict)
    relevant: str | None = None
    constraint: str | None = None
    constraint_message: Text = field(default_factory=dict)
    calculate: str | None = None
    set_value: str | None = None  # what an action puts in, at the form's opening or after another answer
    readonly: str | None = None
    repeat_count: str | None = None
    preload: str | None = None
    default: str = ""
    itemset: Itemset | None = None
    person: str | None = None
    encounter: str | None = None
    save_to: str | None = None
    entity: str | None = None

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class SecondaryInstance:
    """A list beside the answers. `src` is its jr:// address; `items` are the inline rows when it has none.

    `tree` is the whole of an inline list of which rows and columns do not say all.
    """

    id: str
    src: str | None = None
    items: tuple[dict[str, str], ...] = ()
    tree: Branch | None = None

    @property
    def filename(self) -> str | None:
        """The file behind the list; `jr://instance/last-saved` is the tablet's own memory, not a file."""
        if not self.src or self.src.startswith("jr://instance/"):
            return None
        return self.src.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class EntityDeclaration:
    """What a form says about one entity list (ODK Entities spec): the container and its expressions, as written.

    `save_to` pairs a property with the path of the field that feeds it.
    """

    list_name: str
    container: str
    spec_version: str
    creates: bool
    updates: bool
    save_to: tuple[tuple[str, str], ...] = ()
    id_expression: str | None = None
    create_if: str | None = None
    update_if: str | None = None
    label_expression: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that the form needs beside itself."""

    name: str
    type: Literal["image", "audio", "video", "file", "list"]


@dataclass(frozen=True, slots=True)
class FormDefinition:
    """One form version, read once and kept. `fields` are in document order, parents before children."""

    form_id: str
    version: str
    title: str
    root: str
    fields: tuple[Field, ...]
    languages: tuple[str, ...] = ()
    default_language: str | None = None
    instances: tuple[SecondaryInstance, ...] = ()
    entities: tuple[EntityDeclaration, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    encrypted: bool = False
    public_key: str | None = None
    submission_url: str | None = None
    # The texts that jr:itext('id') names, by id.
    texts: dict[str, Text] = field(default_factory=dict)
    by_path: dict[str, Field] = field(default_factory=dict, compare=False, repr=False)
    # What is derived from this form version once and kept with it, by the module that derives it.
    derived: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self.by_path.update({one.path: one for one in self.fields})
