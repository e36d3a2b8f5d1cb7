"""The channels, by family."""

from matrix import exceptions, libraries, processes, records, servers, streams, telemetry

CHANNELS = [
    *records.CHANNELS,
    *exceptions.CHANNELS,
    *streams.CHANNELS,
    *processes.CHANNELS,
    *libraries.CHANNELS,
    *servers.CHANNELS,
    *telemetry.CHANNELS,
]
