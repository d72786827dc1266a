"""The ground floor of the house: schemas, time, record, ledger, scoring, settings, the LLM port."""

__version__ = "0.1.0"
