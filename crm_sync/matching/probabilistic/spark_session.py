"""A Spark session that is quiet, keeps to loopback and its own folder, and is gone in the end."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

from crm_sync.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from crm_sync.matching.settings import SparkSettings

_LOGGING = """\
rootLogger.level = error
rootLogger.appenderRef.file.ref = file
appender.file.type = Console
appender.file.name = file
appender.file.target = SYSTEM_ERR
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %p %c{1}: %m%n
"""


def check_spark() -> None:
    """Raise `ConfigError` unless PySpark and a Java runtime are installed; starts neither."""
    if find_spec("pyspark") is None:
        raise ConfigError(
            "`matching.engine` is spark, but PySpark is not installed",
            fix="pip install 'crm-sync[spark]', or leave the engine at duckdb.",
        )
    home = os.environ.get("JAVA_HOME")
    if not which(str(Path(home) / "bin" / "java") if home else "java"):
        where = "where JAVA_HOME points" if home else "on the path"
        raise ConfigError(
            f"`matching.engine` is spark, but there is no Java {where}",
            fix="Install a Java runtime, version 17 or 21, or leave the engine at duckdb.",
        )


@contextmanager
def spark_session(settings: SparkSettings, folder: Path) -> Iterator[SparkSession]:
    """A session whose files, logs included, stay in `folder`.

    It ends with the block, its Java process too; after an error or Ctrl-C without waiting for what
    it was at. Raises `ConfigError` when it cannot be started.
    """
    check_spark()
    with _as_before(), (folder / "log").open("wb") as log:
        java = _Java(settings, folder, log)
        try:
            yield java.session
        except BaseException:
            java.kill()
            raise
        finally:
            java.stop()


class _Java:
    """The Java process, and the one session in it."""

    def __init__(self, settings: SparkSettings, folder: Path, log: Any) -> None:
        from py4j.protocol import Py4JError
        from pyspark import SparkConf, SparkContext
        from pyspark.errors import PySparkException
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession

        conf = SparkConf(loadDefaults=False)
        conf.setAll(list(_options(settings, folder).items()))
        self._context: SparkContext | None = None
        self._process: subprocess.Popen[bytes] | None = None
        try:
            gateway = launch_gateway(conf, {"stdout": log, "stderr": log})
            self._gateway: Any = gateway
            self._process = gateway.proc
            with _own_handler():
                self._context = SparkContext(gateway=gateway, conf=conf)
            self.session = SparkSession(self._context)
        except (PySparkException, Py4JError) as problem:
            self.kill()
            self.stop()
            raise ConfigError(
                f"Spark does not start: {_reason(problem, folder / 'log')}",
                fix="Check `matching` in the configuration, and that Java is 17 or 21.",
            ) from None
        except BaseException:
            self.kill()
            self.stop()
            raise

    def kill(self) -> None:
        """End the process at once, whatever it is at; `stop` tidies up."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """End session and process; the next session starts afresh."""
        from pyspark import SparkContext

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the process is gone already
            if self._context is not None:
                self._context.stop()
        if self._process is not None:
            with suppress(Exception):
                self._gateway.shutdown()
            if self._process.stdin is not None:
                self._process.stdin.close()  # which it takes for its end
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        SparkContext._gateway = SparkContext._jvm = None


def _options(settings: SparkSettings, folder: Path) -> dict[str, str]:
    quiet = folder / "log4j2.properties"
    quiet.write_text(_LOGGING, encoding="utf-8")
    java = {
        "java.io.tmpdir": folder,
        "log4j2.configurationFile": quiet,
        "derby.system.home": folder,
    }
    given = " ".join(f'"-D{name}={value}"' for name, value in java.items())
    options = {
        "spark.app.name": "crm-sync",
        "spark.master": settings.master,
        "spark.driver.memory": f"{settings.memory_mb}m",
        "spark.driver.extraJavaOptions": f'{given} -XX:-UsePerfData "-XX:ErrorFile={folder}/fault"',
        "spark.eventLog.enabled": "false",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    if settings.is_local:
        options |= {
            "spark.authenticate": "true",  # whoever else is on this machine
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
        }
    return options


@contextmanager
def _as_before() -> Iterator[None]:
    """Leave environment and logging as they were: PySpark reads a variable, and Py4J logs Ctrl-C.

    It does so with tracebacks, to the root logger too, and gives that a handler if it has none.
    """
    root, py4j = logging.getLogger(), logging.getLogger("py4j")
    level = py4j.level
    py4j.setLevel(logging.CRITICAL)
    handlers, is_set = root.handlers[:], "PYSPARK_PYTHON" in os.environ
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    root.addFilter(_is_ours)
    try:
        yield
    finally:
        py4j.setLevel(level)
        root.removeFilter(_is_ours)
        root.handlers[:] = handlers
        if not is_set:
            os.environ.pop("PYSPARK_PYTHON", None)


def _is_ours(record: logging.LogRecord) -> bool:
    return "py4j" not in record.pathname


@contextmanager
def _own_handler() -> Iterator[None]:
    """Keep Ctrl-C: PySpark's handler first asks Java to stop, on a line that may be in use."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


def _reason(problem: Exception, log: Path) -> str:
    """What Java itself said last, else what PySpark says; one line."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line.strip() for line in lines if line.strip() and not line.startswith(("\t", "    "))]
    told = str(getattr(problem, "java_exception", None) or "") or (said[-1] if said else "")
    return (told or str(problem)).splitlines()[0][:300]
