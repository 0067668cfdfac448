#include "isa.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "level.h"

// LW_ISAS is what CMakeLists.txt compiles: ISA(its name, the level of the processor that it needs) for each, narrowest first.
#define ISA(name, needs) extern "C" const KernelTable layerwise_kernels_##name;
LW_ISAS
#undef ISA

std::vector<const KernelTable*> isa_tables() {
    std::vector<const KernelTable*> tables;
    const int level = processor_level();
#define ISA(name, needs) \
    if (level >= needs) tables.push_back(&layerwise_kernels_##name);
    LW_ISAS
#undef ISA
    if (tables.empty())
        throw std::runtime_error("the native kernels were compiled for a newer processor, of level x86-64-v2 (2009) at least: "
                                 "install Layerwise again on this machine");
    return tables;
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
