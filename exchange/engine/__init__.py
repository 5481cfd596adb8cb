"""The auction as mathematics: no Django, no database, no clock but a deadline handed in."""
