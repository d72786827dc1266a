"""``hrv up``: the page and the scheduler, and on request Dagster's and MLflow's pages, as one supervised group."""
