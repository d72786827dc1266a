"""History in; forecasters, backtests, MLflow runs, registered models and model forecasts out."""
