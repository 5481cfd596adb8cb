"""What is wrong with something that was sent to us, and where: told all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from exchange.services.fault_codes import FAULT_CODES

FAULTS_MAX: Final = 100  # Enough to mend a body by; the rest follows from them.
SHOWN_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: a JSON pointer to its place, a stable code, and words for a person."""

    pointer: str
    code: str
    detail: str

    def __post_init__(self) -> None:
        assert self.code in FAULT_CODES, f"{self.code} is not documented"

    def as_error(self) -> dict[str, Any]:
        """Return the entry that problem+json lists under ``errors``."""
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


@dataclass(slots=True)
class Faults:
    """The faults found so far in one thing."""

    found: list[Fault] = field(default_factory=list)

    def add(self, pointer: str, code: str, detail: str) -> None:
        """Note one fault."""
        if len(self.found) < FAULTS_MAX:
            self.found.append(Fault(pointer, code, detail))

    def __bool__(self) -> bool:
        """Return whether anything was found."""
        return bool(self.found)


class TermsRefused(Exception):
    """What was sent breaks a rule of its format or of the book; ``faults`` say where."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep the faults; there is at least one."""
        assert faults
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.detail for fault in faults[:3]))

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The faults as problem+json lists them."""
        return [fault.as_error() for fault in self.faults]


def shown(value: object) -> str:
    """Return ``value`` as it may be repeated in an error: short, and without control characters."""
    text = value if isinstance(value, str) else repr(value)
    short = text[:SHOWN_MAX] + ("..." if len(text) > SHOWN_MAX else "")
    return "".join(letter if letter.isprintable() else "?" for letter in short)
