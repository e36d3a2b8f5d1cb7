"""Journals: read by Spark, where it and a JDK are there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from journals import Journal
from tacenda import kms

pytestmark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("javac") is None,
    reason="needs the package pyspark, and a JDK",
)

READER = """
import json, sys
from pyspark.sql import SparkSession

classes, identities, segment = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.extraClassPath", classes)
    .config("spark.sql.legacy.parquet.nanosAsLong", "true")
    .config(
        "spark.hadoop.parquet.crypto.factory.class",
        "org.apache.parquet.crypto.keytools.PropertiesDrivenCryptoFactory",
    )
    .config("spark.hadoop.parquet.encryption.kms.client.class", "tacenda.AgeKms")
    .config("spark.hadoop.parquet.encryption.key.access.token", identities)
    .getOrCreate()
)
found = {}
for columns in (("seq", "level", "internal", "confidential"), ("restricted",)):
    try:
        rows = spark.read.parquet(segment).select(*columns).collect()
        found.update({column: [row[column] for row in rows] for column in columns})
    except Exception as error:
        found.update({column: str(error) for column in columns})
print("found", json.dumps(found))
"""


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key client, compiled as the guide says."""
    jars = Path(str(find_spec("pyspark").origin)).parent / "jars"  # type: ignore[union-attr]
    folder = tmp_path_factory.mktemp("classes")
    command = ["javac", "-nowarn", "-cp", f"{jars}/*", "-d", str(folder), str(kms.SPARK_CLIENT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_spark_reads_what_its_identities_open(journal: Journal, classes: Path) -> None:
    journal.fill(0, 40)
    segment = journal.path / "segments/0000000000.parquet"
    few, rest = journal.folder / "few", journal.folder / "rest"
    script = journal.folder / "reader.py"
    script.write_text(READER)

    def read(*identities: Path) -> dict[str, list[object] | str]:
        names = ",".join(map(str, identities))
        # Spark looks for the interpreter of its workers by itself.
        environment = {
            **os.environ,
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        done = subprocess.run(
            [sys.executable, script, classes, names, segment],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        found = next(line for line in done.stdout.splitlines() if line.startswith("found "))
        read: dict[str, list[object] | str] = json.loads(found.removeprefix("found "))
        return read

    whole = read(few, rest)
    assert whole["seq"] == list(range(40))
    assert whole["level"] == ["info"] * 40
    assert whole["internal"] == [f'{{"message":"m{number}"}}' for number in range(40)]
    assert whole["confidential"] == [f'{{"prompt":"p{number}"}}' for number in range(40)]
    assert whole["restricted"] == [f'{{"card":"c{number}"}}' for number in range(40)]
    # The column of the class that is not for this reader is denied, and the others read.
    part = read(few)
    assert "no identity opens the key" in str(part["restricted"]) or "HiddenColumn" in str(
        part["restricted"]
    ), part["restricted"]
    assert {**part, "restricted": None} == {**whole, "restricted": None}
    # Without an identity of the head there is nothing to read.
    assert all(isinstance(column, str) for column in read(stranger(journal)).values())


def stranger(journal: Journal) -> Path:
    """An identity of somebody else."""
    file = journal.folder / "stranger"
    journal.run("identity", file)
    return file
