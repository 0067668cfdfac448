// Memory of the runtime's own: arenas of programs and scratch of threads, aligned, zeroed when new, and counted.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>
#if defined(__linux__)
#include <sys/mman.h>
#endif

// Becomes Python's MemoryError, with the text.
class OutOfMemory : public std::bad_alloc {
public:
    explicit OutOfMemory(std::string what) : text(std::move(what)) {}
    const char* what() const noexcept override { return text.c_str(); }

private:
    std::string text;
};

// Bytes held now, of each kind, and the most that both have been.
using Counter = std::atomic<size_t>;
inline Counter arena_memory{0}, scratch_memory{0}, peak_memory{0};

class Buffer {
public:
    explicit Buffer(Counter& counter) : counter(&counter) {}
    Buffer(Buffer&& other) noexcept : counter(other.counter) { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept { return swap(other), *this; }
    ~Buffer() { release(); }

    char* data() const { return start; }
    size_t size() const { return held; }

    // At least `bytes`; what was in it is lost where it has to grow.
    void reserve(size_t bytes, const char* owner) {
        if (bytes <= held) return;
        release();
        const bool huge = bytes >= HUGE_PAGE;  // large pages spare address translation
        const size_t alignment = huge ? HUGE_PAGE : 64;
        if (bytes < SIZE_MAX / 2) block = std::calloc(bytes + alignment, 1);
        if (!block) throw OutOfMemory(std::string(owner) + ": no memory for " + std::to_string(bytes) + " bytes");
        start = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(block) + alignment - 1) / alignment * alignment);
        held = bytes;
#if defined(__linux__)
        if (huge) madvise(start, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
        *counter += held;
        const size_t total = arena_memory + scratch_memory;
        for (size_t peak = peak_memory; peak < total && !peak_memory.compare_exchange_weak(peak, total);) {
        }
    }

private:
    static constexpr size_t HUGE_PAGE = size_t(2) << 20;

    void swap(Buffer& other) {
        std::swap(counter, other.counter);
        std::swap(block, other.block);
        std::swap(start, other.start);
        std::swap(held, other.held);
    }

    void release() {
        std::free(block);
        *counter -= held;
        block = nullptr, start = nullptr, held = 0;
    }

    Counter* counter;
    void* block = nullptr;
    char* start = nullptr;
    size_t held = 0;
};
