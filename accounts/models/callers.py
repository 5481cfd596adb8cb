"""Who is asking. Every list and object is cut to what its caller may see."""

from dataclasses import dataclass

from accounts.models.roles import KIND_OF_SCOPE, SCOPES_OF_ROLE, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An organization that acts, through a key of the API or a member in the portal."""

    organization_id: int
    organization_public_id: str
    organization_name: str
    user_id: int | None = None
    api_key_id: int | None = None
    api_key_public_id: str = ""
    role: str = ""  # of the member; a key has none
    scopes: frozenset[str] = frozenset()
    meter: str = ""  # the meter that this key belongs to
    rate: str = ""  # requests in a stretch of time, such as 600/minute; '' is the house's own
    provides: bool = False
    buys: bool = False
    operates: bool = False
    audits: bool = False

    @property
    def signature(self) -> str:
        """How a row names who acted: the user or the key, and for whom; at most 80 characters."""
        who = self.api_key_public_id or f"user {self.user_id}"
        return f"{who} of {self.organization_public_id}"[:80]

    @property
    def sees_all(self) -> bool:
        """Operators and auditors see the rows of every organization."""
        return self.operates or self.audits

    @property
    def may_trade(self) -> bool:
        """Whether this caller may place orders: an owner, a trader or a key with such a scope."""
        return any(self.has_scope(scope) for scope in (Scope.BIDS_WRITE, Scope.OFFERS_WRITE))

    def has_scope(self, scope: str) -> bool:
        """Return whether this caller may use ``scope``, by its key or its role."""
        allowed = self.scopes if self.api_key_id else SCOPES_OF_ROLE.get(self.role, frozenset())
        return scope in allowed and self.is_kind_for(scope)

    def is_kind_for(self, scope: str) -> bool:
        """Return whether the organization is of the kind that ``scope`` is for."""
        kind = KIND_OF_SCOPE.get(scope)
        return kind is None or self.is_kind(kind)

    def is_kind(self, kind: str) -> bool:
        """Return whether the organization ``provides``, ``buys``, ``operates`` or ``audits``."""
        return bool(getattr(self, str(kind)))
