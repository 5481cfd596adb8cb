def escape(part: object) -> str:
    """Return one reference token of a JSON pointer (RFC 6901, 3)."""
    return str(part).replace("~", "~0").replace("/", "~1")
