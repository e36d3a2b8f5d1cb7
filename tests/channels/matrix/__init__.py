"""The channels, by family."""

from matrix import (
    exceptions,
    files,
    frameworks,
    jupyter,
    libraries,
    mlx,
    processes,
    records,
    servers,
    streams,
    telemetry,
)

CHANNELS = [
    *records.CHANNELS,
    *exceptions.CHANNELS,
    *streams.CHANNELS,
    *processes.CHANNELS,
    *libraries.CHANNELS,
    *servers.CHANNELS,
    *frameworks.CHANNELS,
    *telemetry.CHANNELS,
    *jupyter.CHANNELS,
    *mlx.CHANNELS,
    *files.CHANNELS,
]
