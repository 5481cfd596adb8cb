"""The meter agent: runs at a site, beside its exporters, with nothing but Python.

It knows the exchange by its REST API alone and imports no other part of it.
"""
