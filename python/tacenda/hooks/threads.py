"""Threads belong to the request that started them."""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any

from tacenda._patch import ImportWatch, Patches
from tacenda._protect import current_scope, in_scope


def start(patches: Patches, imports: ImportWatch) -> None:
    """Hands the request scope to threads and to tasks of thread pools."""
    original_start = threading.Thread.start

    def thread_start(self: threading.Thread) -> None:
        scope = current_scope()
        if scope is not None:
            self.run = in_scope(scope, self.run)  # type: ignore[method-assign]
        original_start(self)

    def hook_pool(module: ModuleType) -> None:
        pool = module.ThreadPoolExecutor
        original_submit = pool.submit

        def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            scope = current_scope()
            task = fn if scope is None else in_scope(scope, fn)
            return original_submit(self, task, *args, **kwargs)

        patches.replace(pool, "submit", submit)

    patches.replace(threading.Thread, "start", thread_start)
    imports.when("concurrent.futures.thread", hook_pool)
    patches.cover("request scope in threads", "threads and thread pools")
