// Run while the kernels are configured: its exit status is the level of this machine's processor.
#include "level.h"

int main() { return processor_level(); }
