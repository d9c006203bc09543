"""The words of exchange with other servers and with relays: directions, what a run moved, how it ended.

A part of the labels (labels.py).
"""

from forms.errors import N_
from sync.peer_answers import PeerError
from sync.relaying.lines import RelayRefused

PEER_LABELS: dict[str, dict[str, str]] = {
    "outcome": {
        "running": N_("running"),
        "done": N_("done"),
        "stopped": N_("stopped before its end"),
        "failed": N_("failed"),
    },
    "direction_of_peer": {
        "pull": N_("we read there"),
        "push": N_("we write there"),
        "both": N_("we read and write there"),
    },
    "peer_moved": {
        "forms_in": N_("form versions read"),
        "records_in": N_("records read"),
        "files_in": N_("records whose files came later"),
        "reviews_in": N_("review states read"),
        "answers_out": N_("verdicts told"),
        "forms_out": N_("forms published there"),
        "lists_out": N_("lists made there"),
        "entities_out": N_("list rows written there"),
    },
    "relay_problem": {
        **PeerError.messages,
        "peer_refused": N_("The centre refused something; it waits here."),
        "relay_news": N_("Something that the centre told could not be taken in; it is told again."),
        "relay_file": RelayRefused.messages["relay_file"],
    },
}
