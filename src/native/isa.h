// Which compiled copy of the kernels runs: the widest that this processor has, or the one asked for.
#pragma once
#include <string>
#include <vector>

#include "kernel.h"

std::vector<const KernelTable*> isa_tables();  // those that this processor can run, widest last
const KernelTable& isa_table();                // the one in use; LAYERWISE_ISA names it
void set_isa(const std::string& name);         // throws std::invalid_argument
const Kernel& find_kernel(const KernelTable& table, const char* name);  // throws std::invalid_argument
