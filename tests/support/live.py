"""How much memory an operation takes at once: counted on tensors without content, at any size.

Every storage that an operator gives is counted from then until nothing holds it any more, as an allocator would that
wastes nothing. What a kernel takes within itself is not seen.
"""

from __future__ import annotations

import weakref

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


class Live(TorchDispatchMode):
    """Within the block, `peak` is the most bytes that were alive at once, of what was made within it."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self._known = weakref.WeakSet()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        # What an operator is given was there before, or is known; what it gives may be a view of that.
        self._known.update(tensor.untyped_storage() for tensor in _tensors((args, kwargs)))
        found = func(*args, **(kwargs or {}))
        for tensor in _tensors(found):
            self._see(tensor.untyped_storage())
        return found

    def _see(self, storage):
        if storage in self._known:
            return
        self._known.add(storage)
        size = storage.nbytes()
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, size)

    def _gone(self, size):
        self.now -= size


def _tensors(values):
    return (value for value in tree_iter(values) if isinstance(value, torch.Tensor))


def fake():
    """Within the block, tensors have shapes and no content."""
    return FakeTensorMode(allow_non_fake_inputs=True)
