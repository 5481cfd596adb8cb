from accounts.admin import applications, audit_rows, keys, organizations, relations, users

__all__ = ["applications", "audit_rows", "keys", "organizations", "relations", "users"]
