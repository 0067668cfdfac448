// All kernels, compiled once for each instruction set: the build gives LW_ISA its name and the compiler its -march.
// Everything has internal linkage but one table. If two instruction sets shared so much as one inline function, the
// linker would keep either copy, and an old processor could meet the instructions of a new one; hence no templates of
// the standard library here either. A test looks at the symbols.
#include <math.h>
#include <string.h>

#include "kernel.h"

#define LW_JOIN(a, b) a##b
#define LW_NAME(prefix, isa) LW_JOIN(prefix, isa)
#define LW_TEXT(name) #name
#define LW_STRING(name) LW_TEXT(name)

namespace LW_ISA {
namespace {

// Each header defines one or more `static const Kernel NAME_kernel`, listed below.

const Kernel kernels[] = {
    {nullptr, nullptr, nullptr, nullptr},  // the list ends here
};

}  // namespace
}  // namespace LW_ISA

extern "C" {
extern const KernelTable LW_NAME(layerwise_kernels_, LW_ISA);
const KernelTable LW_NAME(layerwise_kernels_, LW_ISA) = {
    LW_STRING(LW_ISA), LW_VECTOR_BYTES, LW_ISA::kernels,
    sizeof LW_ISA::kernels / sizeof LW_ISA::kernels[0] - 1};
}
