// All kernels, compiled once for each instruction set: the build names it (LW_ISA) and gives the compiler its -march.
// Everything has internal linkage but one table. If two instruction sets shared so much as one inline function, the
// linker would keep either copy, and an old processor could meet the instructions of a new one; hence no templates of
// the standard library here either. A test looks at the symbols.
#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernel.h"

#define LW_JOIN(a, b) a##b
#define LW_NAME(prefix, isa) LW_JOIN(prefix, isa)

namespace LW_ISA {
namespace {

// Each defines one or more `const Kernel NAME_kernel`, listed below.
#include "conv.h"
#include "conv_gradients.h"
#include "conv_pool_gradient.h"
#include "copy.h"
#include "fused.h"
#include "gather.h"
#include "gemm.h"
#include "pooling.h"
#include "random.h"
#include "reduce.h"
#include "updates.h"

const Kernel kernels[] = {
    adam_kernel,
    adamw_kernel,
    avg_pool_kernel,
    avg_pool_grad_kernel,
    conv_kernel,
    conv_grad_w_kernel,
    conv_grad_x_kernel,
    conv_pool_kernel,
    conv_pool_grad_kernel,
    copy_kernel,
    fused_kernel,
    gather_kernel,
    gemm_kernel,
    max_pool_kernel,
    max_pool_grad_kernel,
    momentum_kernel,
    random_bits_kernel,
    reduce_kernel,
    scatter_add_kernel,
};

}  // namespace
}  // namespace LW_ISA

extern "C" {
extern const KernelTable LW_NAME(layerwise_kernels_, LW_ISA);
const KernelTable LW_NAME(layerwise_kernels_, LW_ISA) = {
    LW_ISA_NAME, LW_ISA::VECTOR_BYTES, LW_ISA::kernels,
    sizeof LW_ISA::kernels / sizeof LW_ISA::kernels[0]};
}
