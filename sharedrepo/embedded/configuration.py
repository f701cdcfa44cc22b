"""What the embedded server is told: sized for a small machine, durable, and with no data in its log."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

_MIB = 1024 * 1024
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # the kernel's shared memory, of which only the size is asked


def configuration(socket: Path) -> str:
    """Return the text of the server's `hub.conf`."""
    memory, processors = _memory_mib(), os.cpu_count() or 1
    parallel = max(0, min(2, processors - 1))
    settings = {
        "listen_addresses": "''",
        "port": "5432",
        "unix_socket_directories": _quoted(str(socket)),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "max_locks_per_transaction": "256",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        # Memory: a sixteenth for shared buffers, so that Airflow and the hub have room on the same machine.
        "shared_buffers": f"'{max(128, min(1024, memory // 16))}MB'",
        "effective_cache_size": f"'{max(256, memory // 2)}MB'",
        "work_mem": f"'{max(8, min(64, memory // 256))}MB'",
        "maintenance_work_mem": f"'{max(64, min(512, memory // 32))}MB'",
        "dynamic_shared_memory_type": _dynamic_shared_memory(),
        "max_parallel_workers_per_gather": str(parallel),
        "max_parallel_maintenance_workers": str(parallel),
        "jit": "off",
        # Durable: an acknowledged batch survives a power cut. Checkpoints come seldom: loads come in bursts.
        "synchronous_commit": "on",
        "fsync": "on",
        "checkpoint_timeout": "'15min'",
        "max_wal_size": "'4GB'",
        "min_wal_size": "'256MB'",
        "random_page_cost": "1.1",
        # Neither statements nor values nor error texts (which quote values) of clients are ever logged.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_statement": "'none'",
        "log_min_duration_statement": "-1",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_checkpoints": "off",
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    return "# Written by the hub at each start; put your own settings into postgresql.auto.conf (ALTER SYSTEM).\n" + (
        "\n".join(lines) + "\n"
    )


def _memory_mib() -> int:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(_CGROUP_LIMIT.read_text(encoding="ascii")))
    return memory // _MIB


def _dynamic_shared_memory() -> str:
    """Use files where the shared memory is a container's 64 MB: a parallel query would fail for want of it."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage(_SHARED_MEMORY).total < 512 * _MIB:
            return "mmap"
    return "posix" if _SHARED_MEMORY.is_dir() else "mmap"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
