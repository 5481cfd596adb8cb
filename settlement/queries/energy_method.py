"""How the energy and the CO2 of a line were reckoned, in words that can be printed."""

from settlement.queries.statement_lines import Line

METERED = "metered: the provider's energy counter x PUE"
NOMINAL = "nominal: delivered time x the chip's watts x PUE"
FALLBACK_SOURCE = (
    "China's average of 2022: Ministry of Ecology and Environment and National Bureau of "
    "Statistics, announcement of 20 December 2024; no row of the table was in force"
)


def energy_method(line: Line) -> str:
    """Return how the energy was counted."""
    return METERED if line.is_metered else NOMINAL


def factor_source(line: Line) -> str:
    """Return where the grid's CO2 a kWh comes from."""
    return line.grid_source or FALLBACK_SOURCE
