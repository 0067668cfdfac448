// What the machine can do at most: multiply-adds from registers, and copies of 16 MB. Prints GFLOP/s and GB/s (bytes
// read and written), the best of several short tries, for as many threads as the first argument says.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr int WIDTH = 16;
#elif defined(__AVX__)
constexpr int WIDTH = 8;
#else
constexpr int WIDTH = 4;
#endif
typedef float Vector __attribute__((vector_size(WIDTH * sizeof(float))));
constexpr int CHAINS = 12;  // independent, so that the next need not wait for the last: latency 4, two a cycle
constexpr long STEPS = 3'000'000;
constexpr std::size_t COPIED = 16 << 20;

float multiply_add(float seed) {
    Vector sums[CHAINS], factor = Vector{} + seed, term = Vector{} + (1 - seed);
    for (int i = 0; i < CHAINS; i++) sums[i] = Vector{} + float(i);
    for (long step = 0; step < STEPS; step++)
        for (int i = 0; i < CHAINS; i++) sums[i] = sums[i] * factor + term;
    Vector total{};
    for (int i = 0; i < CHAINS; i++) total += sums[i];
    return total[0];
}

template <class Work>
double fastest(int threads, int tries, Work work) {
    double best = 1e30;
    while (tries--) {
        auto start = std::chrono::steady_clock::now();
        std::vector<std::thread> others;
        for (int i = 1; i < threads; i++) others.emplace_back(work, i);
        work(0);
        for (auto& other : others) other.join();
        std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        if (taken.count() < best) best = taken.count();
    }
    return best;
}

int main(int count, char** arguments) {
    int threads = count > 1 ? std::atoi(arguments[1]) : 1;
    volatile float seed = 0.999f, sink = 0;
    double seconds = fastest(threads, 10, [&](int) { sink = multiply_add(seed); });
    std::printf("%g ", 2e-9 * WIDTH * CHAINS * STEPS * threads / seconds);

    std::vector<char> from(COPIED, 1), to(COPIED, 2);
    std::size_t part = COPIED / threads;
    constexpr int TIMES = 20;
    seconds = fastest(threads, 5, [&](int i) {
        for (int time = 0; time < TIMES; time++) std::memcpy(to.data() + i * part, from.data() + i * part, part);
    });
    std::printf("%g\n", 2e-9 * part * threads * TIMES / seconds);
}
