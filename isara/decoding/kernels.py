"""Attention of few queries over many columns on a CPU, compiled: bound by memory, not by products.

Library products of 5 rows of 32 values run at a fifth of a core's rate, and masks, softmax and
transposed copies read the scores again and again. Here a query block's scores stay in the nearest
cache, keys and values are read once, and what no query sees is not read at all. Keys and values
are [slots, key heads, head size, columns], so that columns lie side by side in memory.

Every function works on a part of its tasks (a slot or prompt with a head each), so that `shared`
can give the parts to several threads; none of them holds Python's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

compiled: Any = njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
f4 = np.float32
HIDDEN = f4(-1e30)  # finite: fast mathematics knows no infinity
SMALLEST = f4(-87.0)  # exp of less is no normal number
QUERIES = 16  # of a prompt in one pass over its keys


def shared(tasks: int, work: Callable[[int, int], None]) -> None:
    """`work(first, last)` over all tasks, on as many threads as PyTorch uses in this one."""
    threads = min(torch.get_num_threads(), tasks)
    if threads < 2:
        work(0, tasks)
        return
    edges = [tasks * part // threads for part in range(threads + 1)]
    for job in [_pool().submit(work, *edge) for edge in pairwise(edges)]:
        job.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="attention")


@compiled
def _attend(query, rows, keys, values, first, last, scores, shares, out):
    """Rows of `query` [rows, size], scaled, over columns first to last of keys and values
    [size, columns]; `scores` [rows, columns] holds 0 or HIDDEN there. What is to be multiplied
    with `shares` [rows] goes to `out` [rows, size].

    Lines are cut out before the inner loops: only then does the compiler make vectors of those.
    """
    size = query.shape[1]
    whole = size - size % 4
    for d in range(0, whole, 4):
        k0, k1 = keys[d, first:last], keys[d + 1, first:last]
        k2, k3 = keys[d + 2, first:last], keys[d + 3, first:last]
        for m in range(0, rows - 1, 2):  # two rows share what is read of the keys
            q0, q1, q2, q3 = query[m, d], query[m, d + 1], query[m, d + 2], query[m, d + 3]
            r0, r1 = query[m + 1, d], query[m + 1, d + 1]
            r2, r3 = query[m + 1, d + 2], query[m + 1, d + 3]
            line, other = scores[m, first:last], scores[m + 1, first:last]
            for c in range(len(line)):
                a0, a1, a2, a3 = k0[c], k1[c], k2[c], k3[c]
                line[c] += q0 * a0 + q1 * a1 + q2 * a2 + q3 * a3
                other[c] += r0 * a0 + r1 * a1 + r2 * a2 + r3 * a3
        if rows % 2:
            m = rows - 1
            q0, q1, q2, q3 = query[m, d], query[m, d + 1], query[m, d + 2], query[m, d + 3]
            line = scores[m, first:last]
            for c in range(len(line)):
                line[c] += q0 * k0[c] + q1 * k1[c] + q2 * k2[c] + q3 * k3[c]
    for d in range(whole, size):
        k0 = keys[d, first:last]
        for m in range(rows):
            q0 = query[m, d]
            line = scores[m, first:last]
            for c in range(len(line)):
                line[c] += q0 * k0[c]
    for m in range(rows):
        shares[m] = f4(1.0) / _weights(scores[m, first:last])
    _mix(scores, rows, values, first, last, out)


@compiled
def _mix(scores, rows, values, first, last, out):
    """Sums of values [size, columns] weighted by rows of `scores`, to `out` [rows, size]."""
    size = out.shape[1]
    whole = size - size % 4
    for d in range(0, whole, 4):
        v0, v1 = values[d, first:last], values[d + 1, first:last]
        v2, v3 = values[d + 2, first:last], values[d + 3, first:last]
        for m in range(0, rows - 1, 2):
            line, other = scores[m, first:last], scores[m + 1, first:last]
            o0 = o1 = o2 = o3 = p0 = p1 = p2 = p3 = f4(0.0)
            for c in range(len(line)):
                a0, a1, a2, a3 = v0[c], v1[c], v2[c], v3[c]
                w, z = line[c], other[c]
                o0 += w * a0
                o1 += w * a1
                o2 += w * a2
                o3 += w * a3
                p0 += z * a0
                p1 += z * a1
                p2 += z * a2
                p3 += z * a3
            out[m, d], out[m, d + 1], out[m, d + 2], out[m, d + 3] = o0, o1, o2, o3
            out[m + 1, d], out[m + 1, d + 1], out[m + 1, d + 2], out[m + 1, d + 3] = p0, p1, p2, p3
        if rows % 2:
            m = rows - 1
            line = scores[m, first:last]
            o0 = o1 = o2 = o3 = f4(0.0)
            for c in range(len(line)):
                w = line[c]
                o0 += w * v0[c]
                o1 += w * v1[c]
                o2 += w * v2[c]
                o3 += w * v3[c]
            out[m, d], out[m, d + 1], out[m, d + 2], out[m, d + 3] = o0, o1, o2, o3
    for d in range(whole, size):
        v0 = values[d, first:last]
        for m in range(rows):
            line = scores[m, first:last]
            o0 = f4(0.0)
            for c in range(len(line)):
                o0 += line[c] * v0[c]
            out[m, d] = o0


@intrinsic
def _float_of(_, bits):
    """The float32 with the bits of an int32."""

    def code(context, builder, signature, given):
        return builder.bitcast(given[0], ir.FloatType())

    return types.float32(types.int32), code


@compiled
def _weights(scores):
    """exp(score - largest score) in place; returns their sum.

    exp(x) = 2^n exp(r), |r| <= ln(2)/2: a polynomial, and n written into the exponent's bits,
    which a compiler makes vectors of.
    """
    top = _largest(scores.view(np.int32))
    total = f4(0.0)
    for c in range(len(scores)):
        x = max(scores[c] - top, SMALLEST)
        n = np.floor(x * f4(1.44269504) + f4(0.5))
        # ln 2 in two parts, so that nothing is lost in the difference.
        r = (x - n * f4(0.693359375)) + n * f4(2.12194440e-4)
        p = f4(1 / 24) + r * (f4(1 / 120) + r * (f4(1 / 720) + r * f4(1 / 5040)))
        p = f4(1.0) + r * (f4(1.0) + r * (f4(0.5) + r * (f4(1 / 6) + r * p)))
        p *= _float_of((np.int32(n) + np.int32(127)) << np.int32(23))
        p = f4(0.0) if x <= SMALLEST else p
        scores[c] = p
        total += p
    return total


@compiled
def _largest(bits):
    """Largest of the floats with these bits. Compared as integers, of which a compiler makes
    vectors: the same order once the bits below a negative sign are turned around."""
    top = np.int32(-(2**31))
    for c in range(len(bits)):
        top = max(top, bits[c] ^ ((bits[c] >> np.int32(31)) & np.int32(2**31 - 1)))
    one = np.empty(1, np.int32)
    one[0] = top ^ ((top >> np.int32(31)) & np.int32(2**31 - 1))
    return one.view(np.float32)[0]


@compiled
def attend_step(
    query, new_keys, new_values, keys, values, tables, seen, positions, prefix, window, scale, out,
    task, end,
):  # fmt: skip
    """Beams of slots over their prompts and what they see of the suffix.

    query and out [slots, width, heads, size]; new_keys and new_values [slots, width, key heads,
    size], put into the suffix first, while its lines are at hand; tables [3, slots]: tokens of the
    prompt, steps since, suffix columns in use; seen [slots, width, suffix]; positions [slots,
    suffix]; window 0: none. A task is a slot with a key head.
    """
    width, heads, size = query.shape[1:]
    key_heads, columns = keys.shape[1], keys.shape[3]
    groups = heads // key_heads
    scores = np.empty((groups * width, columns), np.float32)
    shares = np.empty(groups * width, np.float32)
    rows = np.empty((groups * width, size), np.float32)
    result = np.empty((groups * width, size), np.float32)
    for t in range(task, end):
        slot, k = t // key_heads, t % key_heads
        length, used = tables[0, slot], tables[2, slot]
        now = length + tables[1, slot]
        first, last = prefix - length, prefix + used + width
        if window:
            first += min(max(0, now - window + 1), length)
        for d in range(size):
            for m in range(width):
                keys[slot, k, d, prefix + used + m] = new_keys[slot, m, k, d]
                values[slot, k, d, prefix + used + m] = new_values[slot, m, k, d]
        for g in range(groups):
            for m in range(width):
                row = g * width + m
                for d in range(size):
                    rows[row, d] = query[slot, m, k * groups + g, d] * scale
                scores[row, first:prefix] = f4(0.0)
                line, sees = scores[row, prefix:last], seen[slot, m]
                for j in range(len(line)):
                    line[j] = f4(0.0) if sees[j] else HIDDEN
                if window:
                    for j in range(len(line)):
                        if now - positions[slot, j] >= window:
                            line[j] = HIDDEN
        mine, its = keys[slot, k], values[slot, k]
        _attend(rows, groups * width, mine, its, first, last, scores, shares, result)
        for g in range(groups):
            for m in range(width):
                row = g * width + m
                for d in range(size):
                    out[slot, m, k * groups + g, d] = result[row, d] * shares[row]


@compiled
def attend_prompts(query, keys, values, slots, lengths, prefix, window, scale, out, task, end):
    """Causal attention of whole prompts, whose keys and values are in their slots already.

    query and out [prompts, tokens, heads, size]; what is beyond a prompt's length becomes 0;
    window 0: none. A task is a prompt with a head.
    """
    tokens, heads, size = query.shape[1:]
    groups = heads // keys.shape[1]
    columns = keys.shape[3]
    scores = np.empty((QUERIES, columns), np.float32)
    shares = np.empty(QUERIES, np.float32)
    rows = np.empty((QUERIES, size), np.float32)
    result = np.empty((QUERIES, size), np.float32)
    for t in range(task, end):
        prompt, head = t // heads, t % heads
        slot, k, length = slots[prompt], head // groups, lengths[prompt]
        start = prefix - length
        for token in range(0, length, QUERIES):
            count = min(QUERIES, length - token)
            first = start + (max(0, token - window + 1) if window else 0)
            last = start + token + count
            for m in range(count):
                for d in range(size):
                    rows[m, d] = query[prompt, token + m, head, d] * scale
                scores[m, first:last] = f4(0.0)
                scores[m, start + token + m + 1 : last] = HIDDEN
                if window:
                    scores[m, first : max(first, start + token + m - window + 1)] = HIDDEN
            _attend(
                rows, count, keys[slot, k], values[slot, k], first, last, scores, shares, result
            )
            for m in range(count):
                for d in range(size):
                    out[prompt, token + m, head, d] = result[m, d] * shares[m]
        for token in range(length, tokens):
            for d in range(size):
                out[prompt, token, head, d] = f4(0.0)


@compiled
def keep_columns(tensor, prefix, order, counts):
    """Suffix columns order[slot, :counts[slot]], ascending, move to the suffix's beginning."""
    for slot in range(len(order)):
        for h in range(tensor.shape[1]):
            for d in range(tensor.shape[2]):
                line = tensor[slot, h, d]
                for i in range(counts[slot]):
                    line[prefix + i] = line[prefix + order[slot, i]]
