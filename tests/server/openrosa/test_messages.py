"""What the officer reads on the tablet after sending."""

from server.openrosa.messages import MISSING_FILES, QUARANTINED, SUCCESS, TWIN, UNKNOWN_FORM, word_notices


def test_all_is_well_in_the_words_that_collect_replaces() -> None:
    assert word_notices([], "fr") == SUCCESS == "full submission upload was successful!"


def test_notice_is_worded_in_the_tablets_language() -> None:
    notices = [(MISSING_FILES, {"count": 2})]
    assert word_notices(notices, "en") == "Received. Files that have not come yet: 2."
    assert "ichiers" in word_notices(notices, "fr")


def test_each_notice_has_a_line() -> None:
    notices = [(TWIN, {}), (QUARANTINED, {"count": 1, "form": "Passage"})]
    first, second = word_notices(notices, "en").splitlines()
    assert "same number" in first
    assert second == "Earlier records of this tablet that wait for repair: 1 (Passage)."


def test_text_of_a_record_is_filled_in_and_never_interpreted() -> None:
    assert "%(count)d %s" in word_notices([(UNKNOWN_FORM, {"form": "%(count)d %s"})], "fr")
