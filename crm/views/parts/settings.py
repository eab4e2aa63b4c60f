"""What a user sets for themselves."""

from crm.views.base import PARTS, Part


@PARTS.add
class Settings(Part):
    """content {title, dark, language, languages: [[code, label]], facts: [[label, text]], digest, digests: [[name, label]], mail, zone, zones: [name],
    calendar: secret or null}; tells `dark`, `language` {language}, `digest` {often}, `zone` {name}, `calendar` {act: new, withdraw}."""

    words = ("Appearance", "Light", "Dark", "Language", "You", "Security", "Change the password", "Dates, numbers and money follow the language.",
             "What is due, by mail", "Overdue, due and missing next steps, in the morning.", "Time zone", "Calendar", "Your calendar address", "Copy", "Copied",
             "New address", "Withdraw", "Make an address", "Open in my calendar",
             "Your appointments and next steps in any calendar program: subscribe to this address. Whoever knows it can read them, so keep it to yourself.",
             "Signed in elsewhere? End it there.", "Sign out everywhere")
