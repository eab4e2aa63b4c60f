"""What a user sets for themselves."""

from crm.views.base import PARTS, Part


@PARTS.add
class Settings(Part):
    """content {title, dark, language, languages: [[code, label]], facts: [[label, text]]}; tells `dark`, `language`."""

    words = ("Appearance", "Light", "Dark", "Language", "You", "Security", "Change the password", "Dates, numbers and money follow the language.")
