// What the processor can do, as the levels of x86-64: 2 (2009), 3 (with AVX2), 4 (with AVX-512); 0 where less.
#pragma once

inline int processor_level() {
#if defined(__x86_64__)
    const auto has = [](int feature) { return feature != 0; };
    if (!has(__builtin_cpu_supports("sse4.2")) || !has(__builtin_cpu_supports("popcnt"))) return 0;
    if (!has(__builtin_cpu_supports("avx2")) || !has(__builtin_cpu_supports("fma")) ||
        !has(__builtin_cpu_supports("bmi")) || !has(__builtin_cpu_supports("bmi2")))
        return 2;
    const bool wide = has(__builtin_cpu_supports("avx512f")) && has(__builtin_cpu_supports("avx512bw")) &&
                      has(__builtin_cpu_supports("avx512cd")) && has(__builtin_cpu_supports("avx512dq")) &&
                      has(__builtin_cpu_supports("avx512vl"));
    return wide ? 4 : 3;
#else
    return 0;
#endif
}
