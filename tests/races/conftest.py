from tests.settlement.conftest import clean_readings

__all__ = ["clean_readings"]
