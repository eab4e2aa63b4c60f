"""Field types: what a value of each kind is, how it is cleaned, kept, shown, edited, filtered, imported and exported.

One file per type; the file's name is the word used in YAML and the class's `name`. `base.py` says what each of them must do.
"""

from crm.fields.base import FIELD_TYPES, OPERATORS, Field, Setting, Shown

__all__ = ["FIELD_TYPES", "OPERATORS", "Field", "Setting", "Shown"]
