// random_bits: word i is half of the counter i / 2 encrypted by Threefry-2x32 in 20 rounds. It depends on the key and on i
// only, so the loop has no memory and the compiler makes vectors of it.
// Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011).
#pragma once
#include "view.h"

inline const char* random_bits_check(const Call& call) {
    if (!given(call, 2)) return "random_bits: expected the arguments out, key";
    const View &out = call.args[0], &key = call.args[1];
    if (out.dtype != U32 || key.dtype != U32) return "random_bits: expected uint32 arrays";
    if (!contiguous(out) || !contiguous(key)) return "random_bits: expected contiguous arrays";
    return count(key) == 2 ? nullptr : "random_bits: key: expected two words";
}

inline int64_t random_bits_parts(const Call& call) { return part_count(4 * count(call.args[0]), ceil_div(count(call.args[0]), 2)); }

INLINE uint32_t rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

struct Pair {
    uint32_t x, y;
};
INLINE Pair threefry2x32(const uint32_t (&key)[3], uint32_t x, uint32_t y) {
    constexpr int ROTATIONS[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
    x += key[0], y += key[1];
    UNROLL for (int block = 0; block < 5; block++) {
        UNROLL for (int i = 0; i < 4; i++) x += y, y = rotate(y, ROTATIONS[block % 2][i]) ^ x;
        x += key[(block + 1) % 3], y += key[(block + 2) % 3] + block + 1;
    }
    return {x, y};
}

inline void random_bits_part(const Call& call, int, int64_t part, char*, char*) {
    const uint32_t* words = (const uint32_t*)call.args[1].data;
    const uint32_t key[3] = {words[0], words[1], words[0] ^ words[1] ^ 0x1BD11BDA};
    uint32_t* __restrict out = (uint32_t*)call.args[0].data;
    int64_t n = count(call.args[0]);
    Range pairs = part_of(ceil_div(n, 2), random_bits_parts(call), part);
    int64_t whole = least(pairs.end, n / 2);
    for (int64_t i = pairs.begin; i < whole; i++) {
        Pair p = threefry2x32(key, uint32_t(i), 0);
        out[2 * i] = p.x, out[2 * i + 1] = p.y;
    }
    if (whole < pairs.end) out[n - 1] = threefry2x32(key, uint32_t(whole), 0).x;
}
inline void random_bits_plan(const Call& call, Plan& plan) { plan = {1, {random_bits_parts(call)}, 0, 0}; }
const Kernel random_bits_kernel = {"random_bits", random_bits_check, random_bits_plan, random_bits_part};
