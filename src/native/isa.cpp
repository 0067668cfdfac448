#include "isa.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

extern "C" {
#if defined(__x86_64__)
extern const KernelTable layerwise_kernels_v2, layerwise_kernels_v3, layerwise_kernels_v4;
#else
extern const KernelTable layerwise_kernels_portable;
#endif
}

std::vector<const KernelTable*> isa_tables() {
#if defined(__x86_64__)
    std::vector<const KernelTable*> tables;
    const auto has = [](int feature) { return feature != 0; };
    const bool v2 = has(__builtin_cpu_supports("sse4.2")) && has(__builtin_cpu_supports("popcnt"));
    const bool v3 = v2 && has(__builtin_cpu_supports("avx2")) && has(__builtin_cpu_supports("fma")) &&
                    has(__builtin_cpu_supports("bmi")) && has(__builtin_cpu_supports("bmi2"));
    const bool v4 = v3 && has(__builtin_cpu_supports("avx512f")) && has(__builtin_cpu_supports("avx512bw")) &&
                    has(__builtin_cpu_supports("avx512cd")) && has(__builtin_cpu_supports("avx512dq")) &&
                    has(__builtin_cpu_supports("avx512vl"));
    if (v2) tables.push_back(&layerwise_kernels_v2);
    if (v3) tables.push_back(&layerwise_kernels_v3);
    if (v4) tables.push_back(&layerwise_kernels_v4);
    if (tables.empty()) throw std::runtime_error("the native kernels need a processor of level x86-64-v2 (2009) or newer");
    return tables;
#else
    return {&layerwise_kernels_portable};
#endif
}

static const KernelTable* named(const std::string& name) {
    std::string known;
    for (const KernelTable* table : isa_tables()) {
        if (name == table->isa) return table;
        known += (known.empty() ? "" : ", ") + std::string(table->isa);
    }
    throw std::invalid_argument("instruction set: got '" + name + "', expected one that this processor has: " + known);
}

static std::atomic<const KernelTable*> in_use{nullptr};

const KernelTable& isa_table() {
    if (!in_use) {
        const char* name = std::getenv("LAYERWISE_ISA");
        in_use = name && *name ? named(name) : isa_tables().back();
    }
    return *in_use;
}

void set_isa(const std::string& name) { in_use = named(name); }

const Kernel& find_kernel(const KernelTable& table, const char* name) {
    for (int i = 0; i < table.count; i++)
        if (std::strcmp(table.kernels[i].name, name) == 0) return table.kernels[i];
    std::string known;
    for (int i = 0; i < table.count; i++) known += (i ? ", " : "") + std::string(table.kernels[i].name);
    throw std::invalid_argument("kernel: got '" + std::string(name) + "', expected one of " + known);
}
