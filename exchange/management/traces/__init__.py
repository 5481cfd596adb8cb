"""Public traces of real clusters, turned into offers and bids; assumptions are named constants."""
