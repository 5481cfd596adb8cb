"""National days through the engine, beside regions alone and beside posted prices.

Jobs are a trace's, as the importer turns them into bids; everything else is assumed, each figure a
named constant in ``assumptions`` and ``provinces``, printed with every report.
"""
