"""The words of follow-up lists and events: their columns, their states, and what became of an update.

A part of the labels (labels.py). What a form's own questions call a column is entity_words.py's knowledge.
"""

from forms.errors import N_

LIST_LABELS: dict[str, dict[str, str]] = {
    "entity_list": {
        "dossiers": N_("Stays"),
        "evenements": N_("Events"),
        "orientations": N_("Referrals"),
        "materiels": N_("Assets"),
    },
    "entity_state": {
        "open": N_("open"),
        "closed": N_("closed"),
        "absent": N_("deleted, or not here yet"),
    },
    "entity_waits": {
        "conflict": N_("Tablets say different things: a person must choose."),
        "held": N_("An update came before what its tablet had seen."),
    },
    "entity_trouble": {"conflict": N_("conflicts"), "held": N_("updates on hold")},
    # The properties of the shipped lists that no question asks by name.
    "entity_property": {
        "ref": N_("Reference"),
        "bracelet": N_("Bracelet"),
        "initiales": N_("Initials"),
        "sexe": N_("Sex"),
        "tranche": N_("Age band"),
        "site_id": N_("Site"),
        "etat": N_("State"),
        "urgence": N_("Urgency"),
        "alerte_suivi": N_("Follow-up alert"),
        "echeance": N_("Due on"),
        "maj": N_("Last change"),
        "type": N_("Kind"),
        "date": N_("Date"),
        "site_debarq": N_("Landing site"),
        "n_vivants": N_("Living persons"),
        "evt": N_("Event"),
        "dossier_ref": N_("Reference"),
        "statut": N_("State"),
    },
    "entity_standing": {
        "held": N_("on hold"),
        "forced": N_("applied without what it waits for"),
        "aside": N_("does not count"),
        "broken": N_("cannot be applied"),
        "undone": N_("undone"),
    },
    "entity_action": {
        "create": N_("Created without a form"),
        "update": N_("Changed without a form"),
        "delete": N_("Deleted"),
        "restore": N_("Restored"),
    },
    "merge_rule": {
        "latest": N_("of values that did not know each other, the last observed stands"),
        "highest": N_("of values that did not know each other, the gravest stands"),
        "forward": N_("a state never goes back"),
        "union": N_("all choices stand together"),
        "review": N_("a person chooses"),
    },
    "event_type": {
        "secours_mer": N_("Rescue at sea"),
        "interception_mer": N_("Interception at sea"),
        "interception_terre": N_("Interception on land"),
        "debarquement": N_("Disembarkation"),
        "decouverte": N_("Discovery"),
        "": N_("Event"),
    },
    "headcount_state": {
        "closed": N_("closes"),
        "young": N_("arrivals awaited"),
        "explained": N_("explained"),
        "open": N_("does not close"),
    },
}
