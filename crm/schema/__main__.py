"""`python -m crm.schema`: writes the language page and the editors' schemas anew, after a change of the language or of a field type."""

from pathlib import Path

from crm.schema.describe import language_page, write_json_schema

here = Path(__file__).resolve()
here.with_name("LANGUAGE.md").write_text(language_page(), encoding="utf-8")
if (here.parents[2] / "config").is_dir():
    write_json_schema(here.parents[2] / "config" / ".schema")
