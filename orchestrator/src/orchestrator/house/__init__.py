"""A house of many members: buckets of them, each a store of its own, a day's work spread over workers."""
