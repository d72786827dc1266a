"""A synthetic cohort whose true predictive law is known, to measure how much of the attainable skill is reached.

The real data cannot say how good a forecast could be; here the best possible one is computed and scored beside ours.
Synthetic wins prove the pipeline, not the physiology.
"""

from model_training.synthetic.cohort import Cohort, make_cohort
from model_training.synthetic.law import true_quantiles
from model_training.synthetic.table import cohort_table, write_cohort

__all__ = ["Cohort", "cohort_table", "make_cohort", "true_quantiles", "write_cohort"]
