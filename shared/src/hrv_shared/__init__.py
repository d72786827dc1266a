"""The ground floor: schemas, time, record, ledger, scoring, settings, the LLM port."""
