"""What linkage refuses, worded as everywhere: stable codes, one catalogue."""

from forms.errors import N_, FormsError


class LinkageRefused(FormsError):
    """A file or a model that linkage cannot work with."""

    messages = {
        "link_model_unreadable": N_("The file is not a linkage model."),
        "link_model_edition": N_("The linkage model was made by another version of Teral. Train it again."),
        "link_file_empty": N_("The file holds no records."),
        "link_file_encoding": N_("The file is not text that can be read. Save it as CSV UTF-8."),
        "link_file_columns": N_("The file has none of the columns that linkage reads. Known: %(known)s."),
        "link_file_column_twice": N_("The column “%(column)s” stands there twice."),
        "link_file_id_missing": N_("Line %(line)s has no record_id."),
        "link_file_id_twice": N_("Line %(line)s has a record_id that an earlier line has."),
        "link_file_malformed": N_("Line %(line)s cannot be read: too many cells, or an open quotation mark."),
        "link_file_too_few": N_("A model is learnt from at least %(least)s records; the file holds %(count)s."),
    }
