"""Record and ledger in; trends, effects, reliability, plots and summaries out."""
