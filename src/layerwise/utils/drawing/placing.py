"""Where things stand in layers: rank, order in the rank, and position across it.

Source: K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures", 1981.
"""

from collections.abc import Hashable, Sequence
from itertools import pairwise

Key = Hashable
Neighbours = dict[Key, list[Key]]

_ROUNDS = 12  # over the ranks, to find an order with few crossings, and again to find positions
_STRAIGHT, _BENT = 8.0, 1.0  # how much lines between boxes, and those that pass boxes by, want to be straight


def ranks(keys: Sequence[Key], lines: Sequence[tuple[Key, Key]], first: set[Key], last: set[Key]) -> dict[Key, int]:
    """rank(v) = 1 + the largest rank(u) of lines u -> v; what has none before it stands right above what follows

    keys: in the order of computation, so that each line leads to a later one. Those in `first` stay at the top, those
    in `last` go to the bottom.
    """
    before: Neighbours = {key: [] for key in keys}
    after: Neighbours = {key: [] for key in keys}
    for source, target in lines:
        before[target].append(source)
        after[source].append(target)
    rank: dict[Key, int] = {}
    for key in keys:
        rank[key] = max((rank[source] + 1 for source in before[key]), default=0)
    for key in keys:
        if not before[key] and after[key] and key not in first:
            rank[key] = min(rank[target] for target in after[key]) - 1
    bottom = max(rank.values(), default=0)
    return rank | dict.fromkeys(last, bottom)


def order(layers: list[list[Key]], before: Neighbours, after: Neighbours) -> list[list[Key]]:
    """The layers, each sorted by the mean place of its neighbours: down and up, the order with fewest crossings."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers, after)
    for turn in range(_ROUNDS):
        if fewest == 0:
            break
        down = turn % 2 == 0
        place: dict[Key, float] = {}
        for layer in layers if down else reversed(layers):
            for i, key in enumerate(layer):
                places = [place[other] for other in (before if down else after)[key] if other in place]
                place[key] = sum(places) / len(places) if places else float(i)
            layer.sort(key=place.__getitem__)
            place.update({key: float(i) for i, key in enumerate(layer)})
        if (crossings := _crossings(layers, after)) < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _crossings(layers: list[list[Key]], after: Neighbours) -> int:
    """How many pairs of lines between neighbouring layers cross."""
    count = 0
    for layer, following in pairwise(layers):
        place = {key: i for i, key in enumerate(following)}
        ends: list[int] = []
        for key in layer:
            new = [place[other] for other in after[key]]
            count += sum(old > end for old in ends for end in new)
            ends += new
    return count


def positions(
    layers: list[list[Key]], breadth: dict[Key, float], gap: float, before: Neighbours, after: Neighbours
) -> dict[Key, float]:
    """The middle of each key across its layer: as near to its neighbours as the others in the layer allow

    Each layer in turn minimises sum_i sum_n w |x_i - x_n| over its neighbours n, given that x_i+1 - x_i is at least
    half of both breadths and the gap: a median regression of monotone numbers, by pooling adjacent violators.

    Source: R. Barlow, H. Brunk, "The isotonic regression problem and its dual", 1972.
    """
    x: dict[Key, float] = {}
    offsets: dict[Key, float] = {}
    for layer in layers:
        place = 0.0
        for left, key in zip([None, *layer], layer):
            if left is not None:
                place += (breadth[left] + breadth[key]) / 2 + gap
            offsets[key] = place
        x.update({key: offsets[key] - place / 2 for key in layer})
    for turn in range(2 * _ROUNDS):
        for layer in layers if turn % 2 == 0 else reversed(layers):
            _settle(layer, x, offsets, breadth, before, after)
    return x


def _settle(
    layer: list[Key], x: dict[Key, float], offsets: dict[Key, float], breadth: dict[Key, float],
    before: Neighbours, after: Neighbours,
) -> None:  # fmt: skip
    """Move one layer's keys to their best positions given those of the neighbours."""
    blocks: list[tuple[float, list[Key], list[tuple[float, float]]]] = []  # place, members, wishes
    for key in layer:
        wishes = [
            (x[other] - offsets[key], _STRAIGHT if bool(breadth[other]) == bool(breadth[key]) else _BENT)
            for other in (*before[key], *after[key])
        ]
        members = [key]
        place = _median(wishes, x[key] - offsets[key])
        while blocks and blocks[-1][0] > place:
            _, earlier, more = blocks.pop()
            members, wishes = earlier + members, more + wishes
            place = _median(wishes, sum(x[k] - offsets[k] for k in members) / len(members))
        blocks.append((place, members, wishes))
    for place, members, _ in blocks:
        x.update({key: place + offsets[key] for key in members})


def _median(wishes: list[tuple[float, float]], here: float) -> float:
    """The weighted median of the wishes; among several the nearest to `here`."""
    if not wishes:
        return here
    wishes = sorted(wishes)
    half = sum(weight for _, weight in wishes) / 2
    total = 0.0
    for i, (value, weight) in enumerate(wishes):
        total += weight
        if total > half:
            return value
        if total == half:
            return min(max(here, value), wishes[i + 1][0])
    return wishes[-1][0]
