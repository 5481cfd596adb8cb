"""What a bench gives back."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Table:
    """Rows of text below their heads; ``holds`` says whether the stated limit was kept."""

    title: str
    heads: list[str]
    rows: list[list[str]] = field(default_factory=list)
    holds: bool = True

    def add(self, *cells: object, holds: bool = True) -> None:
        """Add a row; one that does not hold makes the whole table not hold."""
        self.rows.append([str(cell) for cell in cells])
        self.holds = self.holds and holds


def as_markdown(table: Table) -> str:
    """Return the table as Markdown, with its verdict."""
    lines = [
        f"### {table.title}",
        "",
        "| " + " | ".join(table.heads) + " |",
        "|" + " --- |" * len(table.heads),
        *("| " + " | ".join(row) + " |" for row in table.rows),
        "",
        "holds" if table.holds else "DOES NOT HOLD",
        "",
    ]
    return "\n".join(lines)
