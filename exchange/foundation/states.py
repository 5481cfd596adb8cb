"""Status moves: one table per model, one way to make a move."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

Moves = Mapping[str, frozenset[str]]


class IllegalMove(Exception):
    """The table of moves does not allow this step."""


class LostRace(Exception):
    """Somebody else moved the row first; that move stands."""


def moves_of(states: Iterable[str], moves: Mapping[str, Iterable[str]]) -> Moves:
    """Return ``moves`` with a row for every state, checked to name known states only."""
    known = set(states)
    named = set(moves) | {to for targets in moves.values() for to in targets}
    assert named <= known, f"moves between unknown states: {named - known}"
    return {state: frozenset(moves.get(state, ())) for state in known}


def move(row: models.Model, *, to: str, moves: Moves, field: str = "state", **changes: Any) -> None:
    """Move a row from the state it was read with to ``to``, in one guarded UPDATE.

    ``changes`` are written with the move. Raises IllegalMove if ``moves`` has no such step,
    LostRace if the row no longer has the state it was read with.
    """
    was = str(getattr(row, field))
    if to not in moves[was]:
        raise IllegalMove(f"{type(row).__name__} {row.pk}: {was} -> {to}")
    rows = type(row)._default_manager.filter(pk=row.pk, **{field: was})
    if rows.update(**{field: to}, **changes) != 1:
        raise LostRace(f"{type(row).__name__} {row.pk} is no longer {was}")
    for name, value in {field: to, **changes}.items():
        setattr(row, name, value)
