"""Foundation models: pretrained networks that know other series, brought to nightly HRV.

``fracast_*`` is Fracast-0 in numpy with its weights out of the package registry. ``chronos_2``, ``tirex`` and
``tabpfn_ts`` are adapters to packages of others, each behind an extra; they stay silent, with a sentence, where their
package or their weights are absent.
"""

from model_training.foundation.deciles import extend_deciles
from model_training.foundation.errors import PackageAbsent, WeightsAbsent
from model_training.foundation.fracast import fracast_quantiles
from model_training.foundation.fracast_net import FracastNet
from model_training.foundation.fracast_weights import load_weights, loaded_net

__all__ = [
    "FracastNet",
    "PackageAbsent",
    "WeightsAbsent",
    "extend_deciles",
    "fracast_quantiles",
    "load_weights",
    "loaded_net",
]
