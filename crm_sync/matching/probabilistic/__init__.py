"""Probabilistic record linkage of two tables: Splink behind a small contract.

`LinkModel` says what is compared and which pairs are looked at, `train` estimates how telling each
agreement is without knowing the truth, `score` weighs the pairs. Trained parameters are a JSON
document that names no SQL dialect.
"""

from crm_sync.matching.probabilistic.estimating import TooFewPairs
from crm_sync.matching.probabilistic.model import Field, LinkModel
from crm_sync.matching.probabilistic.scoring import Scored, Scoring, score
from crm_sync.matching.probabilistic.trained import Trained
from crm_sync.matching.probabilistic.training import train

__all__ = ["Field", "LinkModel", "Scored", "Scoring", "TooFewPairs", "Trained", "score", "train"]
