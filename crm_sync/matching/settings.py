"""What a judgement may use and where it gives up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SparkSettings:
    """Where pairs are compared on Spark: its master, the driver's memory, and a folder.

    Tables go over in files: a cluster needs a `folder` that all its machines see; without one it is
    the system's for temporary files.
    """

    master: str = "local[*]"
    memory_mb: int = 2_048
    folder: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether it runs in one process on this machine."""
        return self.master == "local" or self.master.startswith("local[")


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """Limits of one judgement.

    `memory_mb`, and as much again as `memory_mb_per_million` contacts say, and `threads` bound the
    database engine; what does not fit goes to a temporary folder. An address that more than
    `most_holders_of_key` contacts or profiles have identifies nobody; neither does a name at an
    employer that would give more than `most_pairs_per_key` pairs. A CRM value written more than
    `slack_days` after the source says the job ended is a doubt. For likeness without a key, a full
    name that more than `most_holders_of_name` profiles of a source have, and any other block of
    more than `most_holders_of_block`, is not looked into. Pairs of that likeness are compared on
    Spark if `spark` says how, else in the database engine.
    """

    memory_mb: int = 320
    memory_mb_per_million: int = 2_500
    threads: int = 2
    most_holders_of_key: int = 20
    most_pairs_per_key: int = 100_000
    most_holders_of_block: int = 3
    most_holders_of_name: int = 3
    slack_days: int = 31
    spark: SparkSettings | None = None

    def memory_for(self, contacts: int) -> int:
        """Megabytes for a judgement of so many contacts."""
        return self.memory_mb + contacts * self.memory_mb_per_million // 1_000_000
