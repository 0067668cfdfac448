// image: out = x * scale + offset, bytes to float32: pixels as a network wants them.
#pragma once
#include "view.h"

inline const char* image_check(const Call& call) {
    if (!given(call, 2) || call.real_count != 2) return "image: expected the arguments out, x and the numbers scale, offset";
    if (call.args[0].dtype != F32 || call.args[1].dtype != U8) return "image: expected out float32 and x uint8";
    if (!contiguous(call.args[0]) || !contiguous(call.args[1])) return "image: expected contiguous arrays";
    return same_shape(call.args[0], call.args[1]) ? nullptr : "image: out and x differ in shape";
}

inline int64_t image_parts(const Call& call) { return part_count(5 * count(call.args[0]), count(call.args[0])); }
inline void image_plan(const Call& call, Plan& plan) { plan = {1, {image_parts(call)}, 0, 0}; }
inline void image_part(const Call& call, int, int64_t part, char*, char*) {
    float* __restrict out = (float*)call.args[0].data;
    const uint8_t* __restrict x = (const uint8_t*)call.args[1].data;
    const float scale = float(call.reals[0]), offset = float(call.reals[1]);
    Range range = part_of(count(call.args[0]), image_parts(call), part);
    for (int64_t i = range.begin; i < range.end; i++) out[i] = x[i] * scale + offset;
}
const Kernel image_kernel = {"image", image_check, image_plan, image_part};
