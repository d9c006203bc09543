"""Every code of this package with its sentence: gettext message ids with %(name)s parameters. Worded by errors.py."""


def N_(message: str) -> str:  # noqa: N802 (gettext's own name for "extract, translate later")
    return message


_XML = {
    "not_xml": N_("This is not well-formed XML."),
    "xml_doctype": N_("XML with a document type declaration is not accepted."),
    "xml_encoding": N_("The XML is in an encoding that is not accepted. Use UTF-8."),
    "xml_too_large": N_("The XML is larger than %(limit_mb)s MB."),
    "xml_too_deep": N_("The XML is nested deeper than %(limit)s levels."),
    "xml_too_many_elements": N_("The XML has more than %(limit)s elements."),
    "xml_too_many_attributes": N_("An element of the XML has more than %(limit)s attributes."),
}

_FORM = {
    "form_without_model": N_("This is not an XForm: it has no model."),
    "form_version_unwritable": N_("A version's name has no control characters."),
    "form_without_instance": N_("The form's model has no primary instance."),
    "form_without_id": N_("The form has no id. Give it a form_id in the settings sheet."),
    "control_without_node": N_("The form asks for %(path)s, but its instance has no such node."),
    "registry_property": N_(
        "%(path)s claims the %(table)s property “%(name)s”, which does not exist. Known: %(known)s."
    ),
    "registry_property_twice": N_("%(path)s and %(other)s both claim the %(table)s property “%(name)s”."),
    "entities_version": N_("The form's entities version “%(version)s” is not known here. Known: %(known)s."),
    "entities_need_version": N_(
        "Several entity lists, or entities in a repeat, need entities version %(needed)s; the form says %(version)s."
    ),
    "entities_one_per_container": N_("Each form, group or repeat can declare only one entity."),
    "entities_list_name": N_("“%(name)s” cannot be the name of an entity list."),
    "entities_property": N_("%(path)s saves to “%(name)s”, which cannot be the name of an entity property."),
    "entities_list_case": N_("The entity lists “%(name)s” and “%(other)s” differ by nothing but capital letters."),
    "entities_property_case": N_(
        "%(path)s saves to “%(name)s” and %(first)s to “%(other)s”: for ODK Collect, properties that differ by nothing "
        "but capital letters are one."
    ),
    "entities_property_twice": N_("%(path)s and %(other)s both save to the entity property “%(name)s”."),
    "save_to_without_entity": N_("%(path)s saves to an entity, but no entity is declared around it."),
}

_FILE = {
    "form_file_kind": N_("A form is an .xlsx, .xls, .csv, .md or .xml file."),
    "form_file_too_large": N_("The file is larger than %(limit_mb)s MB."),
    "form_file_unreadable": N_("The file cannot be opened. It may be damaged, or of another kind than its name says."),
    "form_file_bomb": N_("The workbook unpacks to far more than a form needs, and was not opened."),
}

_XLSFORM = {
    "xlsform_refused": N_("Errors in the XLSForm: %(count)s."),
    "missing_form_id": N_("The settings sheet needs a form_id."),
    "missing_survey": N_("The workbook has no survey sheet, or an empty one."),
    "missing_headers": N_("Columns are missing: %(missing)s."),
    "duplicate_header": N_("The column “%(header)s” stands there twice."),
    "unknown_type": N_("There is no question type “%(type)s”."),
    "missing_type": N_("The row has no type."),
    "missing_name": N_("The question or group has no name."),
    "missing_label": N_("“%(name)s” has neither label nor hint."),
    "missing_calculation": N_("The row calculates nothing: its calculation is empty."),
    "duplicate_name": N_("The name “%(name)s” is already taken in this group, repeat or form."),
    "bad_name": N_(
        "A name starts with a letter or underscore and goes on with letters, digits, underscores, hyphens or dots."
    ),
    "duplicate_choice": N_("Two choices of one list have the same name."),
    "choice_without_name": N_("A choice has no name."),
    "choice_without_label": N_("A choice has no label."),
    "choice_with_space": N_(
        "The choice “%(name)s” of “%(list)s” has a space in its name; select_multiple separates by spaces."
    ),
    "missing_choices": N_("The choices sheet has no list “%(list)s”."),
    "missing_choices_sheet": N_("The form needs a choices sheet with the columns list_name, name and label."),
    "unknown_reference": N_("${%(name)s} refers to a question that does not exist."),
    "ambiguous_reference": N_("${%(name)s} could mean several questions of that name."),
    "malformed_reference": N_("A reference is not written as ${name}."),
    "unmatched_end": N_("This end of a %(type)s has no beginning."),
    "unmatched_begin": N_("The %(type)s “%(name)s” is never ended."),
    "save_to_invalid": N_("The save_to of this question cannot be used."),
    "entities_invalid": N_("The entities sheet has an error."),
    "include_refused": N_("The type include reads other files, which is not possible here."),
    "teral_namespace": N_("The namespace teral is declared as something else. It must be %(needed)s."),
    "converted_not_xml": N_("A column uses a prefix that the settings sheet does not declare under namespaces."),
    "pyxform_error": N_("The form could not be converted."),
    "pyxform_warning": N_("The form was converted with a remark."),
}

_SUBMISSION = {
    "submission_without_form_id": N_("The submission does not say which form it belongs to."),
}

_PROGRAMME = {
    "programme_unreadable": N_("The programme file cannot be read: %(reason)s"),
    "programme_key": N_("%(where)s: the key “%(key)s” is not known. Known: %(known)s."),
    "programme_value": N_("%(where)s: “%(value)s” is not one of %(known)s."),
    "programme_shape": N_("%(where)s must be %(needed)s."),
    "programme_class_twice": N_("%(where)s: “%(name)s” has two data classes, %(first)s and %(second)s."),
}

_MRZ = {
    "mrz_charset": N_("A machine-readable zone holds only A to Z, 0 to 9 and <."),
    "mrz_length": N_("A machine-readable zone has 3 lines of 30 signs, or 2 lines of 36 or 44; this has %(length)s."),
    "mrz_document": N_("A machine-readable zone begins with P, V, I, A or C."),
    "mrz_check": N_("The machine-readable zone does not add up: its last check digit is wrong. Was it copied well?"),
    "mrz_check_document_number": N_("The check digit of the document number is wrong. Was the zone copied well?"),
    "mrz_check_birth_date": N_("The check digit of the birth date is wrong. Was the zone copied well?"),
    "mrz_check_expiry_date": N_("The check digit of the expiry date is wrong. Was the zone copied well?"),
    "mrz_check_personal_number": N_("The check digit of the personal number is wrong. Was the zone copied well?"),
}

_LIST = {
    "list_file_kind": N_("%(name)s is not a list: a list is a .csv, .xml or .geojson file."),
    "list_not_utf8": N_("%(name)s is not in UTF-8. Save it as CSV UTF-8."),
    "list_header": N_("%(name)s needs a first line with a different name in each column."),
    "list_malformed": N_("%(name)s cannot be read as a list."),
}

_FINDING = {
    "wrong_form": N_("The record belongs to the form “%(form_id)s”."),
    "wrong_root": N_("The record does not have this form's structure."),
    "repeated_node": N_("This question or group stands in the record more than once."),
    "unknown_node": N_("The form does not have this question. Its answer is kept."),
    "not_an_answer": N_("There is a group here where the form has a question."),
    "not_an_integer": N_("The answer is not a whole number between -2147483648 and 2147483647."),
    "not_a_number": N_("The answer is not a number."),
    "not_a_date": N_("The answer is not a date of the calendar (year-month-day)."),
    "not_a_datetime": N_("The answer is not a date with a time."),
    "not_a_time": N_("The answer is not a time of day."),
    "not_a_boolean": N_("The answer is neither yes nor no."),
    "not_a_place": N_("The answer is not a place on the map (latitude, longitude)."),
    "not_a_choice": N_("The answer is not one of the list's choices."),
    "list_not_held": N_("The answer could not be checked: the list “%(list)s” is not at hand."),
    "list_uncertain": N_(
        "The list “%(list)s”, as it is known here, speaks against the answer. The tablet may have had another one."
    ),
    "required": N_("This question must be answered."),
    "constraint_broken": N_("The answer breaks a rule of the form."),
    "not_relevant": N_("By the other answers this question is not asked. Its answer does not count."),
    "calculation_differs": N_("The form calculates another value."),
    "repeat_count_differs": N_("The form asks for %(wanted)s of “%(name)s”; there are %(found)s."),
    "clock_in_doubt": N_("The answer breaks a rule on dates by so little that the tablet's clock may be the reason."),
    "attachment_missing": N_("The file “%(name)s” has not come yet."),
}

_ENTITY = {
    "entity_form_unknown": N_("The form that speaks of this entity is not here yet."),
    "entity_list_differs": N_("The record names another entity list than its form."),
    "entity_unnamed": N_("The record updates an entity, but names none."),
    "entity_id": N_("The entity's id is not a version 4 UUID."),
    "entity_branch_id": N_("The entity's branch id is not a version 4 UUID."),
    "entity_base_version": N_("The entity's base version is not a number."),
    "entity_trunk_version": N_("The entity's trunk version is not a number."),
}

_CHECK = {
    "entities_in_encrypted_form": N_(
        "An encrypted form cannot declare ODK entities: Collect keeps them on the tablet in the clear, before it "
        "encrypts. Use bind::teral:entity instead."
    ),
    "entity_id_of_several": N_(
        "The entity_id of “%(list)s” is taken from %(path)s, a select_multiple: two answers become “uuid uuid”, which "
        "is no id. Use a repeat over the answers, and in it selected-at()."
    ),
    "save_to_not_offline": N_(
        "%(path)s saves to %(list)s#%(name)s from inside a group that holds another entity: on the tablet, ODK Collect "
        "keeps the old value until the next sync. Move it out of that group."
    ),
    "entity_id_prefixed": N_(
        "The entity_id of “%(list)s” begins with “uuid:” (%(path)s). ODK Collect takes a bare version 4 UUID only: "
        "use uuid()."
    ),
    "entity_claim_shape": N_("%(path)s claims the entity property “%(claim)s”. It is written list#property."),
    "entity_claim_twice": N_("%(path)s and %(other)s both claim the entity property “%(claim)s”."),
    "entity_claim_without_id": N_(
        "%(path)s claims “%(claim)s”, but no answer beside it claims the id, “%(list)s#name”."
    ),
    "mapping_to_nothing": N_("“%(name)s” is fed by %(path)s, which holds no answer."),
    "rules_in_a_circle": N_("Rules depend on each other in a circle: %(paths)s."),
    "reference_to_nothing": N_("A rule of %(path)s names %(missing)s, which the form does not have."),
    "constraint_never_holds": N_("No answer to %(path)s can meet its constraint."),
    "cascade_without_choice": N_("%(path)s has no choice where %(parent)s is answered by: %(values)s."),
    "text_missing_in_language": N_("%(path)s has a text that is missing in %(language)s."),
}

# What keeps ODK Collect from opening a form (refused_models.py, refused_questions.py, opening.py).
_REFUSED = {
    "model_after_body": N_("The model stands after the body. ODK Collect needs it first."),
    "model_content": N_("The model holds “%(what)s”, which does not belong there."),
    "instance_roots": N_("The instance “%(id)s” holds %(count)s elements. It may hold one."),
    "template_twice": N_("The repeat “%(path)s” has more than one template."),
    "template_without_repeat": N_("“%(path)s” is a template, but the form has no repeat."),
    "bind_id_twice": N_("Two binds have the id “%(id)s”."),
    "bind_id_unknown": N_("No bind has the id “%(id)s”."),
    "not_a_path": N_("“%(text)s” does not lead to a node of the form."),
    "rule_empty": N_("%(path)s has an empty rule: %(rule)s."),
    "translation_without_language": N_("The texts of the form stand in no language."),
    "translation_twice": N_("The language “%(language)s” stands there twice."),
    "translation_defaults": N_("More than one language is the default."),
    "text_without_id": N_("A text in “%(language)s” has no id."),
    "text_content": N_("The text “%(text)s” holds “%(what)s”, which does not belong there."),
    "text_twice": N_("The text “%(text)s” stands twice in “%(language)s”."),
    "text_beyond_default": N_("The text “%(text)s” is there in “%(language)s”, but not in the default language."),
    "text_missing_in_default": N_("%(path)s shows the text “%(text)s”, which the default language does not have."),
    "label_reference": N_("“%(text)s” names no text of the form. It is written jr:itext('id')."),
    "label_outside": N_("A label belongs to no question or group: “%(text)s”."),
    "output_of_nothing": N_("An output inside a text names no value."),
    "action_namespace": N_("The action %(action)s must be in the namespace %(needed)s."),
    "action_without_target": N_("An action (%(action)s) does not say what it fills."),
    "action_to_nothing": N_("An action (%(action)s) fills %(path)s, which the form does not have."),
    "event_unknown": N_("ODK Collect does not know the event “%(event)s” (%(action)s)."),
    "event_too_late": N_("%(action)s can only start when the form is opened, not on the event “%(event)s”."),
    "event_outside_repeat": N_("An action on the event “%(event)s” must stand inside the repeat."),
    "control_without_path": N_("A question (%(control)s) does not say which node it fills."),
    "range_bound": N_("The %(bound)s of the range %(path)s is “%(text)s”, which is not a number."),
    "select_without_choices": N_("%(path)s has no choices."),
    "choices_twice": N_("%(path)s has choices of its own and those of a list."),
    "choice_incomplete": N_("A choice of %(path)s lacks its label or its value (“%(value)s”)."),
    "itemset_incomplete": N_("%(path)s takes its choices from a list, but does not name its %(what)s."),
    "itemset_of_no_list": N_("%(path)s takes its choices from something that is no list."),
    "choices_of_no_repeat": N_("%(path)s takes its choices from %(rows)s, which is asked, but is no repeat."),
    "column_unknown": N_("%(path)s takes the %(what)s of its choices from “%(name)s”, which the list does not have."),
    "repeat_of_everything": N_("The whole form cannot be a repeat."),
    "repeat_scope": N_("%(path)s is asked on the wrong side of the repeat %(repeat)s."),
    "fails_on_opening": N_("A rule of %(path)s fails on a blank record: ODK Collect does not open the form."),
}

_XPATH = {
    "xpath_syntax": N_("“%(expression)s” cannot be read: unexpected “%(found)s”."),
    "xpath_too_long": N_("The expression is longer than %(limit)s characters."),
    "xpath_too_deep": N_("The expression is nested more than %(limit)s levels deep."),
    "xpath_unknown_function": N_("There is no function “%(name)s”."),
    "xpath_arguments": N_("The function “%(name)s” does not take %(count)s arguments."),
    "xpath_argument_kind": N_("The function “%(name)s” needs a reference to a question there."),
    "xpath_unsupported_step": N_("ODK Collect does not know the step “%(step)s”."),
    "xpath_unsupported": N_("ODK Collect does not know “%(what)s”."),
    "xpath_unknown_list": N_("The form has no list “%(list)s”."),
    "xpath_bad_pattern": N_("The pattern “%(pattern)s” is not a valid regular expression."),
    "cannot_compare_repeated": N_("The expression names a question that has several answers here."),
    "answer_too_long": N_("An answer is longer than %(limit)s characters: rules about it are not checked."),
    "cannot_convert": N_("An answer cannot be read as %(type)s."),
    "cannot_know_now": N_("The time at which the record was filled is not known."),
    "cannot_know_property": N_("The expression asks for a property of the tablet."),
    "cannot_replay": N_("The expression gives another result each time it is evaluated."),
    "cannot_find_list": N_("The list “%(list)s” that the tablet had is not known."),
    "cannot_find_text": N_("The text “%(text)s” of the form is not known."),
    "cannot_match_in_time": N_("The pattern takes too long to compare."),
    "cannot_match_surely": N_("The pattern matches on some tablets only."),
    "cannot_use_pattern": N_("The pattern cannot be evaluated here."),
    "cannot_read_pattern": N_("The pattern that the answers make up is not a valid regular expression."),
    "cannot_leave_form": N_("The expression leaves the form."),
    "cannot_settle_cycle": N_("The relevance of a question depends on itself."),
    "cannot_use_function": N_("The function “%(name)s” cannot be evaluated with this answer."),
    "cannot_use_rule": N_("A rule of the form cannot be read."),
    "cannot_finish": N_("The expression needs too much work for one record."),
}

_ENCRYPTION = {
    "key_missing": N_("The key that opens this record is not on this server."),
    "envelope_incomplete": N_("The envelope of this encrypted record lacks “%(element)s”."),
    "file_missing": N_("The encrypted file “%(file)s” has not arrived."),
    "file_damaged": N_("The encrypted file “%(file)s” is damaged or was encrypted for another record."),
    "signature_missing": N_("This encrypted record carries no signature."),
    "signature_wrong": N_("The signature of this encrypted record does not fit its contents."),
    "key_unreadable": N_("This file is not an RSA private key in PEM form, or its passphrase is wrong."),
    "sealed_instance_differs": N_("The record inside the envelope has another identifier than the envelope."),
}

MESSAGES: dict[str, str] = {
    **_XML,
    **_FORM,
    **_FILE,
    **_XLSFORM,
    **_SUBMISSION,
    **_PROGRAMME,
    **_MRZ,
    **_LIST,
    **_FINDING,
    **_ENTITY,
    **_CHECK,
    **_REFUSED,
    **_XPATH,
    **_ENCRYPTION,
}
