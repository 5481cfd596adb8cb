"""What each refusal of the provider's and the buyer's pages means, by its stable code."""

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
    # bids
    "accelerator_repeated": _("It is named twice."),
    "accelerators_beside_model": _("Choose an AI model or an accelerator, one of them."),
    "auction_on_standing": _("A standing bid names no auction."),
    "auction_unknown": _("There is no such auction."),
    "cost_too_large": _("This would cost more than the ledger can count."),
    "dtype_without_model": _("Only an AI model has a number format."),
    "dtype_unknown": _("There is no such number format."),
    "duration_exceeds_window": _("That is longer than the time from the first to the last hour."),
    "duration_off_minute": _("It must be a whole number of minutes."),
    "kind_unknown": _("There is no such kind of bid."),
    "limit_price_above_cap": _("No auction takes such a price."),
    "model_fits_nothing": _("No accelerator that is traded holds it."),
    "model_unknown": _("There is no such AI model."),
    "nothing_to_stand_for": _("No series of auctions is held."),
    "origin_unknown": _("There is no such region."),
    "preview_too_long": _("A preview looks at a month at most. The bid itself may be placed."),
    "quantity_not_whole": _("In one piece only whole units can run."),
    "region_unknown": _("There is no such region."),
    "region_listed_twice": _("A region is named twice."),
    "time_in_force_unknown": _("There is no such auction."),
    "volume_exceeds_window": _("More hours than there are from the first to the last."),
    "auction_not_open": _("This auction takes no orders now: its gate has closed."),
    "bid_not_found": _("There is no such bid."),
    "bid_not_live": _("The bid has ended: it was filled, cancelled or expired."),
    "budget_exceeded": _("The project's budget does not reach for this."),
    "insufficient_funds": _("Your free money does not cover the most that this can cost."),
    "position_limit": _("This is more than your organization may hold."),
    "project_unknown": _("There is no such project that is open."),
    # the deed as a whole
    "body_not_object": _("This could not be read."),
    "field_unknown": _("There is no such field."),
    "market_frozen": _(
        "The market is halted. No order is taken until the operator lifts the halt."
    ),
    "part_halted": _("The operator has halted what this order needs. It takes no orders now."),
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
    "offer_unknown": _("There is no such offer."),
    "offer_place_fixed": _("An offer keeps its site and accelerator. List a new one."),
    "state_not_taken": _("A file ends no offers. Withdraw it on its page or in the list."),
    "version_stale": _("Somebody edited this offer since the file was made."),
    "row_repeated": _("Another row of this file says the same."),
}
# Codes are the field's name and one of these ends.
REFUSAL_ENDS: dict[str, "str | Promise"] = {
    "_outside_horizon": _("This lies outside the time that the auction sells."),
    "_off_period": _("It must fit the periods of the auction."),
    "_off_lot": _("Quantities go in steps of 0.001."),
    "_off_tick": _("Prices go in steps of 0.001."),
    "_not_allowed": _("Bids of this kind do not have this."),
    "_too_many": _("These are too many."),
    "_too_fine": _("At most six decimals."),
    "_missing": _("A value is needed here."),
    "_malformed": _("This cannot be read. The template shows how it is written."),
    "_too_long": _("This is too long."),
    "_too_large": _("This is too large."),
    "_not_positive": _("Must be more than nothing."),
    "_negative": _("Must not be negative."),
}
