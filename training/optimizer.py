"""Muon for matrices and kernels, Adam for all else: on small models it needs about half of Adam's steps.

Muon (Jordan et al., 2024, kellerjordan.github.io/posts/muon) makes the update of a matrix orthogonal; scaled as by Liu
et al. (arXiv 2502.16982), so that both share one learning rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import torch

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
STEPS = 5
SCALE = 0.2
"""Root mean square of an update over the learning rate, about what Adam's is."""


class Muon(torch.optim.Optimizer):
    """Muon over parameters of two and more dimensions; those of one shape are done at once.

    Args:
        parameters: kernels count as matrices: outputs by all the rest.
        lr: learning rate; like Adam's.
        momentum: of the mean gradient, Nesterov's way.
        weight_decay: share of a parameter taken off, times the learning rate.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        lr: float = 1e-3,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # noqa: ANN401
        """One update from the gradients."""
        for group in self.param_groups:
            alike = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.flatten(1).shape].append(parameter)
            for parameters in alike.values():
                self._update(parameters, group)

    def _update(self, parameters: list[torch.Tensor], group: dict[str, Any]) -> None:
        directions = orthogonal(torch.stack([self._direction(each, group["momentum"]) for each in parameters]))
        rows, columns = directions.shape[1:]
        step = group["lr"] * SCALE * max(rows, columns) ** 0.5
        for parameter, direction in zip(parameters, directions, strict=True):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(direction.view_as(parameter), alpha=-step)

    def _direction(self, parameter: torch.Tensor, momentum: float) -> torch.Tensor:
        assert parameter.grad is not None
        gradient, state = parameter.grad.float(), self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(gradient, memory_format=torch.contiguous_format)
        state["momentum"].lerp_(gradient, 1 - momentum)
        return gradient.lerp(state["momentum"], momentum).flatten(1)


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """The nearest orthogonal matrices, roughly: all singular values come to lie about 1.

    Args:
        matrices: [N, rows, columns].
    """
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonal(matrices.transpose(1, 2)).transpose(1, 2)
    a, b, c = NEWTON_SCHULZ
    x = matrices / (matrices.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    # All iterations happen in the small square x x', as each of them only multiplies x from the left.
    square = x @ x.transpose(1, 2)
    unit = torch.eye(square.shape[1], device=x.device)
    left = unit.expand_as(square)
    for _ in range(STEPS):
        polynomial = a * unit + b * square + c * square @ square
        left = polynomial @ left
        square = polynomial @ square @ polynomial
    return left @ x


class Optimizers:
    """Muon for the matrices inside a model, Adam for what comes first and last and for vectors.

    Args:
        parameters: by name: all that is learnt.
        by_adam: what the names of those begin with that are Adam's whatever their shape; all with `("",)`.
        weight_decay: Adam's.
    """

    def __init__(
        self, parameters: Mapping[str, torch.nn.Parameter], by_adam: tuple[str, ...] = (), weight_decay: float = 0.0
    ) -> None:
        matrices = [each for name, each in parameters.items() if each.dim() > 1 and not name.startswith(by_adam)]
        theirs = {id(each) for each in matrices}
        others = [each for each in parameters.values() if id(each) not in theirs]
        self._all = [*matrices, *others]
        muon = [Muon(matrices)] if matrices else []
        adam = [torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=weight_decay)] if others else []
        self._each: list[torch.optim.Optimizer] = [*muon, *adam]

    def step(self, rate: float, longest: float = 1.0) -> None:
        """One update from the gradients, which are shortened to `longest` and then forgotten."""
        torch.nn.utils.clip_grad_norm_(self._all, longest)
        for optimizer in self._each:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> list[dict[str, Any]]:
        """What it takes to go on."""
        return [each.state_dict() for each in self._each]

    def restore(self, states: list[dict[str, Any]]) -> None:
        """Go on from `state`."""
        for optimizer, state in zip(self._each, states, strict=True):
            optimizer.load_state_dict(state)
