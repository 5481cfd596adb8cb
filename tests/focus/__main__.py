"""``make focus``: the public validator and our own checks on what the demo's buyers were charged.

The validator has an environment of its own, as it needs other libraries than we do. It ends with 0
whatever it finds, so its report is read; it is run where it lies, for it looks for its files there.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

HERE = Path(__file__).resolve().parents[2]
PLACE = HERE / ".local" / "focus"
VALIDATOR = "focus-validator==2.2.1"
NEEDS = (VALIDATOR, "pyarrow<23")
PYTHONS = ("python3.12", "python3.13", "python3")
ACCEPTED = {"InvoiceId-C-004-C": "forbids an invoice's number in every row, issued or not"}
# What the exchange offers; rules about anything else do not apply (it has no commitment discounts,
# capacity reservations, sub-accounts, tags, virtual or second currencies).
OFFERED = ",".join(
    f"{name}_SUPPORTED"
    for name in (
        *("ACCOUNT_NAMING", "AVAILABILITY_ZONE", "MULTIPLE_PRICING_CATEGORIES"),
        *("NEGOTIATED_PRICING", "PUBLIC_PRICE_LIST", "USAGE_MEASUREMENT", "UNIT_PRICING"),
        *("BILLING_BASED_ON_PROVISIONED_RESOURCES", "RESOURCE_TYPE_ASSIGNMENT", "REGION"),
    )
)


def main() -> int:
    """Export, check, validate; return 0 if nothing but what is accepted fails."""
    PLACE.mkdir(parents=True, exist_ok=True)
    file, report = PLACE / "focus.csv", PLACE / "report.xml"
    manage = [sys.executable, str(HERE / "manage.py"), "export_focus", str(file)]
    if subprocess.run(manage, check=False).returncode:  # noqa: S603
        sys.stderr.write("play a day first: make demo ONCE=1\n")
        return 1
    validate(file, report)
    failed = failures_of(report)
    for name in sorted(failed & set(ACCEPTED)):
        sys.stdout.write(f"accepted: {name} ({ACCEPTED[name]})\n")
    unexpected = failed - set(ACCEPTED)
    for name in sorted(unexpected):
        sys.stdout.write(f"FAILED: {name}\n")
    sys.stdout.write(f"{VALIDATOR}: {checks_in(report)} checks, {len(unexpected)} failures\n")
    return 1 if unexpected else 0


def validate(file: Path, report: Path) -> None:
    """Run the validator on a file; it writes a report."""
    python = environment()
    report.unlink(missing_ok=True)
    library = next((python.parents[1] / "lib").glob("python3*/site-packages"))
    subprocess.run(  # noqa: S603
        [
            *(str(python.parent / "focus-validator"), "--data-file", str(file)),
            *("--validate-version", "1.2", "--applicability-criteria", OFFERED, "--block-download"),
            *("--output-type", "unittest", "--output-destination", str(report)),
        ],
        cwd=library,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def environment() -> Path:
    """Return the Python of the validator's environment, made when first asked for."""
    python = PLACE / "venv" / "bin" / "python"
    if not (PLACE / "venv" / "bin" / "focus-validator").exists():
        base = next(filter(None, map(usable, (os.environ.get("FOCUS_PYTHON", ""), *PYTHONS))), None)
        if base is None:
            sys.exit("the validator needs Python 3.12 or later: make focus FOCUS_PYTHON=PATH")
        shutil.rmtree(PLACE / "venv", ignore_errors=True)
        subprocess.run([base, "-m", "venv", PLACE / "venv"], check=True)  # noqa: S603
        subprocess.run([python, "-m", "pip", "install", "--quiet", *NEEDS], check=True)  # noqa: S603
    return python


def usable(name: str) -> str | None:
    """Return the path of a Python that is new enough, or None."""
    path = shutil.which(name)
    asks = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))"
    fits = path and subprocess.run([path, "-c", asks], check=False, capture_output=True)  # noqa: S603
    return path if fits and fits.returncode == 0 else None


def failures_of(report: Path) -> set[str]:
    """Return the names of the checks that failed."""
    tree = ET.parse(report)  # noqa: S314  # written by the validator, just now
    return {str(failure.get("name")) for failure in tree.iter("failure")}


def checks_in(report: Path) -> int:
    """Return how many checks the report is about."""
    return sum(1 for _ in ET.parse(report).iter("testcase"))  # noqa: S314


if __name__ == "__main__":
    sys.exit(main())
