"""What linkage refuses, worded as everywhere: stable codes, one catalogue."""

from forms.errors import N_, FormsError


class LinkageRefused(FormsError):
    """A file, a model or a name that linkage cannot work with."""

    messages = {
        "link_model_unreadable": N_("The file is not a linkage model."),
        "link_model_edition": N_("The linkage model was made by another version of Teral. Train it again."),
        "link_file_empty": N_("The file holds no records."),
        "link_file_encoding": N_("The file is not text that can be read. Save it as CSV UTF-8."),
        "link_file_workbook": N_("The workbook cannot be read: it is damaged or locked. Save it as CSV UTF-8."),
        "link_file_columns": N_("The file has none of the columns that linkage reads. Known: %(known)s."),
        "link_file_column_twice": N_("The column “%(column)s” stands there twice."),
        "link_file_id_missing": N_("Line %(line)s has no record_id."),
        "link_file_ids": N_(
            "An import needs the column record_id: by it a record that was taken in before is known when the file comes"
            " again."
        ),
        "link_file_id_twice": N_("Line %(line)s has a record_id that an earlier line has."),
        "link_file_malformed": N_("Line %(line)s cannot be read: too many cells, or an open quotation mark."),
        "link_names_empty": N_("Write at least one short form."),
        "link_names_line": N_("Line %(line)s: write one short form and its full name, with = between them."),
        "link_names_taken": N_("“%(short)s” stands for “%(full)s” already."),
        "link_names_one": N_("“%(short)s” and “%(full)s” are one name already: they sound alike."),
        "link_names_family": N_(
            "“%(short)s” is a family name for most who bear it. As a short form it would make one family of two."
        ),
        "link_file_too_few": N_("A model is learnt from at least %(least)s records; the file holds %(count)s."),
        "link_spark_java": N_("Spark did not start. It needs Java 17 or later: install it, or set JAVA_HOME."),
    }
