from accounts.admin import audit_rows, keys, organizations, users

__all__ = ["audit_rows", "keys", "organizations", "users"]
