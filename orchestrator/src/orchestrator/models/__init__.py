"""Training, replay and the models' forecasts."""
