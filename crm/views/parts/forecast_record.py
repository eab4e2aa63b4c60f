"""How good a forecast was, beside it."""

from crm.views.base import PARTS, Part


@PARTS.add
class ForecastRecord(Part):
    """Content {title, says, beaten: [baseline], note, tiles, errors: [{label, text, share, us, better}], fan, calibration: [{key, label,
    points, lines}]}; while it is worked out {title, waiting}."""

    name = "forecast_record"
    words = (
        "A simple rule was better: {rules}.",
        "Mean error of a month",
        "What was said a month ahead, and what came",
        "What came",
        "Outside the range",
        "The range that was said",
        "Whether chances came true",
        "on the line is honest",
        "Chance that was said",
        "What came true",
        "Said",
        "Came true",
        "How many",
        "better than the forecast",
    )
