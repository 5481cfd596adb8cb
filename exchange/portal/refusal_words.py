"""What each refusal of the provider's portal means, by its stable code."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REFUSAL_WORDS: dict[str, "str | Promise"] = {
    # where and what
    "site_unknown": _("There is no such site."),
    "site_not_yours": _("This site is another provider's."),
    "accelerator_unknown": _("There is no such accelerator."),
    "accelerator_not_traded": _("Its figures are unverified, so it is not traded."),
    "capacity_exceeded": _("The site has less than that free at some hour of this time."),
    # when
    "starts_at_off_hour": _("Must be on the hour."),
    "ends_at_off_hour": _("Must be on the hour."),
    "window_empty": _("It ends before it starts."),
    "window_too_long": _("A year is the longest time."),
    "window_past": _("This time is over."),
    "window_too_far": _("That is more than three years ahead."),
    # how much, at what price
    "price_above_cap": _("No auction sells at such a price."),
    "price_off_tick": _("Prices go in steps of 0.001."),
    "quantity_off_lot": _("Quantities go in steps of 0.001."),
    "quantity_below_sold": _("More than that is sold already."),
    # the deed as a whole
    "body_not_object": _("This could not be read."),
    "field_unknown": _("There is no such field."),
    "market_frozen": _(
        "The market is halted. No order is taken until the operator lifts the halt."
    ),
    "collateral_missing": _(
        "The operator asks for collateral, and your free money does not cover it."
    ),
    "offer_changed": _(
        "Somebody edited this offer since you opened the form. Look at the new version first."
    ),
    "offer_not_live": _("In its present state the offer does not allow this."),
    "offer_not_found": _("There is no such offer."),
    "maintenance_not_found": _("There is no such window to cancel: it is over or cancelled."),
    # a file as a whole
    "csv_empty": _("The file is empty."),
    "csv_no_rows": _("There is nothing below the header."),
    "csv_too_many_rows": _("The file has too many rows: 5,000 is the most."),
    "csv_too_large": _("The file is too large."),
    "csv_encoding": _("The file is not UTF-8. Save it as CSV UTF-8."),
    "csv_nul": _("There is a NUL character in the file."),
    "csv_quoting": _("A quotation mark is not closed or stands in the wrong place."),
    "csv_column_repeated": _("This column stands twice."),
    "csv_column_unknown": _("No such column is known."),
    "csv_column_missing": _("This column is missing."),
    "csv_row_short": _("The row has too few cells."),
    "csv_row_long": _("The row has too many cells."),
    "csv_cell_too_long": _("The cell is too long."),
    "row_repeated": _("Another row of this file says the same."),
}
# Codes are the field's name and one of these ends.
REFUSAL_ENDS: dict[str, "str | Promise"] = {
    "_missing": _("A value is needed here."),
    "_malformed": _("This cannot be read. The template shows how it is written."),
    "_too_long": _("This is too long."),
    "_too_large": _("This is too large."),
    "_not_positive": _("Must be more than nothing."),
    "_negative": _("Must not be negative."),
}
